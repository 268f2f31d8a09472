//! The receipt as CBOR (RFC 8949), and its QR code. Layout in docs/receipt.md: one array, raw hashes, no root (the path
//! leads to it), no text that the device's key does not need.

use crate::identity::holder::HolderId;
use crate::journal::leaf::LeafHash;
use crate::journal::note;
use crate::journal::note::Head;
use crate::journal::receipt::Claims;
use crate::journal::receipt::Place;
use crate::journal::receipt::Receipt;
use crate::journal::receipt::ReceiptError;
use crate::journal::receipt::ground;
use crate::journal::tree;
use crate::journal::tree::Hash;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::time::UnixSeconds;
use crate::time::Wall;
use ciborium::Value;
use qrcode::EcLevel;
use qrcode::QrCode;
use qrcode::Version;
use qrcode::bits::Bits;

/// What the array opens with.
const FORM: &str = "chevet1";
const PARTS: usize = 12;

/// The largest code that a telephone reads from a sheet or a small screen without trouble.
pub const QR_VERSION_MAX: i16 = 25;

/// A longer path is no path: a journal of 2^64 rows is none.
const PATH_MAX: usize = 64;

pub(super) fn write(receipt: &Receipt) -> Result<Vec<u8>, ReceiptError> {
    let head = note::read(&receipt.note).map_err(|_| ReceiptError::Shape)?;
    let (key_id, signed) = note::device_line(&receipt.note).ok_or(ReceiptError::Shape)?;
    let Claims { class, ground, at, holder } = &receipt.claims;
    let array = Value::Array(vec![
        Value::Text(FORM.to_owned()),
        Value::Text(head.origin),
        Value::Integer(head.size.into()),
        Value::Bytes([key_id.as_slice(), &signed].concat()),
        Value::Integer(receipt.place.index.into()),
        Value::Bytes(receipt.place.leaf.0.to_vec()),
        Value::Bytes(receipt.place.path.concat()),
        Value::Text(class.name().to_owned()),
        ground.map_or(Value::Null, |ground: Ground| Value::Text(ground.name().to_owned())),
        Value::Text(holder.0.clone()),
        Value::Array(vec![Value::Integer(at.value().0.into()), Value::Bool(at.is_trusted())]),
        Value::Bytes(receipt.signature.to_vec()),
    ]);
    let mut bytes = Vec::with_capacity(1024);
    ciborium::into_writer(&array, &mut bytes).map_err(|_| ReceiptError::Shape)?;
    Ok(bytes)
}

/// An array of as many parts whose first is our name.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let name = [&[0x80 | PARTS as u8, 0x60 | FORM.len() as u8], FORM.as_bytes()].concat();
    bytes.starts_with(&name)
}

pub(super) fn read(bytes: &[u8]) -> Result<Receipt, ReceiptError> {
    if !is_one(bytes) || bytes.len() > BYTES_MAX {
        return Err(ReceiptError::Shape);
    }
    let mut rest = bytes;
    let array: Value = ciborium::from_reader(&mut rest).map_err(|_| ReceiptError::Shape)?;
    if rest.is_empty() { receipt(array).ok_or(ReceiptError::Shape) } else { Err(ReceiptError::Shape) }
}

fn receipt(array: Value) -> Option<Receipt> {
    let parts: [Value; PARTS] = array.into_array().ok()?.try_into().ok()?;
    let [_, origin, size, signed, index, leaf, path, class, why, holder, at, signature] = parts;
    let (size, index) = (number(&size)?, number(&index)?);
    let leaf: Hash = bytes(leaf)?.try_into().ok()?;
    let path = bytes(path)?;
    let (hashes, odd) = path.as_chunks::<32>();
    if !odd.is_empty() || hashes.len() > PATH_MAX {
        return None;
    }
    let signed = bytes(signed)?;
    let (key_id, signature_of_head) = signed.split_first_chunk::<4>()?;
    let root = tree::root_of_path(LeafHash(leaf), index, size, hashes)?;
    let origin = text(origin)?;
    // A name with a line feed in it would be another note.
    if origin.is_empty() || origin.chars().any(char::is_whitespace) {
        return None;
    }
    let head = Head { origin, size, root };
    let [seconds, trusted] = <[Value; 2]>::try_from(at.into_array().ok()?).ok()?;
    let seconds = UnixSeconds(i64::try_from(i128::from(seconds.into_integer().ok()?)).ok()?);
    let claims = Claims {
        class: Class::from_name(&text(class)?)?,
        ground: ground(if why.is_null() { None } else { Some(why.as_text()?) })?,
        at: if trusted.as_bool()? { Wall::Is(seconds) } else { Wall::AtLeast(seconds) },
        holder: HolderId(text(holder)?),
    };
    Some(Receipt {
        note: note::assemble(&head, &head.origin, *key_id, signature_of_head),
        place: Place { index, leaf: LeafHash(leaf), path: hashes.to_vec() },
        claims,
        signature: bytes(signature)?.try_into().ok()?,
    })
}

fn number(value: &Value) -> Option<u64> {
    u64::try_from(i128::from(value.as_integer()?)).ok()
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    value.into_bytes().ok()
}

fn text(value: Value) -> Option<String> {
    value.into_text().ok()
}

/// The smallest code that holds these bytes, in byte mode and with medium correction.
pub fn qr(payload: &[u8]) -> Result<QrCode, ReceiptError> {
    let fits = |version: i16| {
        let mut bits = Bits::new(Version::Normal(version));
        bits.push_byte_data(payload).ok()?;
        bits.push_terminator(EcLevel::M).ok()?;
        QrCode::with_bits(bits, EcLevel::M).ok()
    };
    (1..=QR_VERSION_MAX).find_map(fits).ok_or(ReceiptError::TooLarge)
}

/// Twice what the largest allowed code holds: nothing larger is a receipt.
const BYTES_MAX: usize = 2 * 997;
