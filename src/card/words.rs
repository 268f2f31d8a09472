//! Status words and commands as bytes (ISO 7816-4), framed for T=0 or T=1 (ISO 7816-3 §12). Pure.
//!
//! With T=0 the framing is the caller's work: a command with data never carries Le, `61xx` is fetched, a wrong Le is asked
//! again. A reader that only forwards TPDUs, and every strict card, rejects anything else. With T=1 the same command names
//! what it wants back, and one without an answer ends with its data.

use crate::identity::statement::Hash;
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
    Blocked {
        word: u16,
    },
    /// `6982`: the PIN first.
    PinNeeded,
    /// `6A82`, `6A88`: no such file or object.
    NotFound {
        word: u16,
    },
    /// `6B00`: an offset outside the file.
    OutsideFile,
    Other(u16),
}

impl Status {
    /// The two bytes back as they came, for errors and the log.
    pub fn word(self) -> u16 {
        match self {
            Status::Done => 0x9000,
            Status::EndOfFile => 0x6282,
            Status::More { waiting } => 0x6100 | u16::from(waiting),
            Status::ExactLength { length } => 0x6C00 | u16::from(length),
            Status::WrongPin { tries_left } => 0x63C0 | u16::from(tries_left),
            Status::Blocked { word } => word,
            Status::PinNeeded => 0x6982,
            Status::NotFound { word } => word,
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
            [0x63, 0xC0] | [0x69, 0x83 | 0x84] => Status::Blocked { word: u16::from_be_bytes(bytes) },
            [0x63, low] if low & 0xF0 == 0xC0 => Status::WrongPin { tries_left: low & 0x0F },
            [0x69, 0x82] => Status::PinNeeded,
            [0x6A, 0x82 | 0x88] => Status::NotFound { word: u16::from_be_bytes(bytes) },
            [0x6B, 0x00] => Status::OutsideFile,
            other => Status::Other(u16::from_be_bytes(other)),
        }
    }
}

/// How commands are written on the line: what the reader and the card agreed on, and the card's logical channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    pub protocol: Protocol,
    /// The two low bits of CLA (ISO 7816-4 §5.4.1).
    pub channel: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    T0,
    T1,
}

impl Framing {
    /// A CPS3 as its ATR announces it.
    pub const T0: Framing = Framing { protocol: Protocol::T0, channel: 0 };
}

/// A command, wiped when dropped. `Debug` is not implemented: it may hold a PIN.
pub struct Command {
    /// What it does, for errors and the log.
    pub step: &'static str,
    header: [u8; 4],
    data: Zeroizing<Vec<u8>>,
    shape: Shape,
}

/// The cases of ISO 7816-3 §12.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Neither data nor answer (1).
    Bare,
    /// An answer is asked for (2).
    Asking { expected: u8 },
    /// Data is sent, and nothing comes back (3).
    Sending,
    /// Data is sent, and an answer comes back (4).
    Exchanging,
}

impl Command {
    fn bare(step: &'static str, header: [u8; 4]) -> Command {
        Command { step, header, data: Zeroizing::default(), shape: Shape::Bare }
    }

    fn asking(step: &'static str, header: [u8; 4], expected: u8) -> Command {
        Command { step, header, data: Zeroizing::default(), shape: Shape::Asking { expected } }
    }

    fn sending(step: &'static str, header: [u8; 4], data: &[u8]) -> Command {
        Command::with_data(step, Shape::Sending, header, data)
    }

    fn exchanging(step: &'static str, header: [u8; 4], data: &[u8]) -> Command {
        Command::with_data(step, Shape::Exchanging, header, data)
    }

    fn with_data(step: &'static str, shape: Shape, header: [u8; 4], data: &[u8]) -> Command {
        assert!(!data.is_empty() && data.len() <= usize::from(u8::MAX), "short commands only: {step}");
        Command { step, header, data: Zeroizing::new(data.to_vec()), shape }
    }

    /// What goes to the card. Allocated once at its full size: a vector that grew would leave its old bytes behind.
    pub fn framed(&self, framing: Framing) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 + self.data.len()));
        bytes.extend_from_slice(&self.header);
        bytes[0] |= framing.channel & CHANNELS;
        match (self.shape, framing.protocol) {
            (Shape::Bare, Protocol::T1) => {}
            (Shape::Bare, Protocol::T0) => bytes.push(0),
            (Shape::Asking { expected }, _) => bytes.push(expected),
            (Shape::Sending | Shape::Exchanging, _) => {
                bytes.push(self.data.len() as u8);
                bytes.extend_from_slice(&self.data);
            }
        }
        if (self.shape, framing.protocol) == (Shape::Exchanging, Protocol::T1) {
            bytes.push(0);
        }
        bytes
    }

    /// CLA INS P1 P2: all that a log may know of a command, with its length.
    pub fn header(&self) -> [u8; 4] {
        self.header
    }

    /// Another file or application is the current one after it.
    pub fn is_selecting(&self) -> bool {
        self.header[1] == 0xA4
    }

    /// The same command with the Le that the card wants, if it asks for anything at all. A command with data is never
    /// repeated: with T=0 its P3 is no Le, and repeating VERIFY could cost a try.
    pub fn with_exact_length(&self, length: u8) -> Option<Command> {
        match self.shape {
            Shape::Asking { .. } => Some(Command::asking(self.step, self.header, length)),
            Shape::Bare | Shape::Sending | Shape::Exchanging => None,
        }
    }

    /// `00 C0`: fetches what waits.
    pub fn get_response(step: &'static str, waiting: u8) -> Command {
        Command::asking(step, [0x00, 0xC0, 0x00, 0x00], waiting)
    }

    /// SELECT by a path from the master file, without its control parameters (P1=09 with a leading 3F00 is what the real
    /// card is seen to take).
    pub fn select_path(step: &'static str, path: &[u8]) -> Command {
        Command::sending(step, [0x00, 0xA4, 0x09, 0x0C], path)
    }

    /// SELECT an application by its AID.
    pub fn select_application(step: &'static str, aid: &[u8]) -> Command {
        Command::sending(step, [0x00, 0xA4, 0x04, 0x0C], aid)
    }

    /// READ BINARY of the current file.
    pub fn read_binary(step: &'static str, offset: u16, length: u8) -> Command {
        // ISO 7816-4 §11.3.3: with bit 8 of P1 clear, P1-P2 is a 15-bit offset.
        let [high, low] = (offset & 0x7FFF).to_be_bytes();
        Command::asking(step, [0x00, 0xB0, high, low], length)
    }

    /// READ BINARY from its start of the file with this short identifier, which becomes the current one.
    pub fn read_short(step: &'static str, short: u8, length: u8) -> Command {
        Command::asking(step, [0x00, 0xB0, 0x80 | short & 0x1F, 0x00], length)
    }

    /// VERIFY without data: asks for the tries left and costs none (ISO 7816-4 §11.6.6).
    pub fn tries_left(reference: u8) -> Command {
        Command::bare("asking for the tries left", [0x00, 0x20, 0x00, reference])
    }

    /// The PIN's data object, where the empty VERIFY is not answered (IAS-ECC GET DATA, tag BF81xx).
    pub fn pin_object(reference: u8) -> Command {
        let data = [0x4D, 0x08, 0x70, 0x06, 0xBF, 0x81, reference, 0x02, 0xA0, 0x80];
        Command::exchanging("reading the PIN's counter", [0x00, 0xCB, 0x3F, 0xFF], &data)
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
        Command::exchanging("signing", [0x00, 0x88, 0x00, 0x00], &info)
    }

    /// MANAGE SECURITY ENVIRONMENT, SET DST: which key signs documents, and how (RSA PKCS#1 v1.5).
    pub fn set_signature(key: u8, hash: Hash) -> Command {
        let algorithm = match hash {
            Hash::Sha1 => SHA1_SIGNATURE_ALGORITHM,
            Hash::Sha256 => SHA256_SIGNATURE_ALGORITHM,
        };
        let data = [0x80, 0x01, algorithm, 0x84, 0x01, key];
        Command::sending("choosing the signature key", [0x00, 0x22, 0x41, 0xB6], &data)
    }

    /// PERFORM SECURITY OPERATION: COMPUTE DIGITAL SIGNATURE over a hash; the card makes the DigestInfo of it.
    pub fn sign_document(hash: &[u8]) -> Command {
        Command::exchanging(SIGNING_DOCUMENT, [0x00, 0x2A, 0x9E, 0x9A], hash)
    }

    /// MANAGE SECURITY ENVIRONMENT, SET CT: which key of a CPS4 deciphers.
    pub fn set_deciphering(key: u8) -> Command {
        Command::sending("choosing the authentication key", [0x00, 0x22, 0x41, 0xB8], &[0x83, 0x01, key])
    }

    /// PERFORM SECURITY OPERATION: DECIPHER of a block that the host has padded (RFC 8017 §9.2): what comes back is its
    /// signature. Longer than one short command, so it is chained (ISO 7816-4 §5.3.3).
    pub fn decipher(hash: &[u8; 32]) -> [Command; 2] {
        let mut block = [0xFF; MODULUS_LENGTH];
        (block[0], block[1]) = (0x00, 0x01);
        let info = MODULUS_LENGTH - SHA256_DIGEST_INFO.len() - hash.len();
        block[info - 1] = 0x00;
        block[info..info + SHA256_DIGEST_INFO.len()].copy_from_slice(SHA256_DIGEST_INFO);
        block[MODULUS_LENGTH - hash.len()..].copy_from_slice(hash);
        let (first, last) = block.split_at(usize::from(READ_LENGTH_MAX));
        [
            Command::sending("signing", [0x10, 0x2A, 0x80, 0x86], first),
            Command::exchanging("signing", [0x00, 0x2A, 0x80, 0x86], last),
        ]
    }
}

/// Splits an answer into what it carries and its status. `None`: shorter than a status.
pub fn split(answer: &[u8]) -> Option<(&[u8], Status)> {
    let (data, word) = answer.split_last_chunk::<2>()?;
    Some((data, Status::from(*word)))
}

/// The most that one READ BINARY asks for (what the card's own middleware keeps to).
pub const READ_LENGTH_MAX: u8 = 0xE7;

/// RSA-2048, as every card of the family has it.
const MODULUS_LENGTH: usize = 256;

/// Where CLA holds the logical channel.
const CHANNELS: u8 = 0x03;

/// The card's algorithm 02.
const AUTHENTICATION_ALGORITHM: u8 = 0x02;
const SHA1_SIGNATURE_ALGORITHM: u8 = 0x12;
const SHA256_SIGNATURE_ALGORITHM: u8 = 0x42;

pub const SIGNING_DOCUMENT: &str = "signing a document";

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
            assert_eq!(Status::from(bytes).word().to_be_bytes(), bytes);
        }
        check([0x90, 0x00], Status::Done);
        check([0x62, 0x82], Status::EndOfFile);
        check([0x61, 0x00], Status::More { waiting: 0 });
        check([0x61, 0x1B], Status::More { waiting: 0x1B });
        check([0x6C, 0x39], Status::ExactLength { length: 0x39 });
        check([0x63, 0xC3], Status::WrongPin { tries_left: 3 });
        check([0x63, 0xC1], Status::WrongPin { tries_left: 1 });
        check([0x63, 0xC0], Status::Blocked { word: 0x63C0 });
        check([0x69, 0x83], Status::Blocked { word: 0x6983 });
        check([0x69, 0x84], Status::Blocked { word: 0x6984 });
        check([0x69, 0x82], Status::PinNeeded);
        check([0x6A, 0x82], Status::NotFound { word: 0x6A82 });
        check([0x6A, 0x88], Status::NotFound { word: 0x6A88 });
        check([0x6B, 0x00], Status::OutsideFile);
        check([0x63, 0x00], Status::Other(0x6300));
        check([0x69, 0x85], Status::Other(0x6985));
        check([0x6D, 0x00], Status::Other(0x6D00));
        check([0x00, 0x90], Status::Other(0x0090));
    }

    #[test]
    fn commands_are_the_bytes_of_the_standard() {
        #[track_caller]
        fn check(command: &Command, in_t0: &str, in_t1: &str) {
            let framed = |protocol| hex::encode_upper(&*command.framed(Framing { protocol, channel: 0 }));
            assert_eq!(framed(Protocol::T0), in_t0.replace(' ', ""), "{}", command.step);
            assert_eq!(framed(Protocol::T1), in_t1.replace(' ', ""), "{} in T=1", command.step);
        }
        let same = |command: Command, both: &str| check(&command, both, both);
        same(Command::select_path("", &[0x3F, 0x00, 0x2F, 0x00]), "00 A4 09 0C 04 3F002F00");
        same(Command::select_application("", &[0xE8, 0x28]), "00 A4 04 0C 02 E828");
        same(Command::read_binary("", 0x0123, 0xE7), "00 B0 01 23 E7");
        same(Command::read_short("", 0x1C, 0x0C), "00 B0 9C 00 0C");
        check(&Command::tries_left(1), "00 20 00 01 00", "00 20 00 01");
        let object = "00 CB 3F FF 0A 4D 08 70 06 BF 81 01 02 A0 80";
        check(&Command::pin_object(1), object, &format!("{object} 00"));
        same(Command::set_signature(0x81, Hash::Sha256), "00 22 41 B6 06 80 01 42 84 01 81");
        same(Command::set_signature(0x81, Hash::Sha1), "00 22 41 B6 06 80 01 12 84 01 81");
        check(&Command::sign_document(&[7; 2]), "00 2A 9E 9A 02 0707", "00 2A 9E 9A 02 0707 00");
        // An Le here would ask a PIN for an answer.
        same(Command::verify(1, b"1234"), "00 20 00 01 04 31 32 33 34");
        same(Command::set_authentication(0x82), "00 22 41 A4 06 80 01 02 84 01 82");
        same(Command::set_deciphering(0x20), "00 22 41 B8 03 83 01 20");
        same(Command::get_response("", 0), "00 C0 00 00 00");
        let info = format!("3031300D060960864801650304020105000420{}", "AB".repeat(32));
        let signing = format!("00 88 00 00 33 {info}");
        check(&Command::internal_authenticate(&[0xAB; 32]), &signing, &format!("{signing} 00"));
        let [first, last] = Command::decipher(&[0xAB; 32]);
        same(first, &format!("10 2A 80 86 E7 0001 {} 00 {}", "FF".repeat(202), &info[..52]));
        let rest = format!("00 2A 80 86 19 {}", "AB".repeat(25));
        check(&last, &rest, &format!("{rest} 00"));
    }

    #[test]
    fn a_logical_channel_is_in_every_class_and_beside_the_chaining() {
        let framing = Framing { protocol: Protocol::T0, channel: 1 };
        assert_eq!(Command::tries_left(1).framed(framing)[..4], [0x01, 0x20, 0x00, 0x01]);
        assert_eq!(Command::get_response("", 1).framed(framing)[..4], [0x01, 0xC0, 0x00, 0x00]);
        assert_eq!(Command::decipher(&[0; 32])[0].framed(framing)[..4], [0x11, 0x2A, 0x80, 0x86]);
    }

    #[test]
    fn only_a_command_that_asks_is_asked_again() {
        let again = Command::read_binary("", 0, 0xE7).with_exact_length(0x10).expect("asked again");
        assert_eq!(again.framed(Framing::T0)[..], [0x00, 0xB0, 0x00, 0x00, 0x10]);
        assert!(Command::verify(1, b"1234").with_exact_length(4).is_none());
        assert!(Command::internal_authenticate(&[0; 32]).with_exact_length(4).is_none());
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
