//! Item types, the item header and the size limits of the archive format (pxar.md 1).

/// Bytes of an item's header: type and full size, both u64.
pub const HEADER_BYTES: u64 = 16;

/// Longest name, symlink target or hard link path, in bytes without the NUL.
pub const MAX_NAME_BYTES: u64 = 4096;
/// Longest name of an extended attribute, in bytes without the NUL.
pub const MAX_XATTR_NAME_BYTES: u64 = 255;
/// Longest value of an extended attribute, in bytes.
pub const MAX_XATTR_VALUE_BYTES: u64 = 65536;
/// Longest prelude that is read; the format has no limit of its own.
pub const MAX_PRELUDE_BYTES: u64 = 1 << 20;

/// The version that split archives announce.
pub const SPLIT_FORMAT_VERSION: u64 = 2;

/// First item of a split archive's metadata stream.
pub const FORMAT_VERSION: u64 = 0x730f_6c75_df16_a40d;
/// Opaque bytes of the program that made a split archive.
pub const PRELUDE: u64 = 0xe309_d79d_9f7b_771b;
/// Stat data of an entry.
pub const ENTRY: u64 = 0xd595_6474_e588_acef;
/// Stat data as old releases wrote it; only read.
pub const ENTRY_V1: u64 = 0x11da_850a_1c1c_ceff;
/// Name of the entry that follows.
pub const FILENAME: u64 = 0x1670_1121_0639_17b3;
/// Target of a symlink.
pub const SYMLINK: u64 = 0x27f9_71e7_dbf5_dc5f;
/// Major and minor number of a device node.
pub const DEVICE: u64 = 0x9fc9_e906_586d_5ce9;
/// An extended attribute.
pub const XATTR: u64 = 0x0dab_0229_b57d_cd03;
/// Permissions of a named user in the access ACL.
pub const ACL_USER: u64 = 0x2ce8_540a_457d_55b8;
/// Permissions of a named group in the access ACL.
pub const ACL_GROUP: u64 = 0x136e_3ece_b04c_03ab;
/// Permissions of the owning group where the mode holds the mask.
pub const ACL_GROUP_OBJ: u64 = 0x1086_8031_e958_2876;
/// The four unnamed entries of the default ACL.
pub const ACL_DEFAULT: u64 = 0xbbbb_1341_5a68_96f5;
/// Permissions of a named user in the default ACL.
pub const ACL_DEFAULT_USER: u64 = 0xc893_57b4_0532_cd1f;
/// Permissions of a named group in the default ACL.
pub const ACL_DEFAULT_GROUP: u64 = 0xf90a_8a58_1603_8ffe;
/// Raw value of `security.capability`.
pub const FCAPS: u64 = 0x2da9_dd9d_b5f7_fb67;
/// Quota project id.
pub const QUOTA_PROJID: u64 = 0xe075_40e8_2f7d_1cbb;
/// Another name of an earlier file.
pub const HARDLINK: u64 = 0x5126_9c84_22bd_7275;
/// Content of a regular file.
pub const PAYLOAD: u64 = 0x2814_7a1b_0b7c_1a25;
/// Where a split archive's payload stream has the content.
pub const PAYLOAD_REF: u64 = 0x419d_3d6b_c4ba_977e;
/// First item of a split archive's payload stream.
pub const PAYLOAD_START_MARKER: u64 = 0x834c_68c2_194a_4ed2;
/// Last item of a split archive's payload stream.
pub const PAYLOAD_TAIL_MARKER: u64 = 0x6c72_b78b_984c_81b5;
/// Lookup table at the end of a directory.
pub const GOODBYE: u64 = 0x2fec_4fa6_42d5_731d;
/// Hash value of the last record in a goodbye table.
pub const GOODBYE_TAIL_MARKER: u64 = 0xef5e_ed5b_753e_1555;

/// Type and content length of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// One of the item types above, or unknown.
    pub item_type: u64,
    /// Bytes of content that follow the header.
    pub content_bytes: u64,
}

impl Header {
    /// Reads a header; `None` if its size is smaller than the header itself.
    pub fn parse(bytes: [u8; HEADER_BYTES as usize]) -> Option<Self> {
        let [item_type, full_bytes] = u64s(&bytes)?;
        let content_bytes = full_bytes.checked_sub(HEADER_BYTES)?;
        Some(Self { item_type, content_bytes })
    }

    /// The header's bytes.
    pub fn encode(self) -> [u8; HEADER_BYTES as usize] {
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(&self.item_type.to_le_bytes());
        bytes[8..].copy_from_slice(&(self.content_bytes + HEADER_BYTES).to_le_bytes());
        bytes
    }
}

/// Splits bytes into little-endian numbers; `None` if the length is not exactly `N` numbers.
pub(crate) fn u64s<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    if bytes.len() != N * 8 {
        return None;
    }
    let mut numbers = [0; N];
    for (number, chunk) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *number = u64::from_le_bytes(chunk.try_into().ok()?);
    }
    Some(numbers)
}

/// Why a name cannot be the name of an archive's entry, or `None` if it can (pxar.md 1).
pub fn name_problem(name: &[u8]) -> Option<&'static str> {
    match name {
        [] => Some("empty file name"),
        b"." | b".." => Some("file name is '.' or '..'"),
        _ if name.contains(&b'/') => Some("file name contains '/'"),
        _ if name.contains(&0) => Some("file name contains a NUL"),
        _ if name.len() as u64 > MAX_NAME_BYTES => Some("file name is longer than 4096 bytes"),
        _ => None,
    }
}
