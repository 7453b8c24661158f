//! What the file system below a part of the tree has, by its magic number (pxar.md 3.1, 4).

use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::flags::Flags;

const EXT: u64 = 0xef53;
const XFS: u64 = 0x5846_5342;
const ZFS: u64 = 0x2fc1_2fc1;
const BTRFS: u64 = 0x9123_683e;
const FAT: u64 = 0x4d44;
const FUSE: u64 = 0x6573_5546;
const TMPFS: u64 = 0x0102_1994;

/// File systems whose files are no data: only their root directory's entry is stored.
const VIRTUAL: [u64; 18] = [
    0x0000_9fa0, // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x0000_1cd1, // devpts
    0x6462_6720, // debugfs
    0x6265_6570, // configfs
    0x7363_6673, // securityfs
    0x6165_676c, // pstore
    0x1980_0202, // mqueue
    0x9584_58f6, // hugetlbfs
    0xde5e_81e4, // efivarfs
    0x6573_5543, // fusectl
    0x4249_4e4d, // binfmt_misc
    0x6e66_7364, // nfsd
    0x6759_6969, // rpc_pipefs
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
];

/// A file system of the tree. Features that turn out to be missing are taken off `features`.
#[derive(Clone, Copy, Debug)]
pub struct FileSystem {
    /// `st_dev` of its inodes.
    pub device: u64,
    /// What is worth asking for.
    pub features: Flags,
    /// Whether it holds no data.
    pub is_virtual: bool,
}

impl FileSystem {
    /// Looks at the file system of an open directory.
    pub fn of(directory: impl AsFd, device: u64) -> Result<Self, Errno> {
        // Magic numbers are 32 bits; where the field is signed, some come back with sign bits in front.
        let magic = rustix::fs::fstatfs(directory)?.f_type as u64 & 0xffff_ffff;
        Ok(Self { device, features: features(magic), is_virtual: VIRTUAL.contains(&magic) })
    }
}

fn features(magic: u64) -> Flags {
    let extended = Flags::XATTRS | Flags::ACL | Flags::FCAPS;
    match magic {
        EXT | XFS | ZFS => extended | Flags::CHATTR | Flags::QUOTA_PROJECT_ID,
        BTRFS | TMPFS => extended | Flags::CHATTR,
        FAT => Flags::FAT,
        FUSE => extended | Flags::CHATTR | Flags::FAT | Flags::QUOTA_PROJECT_ID,
        _ => extended,
    }
}
