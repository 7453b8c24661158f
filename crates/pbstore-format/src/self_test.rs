//! A small known vector of each codec, run at every start: a wrongly compiled build must not touch data.

use crate::{blob, chunker, digest, CryptKey, FormatError, Result};

const MESSAGE: &[u8] = b"hello world";
/// `MESSAGE` under the key 00 01 .. 1f and the IV 10 11 .. 1f (blobs-and-chunks.md 6).
const ENCRYPTED: [u8; 55] = [
    0x7b, 0x67, 0x85, 0xbe, 0x22, 0x2d, 0x4c, 0xf0, 0x98, 0x05, 0x87, 0x28, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
    0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x26, 0xf9, 0x70, 0xbd, 0x15, 0x79, 0xed, 0x9f, 0xd6, 0x69,
    0x14, 0xf5, 0x26, 0x60, 0x4f, 0x05, 0xe2, 0x3f, 0x56, 0x0c, 0x88, 0x51, 0x4c, 0xc0, 0x19, 0x67, 0xfa,
];
const DIGEST: &str = "29d6770e718a93cf4a7663ddc167cf40c128b67cc20d36bd49adec140981f9d5";
/// First borders of vector V2 (chunker.md 5), and the end of its first 128 KiB.
const ENDS: [usize; 4] = [42_522, 86_649, 119_627, 131_072];
const AVERAGE: usize = 64 << 10;

/// Open, seal and cut known vectors.
///
/// # Errors
/// `Internal` naming the codec that is wrong, or the codec's own error.
pub fn self_test() -> Result<()> {
    let key = CryptKey::new(std::array::from_fn(|index| index as u8));
    let check = |right: bool, what: &str| match right {
        true => Ok(()),
        false => Err(FormatError::Internal(format!("{what} gives a wrong result"))),
    };
    check(digest::to_hex(&key.digest(MESSAGE)) == DIGEST, "digest")?;
    check(blob::open(&ENCRYPTED, Some(&key), MESSAGE.len())? == MESSAGE, "opening a blob")?;
    let stream = test_stream(ENDS[3]);
    let sealed = blob::seal(&stream, Some(&key), true)?;
    check(blob::open(&sealed, Some(&key), stream.len())? == stream, "sealing a blob")?;
    check(chunker::chunk_ends(&stream, AVERAGE)? == ENDS, "chunker")
}

/// The stream of the chunker's vectors: SHA-256 of seed and counter, one after the other.
fn test_stream(len: usize) -> Vec<u8> {
    let block = |number: u64| digest::sha256(&[&b"pbs-chunker-vector"[..], &number.to_le_bytes()].concat());
    let mut stream: Vec<u8> = (0..).map(block).take(len.div_ceil(32)).flatten().collect();
    stream.truncate(len);
    stream
}
