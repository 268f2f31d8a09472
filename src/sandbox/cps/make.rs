//! How a card was laid out by whoever issued it. Cards differ, and a host has to go by what each says of itself.
//!
//! Each make differs from the usual one in a single thing, so that a host that falls over it is told over what. Which of
//! these real cards show together, nobody here knows.

use crate::sandbox::der;

/// A make by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Make {
    pub name: &'static str,
    /// EF.ATR opens with a byte that belongs to no object, as on the card of the traces.
    pub has_stray_byte: bool,
    /// BIT STRINGs of its directories miscount their unused bits, as some real cards' do.
    pub miscounts_bits: bool,
    /// Its keys name their algorithms, which real cards leave out.
    pub names_algorithms: bool,
    /// The application's folder.
    pub folder: u16,
    /// Added to the identifier of every file below the object directory, whose own place alone is fixed.
    pub moved_by: u16,
    /// P2 of VERIFY.
    pub pin_reference: u8,
    /// The PIN is sent in this length, filled with FF.
    pub pin_stored: Option<usize>,
    /// A longer READ BINARY is refused.
    pub read_max: usize,
    pub protocol: Protocol,
    /// Answers come in parts of this size, announced by 61xx.
    pub part: Option<usize>,
    /// Whatever Le it is asked with, it first tells the right one.
    pub corrects_lengths: bool,
    /// A key without a PIN stands first, and the signature's certificate under the authentication key's name too.
    pub has_many_certificates: bool,
    /// How many "situations d'exercice" a professional's card tells behind the PIN.
    pub places: u16,
    pub documents: Documents,
}

/// What signs documents, beside the key that authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    /// A key behind the same PIN.
    SamePin,
    /// A key behind a PIN of its own.
    OtherPin,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    T0,
    T1,
}

impl Make {
    pub const USUAL: Make = Make {
        name: "usual",
        has_stray_byte: true,
        miscounts_bits: false,
        names_algorithms: false,
        folder: 0x0001,
        moved_by: 0,
        pin_reference: 0x01,
        pin_stored: None,
        read_max: 256,
        protocol: Protocol::T0,
        part: None,
        corrects_lengths: false,
        has_many_certificates: false,
        places: 1,
        documents: Documents::SamePin,
    };
    /// Much of it at once.
    pub const ODD: Make = Make {
        name: "odd",
        moved_by: 0x0b10,
        pin_reference: 0x03,
        pin_stored: Some(8),
        miscounts_bits: true,
        ..Make::USUAL
    };

    /// Of a card that offers both protocols, pcscd (1.9.9) takes T=1: so does a CPS4.
    pub const T1: Make = Make { name: "t1", protocol: Protocol::T1, ..Make::USUAL };

    /// What a visit says to them is what it says to the usual one: only whoever wants a document signed finds out.
    const UNSIGNING: [Make; 2] = [
        Make { name: "signs-by-another-pin", documents: Documents::OtherPin, ..Make::USUAL },
        Make { name: "signs-nothing", documents: Documents::None, ..Make::USUAL },
    ];

    /// All of them, the usual one first.
    pub const ALL: [Make; 13] = [
        Make::USUAL,
        Make::ODD,
        Make { name: "no-stray-byte", has_stray_byte: false, folder: 0x0009, ..Make::USUAL },
        Make { name: "miscounted-bits", miscounts_bits: true, ..Make::USUAL },
        Make { name: "algorithms-named", names_algorithms: true, ..Make::USUAL },
        Make { name: "files-elsewhere", moved_by: 0x0123, ..Make::USUAL },
        Make { name: "application-elsewhere", folder: 0x0007, ..Make::USUAL },
        Make { name: "pin-elsewhere", pin_reference: 0x05, ..Make::USUAL },
        Make { name: "padded-pin", pin_stored: Some(8), ..Make::USUAL },
        Make { name: "short-reads", read_max: 0xe7, ..Make::USUAL },
        Make::T1,
        Make { name: "in-parts", part: Some(48), corrects_lengths: true, ..Make::USUAL },
        Make { name: "many-certificates", has_many_certificates: true, ..Make::USUAL },
    ];

    pub fn named(name: &str) -> Option<Make> {
        Make::ALL.into_iter().chain(Make::UNSIGNING).find(|make| make.name == name)
    }

    pub(super) fn at(self, id: u16) -> u16 {
        id + self.moved_by
    }

    /// Tag, length, count of unused bits, bits.
    pub(super) fn bits(self, set: &[u32]) -> Vec<u8> {
        let mut coded = der::named_bits(set);
        if self.miscounts_bits {
            coded[2] = (coded[2] + 3) % 8;
        }
        coded
    }
}
