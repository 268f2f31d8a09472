//! A life that is cut off: the real vault, an act at a time, each said before and after on standard output.
//!
//! ```text
//! try KEY VALUE     from here on the disk may hold VALUE
//! done KEY VALUE    the vault has said so: from here on it must hold VALUE, or what was tried since
//! ```
//!
//! What is said is written at once, so that a recording of the system calls holds it in its place. Dice decide; one number
//! decides all of them.

use crate::Done;
use crate::acts;
use crate::dice::Dice;
use chevet::journal::consent::Answer;
use chevet::journal::words::Class;
use chevet::vault::Error;
use chevet::vault::Vault;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use uuid::Uuid;

/// Who is in, what was done, and what is next.
pub struct Life {
    folder: PathBuf,
    vault: Vault,
    dice: Dice,
    /// Numbers everything, so that no value is ever the same as another.
    number: u32,
    rows: u64,
    holder: usize,
    at: i64,
    /// Ids and numbers of rows that wait.
    waiting: Vec<(Uuid, u32)>,
}

/// Documents of each patient.
pub const DOCUMENTS: u32 = 4;
/// What a register holds when nothing is there.
pub const NOTHING: &str = "-";

/// Lives in that folder. `first` is where numbers and times begin: later lives in the same folder begin later.
pub async fn live(folder: &Path, seed: u64, first: u32, acts: u32) -> Done<()> {
    let at = acts::NOON + i64::from(first) * 60;
    let vault = acts::open(folder, at)?;
    let rows = vault.cover().await?.map_or(0, |head| head.size);
    let waiting = Vec::new();
    let dice = Dice::new(seed);
    let mut life = Life { folder: folder.to_owned(), vault, dice, number: first, rows, holder: 0, at, waiting };
    life.know_what_waits().await?;
    life.record(1, Class::Login).await?;
    life.come(0).await?;
    for _ in 0..acts {
        if life.dice.happens(3) {
            life = life.restart().await?;
        } else {
            life.act().await?;
        }
    }
    Ok(())
}

impl Life {
    async fn act(&mut self) -> Done<()> {
        self.at += 1;
        match self.dice.below(97) {
            0..18 => {
                let count = 1 + self.dice.below(3);
                let class = *self.dice.one_of(&[Class::Opened, Class::Opened, Class::Login, Class::Listed]);
                self.record(count, class).await
            }
            18..26 => self.say(Answer::Yes).await,
            26..31 => self.say(Answer::No).await,
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
            _ => self.weeks_pass().await,
        }
    }

    async fn record(&mut self, count: u64, class: Class) -> Done<()> {
        let numbers: Vec<u32> = (0..count).map(|_| self.next()).collect();
        let patient = self.dice.below(2) as usize;
        let draft = |number: &u32| acts::row(class, *number, self.holder, patient, self.at);
        let rows = numbers.iter().map(draft).collect();
        let index = |at: usize| (self.rows + at as u64).to_string();
        for (at, number) in numbers.iter().enumerate() {
            say("try", &format!("row/{number}"), &index(at))?;
            say("try", &format!("item/{number}"), "waiting")?;
        }
        self.vault.record(rows, vec![]).await?;
        for (at, number) in numbers.iter().enumerate() {
            say("done", &format!("row/{number}"), &index(at))?;
            say("done", &format!("item/{number}"), "waiting")?;
        }
        self.rows += count;
        self.know_what_waits().await
    }

    /// A refusal takes with it all that is here of that patient, whoever's it is.
    async fn say(&mut self, answer: Answer) -> Done<()> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let key = format!("consent/{number}");
        let word = acts::answer(answer);
        say("try", &key, word)?;
        let gone = if answer == Answer::No { acts::all_of(&[0, 1], &[patient]) } else { Vec::new() };
        gone.iter().try_for_each(|key| say("try", key, NOTHING))?;
        self.vault.record(vec![], vec![acts::said(answer, number, self.holder, patient, self.at)]).await?;
        say("done", &key, word)?;
        gone.iter().try_for_each(|key| say("done", key, NOTHING))
    }

    async fn put_round(&mut self) -> Done<()> {
        let (number, key) = (self.next(), format!("round/{}", self.holder));
        say("try", &key, &number.to_string())?;
        self.vault.put_round(acts::round(number), acts::time(self.at)).await?;
        say("done", &key, &number.to_string())
    }

    async fn keep_told(&mut self) -> Done<()> {
        let key = format!("told/{}", self.holder);
        say("try", &key, &self.at.to_string())?;
        self.vault.keep_told(acts::TEXT, acts::time(self.at)).await?;
        say("done", &key, &self.at.to_string())
    }

    /// Of a patient who was shredded nothing is kept, and nothing is said of it: what is there is read back.
    async fn remember_state(&mut self) -> Done<()> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let key = format!("state/{}/{patient}", self.holder);
        say("try", &key, &number.to_string())?;
        self.vault.remember_state(&acts::ins(patient), &acts::state(number), acts::time(self.at)).await?;
        say("done", &key, &acts::read_state(&self.vault, patient).await?)
    }

    /// One document is in no list: what is here of it goes.
    async fn remember_list(&mut self) -> Done<()> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let key = format!("list/{}/{patient}", self.holder);
        let missing = number % (DOCUMENTS + 1);
        let gone = format!("document/{}/{patient}/{missing}", self.holder);
        say("try", &key, &number.to_string())?;
        say("try", &gone, NOTHING)?;
        self.vault.remember_list(&acts::list(number, patient, missing), acts::time(self.at)).await?;
        let is_kept = self.vault.list(&acts::ins(patient)).await?.is_some();
        say("done", &key, &if is_kept { number.to_string() } else { NOTHING.into() })?;
        say("done", &gone, NOTHING)
    }

    async fn store(&mut self) -> Done<()> {
        let (number, patient) = (self.next(), self.dice.below(2) as usize);
        let document = self.dice.below(u64::from(DOCUMENTS)) as u32;
        let key = format!("document/{}/{patient}/{document}", self.holder);
        say("try", &key, &number.to_string())?;
        let content = acts::content(number, patient, document);
        match self.vault.store(&acts::document_id(document), &content, acts::time(self.at)).await {
            Ok(()) => say("done", &key, &number.to_string()),
            Err(Error::Shredded) => say("done", &key, NOTHING),
            Err(other) => Err(other.into()),
        }
    }

    async fn acknowledge(&mut self) -> Done<()> {
        let count = (1 + self.dice.below(6) as usize).min(self.waiting.len());
        let taken: Vec<(Uuid, u32)> = self.waiting.drain(..count).collect();
        taken.iter().try_for_each(|(_, number)| say("try", &format!("item/{number}"), "acknowledged"))?;
        self.vault.acknowledged(taken.iter().map(|(id, _)| *id).collect(), acts::time(self.at)).await?;
        taken.iter().try_for_each(|(_, number)| say("done", &format!("item/{number}"), "acknowledged"))
    }

    async fn set_aside(&mut self) -> Done<()> {
        let Some((id, number)) = self.waiting.pop() else { return Ok(()) };
        let key = format!("item/{number}");
        say("try", &key, "aside")?;
        self.vault.set_aside(id, "422".into(), "refused".into(), acts::time(self.at)).await?;
        say("done", &key, "aside")
    }

    async fn anchor(&mut self) -> Done<()> {
        let Some(head) = self.vault.cover().await? else { return Ok(()) };
        say("try", "anchor", &head.size.to_string())?;
        self.vault.anchored(head.size, acts::time(self.at)).await?;
        say("done", "anchor", &head.size.to_string())
    }

    async fn prune(&mut self) -> Done<()> {
        while self.vault.prune(acts::time(self.at + 1)).await? {}
        Ok(())
    }

    async fn come(&mut self, holder: usize) -> Done<()> {
        self.vault.lock().await;
        acts::unlock(&self.vault, holder, self.at).await?;
        self.holder = holder;
        Ok(())
    }

    /// The last handle waits until both databases are closed.
    async fn restart(self) -> Done<Life> {
        drop(self.vault);
        let vault = acts::open(&self.folder, self.at)?;
        let mut again = Life { vault, ..self };
        again.come(again.holder).await?;
        Ok(again)
    }

    /// Every lease ends: what can be fetched again is gone at the next opening.
    async fn weeks_pass(&mut self) -> Done<()> {
        self.at += 21 * 86_400;
        let gone = acts::all_of(&[0, 1], &[0, 1]);
        gone.iter().try_for_each(|key| say("try", key, NOTHING))?;
        self.come(self.holder).await?;
        gone.iter().try_for_each(|key| say("done", key, NOTHING))
    }

    async fn know_what_waits(&mut self) -> Done<()> {
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
}

/// One line, one system call.
fn say(word: &str, key: &str, value: &str) -> Done<()> {
    let line = format!("{word} {key} {value}\n");
    std::io::stdout().lock().write_all(line.as_bytes())?;
    Ok(())
}
