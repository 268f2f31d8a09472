//! Commands of T=0 and T=1 taken apart (ISO 7816-3 §12.1, §12.2), and the status words (ISO 7816-4 §5.6).

use crate::sandbox::cps::make::Protocol;

/// A command whose length agrees with its P3.
pub struct Tpdu<'a> {
    pub class: u8,
    pub instruction: u8,
    pub p1: u8,
    pub p2: u8,
    pub data: &'a [u8],
    /// Le, with 0 for 256. In T=0, P3 of a command without data.
    expected: Option<u8>,
}

/// What a command leaves to the transport.
pub enum Answer {
    /// Nothing but 9000.
    Done,
    /// Case 2: all that could be sent now.
    Out(Vec<u8>),
    /// Case 4: announced by 61xx.
    Waiting(Vec<u8>),
}

impl<'a> Tpdu<'a> {
    pub fn parse(bytes: &'a [u8], protocol: Protocol) -> Result<Tpdu<'a>, u16> {
        match protocol {
            Protocol::T0 => Tpdu::parse_t0(bytes),
            Protocol::T1 => Tpdu::parse_t1(bytes),
        }
    }

    /// T=0 has one length, P3: what it means follows from the instruction, never from what comes after.
    fn parse_t0(bytes: &'a [u8]) -> Result<Tpdu<'a>, u16> {
        let (class, instruction, p1, p2, p3, data) = match *bytes {
            [class, instruction, p1, p2] => (class, instruction, p1, p2, 0, &[] as &[u8]),
            [class, instruction, p1, p2, p3, ref data @ ..] => (class, instruction, p1, p2, p3, data),
            _ => return Err(sw::LENGTH),
        };
        let sends = matches!(instruction, READ_BINARY | GET_RESPONSE);
        let agrees = if sends { data.is_empty() } else { data.len() == usize::from(p3) };
        if !agrees {
            return Err(sw::LENGTH);
        }
        Ok(Tpdu { class, instruction, p1, p2, data, expected: Some(p3) })
    }

    /// T=1 tells Lc and Le apart.
    fn parse_t1(bytes: &'a [u8]) -> Result<Tpdu<'a>, u16> {
        let [class, instruction, p1, p2, ref rest @ ..] = *bytes else { return Err(sw::LENGTH) };
        let (data, expected) = match *rest {
            [] => (&[] as &[u8], None),
            [expected] => (&[] as &[u8], Some(expected)),
            [length, ref data @ ..] if data.len() == usize::from(length) => (data, None),
            [length, ref data @ .., expected] if data.len() == usize::from(length) => (data, Some(expected)),
            _ => return Err(sw::LENGTH),
        };
        Ok(Tpdu { class, instruction, p1, p2, data, expected })
    }

    /// What is asked back, at most.
    pub fn expected(&self) -> usize {
        match self.expected {
            None | Some(0) => 256,
            Some(some) => usize::from(some),
        }
    }

    /// In T=1 an answer goes at once, as much of it as was asked for; whoever asks for none gets none.
    pub fn answered_with(&self, data: &[u8]) -> Vec<u8> {
        let asked = if self.expected.is_some() { self.expected() } else { 0 };
        let ends = data.len() < asked && self.instruction == READ_BINARY;
        let status = if ends { sw::END_OF_FILE } else { sw::DONE };
        [&data[..asked.min(data.len())], &status.to_be_bytes()].concat()
    }

    pub fn parameters(&self) -> [u8; 2] {
        [self.p1, self.p2]
    }
}

/// Simple values of one-byte tag and length.
pub fn values(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut out = Vec::new();
    while let [tag, length, rest @ ..] = bytes {
        let (value, after) = rest.split_at_checked(usize::from(*length))?;
        out.push((*tag, value));
        bytes = after;
    }
    bytes.is_empty().then_some(out)
}

pub const VERIFY: u8 = 0x20;
pub const MANAGE_ENVIRONMENT: u8 = 0x22;
pub const PERFORM_OPERATION: u8 = 0x2a;
pub const RESET_RETRY_COUNTER: u8 = 0x2c;
pub const INTERNAL_AUTHENTICATE: u8 = 0x88;
pub const SELECT: u8 = 0xa4;
pub const READ_BINARY: u8 = 0xb0;
pub const GET_RESPONSE: u8 = 0xc0;
pub const GET_DATA: u8 = 0xcb;

pub mod sw {
    //! Status words by their meaning.
    pub const DONE: u16 = 0x9000;
    pub const END_OF_FILE: u16 = 0x6282;
    pub const LENGTH: u16 = 0x6700;
    pub const CHAINING: u16 = 0x6884;
    pub const SECURITY: u16 = 0x6982;
    pub const BLOCKED: u16 = 0x6983;
    pub const CONDITIONS: u16 = 0x6985;
    pub const NO_FILE_CHOSEN: u16 = 0x6986;
    pub const DATA: u16 = 0x6a80;
    pub const FUNCTION: u16 = 0x6a81;
    pub const NOT_FOUND: u16 = 0x6a82;
    pub const PARAMETERS: u16 = 0x6a86;
    pub const NO_SUCH_OBJECT: u16 = 0x6a88;
    pub const OFFSET: u16 = 0x6b00;
    pub const INSTRUCTION: u16 = 0x6d00;
    pub const CLASS: u16 = 0x6e00;

    /// 63Cx: wrong, or not yet shown, and this many tries are left.
    pub fn tries(left: u8) -> u16 {
        0x63c0 | u16::from(left & 0x0f)
    }
}
