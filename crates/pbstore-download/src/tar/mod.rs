//! GNU tar: names of any length in any encoding, numbers of any size, times before 1970.

mod header;

use pbstore_pxar::metadata::Stat;
use pbstore_pxar::{Device, ReadAt};

use self::header::{Header, BLOCK_BYTES, NAME_BYTES};
use crate::format::Format;
use crate::member::{Body, Member};
use crate::DownloadError;

/// Two blocks of zeros end the file.
const END: [u8; 2 * BLOCK_BYTES] = [0; 2 * BLOCK_BYTES];
/// Name of the pseudo members that hold what is too long for a header.
const LONG_NAME: &[u8] = b"././@LongLink";

/// Writes a tar file; sockets are left out.
#[derive(Default)]
pub(crate) struct Tar {
    /// Bytes that fill the last block of the content.
    padding: usize,
}

impl Format for Tar {
    fn begin(&mut self, member: &Member, out: &mut Vec<u8>) -> Result<bool, DownloadError> {
        let mut header = Header::new(&member.stat);
        let mut link: &[u8] = &[];
        match &member.body {
            Body::Directory => header.set_kind(b'5'),
            Body::File(content) => {
                header.set_kind(b'0');
                header.set_size(content.size());
                self.padding = padding(content.size());
            }
            Body::HardLink(target) => {
                header.set_kind(b'1');
                link = target;
            }
            Body::Symlink(target) => {
                header.set_kind(b'2');
                link = target;
            }
            Body::CharDevice(device) => set_device(&mut header, b'3', *device, member)?,
            Body::BlockDevice(device) => set_device(&mut header, b'4', *device, member)?,
            Body::Fifo => header.set_kind(b'6'),
            Body::Socket => return Ok(false),
        }
        if link.len() > NAME_BYTES {
            add_long(b'K', link, out);
        }
        if member.path.len() > NAME_BYTES {
            add_long(b'L', &member.path, out);
        }
        header.set_name(&member.path);
        header.set_link(link);
        out.extend_from_slice(&header.finish());
        Ok(matches!(member.body, Body::File(_)))
    }

    fn content(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), DownloadError> {
        out.extend_from_slice(piece);
        Ok(())
    }

    fn end_content(&mut self, out: &mut Vec<u8>) -> Result<(), DownloadError> {
        out.resize(out.len() + self.padding, 0);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<bool, DownloadError> {
        out.extend_from_slice(&END);
        Ok(false)
    }
}

fn padding(size: u64) -> usize {
    (BLOCK_BYTES - (size % BLOCK_BYTES as u64) as usize) % BLOCK_BYTES
}

fn set_device(header: &mut Header, kind: u8, device: Device, member: &Member) -> Result<(), DownloadError> {
    let (major, minor) = (u32::try_from(device.major), u32::try_from(device.minor));
    let (Ok(major), Ok(minor)) = (major, minor) else {
        return Err(DownloadError::unfit(&member.path, "tar", "no system has such a device number"));
    };
    header.set_kind(kind);
    header.set_device(major, minor);
    Ok(())
}

/// A member in front of the real one, with its name (`L`) or the target of its link (`K`).
fn add_long(kind: u8, text: &[u8], out: &mut Vec<u8>) {
    let length = text.len() as u64 + 1;
    let mut header = Header::new(&Stat::default());
    header.set_kind(kind);
    header.set_size(length);
    header.set_name(LONG_NAME);
    out.extend_from_slice(&header.finish());
    out.extend_from_slice(text);
    out.resize(out.len() + 1 + padding(length), 0);
}
