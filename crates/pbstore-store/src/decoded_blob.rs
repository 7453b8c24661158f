//! The data of a blob file, decoded as it is read: small in memory whatever the blob says about itself.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use pbstore_format::blob::{self, BlobKind, CRC_OFFSET, ENCRYPTED_HEADER, MAX_INPUT_BYTES, PLAIN_HEADER};
use pbstore_format::{Digest, FormatError};
use sha2::{Digest as _, Sha256};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use crate::{atomic_file, Result, StoreError};

const BUFFER_BYTES: usize = 64 << 10;
/// Data that refers back further than 16 MiB would need a buffer of that size.
const MAX_WINDOW_LOG: u32 = 24;

/// The data of a plain or compressed blob, which was checked when it was opened.
#[derive(Debug)]
pub struct DecodedBlob {
    data: Data,
    bytes: u64,
}

impl DecodedBlob {
    /// Open a blob file and check its CRC, its checksum if the manifest has one, and that it can be decoded at all.
    ///
    /// # Errors
    /// `Format`: no blob, damaged, encrypted, or with more than 128 MiB of data; `Io`.
    pub fn open(path: &Path, csum: Option<&Digest>) -> Result<Self> {
        let (mut file, bytes) = atomic_file::open_regular(path).map_err(StoreError::io("open blob", path))?;
        if bytes > blob::MAX_BLOB_BYTES as u64 {
            return Err(FormatError::TooLarge { what: "blob", limit: blob::MAX_BLOB_BYTES }.into());
        }
        let kind = check(&file, path, csum)?;
        file.rewind().map_err(StoreError::io("read blob", path))?;
        let mut data = Data::open(file.try_clone().map_err(StoreError::io("open blob", path))?, kind, path)?;
        let mut limited = (&mut data).take(MAX_INPUT_BYTES as u64 + 1);
        let bytes = io::copy(&mut limited, &mut io::sink()).map_err(|error| undecodable(error, path))?;
        if bytes > MAX_INPUT_BYTES as u64 {
            return Err(FormatError::TooLarge { what: "data of a blob", limit: MAX_INPUT_BYTES }.into());
        }
        file.rewind().map_err(StoreError::io("read blob", path))?;
        Ok(Self { data: Data::open(file, kind, path)?, bytes })
    }

    /// Bytes of the data.
    pub fn size(&self) -> u64 {
        self.bytes
    }
}

impl Read for DecodedBlob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.data.read(buffer)
    }
}

/// Read all of the file once.
fn check(file: &File, path: &Path, csum: Option<&Digest>) -> Result<BlobKind> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut head = Vec::with_capacity(ENCRYPTED_HEADER);
    file.by_ref().take(PLAIN_HEADER as u64).read_to_end(&mut head).map_err(StoreError::io("read blob", path))?;
    let is_encrypted =
        [BlobKind::Encrypted, BlobKind::EncryptedCompressed].iter().any(|kind| head.starts_with(&kind.magic()));
    if is_encrypted {
        return Err(FormatError::MissingKey.into());
    }
    let kind = blob::kind(&head)?;
    let expected = head.get(CRC_OFFSET..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_le_bytes);
    let (mut crc, mut sha) = (crc32fast::Hasher::new(), Sha256::new_with_prefix(&head));
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = file.read(&mut buffer).map_err(StoreError::io("read blob", path))?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
        crc.update(piece);
        sha.update(piece);
    }
    let found = crc.finalize();
    if found != expected {
        return Err(FormatError::Checksum { expected, found }.into());
    }
    let found: Digest = sha.finalize().into();
    match csum {
        Some(csum) if found != *csum => Err(FormatError::WrongDigest { expected: *csum, found }.into()),
        _ => Ok(kind),
    }
}

fn undecodable(error: io::Error, path: &Path) -> StoreError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => FormatError::malformed(error.to_string()).into(),
        _ => StoreError::io("read blob", path)(error),
    }
}

/// Payload behind the header, decompressed if it is compressed.
struct Data {
    file: File,
    zstd: Option<DCtx<'static>>,
    input: Vec<u8>,
    position: usize,
    is_frame_open: bool,
}

impl Data {
    fn open(mut file: File, kind: BlobKind, path: &Path) -> Result<Self> {
        let mut header = [0; PLAIN_HEADER];
        file.read_exact(&mut header).map_err(StoreError::io("read blob", path))?;
        let zstd = kind.is_compressed().then(decompressor).transpose()?;
        Ok(Self { file, zstd, input: Vec::new(), position: 0, is_frame_open: false })
    }

    /// More compressed bytes; false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        self.input.resize(BUFFER_BYTES, 0);
        let read = self.file.read(&mut self.input)?;
        self.input.truncate(read);
        self.position = 0;
        Ok(read > 0)
    }
}

impl Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut zstd) = self.zstd.take() else { return self.file.read(buffer) };
        let outcome = self.decompress(&mut zstd, buffer);
        self.zstd = Some(zstd);
        outcome
    }
}

impl Data {
    fn decompress(&mut self, zstd: &mut DCtx<'static>, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut output = OutBuffer::around(&mut *buffer);
            let mut input = InBuffer { src: &self.input, pos: self.position };
            let hint = zstd.decompress_stream(&mut output, &mut input).map_err(|code| {
                let text = format!("damaged zstd data: {}", zstd_safe::get_error_name(code));
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?;
            let (produced, is_used_up) = (output.pos(), input.pos() == self.input.len());
            // Without any input zstd says how much it wants for the next frame, although none has begun.
            self.is_frame_open = hint != 0 && (self.is_frame_open || input.pos() > self.position);
            self.position = input.pos();
            if produced > 0 || buffer.is_empty() {
                return Ok(produced);
            }
            if is_used_up && !self.fill()? {
                return match self.is_frame_open {
                    true => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "zstd data ends too early")),
                    false => Ok(0),
                };
            }
        }
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Data").field("file", &self.file).field("position", &self.position).finish()
    }
}

fn decompressor() -> Result<DCtx<'static>> {
    let internal = |text: String| StoreError::from(FormatError::Internal(text));
    let mut context = DCtx::try_create().ok_or_else(|| internal("zstd has no memory".into()))?;
    let limited = context.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG));
    limited.map_err(|code| internal(format!("zstd refused a setting: {}", zstd_safe::get_error_name(code))))?;
    Ok(context)
}
