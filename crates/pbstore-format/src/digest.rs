//! Digests of chunks and their text form (blobs-and-chunks.md 2).

use sha2::{Digest as _, Sha256};

use crate::{CryptKey, FormatError, Result};

/// SHA-256 value.
pub type Digest = [u8; 32];

/// Digest that addresses a chunk: over the plain data, with a key also over the key's id behind it.
pub fn chunk_digest(data: &[u8], key: Option<&CryptKey>) -> Digest {
    match key {
        Some(key) => key.digest(data),
        None => sha256(data),
    }
}

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> Digest {
    Sha256::digest(data).into()
}

/// 64 lower-case hex characters.
pub fn to_hex(digest: &Digest) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| DIGITS.get(usize::from(nibble))).collect()
}

/// Read 64 hex characters in any case.
///
/// # Errors
/// `Malformed` for any other text.
pub fn from_hex(text: &str) -> Result<Digest> {
    let wrong = || FormatError::malformed(format!("invalid digest {:.80?}: expected 64 hex characters", text));
    if text.len() != 64 {
        return Err(wrong());
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let mut value = 0;
        for &character in pair {
            let nibble = char::from(character).to_digit(16).ok_or_else(wrong)?;
            value = value << 4 | nibble;
        }
        *byte = u8::try_from(value).map_err(|_| wrong())?;
    }
    Ok(digest)
}
