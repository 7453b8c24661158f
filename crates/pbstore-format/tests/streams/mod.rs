//! Data that tests share.

use pbstore_format::{digest::sha256, CryptKey};

#[allow(dead_code, reason = "not every test file needs it")]
/// The stream S(seed, n) of chunker.md 5.
pub fn seeded_stream(len: usize) -> Vec<u8> {
    let block = |number: u64| sha256(&[&b"pbs-chunker-vector"[..], &number.to_le_bytes()].concat());
    let mut stream: Vec<u8> = (0..).map(block).take(len.div_ceil(32)).flatten().collect();
    stream.truncate(len);
    stream
}

/// The key 00 01 .. 1f of the worked examples.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn example_key() -> CryptKey {
    CryptKey::new(std::array::from_fn(|index| index as u8))
}

/// Hex text, spaces and line ends left out.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|character| character.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
