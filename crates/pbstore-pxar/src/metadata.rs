//! What an archive keeps of an inode besides its content (pxar.md 1.1, 3).

/// Bits of the mode that say what kind of inode it is.
pub const TYPE_MASK: u64 = 0o170_000;
/// Type bits of a socket.
pub const TYPE_SOCKET: u64 = 0o140_000;
/// Type bits of a symlink.
pub const TYPE_SYMLINK: u64 = 0o120_000;
/// Type bits of a regular file.
pub const TYPE_FILE: u64 = 0o100_000;
/// Type bits of a block device.
pub const TYPE_BLOCK: u64 = 0o060_000;
/// Type bits of a directory.
pub const TYPE_DIRECTORY: u64 = 0o040_000;
/// Type bits of a character device.
pub const TYPE_CHAR: u64 = 0o020_000;
/// Type bits of a named pipe.
pub const TYPE_FIFO: u64 = 0o010_000;

/// The value that stands for an entry that a default ACL does not have.
pub const NO_PERMISSIONS: u64 = u64::MAX;

/// Time of the last modification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mtime {
    /// Seconds since the epoch, rounded down.
    pub seconds: i64,
    /// Nanoseconds to add, 0 to 999999999, also before the epoch.
    pub nanoseconds: u32,
}

/// The fixed part of an entry's metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// File type and permission bits, as `st_mode`.
    pub mode: u64,
    /// Attribute bits ([`crate::Flags`]).
    pub flags: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of the last modification.
    pub mtime: Mtime,
}

/// An extended attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xattr {
    /// Full name with its name space, as `user.comment`.
    pub name: Vec<u8>,
    /// Value.
    pub value: Vec<u8>,
}

/// Permissions of a named user or group in an ACL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AclEntry {
    /// User or group id.
    pub id: u64,
    /// r=4, w=2, x=1.
    pub permissions: u64,
}

/// The unnamed entries of a directory's default ACL; [`NO_PERMISSIONS`] where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclDefault {
    /// Owner.
    pub user_obj: u64,
    /// Owning group.
    pub group_obj: u64,
    /// Everybody else.
    pub other: u64,
    /// Upper bound of named entries and of the group.
    pub mask: u64,
}

/// Access ACL and default ACL, as far as the mode does not hold them already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// Named users.
    pub users: Vec<AclEntry>,
    /// Named groups.
    pub groups: Vec<AclEntry>,
    /// Permissions of the owning group, if the mode's group bits are the mask.
    pub group_obj: Option<u64>,
    /// Unnamed entries of the default ACL.
    pub default: Option<AclDefault>,
    /// Named users of the default ACL.
    pub default_users: Vec<AclEntry>,
    /// Named groups of the default ACL.
    pub default_groups: Vec<AclEntry>,
}

impl Acl {
    /// Whether there is nothing beyond the mode.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// All metadata of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The fixed part.
    pub stat: Stat,
    /// Extended attributes, in the kernel's order.
    pub xattrs: Vec<Xattr>,
    /// Access control lists.
    pub acl: Acl,
    /// Raw value of `security.capability`.
    pub fcaps: Option<Vec<u8>>,
    /// Quota project, if there is one.
    pub quota_project_id: Option<u64>,
}

impl Metadata {
    /// The type bits of the mode.
    pub fn file_type(&self) -> u64 {
        self.stat.mode & TYPE_MASK
    }

    /// Memory that the variable part holds, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        let xattrs: usize = self.xattrs.iter().map(|xattr| xattr.name.len() + xattr.value.len() + 48).sum();
        let acl = &self.acl;
        let named = acl.users.len() + acl.groups.len() + acl.default_users.len() + acl.default_groups.len();
        xattrs + named * size_of::<AclEntry>() + self.fcaps.as_ref().map_or(0, Vec::len)
    }
}
