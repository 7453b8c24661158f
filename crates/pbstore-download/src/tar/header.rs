//! The header of a tar member: a block of fields that are text.

use pbstore_pxar::metadata::Stat;

/// Everything in the file begins at a multiple of this.
pub(super) const BLOCK_BYTES: usize = 512;
/// Longest name and link target that fit into a header.
pub(super) const NAME_BYTES: usize = 100;

/// Where a field begins and ends.
type Field = std::ops::Range<usize>;

const NAME: Field = 0..100;
const MODE: Field = 100..108;
const UID: Field = 108..116;
const GID: Field = 116..124;
const SIZE: Field = 124..136;
const MTIME: Field = 136..148;
const CHECKSUM: Field = 148..156;
const KIND: usize = 156;
const LINK: Field = 157..257;
const MAGIC: Field = 257..265;
const DEVICE_MAJOR: Field = 329..337;
const DEVICE_MINOR: Field = 337..345;

/// A header that is being filled in.
pub(super) struct Header([u8; BLOCK_BYTES]);

impl Header {
    pub(super) fn new(stat: &Stat) -> Self {
        let mut header = Self([0; BLOCK_BYTES]);
        header.0[MAGIC].copy_from_slice(b"ustar  \0");
        header.set_number(MODE, (stat.mode & 0o7777).into());
        header.set_number(UID, stat.uid.into());
        header.set_number(GID, stat.gid.into());
        header.set_number(SIZE, 0);
        header.set_number(MTIME, stat.mtime.seconds.into());
        header
    }

    pub(super) fn set_kind(&mut self, kind: u8) {
        self.0[KIND] = kind;
    }

    pub(super) fn set_size(&mut self, bytes: u64) {
        self.set_number(SIZE, bytes.into());
    }

    pub(super) fn set_device(&mut self, major: u32, minor: u32) {
        self.set_number(DEVICE_MAJOR, major.into());
        self.set_number(DEVICE_MINOR, minor.into());
    }

    /// What is too long is cut off: it stands in a member of its own.
    pub(super) fn set_name(&mut self, name: &[u8]) {
        self.set_text(NAME, name);
    }

    /// As [`Self::set_name`].
    pub(super) fn set_link(&mut self, target: &[u8]) {
        self.set_text(LINK, target);
    }

    /// The block, with its checksum.
    pub(super) fn finish(mut self) -> [u8; BLOCK_BYTES] {
        self.0[CHECKSUM].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        let text = format!("{sum:06o}\0 ");
        self.0[CHECKSUM].copy_from_slice(text.as_bytes());
        self.0
    }

    fn set_text(&mut self, field: Field, text: &[u8]) {
        let room = &mut self.0[field];
        let count = text.len().min(room.len());
        room[..count].copy_from_slice(&text[..count]);
    }

    /// Octal digits, or what GNU tar does with numbers that are negative or too large: the bytes themselves, with the
    /// first bit set.
    fn set_number(&mut self, field: Field, number: i128) {
        let room = &mut self.0[field];
        let digits = room.len() - 1;
        if (0..1 << (3 * digits)).contains(&number) {
            room[..digits].copy_from_slice(format!("{number:0digits$o}").as_bytes());
            return;
        }
        let bytes = number.to_be_bytes();
        let (_, low) = bytes.split_at(bytes.len() - room.len());
        room.copy_from_slice(low);
        room[0] |= 0x80;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: i128) -> [u8; 12] {
        let mut header = Header::new(&Stat::default());
        header.set_number(SIZE, number);
        header.0[SIZE].try_into().unwrap()
    }

    #[test]
    fn numbers_of_any_size() {
        assert_eq!(&field(0), b"00000000000\0");
        assert_eq!(&field(0o77_777_777_777), b"77777777777\0");
        assert_eq!(field(1 << 33), [0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(field(u64::MAX.into()), [0x80, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(field(-1), [255; 12]);
        assert_eq!(field(-256), [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0]);
    }

    #[test]
    fn a_checksum_over_the_block_as_if_it_were_blanks() {
        let block = Header::new(&Stat::default()).finish();
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        let own: u32 = block[CHECKSUM].iter().map(|byte| u32::from(*byte)).sum();
        assert_eq!(&block[CHECKSUM], format!("{:06o}\0 ", sum - own + 8 * 32).as_bytes());
    }
}
