//! What a zip file says of a member, in front of it, behind it and in the directory at the end.

use pbstore_pxar::metadata::Stat;

use super::dos_time::dos_time;
use crate::member::{Body, Member};
use crate::DownloadError;

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// Stands where a number is in the extra field for larger numbers (zip64).
pub(super) const ELSEWHERE: u32 = u32::MAX;
/// Content that, even if it cannot be compressed, has sizes of 32 bits. Others get 64 bits from the beginning.
const MAX_SMALL_BYTES: u64 = 0xf000_0000;

const LOCAL_HEADER: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
/// CRC and sizes stand behind the content.
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;
/// Version of the format that a reader needs to know: 2.0, and 4.5 for zip64.
const VERSION: u16 = 20;
pub(super) const VERSION_ZIP64: u16 = 45;
/// The attributes are those of Unix.
pub(super) const MADE_ON_UNIX: u16 = 3 << 8;
const DOS_DIRECTORY: u32 = 0x10;

const EXTRA_ZIP64: u16 = 0x0001;
/// Modification time as seconds since 1970.
const EXTRA_TIME: u16 = 0x5455;
/// Owner and group.
const EXTRA_OWNER: u16 = 0x7875;

/// A member.
pub(super) struct Record {
    name: Vec<u8>,
    stat: Stat,
    is_directory: bool,
    method: u16,
    /// Where its local header begins.
    offset: u64,
    pub(super) crc: u32,
    pub(super) plain_bytes: u64,
    pub(super) packed_bytes: u64,
}

impl Record {
    pub(super) fn new(member: &Member, method: u16, offset: u64) -> Result<Self, DownloadError> {
        let is_directory = matches!(member.body, Body::Directory);
        let slash: &[u8] = if is_directory { b"/" } else { b"" };
        let name = [member.path.as_slice(), slash].concat();
        if name.len() > usize::from(u16::MAX) {
            return Err(DownloadError::unfit(&member.path, "zip", "the path is too long"));
        }
        let stat = member.stat;
        Ok(Self { name, stat, is_directory, method, offset, crc: 0, plain_bytes: 0, packed_bytes: 0 })
    }

    /// In front of the content. For what is deflated, only the plain size has to be known, and only to choose the form.
    pub(super) fn put_local_header(&self, out: &mut Vec<u8>) {
        let (mut crc, mut sizes) = (self.crc, [self.packed_bytes as u32, self.plain_bytes as u32]);
        let mut extra = Vec::new();
        if self.has_descriptor() {
            (crc, sizes) = (0, [0; 2]);
        }
        if self.is_large() {
            sizes = [ELSEWHERE; 2];
            put_extra(&mut extra, EXTRA_ZIP64, &[0; 16]);
        }
        self.put_extras(&mut extra);
        put_u32(out, LOCAL_HEADER);
        put_u16(out, self.version());
        self.put_common(crc, sizes, &extra, out);
        out.extend_from_slice(&self.name);
        out.extend_from_slice(&extra);
    }

    /// Behind deflated content.
    pub(super) fn put_descriptor(&self, out: &mut Vec<u8>) {
        put_u32(out, DESCRIPTOR);
        put_u32(out, self.crc);
        for size in [self.packed_bytes, self.plain_bytes] {
            if self.is_large() {
                put_u64(out, size);
            } else {
                put_u32(out, size as u32);
            }
        }
    }

    /// In the directory.
    pub(super) fn put_central_header(&self, out: &mut Vec<u8>) {
        let (mut sizes, mut offset) = ([self.packed_bytes as u32, self.plain_bytes as u32], self.offset as u32);
        let mut large = Vec::new();
        if self.is_large() {
            sizes = [ELSEWHERE; 2];
            put_u64(&mut large, self.plain_bytes);
            put_u64(&mut large, self.packed_bytes);
        }
        if self.offset >= ELSEWHERE.into() {
            offset = ELSEWHERE;
            put_u64(&mut large, self.offset);
        }
        let mut extra = Vec::new();
        if !large.is_empty() {
            put_extra(&mut extra, EXTRA_ZIP64, &large);
        }
        self.put_extras(&mut extra);
        put_u32(out, CENTRAL_HEADER);
        put_u16(out, MADE_ON_UNIX | VERSION_ZIP64);
        put_u16(out, if large.is_empty() { VERSION } else { VERSION_ZIP64 });
        self.put_common(self.crc, sizes, &extra, out);
        // No comment, first disk, content of no special kind.
        out.extend_from_slice(&[0; 6]);
        let dos_attributes = if self.is_directory { DOS_DIRECTORY } else { 0 };
        put_u32(out, (self.stat.mode as u32 & 0xffff) << 16 | dos_attributes);
        put_u32(out, offset);
        out.extend_from_slice(&self.name);
        out.extend_from_slice(&extra);
    }

    /// From the flags to the lengths of name and extra fields.
    fn put_common(&self, crc: u32, sizes: [u32; 2], extra: &[u8], out: &mut Vec<u8>) {
        let (time, date) = dos_time(self.stat.mtime.seconds);
        let utf8 = if std::str::from_utf8(&self.name).is_ok() { FLAG_UTF8 } else { 0 };
        put_u16(out, utf8 | if self.has_descriptor() { FLAG_DESCRIPTOR } else { 0 });
        put_u16(out, self.method);
        put_u16(out, time);
        put_u16(out, date);
        put_u32(out, crc);
        for size in sizes {
            put_u32(out, size);
        }
        put_u16(out, self.name.len() as u16);
        put_u16(out, extra.len() as u16);
    }

    fn put_extras(&self, extra: &mut Vec<u8>) {
        if let Ok(seconds) = i32::try_from(self.stat.mtime.seconds) {
            put_extra(extra, EXTRA_TIME, &[&[1], &seconds.to_le_bytes()[..]].concat());
        }
        let [uid, gid] = [self.stat.uid, self.stat.gid].map(u32::to_le_bytes);
        put_extra(extra, EXTRA_OWNER, &[&[1, 4], &uid[..], &[4], &gid[..]].concat());
    }

    fn has_descriptor(&self) -> bool {
        self.method == DEFLATED
    }

    fn is_large(&self) -> bool {
        self.plain_bytes > MAX_SMALL_BYTES
    }

    fn version(&self) -> u16 {
        if self.is_large() {
            VERSION_ZIP64
        } else {
            VERSION
        }
    }
}

fn put_extra(out: &mut Vec<u8>, kind: u16, content: &[u8]) {
    put_u16(out, kind);
    put_u16(out, content.len() as u16);
    out.extend_from_slice(content);
}

pub(super) fn put_u16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}
