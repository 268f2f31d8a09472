//! What a vault has said that it holds, and what may have come of the rest.

use crate::life::NOTHING;
use std::collections::BTreeMap;

/// One thing that has a value: what was acknowledged last, and what has been tried since.
#[derive(Clone, Default)]
struct Register {
    acknowledged: Option<String>,
    tried: Vec<String>,
}

#[derive(Clone, Default)]
pub struct Ledger(BTreeMap<String, Register>);

/// What a look at the disk found, by the same names.
pub type Found = BTreeMap<String, String>;

impl Ledger {
    /// A line of a life; other lines are nobody's.
    pub fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(word), Some(key), Some(value), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return;
        };
        let register = self.0.entry(key.to_owned()).or_default();
        match word {
            "try" => register.tried.push(value.to_owned()),
            "done" => *register = Register { acknowledged: Some(value.to_owned()), tried: Vec::new() },
            _ => {}
        }
    }

    /// The first thing that is not as it must be, if any.
    pub fn lost(&self, found: &Found) -> Option<String> {
        let nothing = || NOTHING.to_owned();
        let wrong = |(key, register): (&String, &Register)| {
            let value = found.get(key).cloned().unwrap_or_else(nothing);
            let acknowledged = register.acknowledged.clone().unwrap_or_else(nothing);
            let may_be = acknowledged == value || register.tried.contains(&value);
            (!may_be).then(|| format!("{key} is {value}, was {acknowledged}, tried {:?}", register.tried))
        };
        let from_nowhere = |(key, value): (&String, &String)| {
            let known = self.0.contains_key(key) || value == NOTHING;
            (!known).then(|| format!("{key} is {value}, and nobody wrote it"))
        };
        self.0.iter().find_map(wrong).or_else(|| found.iter().find_map(from_nowhere))
    }

    /// From here on what was found is what must be there: a process goes on with what the last one left.
    pub fn settle(&mut self, found: &Found) {
        for (key, register) in &mut self.0 {
            let value = found.get(key).cloned().unwrap_or_else(|| NOTHING.to_owned());
            *register = Register { acknowledged: Some(value), tried: Vec::new() };
        }
    }

    pub fn knows(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Which row was acknowledged at an index, for rows whose words are pruned.
    pub fn row_at(&self, index: &str) -> Option<&str> {
        let stands = |(key, register): (&'_ String, &Register)| {
            key.starts_with("row/") && register.acknowledged.as_deref() == Some(index)
        };
        self.0.iter().find(|line| stands(*line)).map(|(key, _)| key.as_str())
    }
}
