//! In which properties two entries differ.

use super::Resolved;
use crate::entry::{Entry, Kind};
use crate::metadata::{Metadata, Xattr, TYPE_MASK};

/// Properties of an entry that differ between two archives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What it is; a further name of a file is something else than its first one.
    pub kind: bool,
    /// Owner.
    pub uid: bool,
    /// Group.
    pub gid: bool,
    /// Permissions.
    pub mode: bool,
    /// Bytes of a file, or numbers of a device.
    pub size: bool,
    /// Time of the last modification.
    pub mtime: bool,
    /// Target of a link, extended attributes, ACLs, capabilities, flags, quota project, and content if it is compared.
    pub other: bool,
}

/// Compares everything but content.
pub fn changes(old: &Resolved, new: &Resolved) -> Changes {
    let (old_stat, new_stat) = (&old.inode().metadata.stat, &new.inode().metadata.stat);
    let kind = std::mem::discriminant(&old.entry.kind) != std::mem::discriminant(&new.entry.kind);
    let target = !kind && target(&old.entry) != target(&new.entry);
    Changes {
        kind,
        uid: old_stat.uid != new_stat.uid,
        gid: old_stat.gid != new_stat.gid,
        mode: old_stat.mode & !TYPE_MASK != new_stat.mode & !TYPE_MASK,
        size: sizes(old.inode()) != sizes(new.inode()),
        mtime: old_stat.mtime != new_stat.mtime,
        other: target || !same_attributes(&old.inode().metadata, &new.inode().metadata),
    }
}

/// Numbers that stand for the size of an entry; other kinds than files and devices have none.
fn sizes(entry: &Entry) -> Option<(u64, u64)> {
    match &entry.kind {
        Kind::File { size, .. } => Some((*size, 0)),
        Kind::BlockDevice(device) | Kind::CharDevice(device) => Some((device.major, device.minor)),
        _ => None,
    }
}

fn target(entry: &Entry) -> Option<&[u8]> {
    match &entry.kind {
        Kind::Symlink { target } | Kind::Hardlink { target, .. } => Some(target),
        _ => None,
    }
}

fn same_attributes(old: &Metadata, new: &Metadata) -> bool {
    old.stat.flags == new.stat.flags
        && old.acl == new.acl
        && old.fcaps == new.fcaps
        && old.quota_project_id == new.quota_project_id
        && sorted(&old.xattrs) == sorted(&new.xattrs)
}

/// The kernel lists attributes in whatever order.
fn sorted(xattrs: &[Xattr]) -> Vec<(&[u8], &[u8])> {
    let mut sorted: Vec<_> = xattrs.iter().map(|xattr| (xattr.name.as_slice(), xattr.value.as_slice())).collect();
    sorted.sort_unstable();
    sorted
}
