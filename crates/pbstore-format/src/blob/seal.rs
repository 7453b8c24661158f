//! Making blobs: compress, encrypt, put the header in front.

use zstd_safe::{CCtx, CParameter};

use super::{stamp_crc, BlobKind, ENCRYPTED_HEADER, MAX_INPUT_BYTES, PLAIN_HEADER};
use crate::crypt::{BlobCipher, CryptKey, IV_BYTES};
use crate::{FormatError, Result};

/// What the original uses: more saves little and costs much.
const COMPRESSION_LEVEL: i32 = 1;

/// Makes blobs with one key and one setting; keeps contexts and buffers between calls.
pub struct Sealer {
    cipher: Option<BlobCipher>,
    compressor: Option<CCtx<'static>>,
    frame: Vec<u8>,
}

impl Sealer {
    /// With a key blobs are encrypted; with `compress` they are compressed where that makes them no longer.
    ///
    /// # Errors
    /// `Internal` if a library has no context to give.
    pub fn new(key: Option<CryptKey>, compress: bool) -> Result<Self> {
        let cipher = key.as_ref().map(BlobCipher::new).transpose()?;
        let compressor = if compress { Some(new_compressor()?) } else { None };
        Ok(Self { cipher, compressor, frame: Vec::new() })
    }

    /// Make one blob.
    ///
    /// # Errors
    /// `TooLarge` above `MAX_INPUT_BYTES`, `Internal` if a library fails.
    pub fn seal(&mut self, data: &[u8]) -> Result<Vec<u8>> {
        let iv = self.cipher.as_ref().map(|_| random_iv()).transpose()?.unwrap_or_default();
        self.seal_with_iv(data, &iv)
    }

    fn seal_with_iv(&mut self, data: &[u8], iv: &[u8; IV_BYTES]) -> Result<Vec<u8>> {
        if data.len() > MAX_INPUT_BYTES {
            return Err(FormatError::TooLarge { what: "data of a blob", limit: MAX_INPUT_BYTES });
        }
        let compressed = self.compress(data);
        let kind = BlobKind::of(self.cipher.is_some(), compressed);
        let payload = if compressed { &self.frame } else { data };
        let mut blob = Vec::with_capacity(kind.header_len() + payload.len());
        blob.extend_from_slice(&kind.magic());
        blob.resize(kind.header_len(), 0);
        blob.extend_from_slice(payload);
        if let Some(cipher) = &mut self.cipher {
            let (header, body) = blob.split_at_mut(ENCRYPTED_HEADER);
            let tag = cipher.seal(iv, body)?;
            for (place, value) in header.iter_mut().skip(PLAIN_HEADER).zip(iv.iter().chain(&tag)) {
                *place = *value;
            }
        }
        stamp_crc(&mut blob)?;
        Ok(blob)
    }

    /// Fill `frame`; false if compression is off, does not pay or fails, which is no reason to fail.
    fn compress(&mut self, data: &[u8]) -> bool {
        let Some(compressor) = &mut self.compressor else {
            return false;
        };
        if data.is_empty() {
            return false;
        }
        // The compressor gives up when its frame gets longer than the capacity, so this bounds the work as well.
        self.frame.clear();
        self.frame.reserve_exact(data.len());
        compressor.compress2(&mut self.frame, data).is_ok() && self.frame.len() <= data.len()
    }
}

/// Make one blob; for many use a [`Sealer`].
///
/// # Errors
/// As [`Sealer::seal`].
pub fn seal(data: &[u8], key: Option<&CryptKey>, compress: bool) -> Result<Vec<u8>> {
    Sealer::new(key.cloned(), compress)?.seal(data)
}

fn new_compressor() -> Result<CCtx<'static>> {
    let mut context = CCtx::try_create().ok_or_else(|| FormatError::Internal("zstd has no memory".into()))?;
    let level = CParameter::CompressionLevel(COMPRESSION_LEVEL);
    context.set_parameter(level).map_err(|_| FormatError::Internal("zstd refuses its level".into()))?;
    Ok(context)
}

fn random_iv() -> Result<[u8; IV_BYTES]> {
    let mut iv = [0; IV_BYTES];
    openssl::rand::rand_bytes(&mut iv)?;
    Ok(iv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example_with_its_iv() {
        let key = CryptKey::new(std::array::from_fn(|index| index as u8));
        let iv = std::array::from_fn(|index| 0x10 + index as u8);
        let blob = Sealer::new(Some(key), true).unwrap().seal_with_iv(b"hello world", &iv).unwrap();
        let expected = "7b6785be222d4cf098058728101112131415161718191a1b1c1d1e1f\
                        26f970bd1579ed9fd66914f526604f05e23f560c88514cc01967fa";
        let text: String = blob.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, expected);
    }

    #[test]
    fn two_blobs_of_the_same_data_differ() {
        let mut sealer = Sealer::new(Some(CryptKey::new([1; 32])), true).unwrap();
        assert_ne!(sealer.seal(b"same").unwrap(), sealer.seal(b"same").unwrap());
    }
}
