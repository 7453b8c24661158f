//! Whatever a format writes, compressed with zstd.

use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use crate::format::Format;
use crate::member::Member;
use crate::DownloadError;

const LEVEL: i32 = 3;
const BUFFER_BYTES: usize = 128 << 10;

/// A format inside one zstd frame with a checksum.
pub(crate) struct ZstdOutput<F> {
    inner: F,
    zstd: CCtx<'static>,
    plain: Vec<u8>,
}

impl<F: Format> ZstdOutput<F> {
    pub(crate) fn new(inner: F) -> Result<Self, DownloadError> {
        let mut zstd = CCtx::try_create().ok_or_else(|| DownloadError::Compression("no memory".into()))?;
        for parameter in [CParameter::CompressionLevel(LEVEL), CParameter::ChecksumFlag(true)] {
            zstd.set_parameter(parameter).map_err(failed)?;
        }
        Ok(Self { inner, zstd, plain: Vec::new() })
    }

    /// Compresses what the inner format has written.
    fn compress(&mut self, end: ZSTD_EndDirective, out: &mut Vec<u8>) -> Result<(), DownloadError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut input = InBuffer::around(&self.plain);
        loop {
            let mut output = OutBuffer::around(buffer.as_mut_slice());
            let left = self.zstd.compress_stream2(&mut output, &mut input, end).map_err(failed)?;
            out.extend_from_slice(output.as_slice());
            let is_all_in = input.pos() == self.plain.len();
            if is_all_in && (left == 0 || end == ZSTD_EndDirective::ZSTD_e_continue) {
                break;
            }
        }
        self.plain.clear();
        Ok(())
    }

    fn go_on(&mut self, out: &mut Vec<u8>) -> Result<(), DownloadError> {
        self.compress(ZSTD_EndDirective::ZSTD_e_continue, out)
    }
}

impl<F: Format> Format for ZstdOutput<F> {
    fn begin(&mut self, member: &Member, out: &mut Vec<u8>) -> Result<bool, DownloadError> {
        let is_taken = self.inner.begin(member, &mut self.plain)?;
        self.go_on(out)?;
        Ok(is_taken)
    }

    fn content(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), DownloadError> {
        self.inner.content(piece, &mut self.plain)?;
        self.go_on(out)
    }

    fn end_content(&mut self, out: &mut Vec<u8>) -> Result<(), DownloadError> {
        self.inner.end_content(&mut self.plain)?;
        self.go_on(out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<bool, DownloadError> {
        if self.inner.finish(&mut self.plain)? {
            self.go_on(out)?;
            return Ok(true);
        }
        self.compress(ZSTD_EndDirective::ZSTD_e_end, out)?;
        Ok(false)
    }
}

fn failed(code: usize) -> DownloadError {
    DownloadError::Compression(zstd_safe::get_error_name(code).to_owned())
}
