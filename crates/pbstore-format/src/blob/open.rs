//! Opening blobs: check, decrypt, decompress; never more than the caller allows.

use zstd_safe::DCtx;

use super::{check_crc, kind, split, MAX_INPUT_BYTES, PLAIN_HEADER};
use crate::crypt::{BlobCipher, CryptKey, IV_BYTES};
use crate::digest::{sha256, Digest};
use crate::{FormatError, Result};

/// zstd's error number 70, "destination buffer is too small", as its functions return it.
const TARGET_TOO_SMALL: usize = 0_usize.wrapping_sub(70);

/// Opens blobs with one key; keeps contexts and buffers between calls.
pub struct Opener {
    cipher: Option<BlobCipher>,
    decompressor: DCtx<'static>,
    scratch: Vec<u8>,
}

impl Opener {
    /// Without a key encrypted blobs are refused.
    ///
    /// # Errors
    /// `Internal` if a library has no context to give.
    pub fn new(key: Option<CryptKey>) -> Result<Self> {
        let cipher = key.as_ref().map(BlobCipher::new).transpose()?;
        let decompressor = DCtx::try_create().ok_or_else(|| FormatError::Internal("zstd has no memory".into()))?;
        Ok(Self { cipher, decompressor, scratch: Vec::new() })
    }

    /// Return the data of a blob: at most `max_bytes`, with the CRC and, if encrypted, the tag checked.
    ///
    /// # Errors
    /// `Malformed`, `Checksum`, `WrongTag`, `MissingKey`, or `TooLarge` if there is more than `max_bytes`.
    pub fn open(&mut self, blob: &[u8], max_bytes: usize) -> Result<Vec<u8>> {
        check_crc(blob)?;
        let (kind, payload) = split(blob)?;
        let max_bytes = max_bytes.min(MAX_INPUT_BYTES);
        if !kind.is_compressed() && payload.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        let mut data = Vec::new();
        match (kind.is_encrypted(), kind.is_compressed()) {
            (false, false) => data.extend_from_slice(payload),
            (false, true) => decompress(&mut self.decompressor, payload, max_bytes, &mut data)?,
            (true, false) => self.decrypt(blob, payload, &mut data)?,
            (true, true) => {
                let mut frames = std::mem::take(&mut self.scratch);
                let decrypted = self.decrypt(blob, payload, &mut frames);
                let result = decrypted.and_then(|()| decompress(&mut self.decompressor, &frames, max_bytes, &mut data));
                self.scratch = frames;
                result?;
            }
        }
        if data.capacity() / 2 > data.len() {
            data.shrink_to_fit();
        }
        Ok(data)
    }

    /// Check what a server can check of an uploaded plain chunk: length and digest of its data. The CRC is not looked
    /// at, for the server writes its own (blobs-and-chunks.md 5).
    ///
    /// # Errors
    /// `Malformed`, `WrongLength`, `WrongDigest`; `MissingKey` if it is encrypted, for then nothing can be checked.
    pub fn verify_plain_chunk(&mut self, blob: &[u8], digest: &Digest, size: usize) -> Result<()> {
        let (kind, payload) = split(blob)?;
        if kind.is_encrypted() {
            return Err(FormatError::MissingKey);
        }
        if !kind.is_compressed() {
            return check_data(payload, digest, size);
        }
        let mut data = std::mem::take(&mut self.scratch);
        let result = match decompress(&mut self.decompressor, payload, size.min(MAX_INPUT_BYTES), &mut data) {
            Ok(()) => check_data(&data, digest, size),
            Err(error) => Err(error),
        };
        self.scratch = data;
        result
    }

    fn decrypt(&mut self, blob: &[u8], ciphertext: &[u8], data: &mut Vec<u8>) -> Result<()> {
        let cipher = self.cipher.as_mut().ok_or(FormatError::MissingKey)?;
        let seal = blob.get(PLAIN_HEADER..).and_then(|rest| rest.split_first_chunk::<IV_BYTES>());
        let (iv, rest) = seal.ok_or(FormatError::WrongTag)?;
        let tag = rest.first_chunk().ok_or(FormatError::WrongTag)?;
        data.clear();
        data.extend_from_slice(ciphertext);
        cipher.open(iv, tag, data)
    }
}

/// Open one blob; for many use an [`Opener`].
///
/// # Errors
/// As [`Opener::open`].
pub fn open(blob: &[u8], key: Option<&CryptKey>, max_bytes: usize) -> Result<Vec<u8>> {
    kind(blob)?;
    Opener::new(key.cloned())?.open(blob, max_bytes)
}

/// Check one plain chunk; for many use [`Opener::verify_plain_chunk`].
///
/// # Errors
/// As [`Opener::verify_plain_chunk`].
pub fn verify_plain_chunk(blob: &[u8], digest: &Digest, size: usize) -> Result<()> {
    Opener::new(None)?.verify_plain_chunk(blob, digest, size)
}

fn check_data(data: &[u8], digest: &Digest, size: usize) -> Result<()> {
    if data.len() != size {
        return Err(FormatError::WrongLength { expected: size as u64, found: data.len() as u64 });
    }
    let found = sha256(data);
    if found != *digest {
        return Err(FormatError::WrongDigest { expected: *digest, found });
    }
    Ok(())
}

/// Decompress all frames into `data`; allocates what the first frame promises, at most `max_bytes`.
fn decompress(context: &mut DCtx<'static>, frames: &[u8], max_bytes: usize, data: &mut Vec<u8>) -> Result<()> {
    let promised = zstd_safe::get_frame_content_size(frames).ok().flatten();
    let first_guess = promised.and_then(|size| usize::try_from(size).ok()).unwrap_or(max_bytes).min(max_bytes);
    match decompress_within(context, frames, first_guess, data) {
        // More frames follow the first one.
        Err(FormatError::TooLarge { .. }) if first_guess < max_bytes => {
            decompress_within(context, frames, max_bytes, data)
        }
        other => other,
    }
}

fn decompress_within(context: &mut DCtx<'static>, frames: &[u8], limit: usize, data: &mut Vec<u8>) -> Result<()> {
    data.clear();
    data.reserve_exact(limit);
    match context.decompress(data, frames) {
        Ok(_) if data.len() <= limit => Ok(()),
        Ok(_) => Err(too_large(limit)),
        Err(TARGET_TOO_SMALL) => Err(too_large(limit)),
        Err(code) => Err(FormatError::malformed(format!("damaged zstd data: {}", zstd_safe::get_error_name(code)))),
    }
}

fn too_large(limit: usize) -> FormatError {
    FormatError::TooLarge { what: "data of a blob", limit }
}
