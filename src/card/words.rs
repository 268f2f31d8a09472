//! Status words and commands as bytes (ISO 7816-4), under the discipline of T=0 (ISO 7816-3 §12). Pure.
//!
//! With T=0 the framing is the caller's work: a command with data never carries Le, `61xx` is fetched, a wrong Le is asked
//! again. A reader that only forwards TPDUs, and every strict card, rejects anything else.

use zeroize::Zeroizing;

/// What the two last bytes of an answer mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `9000`
    Done,
    /// `6282`: the file ended before Le bytes; what came is good.
    EndOfFile,
    /// `61xx`: done, and so many bytes wait (0 stands for 256 or more).
    More {
        waiting: u8,
    },
    /// `6Cxx`: not done; exactly so many bytes must be asked for.
    ExactLength {
        length: u8,
    },
    /// `63Cx`, x not 0.
    WrongPin {
        tries_left: u8,
    },
    /// `63C0`, `6983` and `6984`: all three are seen for a PIN without tries.
    Blocked,
    /// `6982`: the PIN first.
    PinNeeded,
    /// `6A82`, `6A88`: no such file or object.
    NotFound,
    /// `6B00`: an offset outside the file.
    OutsideFile,
    Other(u16),
}

impl Status {
    /// The two bytes back, for errors and the log.
    pub fn word(self) -> u16 {
        match self {
            Status::Done => 0x9000,
            Status::EndOfFile => 0x6282,
            Status::More { waiting } => 0x6100 | u16::from(waiting),
            Status::ExactLength { length } => 0x6C00 | u16::from(length),
            Status::WrongPin { tries_left } => 0x63C0 | u16::from(tries_left),
            Status::Blocked => 0x6983,
            Status::PinNeeded => 0x6982,
            Status::NotFound => 0x6A82,
            Status::OutsideFile => 0x6B00,
            Status::Other(word) => word,
        }
    }
}

impl From<[u8; 2]> for Status {
    fn from(bytes: [u8; 2]) -> Status {
        match bytes {
            [0x90, 0x00] => Status::Done,
            [0x62, 0x82] => Status::EndOfFile,
            [0x61, waiting] => Status::More { waiting },
            [0x6C, length] => Status::ExactLength { length },
            [0x63, 0xC0] | [0x69, 0x83 | 0x84] => Status::Blocked,
            [0x63, low] if low & 0xF0 == 0xC0 => Status::WrongPin { tries_left: low & 0x0F },
            [0x69, 0x82] => Status::PinNeeded,
            [0x6A, 0x82 | 0x88] => Status::NotFound,
            [0x6B, 0x00] => Status::OutsideFile,
            other => Status::Other(u16::from_be_bytes(other)),
        }
    }
}

/// A command, wiped when dropped. `Debug` is not implemented: it may hold a PIN.
pub struct Command {
    /// What it does, for errors and the log.
    pub step: &'static str,
    bytes: Zeroizing<Vec<u8>>,
    shape: Shape,
}

/// The cases of ISO 7816-3 §12.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Neither data nor answer (1): P3 is 00.
    Bare,
    /// An answer is asked for (2): P3 is Le.
    Asking,
    /// Data is sent (3, and 4 whose answer comes by `61xx`): P3 is Lc.
    Sending,
}

impl Command {
    fn bare(step: &'static str, header: [u8; 4]) -> Command {
        Command::new(step, Shape::Bare, header, 0, &[])
    }

    fn asking(step: &'static str, header: [u8; 4], expected: u8) -> Command {
        Command::new(step, Shape::Asking, header, expected, &[])
    }

    fn sending(step: &'static str, header: [u8; 4], data: &[u8]) -> Command {
        assert!(!data.is_empty() && data.len() <= usize::from(u8::MAX), "short commands only: {step}");
        Command::new(step, Shape::Sending, header, data.len() as u8, data)
    }

    /// Allocated once at its full size: a vector that grew would leave its old bytes behind.
    fn new(step: &'static str, shape: Shape, header: [u8; 4], p3: u8, data: &[u8]) -> Command {
        let mut bytes = Zeroizing::new(Vec::with_capacity(5 + data.len()));
        bytes.extend_from_slice(&header);
        bytes.push(p3);
        bytes.extend_from_slice(data);
        Command { step, bytes, shape }
    }

    /// What goes to the card.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// CLA INS P1 P2: all that a log may know of a command, with its length.
    pub fn header(&self) -> [u8; 4] {
        [self.bytes[0], self.bytes[1], self.bytes[2], self.bytes[3]]
    }

    /// The same command with the Le that the card wants, if it asks for anything at all. A command with data is never
    /// repeated: with T=0 its P3 is no Le, and repeating VERIFY could cost a try.
    pub fn with_exact_length(&self, length: u8) -> Option<Command> {
        match self.shape {
            Shape::Asking => Some(Command::asking(self.step, self.header(), length)),
            Shape::Bare | Shape::Sending => None,
        }
    }

    /// `00 C0`: fetches what waits.
    pub fn get_response(step: &'static str, waiting: u8) -> Command {
        Command::asking(step, [0x00, 0xC0, 0x00, 0x00], waiting)
    }

    /// SELECT by a path from the master file, with its control parameters (P1=09 with a leading 3F00 is what the real card
    /// is seen to take).
    pub fn select_path(step: &'static str, path: &[u8]) -> Command {
        Command::sending(step, [0x00, 0xA4, 0x09, 0x04], path)
    }

    /// SELECT an application by its AID.
    pub fn select_application(step: &'static str, aid: &[u8]) -> Command {
        Command::sending(step, [0x00, 0xA4, 0x04, 0x04], aid)
    }

    /// READ BINARY of the current file.
    pub fn read_binary(step: &'static str, offset: u16, length: u8) -> Command {
        // ISO 7816-4 §11.3.3: with bit 8 of P1 clear, P1-P2 is a 15-bit offset.
        let [high, low] = (offset & 0x7FFF).to_be_bytes();
        Command::asking(step, [0x00, 0xB0, high, low], length)
    }

    /// VERIFY without data: asks for the tries left and costs none (ISO 7816-4 §11.6.6).
    pub fn tries_left(reference: u8) -> Command {
        Command::bare("asking for the tries left", [0x00, 0x20, 0x00, reference])
    }

    /// The PIN's data object, where the empty VERIFY is not answered (IAS-ECC GET DATA, tag BF81xx).
    pub fn pin_object(reference: u8) -> Command {
        let data = [0x4D, 0x08, 0x70, 0x06, 0xBF, 0x81, reference, 0x02, 0xA0, 0x80];
        Command::sending("reading the PIN's counter", [0x00, 0xCB, 0x3F, 0xFF], &data)
    }

    /// VERIFY.
    pub fn verify(reference: u8, pin: &[u8]) -> Command {
        Command::sending("checking the PIN", [0x00, 0x20, 0x00, reference], pin)
    }

    /// MANAGE SECURITY ENVIRONMENT, SET AT: which key signs, and how (RSA PKCS#1 v1.5, client/server authentication).
    pub fn set_authentication(key: u8) -> Command {
        let data = [0x80, 0x01, AUTHENTICATION_ALGORITHM, 0x84, 0x01, key];
        Command::sending("choosing the authentication key", [0x00, 0x22, 0x41, 0xA4], &data)
    }

    /// INTERNAL AUTHENTICATE over a DigestInfo; the card pads (RFC 8017 §9.2).
    pub fn internal_authenticate(hash: &[u8; 32]) -> Command {
        let mut info = [0; SHA256_DIGEST_INFO.len() + 32];
        info[..SHA256_DIGEST_INFO.len()].copy_from_slice(SHA256_DIGEST_INFO);
        info[SHA256_DIGEST_INFO.len()..].copy_from_slice(hash);
        Command::sending("signing", [0x00, 0x88, 0x00, 0x00], &info)
    }
}

/// Splits an answer into what it carries and its status. `None`: shorter than a status.
pub fn split(answer: &[u8]) -> Option<(&[u8], Status)> {
    let (data, word) = answer.split_last_chunk::<2>()?;
    Some((data, Status::from(*word)))
}

/// The most that one READ BINARY asks for (what the card's own middleware keeps to).
pub const READ_LENGTH_MAX: u8 = 0xE7;

/// The card's algorithm 02.
const AUTHENTICATION_ALGORITHM: u8 = 0x02;

/// The fixed head of a SHA-256 DigestInfo (RFC 8017 §9.2, note 1).
const SHA256_DIGEST_INFO: &[u8; 19] =
    &[0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_word_means_what_the_card_means() {
        #[track_caller]
        fn check(bytes: [u8; 2], expected: Status) {
            assert_eq!(Status::from(bytes), expected, "{bytes:02X?}");
        }
        check([0x90, 0x00], Status::Done);
        check([0x62, 0x82], Status::EndOfFile);
        check([0x61, 0x00], Status::More { waiting: 0 });
        check([0x61, 0x1B], Status::More { waiting: 0x1B });
        check([0x6C, 0x39], Status::ExactLength { length: 0x39 });
        check([0x63, 0xC3], Status::WrongPin { tries_left: 3 });
        check([0x63, 0xC1], Status::WrongPin { tries_left: 1 });
        check([0x63, 0xC0], Status::Blocked);
        check([0x69, 0x83], Status::Blocked);
        check([0x69, 0x84], Status::Blocked);
        check([0x69, 0x82], Status::PinNeeded);
        check([0x6A, 0x82], Status::NotFound);
        check([0x6A, 0x88], Status::NotFound);
        check([0x6B, 0x00], Status::OutsideFile);
        check([0x63, 0x00], Status::Other(0x6300));
        check([0x69, 0x85], Status::Other(0x6985));
        check([0x6D, 0x00], Status::Other(0x6D00));
        check([0x00, 0x90], Status::Other(0x0090));
    }

    #[test]
    fn commands_are_the_bytes_of_the_standard() {
        #[track_caller]
        fn check(command: Command, expected: &str) {
            assert_eq!(hex::encode_upper(command.bytes()), expected.replace(' ', ""), "{}", command.step);
        }
        check(Command::select_path("", &[0x3F, 0x00, 0x2F, 0x00]), "00 A4 09 04 04 3F002F00");
        check(Command::select_application("", &[0xE8, 0x28]), "00 A4 04 04 02 E828");
        check(Command::read_binary("", 0x0123, 0xE7), "00 B0 01 23 E7");
        check(Command::tries_left(1), "00 20 00 01 00");
        check(Command::pin_object(1), "00 CB 3F FF 0A 4D 08 70 06 BF 81 01 02 A0 80");
        check(Command::verify(1, b"1234"), "00 20 00 01 04 31 32 33 34");
        check(Command::set_authentication(0x82), "00 22 41 A4 06 80 01 02 84 01 82");
        check(Command::get_response("", 0), "00 C0 00 00 00");
        let hash = [0xAB; 32];
        let head = "00 88 00 00 33 3031300D060960864801650304020105000420";
        check(Command::internal_authenticate(&hash), &format!("{head}{}", "AB".repeat(32)));
    }

    #[test]
    fn only_a_command_that_asks_is_asked_again() {
        let again = Command::read_binary("", 0, 0xE7).with_exact_length(0x10).expect("asked again");
        assert_eq!(again.bytes(), [0x00, 0xB0, 0x00, 0x00, 0x10]);
        assert!(Command::verify(1, b"1234").with_exact_length(4).is_none());
        assert!(Command::tries_left(1).with_exact_length(4).is_none());
    }

    #[test]
    fn an_answer_is_data_and_a_status_or_nothing() {
        assert_eq!(split(&[1, 2, 0x90, 0x00]), Some((&[1, 2][..], Status::Done)));
        assert_eq!(split(&[0x90, 0x00]), Some((&[][..], Status::Done)));
        assert_eq!(split(&[0x90]), None);
        assert_eq!(split(&[]), None);
    }
}
