//! The regular files that have further names, until all of those were stored.

use std::collections::hash_map::Entry;
use std::collections::HashMap;

use rustix::fs::Stat;

use crate::encoder::EntryStart;
use crate::items::MAX_NAME_BYTES;

/// Device and inode number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InodeId(u64, u64);

/// Targets of hard links. Names are met in the order in which they are stored later.
#[derive(Default)]
pub struct Links {
    targets: HashMap<InodeId, Target>,
}

/// A file of which one name was met.
struct Target {
    path: Vec<u8>,
    /// Known once the file is stored.
    start: Option<EntryStart>,
    /// Names that were not met yet.
    names_left: u64,
    /// Names that were met, but are not stored yet.
    waiting: u64,
}

impl Links {
    /// Notes another name of a file that was met before; `None` if it was not.
    pub fn meet(&mut self, stat: &Stat) -> Option<InodeId> {
        if stat.st_nlink < 2 {
            return None;
        }
        let id = InodeId(stat.st_dev, stat.st_ino);
        let target = self.targets.get_mut(&id)?;
        target.names_left = target.names_left.saturating_sub(1);
        target.waiting += 1;
        Some(id)
    }

    /// Notes a file that will be stored as `path`, relative to the root. `None` if nothing can refer to it: it has no
    /// further names, or a path that does not fit in a hard link item, so that it is stored in full under each name.
    pub fn remember(&mut self, stat: &Stat, path: &[u8]) -> Option<InodeId> {
        // Not a u64 on every architecture.
        #[allow(clippy::unnecessary_cast)]
        let names_left = (stat.st_nlink as u64).checked_sub(1).filter(|count| *count > 0)?;
        if path.len() as u64 > MAX_NAME_BYTES {
            return None;
        }
        let id = InodeId(stat.st_dev, stat.st_ino);
        let Entry::Vacant(place) = self.targets.entry(id) else { return None };
        place.insert(Target { path: path.to_vec(), start: None, names_left, waiting: 1 });
        Some(id)
    }

    /// Path and place of the file that a name refers to.
    pub fn target(&self, id: InodeId) -> Option<(&[u8], EntryStart)> {
        let target = self.targets.get(&id)?;
        Some((&target.path, target.start?))
    }

    /// Notes that a name is stored, `start` for the one with the content; forgets a file that has no further ones.
    pub fn stored(&mut self, id: InodeId, start: Option<EntryStart>) {
        let Entry::Occupied(mut place) = self.targets.entry(id) else { return };
        let target = place.get_mut();
        target.start = start.or(target.start);
        target.waiting = target.waiting.saturating_sub(1);
        if target.waiting == 0 && target.names_left == 0 {
            place.remove();
        }
    }
}
