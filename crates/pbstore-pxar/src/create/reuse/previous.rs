//! The previous archive's view of the tree: what a file looked like, and where its payload is.

use std::ops::Range;

use crate::accessor::{Accessor, Directory};
use crate::create::Reference;
use crate::entry::{Entry, Kind};
use crate::error::PxarError;
use crate::items::HEADER_BYTES;
use crate::metadata::{Metadata, Xattr};

/// A directory of the previous archive.
#[derive(Clone)]
pub struct Previous(Directory);

impl Previous {
    /// Opens the root.
    pub fn open(reference: &Reference) -> Result<Self, PxarError> {
        Accessor::open(reference.metadata.clone()).map(Self)
    }

    /// The directory of this name, if there was one.
    pub fn directory(&self, name: &[u8]) -> Result<Option<Self>, PxarError> {
        Ok(self.0.open(name)?.map(Self))
    }

    /// Where the payload stream has the file of this name, header included, if it had the same metadata and size.
    pub fn payload(&self, name: &[u8], metadata: &Metadata, size: u64) -> Result<Option<Range<u64>>, PxarError> {
        let entry = self.0.lookup(name)?;
        Ok(entry.and_then(|entry| same_file(&entry, metadata, size)))
    }
}

fn same_file(entry: &Entry, metadata: &Metadata, size: u64) -> Option<Range<u64>> {
    let Kind::File { size: old_size, payload_offset: Some(start) } = entry.kind else { return None };
    if old_size != size || !is_same(&entry.metadata, metadata) {
        return None;
    }
    let end = start.checked_add(HEADER_BYTES)?.checked_add(size)?;
    Some(start..end)
}

/// Whether two inodes have the same metadata. Values of extended attributes count, their order does not: the kernel
/// does not promise any.
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    let Metadata { stat, xattrs, acl, fcaps, quota_project_id } = one;
    *stat == other.stat
        && *acl == other.acl
        && *fcaps == other.fcaps
        && *quota_project_id == other.quota_project_id
        && (*xattrs == other.xattrs || sorted(xattrs) == sorted(&other.xattrs))
}

fn sorted(xattrs: &[Xattr]) -> Vec<(&[u8], &[u8])> {
    let mut pairs: Vec<_> = xattrs.iter().map(|xattr| (&*xattr.name, &*xattr.value)).collect();
    pairs.sort_unstable();
    pairs
}
