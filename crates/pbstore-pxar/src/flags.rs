//! The one 64-bit set of features: which ones to store or restore, and, for attributes, which an entry has (pxar.md 3.1).

use std::ops::{BitAnd, BitOr, Not};

/// A set of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u64);

impl Flags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Permission bits of the mode.
    pub const PERMISSIONS: Self = Self(0x100);
    /// Symbolic links.
    pub const SYMLINKS: Self = Self(0x200);
    /// Block and character devices.
    pub const DEVICE_NODES: Self = Self(0x400);
    /// Named pipes.
    pub const FIFOS: Self = Self(0x800);
    /// Unix sockets.
    pub const SOCKETS: Self = Self(0x1000);
    /// The attributes of FAT file systems: hidden, system, archive.
    pub const FAT: Self = Self(0xe000);
    /// The attributes that chattr(1) knows.
    pub const CHATTR: Self = Self(0x03ff_0000);
    /// The attribute "do not dump": stored, but not restored by default.
    pub const NODUMP: Self = Self(0x10_0000);
    /// Attributes that have to be set before a file gets content.
    pub const INITIAL: Self = Self(0x2_0000 | 0x4_0000 | 0x8_0000 | 0x100_0000 | 0x200_0000);
    /// Extended attributes.
    pub const XATTRS: Self = Self(0x1000_0000);
    /// POSIX access control lists.
    pub const ACL: Self = Self(0x2000_0000);
    /// SELinux labels; no release stores them.
    pub const SELINUX: Self = Self(0x4000_0000);
    /// File capabilities.
    pub const FCAPS: Self = Self(0x8000_0000);
    /// Quota project ids.
    pub const QUOTA_PROJECT_ID: Self = Self(0x1_0000_0000);
    /// Owner and group.
    pub const OWNERSHIP: Self = Self(0x2_0000_0000);
    /// Everything but 2-second times, the read-only attribute, nodump and the exclusion of sub-mounts.
    pub const DEFAULT: Self = Self(!(0x40 | 0x80 | 0x10_0000 | 1 << 62));

    /// Whether all of `other` are in the set.
    pub fn contains(self, other: Self) -> bool {
        self & other == other
    }

    /// Whether any of `other` is in the set.
    pub fn intersects(self, other: Self) -> bool {
        self & other != Self::NONE
    }

    /// The set without `other`.
    pub fn without(self, other: Self) -> Self {
        self & !other
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// Attribute bits of an entry and the bits of `FS_IOC_GETFLAGS` they stand for.
pub const CHATTR_BITS: [(u64, u32); 10] = [
    (0x1_0000, 0x20),
    (0x2_0000, 0x80),
    (0x4_0000, 0x4),
    (0x8_0000, 0x80_0000),
    (0x10_0000, 0x40),
    (0x20_0000, 0x1_0000),
    (0x40_0000, 0x10),
    (0x80_0000, 0x8),
    (0x100_0000, 0x400),
    (0x200_0000, 0x2000_0000),
];

/// Attribute bits of an entry and the bits of `FAT_IOCTL_GET_ATTRIBUTES` they stand for.
pub const FAT_BITS: [(u64, u32); 3] = [(0x2000, 2), (0x4000, 4), (0x8000, 32)];

/// Translates kernel bits into an entry's bits; unknown kernel bits are dropped.
pub fn from_kernel(table: &[(u64, u32)], kernel: u32) -> Flags {
    let mut flags = 0;
    for (ours, theirs) in table {
        if kernel & theirs != 0 {
            flags |= ours;
        }
    }
    Flags(flags)
}

/// Translates an entry's bits into kernel bits.
pub fn to_kernel(table: &[(u64, u32)], flags: Flags) -> u32 {
    let mut kernel = 0;
    for (ours, theirs) in table {
        if flags.0 & ours != 0 {
            kernel |= theirs;
        }
    }
    kernel
}
