//! The same rules as most systems ask them: tables, and one SELECT that joins them. In memory, indexed by what it joins on,
//! prepared once. The order of the CASE is the order of our rules; a rule that cannot apply to a reader's own facts is
//! asked all the same, as ours is.

use chevet::policy::Matrix;
use chevet::policy::facts::Cell;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::facts::Known;
use chevet::policy::looked;
use rusqlite::Connection;
use rusqlite::Statement;

pub struct Database(Connection);

const TABLES: &str = "
CREATE TABLE visit (
  holder TEXT, card_kind TEXT, profession INTEGER, kind TEXT, in_training INTEGER, existence TEXT, blocked INTEGER,
  authorization TEXT, authorized_until INTEGER, attending INTEGER, administrator INTEGER, emergency_others INTEGER,
  emergency_masked INTEGER, minor INTEGER, in_team TEXT, initial_team TEXT, informed TEXT, explicit TEXT, refused TEXT,
  given_at INTEGER, representative TEXT, secret INTEGER, mode TEXT, ground TEXT, reason TEXT, brain_death INTEGER,
  framework TEXT, regime TEXT, now INTEGER);
CREATE TABLE document (id INTEGER PRIMARY KEY, type TEXT, status TEXT);
CREATE TABLE label (document INTEGER, code TEXT, PRIMARY KEY (document, code)) WITHOUT ROWID;
CREATE TABLE author (document INTEGER, holder TEXT, PRIMARY KEY (document, holder)) WITHOUT ROWID;
CREATE TABLE known_label (code TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE stands (profession INTEGER, column_id TEXT, PRIMARY KEY (profession, column_id)) WITHOUT ROWID;
CREATE TABLE cell (column_id TEXT, type TEXT, value INTEGER, PRIMARY KEY (column_id, type)) WITHOUT ROWID;
INSERT INTO visit VALUES ('899700000001', 'CPS', 60, 'other', 0, 'open', 0, 'none', NULL, 0, 0, NULL, NULL, 0, 'yes', 'yes',
  'yes', 'no', 'no', 1795419720, 'no', 0, 'normal', 'team', NULL, 0, NULL, 'conseil-etat-2025', 1795423320);
INSERT INTO known_label VALUES ('N'), ('R'), ('V'), ('INVISIBLE_PATIENT'), ('INVISIBLE_REPRESENTANTS_LEGAUX'), ('MASQUE_PS');
INSERT INTO stands VALUES (60, '60_69');
";

const DECIDE: &str = "
SELECT d.id, CASE
  WHEN v.card_kind IN ('CPE', 'CPA') THEN 'I-01'
  WHEN v.profession IS NULL THEN 'I-02'
  WHEN v.kind = 'without_column' THEN 'I-03'
  WHEN (v.in_training OR v.card_kind = 'CPF') AND v.profession NOT IN (10, 21, 40, 50) THEN 'I-04'
  WHEN v.existence = 'never_created' THEN 'R-01'
  WHEN v.existence = 'closed_by_patient' THEN 'R-02'
  WHEN v.existence IN ('closed', 'closed_deceased') THEN 'R-03'
  WHEN v.existence <> 'open' THEN 'R-04'
  WHEN v.blocked THEN 'R-05'
  WHEN v.authorization = 'forbidden' THEN 'R-06'
  WHEN v.authorization = 'unknown' THEN 'R-07'
  WHEN v.secret AND v.minor = 0 THEN 'S-01'
  WHEN v.secret AND v.minor IS NULL THEN 'S-02'
  WHEN v.secret AND v.mode = 'prefetch' THEN 'S-03'
  WHEN v.secret AND (v.mode = 'bris_de_glace' OR v.ground = 'break_glass' OR v.brain_death) THEN 'S-04'
  WHEN v.secret AND v.representative = 'yes' THEN 'S-05'
  WHEN v.secret AND v.representative <> 'no' THEN 'S-06'
  WHEN v.refused = 'yes' OR v.ground = 'refused' THEN 'C-01'
  WHEN v.refused = 'unknown' THEN 'C-02'
  WHEN v.brain_death AND v.framework IS NULL THEN 'B-01'
  WHEN v.brain_death AND (v.ground IN ('explicit', 'break_glass') OR v.mode <> 'normal') THEN 'B-02'
  WHEN v.mode = 'centre_15' THEN 'E-01'
  WHEN d.status = 'deleted' THEN 'D-02'
  WHEN d.status NOT IN ('current', 'archived', 'superseded') THEN 'D-03'
  WHEN count(l.code) NOT BETWEEN 1 AND 4 OR count(k.code) < count(l.code) THEN 'L-01'
  WHEN max(l.code = 'INVISIBLE_PATIENT') AND max(l.code = 'MASQUE_PS') THEN 'L-02'
  WHEN max(l.code = 'MASQUE_PS') AND a.holder IS NULL AND NOT v.attending AND NOT v.administrator
    AND NOT (v.mode = 'bris_de_glace' AND coalesce(v.emergency_masked, 0)) THEN 'L-03'
  WHEN c.value = 0 THEN 'M-02'
  WHEN c.value IS NULL THEN 'M-03'
  WHEN v.mode = 'bris_de_glace' AND v.kind = 'occupational_doctor' THEN 'E-02'
  WHEN v.mode = 'bris_de_glace' AND v.emergency_others = 0 THEN 'E-03'
  WHEN v.mode = 'bris_de_glace' AND v.emergency_others IS NULL THEN 'E-04'
  WHEN v.mode = 'prefetch' THEN 'P-02'
  WHEN (v.mode = 'bris_de_glace') <> (v.ground IS 'break_glass') THEN 'E-05'
  WHEN v.mode = 'bris_de_glace' AND v.reason IS NULL THEN 'E-06'
  WHEN v.ground IS NULL THEN 'G-10'
  WHEN v.kind = 'occupational_doctor' AND v.ground IN ('authorization', 'team') THEN 'K-01'
  WHEN v.ground = 'authorization'
    AND NOT (v.authorization = 'valid' AND coalesce(v.authorized_until > v.now, 1)) THEN 'G-11'
  WHEN v.ground = 'team' AND v.in_team <> 'yes' THEN 'G-12'
  WHEN v.ground IN ('team', 'explicit') AND v.given_at > v.now + 300 THEN 'G-13'
  WHEN v.ground = 'team' AND (v.regime = 'conseil-etat-2025' OR v.kind = 'coordinating_doctor')
    AND v.initial_team <> 'yes' THEN 'G-14'
  WHEN v.ground = 'team' AND v.informed <> 'yes' THEN 'G-15'
  WHEN v.ground = 'explicit' AND v.explicit <> 'yes' THEN 'G-16'
  WHEN max(l.code = 'MASQUE_PS') AND a.holder IS NOT NULL THEN 'L-10'
  WHEN max(l.code = 'MASQUE_PS') AND v.attending THEN 'L-11'
  WHEN max(l.code = 'MASQUE_PS') AND v.administrator THEN 'L-12'
  WHEN max(l.code = 'MASQUE_PS') THEN 'L-13'
  ELSE 'M-01' END
FROM visit v CROSS JOIN document d
LEFT JOIN stands s ON s.profession = v.profession
LEFT JOIN cell c ON c.column_id = s.column_id AND c.type = d.type
LEFT JOIN author a ON a.document = d.id AND a.holder = v.holder
LEFT JOIN label l ON l.document = d.id
LEFT JOIN known_label k ON k.code = l.code
GROUP BY d.id";

impl Database {
    pub fn fill(matrix: &Matrix, documents: &[Option<DocumentFacts>]) -> rusqlite::Result<Database> {
        let database = Connection::open_in_memory()?;
        database.execute_batch(TABLES)?;
        database.execute_batch("BEGIN")?;
        for (id, document) in documents.iter().enumerate() {
            let (id, Some(document)) = (id as i64, document) else { continue };
            let status = looked::status(document.status);
            database.execute("INSERT INTO document VALUES (?1, ?2, ?3)", (id, &document.type_code.0, status))?;
            for label in &document.labels {
                database.execute("INSERT INTO label VALUES (?1, ?2)", (id, label.code()))?;
            }
            if document.by_this_holder == Known::Yes {
                database.execute("INSERT INTO author VALUES (?1, '899700000001')", (id,))?;
            }
        }
        for column in matrix.columns() {
            for kind in matrix.types() {
                let value = match matrix.value(column, kind) {
                    Cell::Yes => 1,
                    Cell::No => 0,
                    Cell::Unknown => continue,
                };
                database.execute("INSERT INTO cell VALUES (?1, ?2, ?3)", (&column.0, &kind.0, value))?;
            }
        }
        database.execute_batch("COMMIT; ANALYZE")?;
        Ok(Database(database))
    }

    /// The question, prepared.
    pub fn prepare(&self) -> rusqlite::Result<Question<'_>> {
        Ok(Question(self.0.prepare(DECIDE)?))
    }
}

pub struct Question<'a>(Statement<'a>);

impl Question<'_> {
    /// How many are permitted: every row is stepped through and its answer read.
    pub fn decide_all(&mut self) -> rusqlite::Result<usize> {
        let mut rows = self.0.query([])?;
        let mut permitted = 0;
        while let Some(row) = rows.next()? {
            let rule = row.get_ref(1)?.as_str()?;
            permitted += usize::from(matches!(rule, "M-01" | "L-10" | "L-11" | "L-12" | "L-13"));
        }
        Ok(permitted)
    }

    /// The rule for each document, in the order of their ids.
    pub fn rules(&mut self) -> rusqlite::Result<Vec<String>> {
        self.0.query_map([], |row| row.get(1))?.collect()
    }
}
