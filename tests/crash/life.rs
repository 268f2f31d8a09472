//! A life that is cut off: the real vault, an act at a time, each said before and after on standard output.
//!
//! ```text
//! try KEY VALUE     from here on the disk may hold VALUE
//! done KEY VALUE    the vault has said so: from here on it must hold VALUE, or what was tried since
//! ```
//!
//! What is said is written at once, so that a recording of the system calls holds it in its place. Dice decide; one number
//! decides all of them.

use crate::acts;
use crate::dice::Dice;
use chevet::journal::consent::Answer;
use chevet::journal::words::Class;
use chevet::vault::Error;
use chevet::vault::Vault;
use std::path::Path;
use uuid::Uuid;

/// Who is in, what was done, and what is next.
pub struct Life<'a> {
    vault: Vault,
    dice: Dice,
    /// Numbers everything, so that no value is ever the same as another.
    number: u32,
    rows: u64,
    holder: usize,
    at: i64,
    /// Ids and numbers of rows that wait.
    waiting: Vec<(Uuid, u32)>,
    /// Numbers of finished notes that wait.
    notes: Vec<u32>,
    says: &'a mut dyn FnMut(&str),
}

/// What came of a life on a disk that fails.
pub struct Lived {
    pub errors: Vec<Error>,
}

/// Documents of each patient.
pub const DOCUMENTS: u32 = 4;
/// What a register holds when nothing is there.
pub const NOTHING: &str = "-";

/// Lives in that folder. `first` is where numbers and times begin: later lives in the same folder begin later. The vault is open
/// until the life is dropped.
pub async fn live<'a>(
    folder: &Path,
    seed: u64,
    first: u32,
    acts: u32,
    says: &'a mut dyn FnMut(&str),
) -> Result<Life<'a>, Error> {
    let mut life = Life::begin(folder, seed, first, says).await?;
    life.wake().await?;
    for _ in 0..acts {
        if life.dice.happens(RESTARTS) {
            life.vault = {
                // The last handle waits until both databases are closed.
                drop(life.vault);
                acts::open(folder, life.at)?
            };
            life.come(life.holder).await?;
        } else {
            life.act().await?;
        }
    }
    Ok(life)
}

/// The same on a disk that may fail at any call: what is refused is noted, and the next thing is tried all the same.
pub async fn live_on(folder: &Path, seed: u64, acts: u32, says: &mut dyn FnMut(&str)) -> Lived {
    let mut errors = Vec::new();
    let begun = loop {
        match Life::begin(folder, seed, 0, says).await {
            Ok(life) => break life,
            Err(error) if errors.is_empty() => errors.push(error),
            Err(error) => {
                errors.push(error);
                return Lived { errors };
            }
        }
    };
    let mut life = begun;
    errors.extend(life.wake().await.err());
    for _ in 0..acts {
        if life.dice.happens(RESTARTS) {
            drop(life.vault);
            let opened = acts::open(folder, life.at).or_else(|error| {
                errors.push(error);
                acts::open(folder, life.at)
            });
            match opened {
                Ok(vault) => life.vault = vault,
                Err(error) => {
                    errors.push(error);
                    return Lived { errors };
                }
            }
            errors.extend(life.come(life.holder).await.err());
        } else if let Err(error) = life.act().await {
            errors.push(error);
            // Somebody else would try again.
            errors.extend(life.come(life.holder).await.err());
        }
    }
    Lived { errors }
}

/// In a hundred acts.
const RESTARTS: u64 = 3;

impl<'a> Life<'a> {
    async fn begin(folder: &Path, seed: u64, first: u32, says: &'a mut dyn FnMut(&str)) -> Result<Life<'a>, Error> {
        // All of them on one day, but for the weeks that pass in a life: no lease ends unsaid.
        let at = acts::NOON + i64::from(first) / 100;
        let vault = acts::open(folder, at)?;
        let dice = Dice::new(seed);
        Ok(Life { vault, dice, number: first, rows: 0, holder: 0, at, waiting: Vec::new(), notes: Vec::new(), says })
    }

    async fn wake(&mut self) -> Result<(), Error> {
        self.rows = self.vault.cover().await?.map_or(0, |head| head.size);
        self.know_what_waits().await?;
        for who in [0, 1] {
            self.notes.extend(acts::waiting_notes(&self.vault, who).await?.iter().map(|note| note.0));
        }
        self.record(1, Class::Login).await?;
        self.come(0).await
    }

    async fn act(&mut self) -> Result<(), Error> {
        self.at += 1;
        match self.dice.below(118) {
            0..18 => {
                let count = 1 + self.dice.below(3);
                let class = *self.dice.one_of(&[Class::Opened, Class::Opened, Class::Login, Class::Listed]);
                self.record(count, class).await
            }
            18..26 => self.ask(Answer::Yes).await,
            26..31 => self.ask(Answer::No).await,
            31..37 => self.put_round().await,
            37..40 => self.keep_told().await,
            40..45 => self.remember_state().await,
            45..53 => self.remember_list().await,
            53..70 => self.store().await,
            70..79 => self.acknowledge().await,
            79..82 => self.set_aside().await,
            82..86 => self.anchor().await,
            86..90 => self.prune().await,
            90..96 => {
                let who = self.dice.below(2) as usize;
                self.come(who).await
            }
            96 => self.weeks_pass().await,
            97..102 => {
                let (number, patient) = (self.next(), self.dice.below(2) as usize);
                self.keep_draft(number, patient).await
            }
            102..108 => self.contribute().await,
            108..111 => self.settle_a_note().await,
            111..115 => self.countersign().await,
            _ => self.hand_over().await,
        }
    }

    async fn keep_draft(&mut self, number: u32, patient: usize) -> Result<(), Error> {
        let key = format!("draft/{}/{patient}", self.holder);
        self.say("try", &key, &number.to_string());
        self.vault.keep_note_draft(&acts::ins(patient), acts::draft_of(number), acts::time(self.at)).await?;
        self.say("done", &key, &number.to_string());
        Ok(())
    }

    /// A finished note, with its row; what was on the desk of it goes.
    async fn contribute(&mut self) -> Result<(), Error> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        if self.dice.happens(50) {
            self.keep_draft(number, patient).await?;
        }
        let contribution = acts::contribution(number, self.holder, patient);
        let row = acts::row(Class::Contributed, number, self.holder, patient, self.at);
        let (note, item, desk) =
            (format!("note/{number}"), format!("item/{number}"), format!("draft/{}/{patient}", self.holder));
        self.say("try", &format!("row/{number}"), &self.rows.to_string());
        self.say_of("try", &[note.clone(), item.clone()], "waiting");
        self.say("try", &desk, NOTHING);
        let committed = self.vault.contribute(row, acts::note_id(number), contribution).await?;
        self.say("done", &format!("row/{number}"), &committed.index().to_string());
        self.say_of("done", &[note, item], "waiting");
        self.rows = committed.index() + 1;
        self.notes.push(number);
        self.vault.drop_note_draft(&acts::ins(patient)).await?;
        self.say("done", &desk, NOTHING);
        self.know_what_waits().await
    }

    async fn settle_a_note(&mut self) -> Result<(), Error> {
        let Some(number) = self.notes.pop() else { return Ok(()) };
        let (id, at, key) = (acts::note_id(number), acts::time(self.at), format!("note/{number}"));
        if self.dice.happens(50) {
            self.say("try", &key, "aside");
            self.vault.set_aside(id, "422".into(), "refused".into(), at).await?;
            self.say("done", &key, "aside");
        } else {
            self.say("try", &key, "acknowledged");
            self.vault.acknowledged(vec![id], at).await?;
            self.say("done", &key, "acknowledged");
        }
        Ok(())
    }

    /// The card that is in signs the newest head.
    async fn countersign(&mut self) -> Result<(), Error> {
        let Some(head) = self.vault.uncountersigned().await? else { return Ok(()) };
        let key = format!("countersign/{}", head.size);
        self.say("try", &key, acts::SIGNED);
        self.vault.countersigned(head.size, 0, acts::CARD, acts::signature_over(head.size)).await?;
        self.say("done", &key, acts::SIGNED);
        Ok(())
    }

    /// The round goes to the holder's next card, which keeps what it has of it; then the old one comes again.
    async fn hand_over(&mut self) -> Result<(), Error> {
        let key = format!("moved/{}", self.holder);
        let sent = acts::read_round(&self.vault).await?;
        self.vault.hand_over(acts::MINUTES).await?;
        self.vault.lock().await;
        acts::unlock_next(&self.vault, self.holder, self.at).await?;
        if acts::read_round(&self.vault).await? == NOTHING {
            self.say("try", &key, &sent);
        }
        self.vault.take_over(Default::default(), acts::time(self.at)).await?;
        let taken = acts::read_round(&self.vault).await?;
        self.say("done", &key, &taken);
        self.come(self.holder).await
    }

    async fn record(&mut self, count: u64, class: Class) -> Result<(), Error> {
        let numbers: Vec<u32> = (0..count).map(|_| self.next()).collect();
        let patient = self.dice.below(2) as usize;
        let rows = numbers.iter().map(|number| acts::row(class, *number, self.holder, patient, self.at)).collect();
        for (index, number) in (self.rows..).zip(&numbers) {
            self.say("try", &format!("row/{number}"), &index.to_string());
            self.say("try", &format!("item/{number}"), "waiting");
        }
        let committed = self.vault.record(rows, vec![]).await?;
        for (row, number) in committed.iter().zip(&numbers) {
            self.say("done", &format!("row/{number}"), &row.index().to_string());
            self.say("done", &format!("item/{number}"), "waiting");
            self.rows = row.index() + 1;
        }
        self.know_what_waits().await
    }

    /// A refusal takes with it all that is here of that patient, whoever's it is.
    async fn ask(&mut self, answer: Answer) -> Result<(), Error> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let key = format!("consent/{number}");
        let word = acts::answer(answer);
        self.say("try", &key, word);
        let gone = if answer == Answer::No { acts::all_of(&[0, 1], &[patient]) } else { Vec::new() };
        self.say_of("try", &gone, NOTHING);
        self.vault.record(vec![], vec![acts::said(answer, number, self.holder, patient, self.at)]).await?;
        self.say("done", &key, word);
        self.say_of("done", &gone, NOTHING);
        Ok(())
    }

    async fn put_round(&mut self) -> Result<(), Error> {
        let (number, key) = (self.next(), format!("round/{}", self.holder));
        self.say("try", &key, &number.to_string());
        self.vault.put_round(acts::round(number), acts::time(self.at)).await?;
        self.say("done", &key, &number.to_string());
        Ok(())
    }

    async fn keep_told(&mut self) -> Result<(), Error> {
        let key = format!("told/{}", self.holder);
        self.say("try", &key, &self.at.to_string());
        self.vault.keep_told(acts::TEXT, acts::time(self.at)).await?;
        self.say("done", &key, &self.at.to_string());
        Ok(())
    }

    /// Of a patient who was shredded nothing is kept, and nothing is said of it: what is there is read back.
    async fn remember_state(&mut self) -> Result<(), Error> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let key = format!("state/{}/{patient}", self.holder);
        self.say("try", &key, &number.to_string());
        self.vault.remember_state(&acts::ins(patient), &acts::state(number), acts::time(self.at)).await?;
        let kept = acts::read_state(&self.vault, patient).await?;
        self.say("done", &key, &kept);
        Ok(())
    }

    /// One document is in no list: what is here of it goes.
    async fn remember_list(&mut self) -> Result<(), Error> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let key = format!("list/{}/{patient}", self.holder);
        let missing = number % (DOCUMENTS + 1);
        let gone = format!("document/{}/{patient}/{missing}", self.holder);
        self.say("try", &key, &number.to_string());
        self.say("try", &gone, NOTHING);
        // Whole, or as what has changed since.
        let changes = match self.vault.kept(&acts::ins(patient)).await? {
            Some(_) if self.dice.happens(60) => Some(acts::changes(number, patient, missing)),
            _ => None,
        };
        match changes {
            Some(changes) => match self.vault.take_in(&changes, acts::time(self.at)).await {
                Ok(_) | Err(Error::Shredded) => {}
                Err(other) => return Err(other),
            },
            None => self.vault.remember_list(&acts::list(number, patient, missing), acts::time(self.at)).await?,
        }
        let is_kept = self.vault.list(&acts::ins(patient)).await?.is_some();
        self.say("done", &key, &if is_kept { number.to_string() } else { NOTHING.into() });
        self.say("done", &gone, NOTHING);
        Ok(())
    }

    async fn store(&mut self) -> Result<(), Error> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let document = self.dice.below(u64::from(DOCUMENTS)) as u32;
        let key = format!("document/{}/{patient}/{document}", self.holder);
        self.say("try", &key, &number.to_string());
        let content = acts::content(number, patient, document);
        match self.vault.store(&acts::document_id(document), &content, acts::time(self.at)).await {
            Ok(()) => self.say("done", &key, &number.to_string()),
            Err(Error::Shredded) => self.say("done", &key, NOTHING),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    async fn acknowledge(&mut self) -> Result<(), Error> {
        let count = (1 + self.dice.below(6) as usize).min(self.waiting.len());
        let taken: Vec<(Uuid, u32)> = self.waiting.drain(..count).collect();
        let keys: Vec<String> = taken.iter().map(|(_, number)| format!("item/{number}")).collect();
        self.say_of("try", &keys, "acknowledged");
        self.vault.acknowledged(taken.iter().map(|(id, _)| *id).collect(), acts::time(self.at)).await?;
        self.say_of("done", &keys, "acknowledged");
        Ok(())
    }

    async fn set_aside(&mut self) -> Result<(), Error> {
        let Some((id, number)) = self.waiting.pop() else { return Ok(()) };
        let key = format!("item/{number}");
        self.say("try", &key, "aside");
        self.vault.set_aside(id, "422".into(), "refused".into(), acts::time(self.at)).await?;
        self.say("done", &key, "aside");
        Ok(())
    }

    async fn anchor(&mut self) -> Result<(), Error> {
        let Some(head) = self.vault.cover().await? else { return Ok(()) };
        self.say("try", "anchor", &head.size.to_string());
        self.vault.anchored(head.size, acts::time(self.at)).await?;
        self.say("done", "anchor", &head.size.to_string());
        Ok(())
    }

    async fn prune(&mut self) -> Result<(), Error> {
        while self.vault.prune(acts::time(self.at + 1)).await? {}
        Ok(())
    }

    async fn come(&mut self, holder: usize) -> Result<(), Error> {
        self.vault.lock().await;
        acts::unlock(&self.vault, holder, self.at).await?;
        self.holder = holder;
        Ok(())
    }

    /// Every lease ends: what can be fetched again is gone at the next opening.
    async fn weeks_pass(&mut self) -> Result<(), Error> {
        // Later than any life before this one has been.
        self.at = self.vault.witnessed().await?.newest.0.max(self.at) + 21 * 86_400;
        let gone = acts::all_of(&[0, 1], &[0, 1]);
        self.say_of("try", &gone, NOTHING);
        self.vault.time_is(acts::now(self.at)).await?;
        self.come(self.holder).await?;
        self.say_of("done", &gone, NOTHING);
        Ok(())
    }

    async fn know_what_waits(&mut self) -> Result<(), Error> {
        let waiting = self.vault.waiting(None, 10_000).await?;
        let numbered =
            |(item, trace): &(_, Option<_>)| acts::number_of(trace.as_ref()?).map(|number| (acts::id(item), number));
        self.waiting = waiting.iter().filter_map(numbered).collect();
        Ok(())
    }

    fn next(&mut self) -> u32 {
        self.number += 1;
        self.number
    }

    fn say(&mut self, word: &str, key: &str, value: &str) {
        (self.says)(&format!("{word} {key} {value}"));
    }

    fn say_of(&mut self, word: &str, keys: &[String], value: &str) {
        keys.iter().for_each(|key| self.say(word, key, value));
    }
}
