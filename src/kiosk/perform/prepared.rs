//! Whom the reception desk handed on: identities alone, in memory, until a professional has them in their round, the kiosk
//! stops, or half a day has passed. On the disk they would need a key that somebody other than their reader has.

use crate::kiosk::perform::hands::Hands;
use crate::patient::ins::Patient;
use crate::trouble::Trouble;
use std::time::Duration;

/// Each with when it was read, since boot.
#[derive(Default)]
pub struct Prepared(Vec<(Patient, Duration)>);

impl Prepared {
    fn put(&mut self, patient: Patient, now: Duration) -> Result<(), Trouble> {
        self.forget_old(now);
        self.0.retain(|(known, _)| known.ins != patient.ins);
        if self.0.len() >= PREPARED_MAX {
            return Err(Trouble::TooManyPrepared);
        }
        self.0.push((patient, now));
        Ok(())
    }

    fn all(&mut self, now: Duration) -> Vec<Patient> {
        self.forget_old(now);
        self.0.iter().map(|(patient, _)| patient.clone()).collect()
    }

    fn forget_old(&mut self, now: Duration) {
        self.0.retain(|(_, since)| now.saturating_sub(*since) < PREPARED_FOR);
    }

    /// They are in a professional's round now. Whoever was left out of it waits for the next one.
    fn taken(&mut self, round: &[Patient]) {
        self.0.retain(|(patient, _)| round.iter().all(|taken| taken.ins != patient.ins));
    }
}

impl Hands {
    pub(super) async fn prepare(&self, patient: Patient) -> Result<(), Trouble> {
        let now = self.clock.now().since_boot;
        self.prepared.lock().await.put(patient, now)
    }

    pub(super) async fn prepared(&self) -> Vec<Patient> {
        let now = self.clock.now().since_boot;
        self.prepared.lock().await.all(now)
    }

    pub(super) async fn are_taken(&self, round: &[Patient]) {
        self.prepared.lock().await.taken(round);
    }
}

/// A morning's desk and the round after it.
const PREPARED_FOR: Duration = Duration::from_secs(12 * 3600);
const PREPARED_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::datamatrix;

    fn patient(matricule: &str) -> Patient {
        let payload = format!(
            "IS010000000000000000000000S1{matricule}S21.2.250.1.213.1.4.10\u{1d}S3ANNE\u{1d}S4ESSAI\u{1d}S5FS628-03-1979"
        );
        datamatrix::parse(&payload).expect("a scan").patient
    }

    #[test]
    fn whom_the_desk_read_waits_half_a_day_and_is_there_once() {
        let mut prepared = Prepared::default();
        let at = Duration::from_secs;
        prepared.put(patient("279035121518989"), at(10)).expect("room");
        prepared.put(patient("255069999999934"), at(20)).expect("room");
        prepared.put(patient("279035121518989"), at(30)).expect("room");
        let numbers = |all: Vec<Patient>| all.into_iter().map(|one| one.ins.matricule).collect::<Vec<String>>();
        assert_eq!(numbers(prepared.all(at(40))), ["255069999999934", "279035121518989"]);
        prepared.taken(&[patient("279035121518989")]);
        assert_eq!(numbers(prepared.all(at(50))), ["255069999999934"], "whom that round left out waits");
        prepared.put(patient("279035121518989"), at(60)).expect("room");
        assert_eq!(numbers(prepared.all(at(20) + PREPARED_FOR)), ["279035121518989"]);
    }

    #[test]
    fn a_desk_that_never_ends_is_told_so() {
        let mut prepared = Prepared::default();
        for number in 0..PREPARED_MAX {
            prepared.put(patient(&format!("2790351215{number:05}")), Duration::ZERO).expect("room");
        }
        let one_more = patient("255069999999934");
        assert_eq!(prepared.put(one_more.clone(), Duration::ZERO), Err(Trouble::TooManyPrepared));
        prepared.put(one_more, PREPARED_FOR).expect("room again");
    }
}
