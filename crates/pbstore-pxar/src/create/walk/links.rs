//! The regular files in the archive that have further names, until all of those were met.

use std::collections::HashMap;

use rustix::fs::Stat;

use crate::encoder::EntryStart;
use crate::items::MAX_NAME_BYTES;

/// Targets of hard links by device and inode number.
#[derive(Default)]
pub struct Links {
    targets: HashMap<(u64, u64), LinkTarget>,
}

/// A file that is in the archive.
pub struct LinkTarget {
    pub path: Vec<u8>,
    pub start: EntryStart,
    names_left: u64,
}

impl Links {
    /// The file that this inode is another name of.
    pub fn find(&self, stat: &Stat) -> Option<&LinkTarget> {
        if stat.st_nlink < 2 {
            return None;
        }
        self.targets.get(&identity(stat))
    }

    /// Notes that one more name was met, and forgets a file that has no further ones.
    pub fn met(&mut self, stat: &Stat) {
        let Some(target) = self.targets.get_mut(&identity(stat)) else { return };
        target.names_left = target.names_left.saturating_sub(1);
        if target.names_left == 0 {
            self.targets.remove(&identity(stat));
        }
    }

    /// Notes a file that has just been stored. One whose path does not fit in a hard link item is not noted, so that
    /// it is stored in full under its other names too.
    pub fn remember(&mut self, stat: &Stat, path: &[u8], start: EntryStart) {
        // Not a u64 on every architecture.
        #[allow(clippy::unnecessary_cast)]
        let names_left = (stat.st_nlink as u64).saturating_sub(1);
        if names_left > 0 && path.len() as u64 <= MAX_NAME_BYTES {
            self.targets.insert(identity(stat), LinkTarget { path: path.to_vec(), start, names_left });
        }
    }
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
