//! The PIN and the keys: each in a box of its own, each with one named way out.
//!
//! Never `Clone`, never `Serialize`; `Debug` says only that something is there. Wiped on drop. Pure.

pub mod content;

use secrecy::ExposeSecret;
use secrecy::ExposeSecretMut;
use secrecy::SecretBox;
use zeroize::Zeroize;

/// Where the digits of a PIN gather while they are typed. It never grows and never moves.
pub struct PinBuffer {
    digits: SecretBox<[u8; PIN_DIGITS_MAX]>,
    count: usize,
}

/// A PIN that was confirmed, on its single way to the card.
pub struct Pin {
    digits: SecretBox<[u8; PIN_DIGITS_MAX]>,
    count: usize,
}

/// 32 bytes that open something.
pub struct SecretKey(SecretBox<[u8; 32]>);

/// Bytes of any length that must not outlive their use: a signature that is a key, a document in clear.
pub struct SecretBytes(SecretBox<Vec<u8>>);

/// A document that no row accounts for, on its way into the sealed worker: nobody between may look into it (P1).
pub struct Unseen {
    content: SecretBytes,
    content_type: String,
    format_code: String,
}

/// Its words, on their way back into the vault.
pub struct UnseenWords(SecretBytes);

/// The longest PIN that any CPS generation takes (facts: AODF `stored length` 8).
pub const PIN_DIGITS_MAX: usize = 8;

impl PinBuffer {
    /// An empty one.
    pub fn new() -> PinBuffer {
        PinBuffer { digits: SecretBox::new(Box::new([0; PIN_DIGITS_MAX])), count: 0 }
    }

    /// Adds one digit, 0 to 9. More than `max` digits, or anything else, changes nothing.
    pub fn push(&mut self, digit: u8, max: usize) {
        if digit <= 9 && self.count < max.min(PIN_DIGITS_MAX) {
            self.digits.expose_secret_mut()[self.count] = b'0' + digit;
            self.count += 1;
        }
    }

    /// Takes the last digit back.
    pub fn pop(&mut self) {
        if self.count > 0 {
            self.count -= 1;
            self.digits.expose_secret_mut()[self.count] = 0;
        }
    }

    /// How many digits there are: all that a screen may know.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Hands the digits over and leaves nothing behind.
    pub fn confirm(self) -> Pin {
        Pin { digits: self.digits, count: self.count }
    }
}

impl Default for PinBuffer {
    fn default() -> Self {
        PinBuffer::new()
    }
}

impl std::fmt::Debug for PinBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinBuffer([REDACTED])")
    }
}

impl Pin {
    /// Reads ASCII digits, for `chevet card login`, which takes them from standard input. The source is wiped.
    pub fn from_typed(mut line: String) -> Option<Pin> {
        let mut buffer = PinBuffer::new();
        let digits = line.trim_end_matches(['\r', '\n']);
        let fits = !digits.is_empty() && digits.len() <= PIN_DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
        if fits {
            digits.bytes().for_each(|b| buffer.push(b - b'0', PIN_DIGITS_MAX));
        }
        line.zeroize();
        fits.then(|| buffer.confirm())
    }

    /// The only way out: `grep show_to_card` lists every place a PIN is seen. ASCII digits, padded only if the AODF says so.
    pub fn show_to_card(&self) -> &[u8] {
        &self.digits.expose_secret()[..self.count]
    }

    /// How many digits it has, so that a wrong length never reaches the card.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin([REDACTED])")
    }
}

impl SecretKey {
    /// Fills a new key in place, so that no copy is left on the stack.
    pub fn fill_with(fill: impl FnOnce(&mut [u8; 32])) -> SecretKey {
        let mut boxed = Box::new([0; 32]);
        fill(&mut boxed);
        SecretKey(SecretBox::new(boxed))
    }

    /// The only way out: `grep show_to_cipher` lists every place a key is seen.
    pub fn show_to_cipher(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey([REDACTED])")
    }
}

impl SecretBytes {
    /// Takes the bytes over; they are wiped when this is dropped.
    pub fn new(bytes: Vec<u8>) -> SecretBytes {
        SecretBytes(SecretBox::new(Box::new(bytes)))
    }

    /// Empty, with room for so many: filled piece by piece, it never moves.
    pub fn with_room(bytes: usize) -> SecretBytes {
        SecretBytes::new(Vec::with_capacity(bytes))
    }

    /// Puts some more behind them. The room must have been there from the beginning: what moves leaves a copy behind.
    pub fn extend(&mut self, more: &[u8]) {
        let bytes = self.0.expose_secret_mut();
        assert!(more.len() <= bytes.capacity() - bytes.len(), "a secret never moves");
        bytes.extend_from_slice(more);
    }

    /// The only way out: `grep show_bytes` lists every place they are seen.
    pub fn show_bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBytes([REDACTED])")
    }
}

impl Unseen {
    pub fn new(content: SecretBytes, content_type: String, format_code: String) -> Unseen {
        Unseen { content, content_type, format_code }
    }

    /// Content, media type, format: called in `render/` alone, `tests/house.rs` sees to it.
    pub fn show_to_worker(&self) -> (&SecretBytes, &str, &str) {
        (&self.content, &self.content_type, &self.format_code)
    }
}

impl UnseenWords {
    pub fn new(words: String) -> UnseenWords {
        UnseenWords(SecretBytes::new(words.into_bytes()))
    }

    /// A document that has none, or that nobody can read.
    pub fn none() -> UnseenWords {
        UnseenWords::new(String::new())
    }

    /// To be sealed into the vault: called in `vault/` alone, `tests/house.rs` sees to it.
    pub fn for_storage(self) -> SecretBytes {
        self.0
    }
}

impl std::fmt::Debug for Unseen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unseen([REDACTED])")
    }
}

impl std::fmt::Debug for UnseenWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnseenWords([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_never_grows_past_its_limit_and_forgets_what_is_taken_back() {
        let mut buffer = PinBuffer::new();
        for digit in [1, 2, 3, 4, 5, 12] {
            buffer.push(digit, 4);
        }
        assert_eq!(buffer.count(), 4);
        buffer.pop();
        buffer.push(9, 4);
        assert_eq!(buffer.confirm().show_to_card(), b"1239");
    }

    #[test]
    fn nothing_is_printed() {
        let mut buffer = PinBuffer::new();
        (0..8).for_each(|_| buffer.push(7, 8));
        assert!(!format!("{buffer:?}").contains('7'));
        assert!(!format!("{:?}", buffer.confirm()).contains('7'));
        assert!(!format!("{:?}", SecretBytes::new(vec![55; 4])).contains("55"));
    }

    #[test]
    fn a_typed_pin_is_digits_or_nothing() {
        assert_eq!(Pin::from_typed("1234\n".into()).map(|p| p.count()), Some(4));
        assert!(Pin::from_typed("12a4".into()).is_none());
        assert!(Pin::from_typed("".into()).is_none());
        assert!(Pin::from_typed("123456789".into()).is_none());
    }
}
