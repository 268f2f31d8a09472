//! Pages of a login by telephone.

use crate::identity::holder::HolderId;
use crate::trouble::Trouble;
use crate::visit::event::PhoneCode;
use crate::visit::event::PhoneLogin;
use crate::visit::event::Ticket;
use std::time::Duration;

/// The RPPS is no secret: it is printed on every prescription.
#[derive(Default)]
pub struct AskRpps {
    /// As far as it is typed.
    pub digits: String,
    pub notice: Option<Trouble>,
    pub until: Duration,
}

pub struct WaitingForPhone {
    pub ticket: Ticket,
    /// Whom the telephone must answer for.
    pub holder: HolderId,
    /// `None`: the telephone does not ring yet.
    pub code: Option<PhoneCode>,
    pub until: Duration,
}

pub struct ChoosingExercise {
    pub ticket: Ticket,
    pub login: PhoneLogin,
    pub until: Duration,
}

impl AskRpps {
    /// The whole number, grouped as it is printed.
    pub fn grouped(&self) -> String {
        let digits: Vec<char> = self.digits.chars().collect();
        digits.chunks(3).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("\u{a0}")
    }

    pub fn is_whole(&self) -> bool {
        self.digits.len() == RPPS_DIGITS
    }
}

/// An RPPS has eleven digits; its national identifier has an `8` before them.
pub const RPPS_DIGITS: usize = 11;
