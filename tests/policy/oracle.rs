//! What the law says, as two plain tables. This file shares no code with `src/policy`: it reads words, not facts.
//!
//! A table has a line for each way in which an act is permitted; `*` is any word, `a|b` one of them. What no line permits
//! is denied. Every column of [`OPEN`] is one reduced fact:
//!
//! - who: `staff` (a profession with a column, interns included), `coord` (EHPAD coordinating doctor), `work`
//!   (occupational doctor), `barred` (reception, no profession, no column, a student of another profession)
//! - record: `open`, `shut` (closed, never created, unknown), `blocked`
//! - auth: `stands`, `lapsed` (none, expired, past its end), `barred` (INTERDIT, unknown)
//! - team, initial, informed, explicit, refused: `yes`, `no`, `unknown`
//! - dated: `ok`, `future`
//! - switch: the patient's emergency switch for other professionals: `yes`, `no`, `unknown`
//! - reason: one of the list, `given` or not
//! - brain: `no` (alive), `framework` (brain-dead, a signed framework is named), `bare` (brain-dead, none)

/// Sources: L.1110-4, L.1110-12, L.1111-16, L.1111-17, R.1111-46, R.1111-48; Conseil d'État n° 490409; the deck.
const OPEN: &str = "
who         record auth          mode     ground        team initial informed explicit refused dated switch reason brain         regime
staff|coord open   stands        normal   authorization *    *       *        *        no      *     *      *      no|framework  *
staff       open   stands|lapsed normal   team          yes  *       yes      *        no      ok    *      *      no|framework  arrete
staff|coord open   stands|lapsed normal   team          yes  yes     yes      *        no      ok    *      *      no|framework  *
staff|coord open   stands|lapsed normal   explicit      *    *       *        yes      no      ok    *      *      no            *
work        open   stands|lapsed normal   explicit      *    *       *        yes      no      ok    *      *      no            *
staff|coord open   stands|lapsed bris     break_glass   *    *       *        *        no      *     yes    given  no            *
staff|coord open   stands        prefetch authorization yes  yes     *        *        no      ok    *      *      no            *
staff|coord open   stands        prefetch team          yes  yes     *        *        no      ok    *      *      no            *
";

/// Sources: R.1111-46 and the annex of the order of 26 October 2023, R.1111-49, L.1111-16, L.1111-17 I, TD3.3c.
/// door: the way in stands, `normal` or `prefetch`, `urgent`, `urgent_masked` (the patient opens masked documents in an emergency).
/// labels: `plain`, `masked`, `wrong` (unknown, none, too many, or two that exclude each other).
const DOCUMENT: &str = "
door                                  labels status                      cell own attending administrator
normal|prefetch|urgent|urgent_masked  plain  current|archived|superseded yes  *   *         *
normal|prefetch|urgent|urgent_masked  masked current|archived|superseded yes  yes *         *
normal|prefetch|urgent|urgent_masked  masked current|archived|superseded yes  *   yes       *
normal|prefetch|urgent|urgent_masked  masked current|archived|superseded yes  *   *         yes
urgent_masked                         masked current|archived|superseded yes  *   *         *
";

/// Sources: R.1111-50, EX_0.1-1100. What a secret connection asks for beside [`OPEN`], of a record and of its documents.
/// speaks: a legal representative speaks for the patient.
const SECRET: &str = "
minor speaks mode   brain
yes   no     normal no
";

/// Sources: DMP TD2.1 (open record, qualified INS, no authorization), EX_2.1-1050, R.1111-50, JDV_J08, ASS_X16; who may, and
/// that a blocked professional may not, and that the matrix must open the type (cell), are this house's own choice (src/policy/rules/deposit.rs).
/// hidden: not visible to the legal representatives. labels: `plain` (masked or not) or `wrong`. type: the DMP takes it.
const DEPOSIT: &str = "
who         record ins mode   ground                                  secret minor speaks brain        hidden labels status                      type  own cell
staff|coord open   yes normal none|authorization|team|explicit|refused no     *     *      no|framework no     plain  current|archived|superseded taken yes yes
staff|coord open   yes normal none|authorization|team|explicit|refused yes    yes   no     no           yes    plain  current|archived|superseded taken yes yes
";

/// One of the tables, read once: each line as one set of words a column.
pub struct Law {
    columns: Vec<&'static str>,
    lines: Vec<Vec<Option<Vec<&'static str>>>>,
}

impl Law {
    pub fn open() -> Law {
        Law::read(OPEN)
    }

    pub fn document() -> Law {
        Law::read(DOCUMENT)
    }

    pub fn secret() -> Law {
        Law::read(SECRET)
    }

    pub fn deposit() -> Law {
        Law::read(DEPOSIT)
    }

    fn read(text: &'static str) -> Law {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let columns: Vec<&str> = lines.next().expect("a header").split_whitespace().collect();
        let lines = lines.map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words.len(), columns.len(), "{line}");
            words.into_iter().map(|word| (word != "*").then(|| word.split('|').collect())).collect()
        });
        let lines = lines.collect();
        Law { columns, lines }
    }

    /// `words` in the order of the header.
    pub fn permits(&self, words: &[&'static str]) -> bool {
        assert_eq!(words.len(), self.columns.len());
        self.lines.iter().any(|line| {
            line.iter().zip(words).all(|(allowed, word)| allowed.as_ref().is_none_or(|allowed| allowed.contains(word)))
        })
    }

    /// The lines that these words leave open, in the columns so named: what is asked a thousand times is asked of them.
    pub fn given(&self, named: &[(&'static str, &'static str)]) -> Law {
        let at = |name| self.columns.iter().position(|column| *column == name).expect("a column");
        let places: Vec<(usize, &str)> = named.iter().map(|(name, word)| (at(*name), *word)).collect();
        let fits = |line: &&Vec<Option<Vec<&'static str>>>| {
            places.iter().all(|(at, word)| line[*at].as_ref().is_none_or(|allowed| allowed.contains(word)))
        };
        let rest: Vec<usize> =
            (0..self.columns.len()).filter(|at| places.iter().all(|(place, _)| place != at)).collect();
        let lines = self.lines.iter().filter(fits);
        let lines = lines.map(|line| rest.iter().map(|at| line[*at].clone()).collect()).collect();
        Law { columns: rest.iter().map(|at| self.columns[*at]).collect(), lines }
    }
}
