//! What differs between two archives: entries that came, went, or changed.
//!
//! Both are walked side by side by random access, so contents are not read unless they are to be compared, and the
//! kinds of the archives do not matter: a version 1 archive compares with a split one.

mod attributes;
mod content;
mod side;

use self::attributes::changes;
use self::content::same_content;
use self::side::Side;
use crate::accessor::Directory;
use crate::entry::{Entry, Kind};
use crate::error::PxarError;

pub use self::attributes::Changes;

/// What happened to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the new archive has it.
    Added,
    /// Both have it, not alike.
    Modified,
    /// Only the old archive has it.
    Removed,
}

/// An entry that is not the same in both archives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What happened.
    pub change: Change,
    /// Path from the archive's root, without leading slash.
    pub path: Vec<u8>,
    /// The entry: of the new archive, unless it was removed.
    pub entry: Entry,
    /// For a hard link, the file that it stands for: it has the metadata.
    pub linked: Option<Entry>,
    /// Which properties of a modified entry differ.
    pub changes: Changes,
}

/// Walks two archives. The roots themselves are not compared.
pub struct Comparison {
    frames: Vec<Frame>,
    path: Vec<u8>,
    compare_content: bool,
}

/// A directory that is being compared; one of the sides is missing where only one archive has it.
struct Frame {
    old: Option<Side>,
    new: Option<Side>,
    /// How much of the path is that of the directory's parent.
    parent_path_bytes: usize,
}

/// One name, as the old archive has it and as the new one has it.
type Pair = (Option<Entry>, Option<Entry>);

/// An entry with the file that it stands for, if it is a hard link.
struct Resolved {
    entry: Entry,
    linked: Option<Entry>,
}

impl Resolved {
    /// What has the metadata and the content.
    fn inode(&self) -> &Entry {
        self.linked.as_ref().unwrap_or(&self.entry)
    }
}

impl Comparison {
    /// Compares what is below two roots; with `compare_content` also what files of the same size hold.
    pub fn new(old: Directory, new: Directory, compare_content: bool) -> Self {
        let frame = Frame { old: Some(Side::new(old)), new: Some(Side::new(new)), parent_path_bytes: 0 };
        Self { frames: vec![frame], path: Vec::new(), compare_content }
    }

    /// The next difference, parents before children and names in order; `None` at the end.
    ///
    /// # Errors
    ///
    /// One of the archives is damaged or cannot be read; the walk cannot go on then.
    pub fn next_difference(&mut self) -> Result<Option<Difference>, PxarError> {
        while let Some(frame) = self.frames.last_mut() {
            let Some((old, new)) = frame.next_pair()? else {
                self.path.truncate(frame.parent_path_bytes);
                self.frames.pop();
                continue;
            };
            let difference = self.difference(old.as_ref(), new.as_ref())?;
            self.descend(old.as_ref(), new.as_ref())?;
            if difference.is_some() {
                return Ok(difference);
            }
        }
        Ok(None)
    }

    fn difference(&self, old: Option<&Entry>, new: Option<&Entry>) -> Result<Option<Difference>, PxarError> {
        let Some(frame) = self.frames.last() else { return Ok(None) };
        let old = old.map(|entry| resolve(frame.old.as_ref(), entry)).transpose()?;
        let new = new.map(|entry| resolve(frame.new.as_ref(), entry)).transpose()?;
        let mut changed = Changes::default();
        let (change, shown) = match (old, new) {
            (None, None) => return Ok(None),
            (Some(old), None) => (Change::Removed, old),
            (None, Some(new)) => (Change::Added, new),
            (Some(old), Some(new)) => {
                changed = changes(&old, &new);
                if self.compare_content && !frame.same_content(old.inode(), new.inode())? {
                    changed.other = true;
                }
                if changed == Changes::default() {
                    return Ok(None);
                }
                (Change::Modified, new)
            }
        };
        let path = join(&self.path, &shown.entry.name);
        let Resolved { entry, linked } = shown;
        Ok(Some(Difference { change, path, entry, linked, changes: changed }))
    }

    /// Makes the directory that the pair is, on either side, the next one to be walked.
    fn descend(&mut self, old: Option<&Entry>, new: Option<&Entry>) -> Result<(), PxarError> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let open = |side: &Option<Side>, entry: Option<&Entry>| match (side, entry) {
            (Some(side), Some(entry)) if entry.kind == Kind::Directory => side.open(&entry.name),
            _ => Ok(None),
        };
        let (old_side, new_side) = (open(&frame.old, old)?, open(&frame.new, new)?);
        if old_side.is_none() && new_side.is_none() {
            return Ok(());
        }
        let parent_path_bytes = self.path.len();
        if let Some(entry) = new.or(old) {
            self.path = join(&self.path, &entry.name);
        }
        self.frames.push(Frame { old: old_side, new: new_side, parent_path_bytes });
        Ok(())
    }
}

impl Frame {
    /// The next child, as either side has it.
    ///
    /// Children are sorted by name, but readers need not believe that, and one name is known to stand at the end
    /// (pxar.md 4): a child that seems to be on one side only is looked up on the other.
    fn next_pair(&mut self) -> Result<Option<Pair>, PxarError> {
        loop {
            let old_name = self.old.as_mut().map_or(Ok(None), Side::next_name)?;
            let new_name = self.new.as_mut().map_or(Ok(None), Side::next_name)?;
            let (take_old, take_new) = match (old_name, new_name) {
                (None, None) => return Ok(None),
                (Some(old), Some(new)) => (old <= new, new <= old),
                (old, new) => (old.is_some(), new.is_some()),
            };
            let old = self.old.as_mut().filter(|_| take_old).and_then(Side::take);
            let new = self.new.as_mut().filter(|_| take_new).and_then(Side::take);
            match (old, new) {
                (Some(old), None) => {
                    // What the other side has too is compared when the other side comes to it.
                    if lookup(self.new.as_ref(), &old.name)?.is_none() {
                        return Ok(Some((Some(old), None)));
                    }
                }
                (None, Some(new)) => return Ok(Some((lookup(self.old.as_ref(), &new.name)?, Some(new)))),
                pair => return Ok(Some(pair)),
            }
        }
    }

    /// Whether two entries that are files hold the same; other entries have no content to differ.
    fn same_content(&self, old: &Entry, new: &Entry) -> Result<bool, PxarError> {
        match (&self.old, &self.new, &old.kind, &new.kind) {
            (Some(old_side), Some(new_side), Kind::File { size: old_size, .. }, Kind::File { size: new_size, .. }) => {
                Ok(old_size == new_size && same_content(old_side, old, new_side, new)?)
            }
            _ => Ok(true),
        }
    }
}

fn lookup(side: Option<&Side>, name: &[u8]) -> Result<Option<Entry>, PxarError> {
    side.map_or(Ok(None), |side| side.lookup(name))
}

fn resolve(side: Option<&Side>, entry: &Entry) -> Result<Resolved, PxarError> {
    let linked = match (side, &entry.kind) {
        (Some(side), Kind::Hardlink { .. }) => Some(side.follow(entry)?),
        _ => None,
    };
    Ok(Resolved { entry: entry.clone(), linked })
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return name.to_vec();
    }
    [path, b"/", name].concat()
}
