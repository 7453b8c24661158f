//! Metadata change detection: files that look as they did in the previous archive are not read, but referenced in
//! chunks of its payload stream (version-4.md 2.3).
//!
//! `look_ahead` decides, `held` keeps what waits for a decision, `previous` says what files were like.

mod held;
mod look_ahead;
mod open_files;
mod previous;

use std::io::Write;
use std::ops::Range;

use self::held::{Held, Step};
use self::look_ahead::{LookAhead, Plan};
use super::archive::Archive;
use super::item::{Body, Item};
use super::warning::shown;
use super::Reference;
use crate::error::PxarError;
use crate::report::{Counting, Reporter};

pub use self::previous::Previous;

/// The state of change detection between two items.
pub struct Reuse {
    look_ahead: LookAhead,
    held: Held,
    /// The previous archive turned out to be unreadable.
    is_lost: bool,
}

impl Reuse {
    /// Begins with a previous archive; returns also its root. `held_max` bounds how many files are held open, by
    /// default by what the system allows. `None` if there is no previous archive, or after a warning none that can be
    /// read.
    pub fn begin(
        reference: Option<&Reference>,
        held_max: Option<usize>,
        reporter: &mut Counting,
    ) -> Option<(Self, Previous)> {
        let reference = reference?;
        let look_ahead = LookAhead::new(reference.payload_index.clone());
        let mut reuse = Self { look_ahead, held: Held::new(0), is_lost: false };
        let root = reuse.found(Previous::open(reference).map(Some), reporter)?;
        reuse.held = Held::new(held_max.unwrap_or_else(|| open_files::raise_limit(reporter)));
        Some((reuse, root))
    }

    /// The previous directory of this name in `parent`.
    pub fn directory(&mut self, parent: &Previous, name: &[u8], reporter: &mut Counting) -> Option<Previous> {
        if self.is_lost {
            return None;
        }
        let found = parent.directory(name);
        self.found(found, reporter)
    }

    /// Stores an item, now or when it is decided how; `previous` is the directory that it is in.
    pub fn put<W: Write>(
        &mut self,
        item: Item,
        path: &[u8],
        previous: Option<&Previous>,
        archive: &mut Archive<'_, W>,
        reporter: &mut Counting,
    ) -> Result<(), PxarError> {
        if self.held.is_full() {
            self.make_room(archive, reporter)?;
        }
        let Body::File(file) = &item.body else {
            if self.held.is_empty() {
                return archive.store(&item, path, reporter);
            }
            self.held.add(item, path, None);
            return Ok(());
        };
        let payload = self.unchanged(&item, file.size, path, previous, reporter);
        let Some(payload) = payload else {
            self.flush(false, archive, reporter)?;
            return archive.store(&item, path, reporter);
        };
        if !self.look_ahead.continues_with(&payload) {
            self.flush(true, archive, reporter)?;
        }
        self.held.add(item, path, Some(payload.start));
        self.look_ahead.add(payload);
        Ok(())
    }

    /// Ends the innermost directory, now or when what it holds is stored.
    pub fn end_directory<W: Write>(&mut self, archive: &mut Archive<'_, W>) -> Result<(), PxarError> {
        if self.held.is_empty() {
            return archive.end_directory();
        }
        self.held.end_directory();
        Ok(())
    }

    /// Stores what is left.
    pub fn finish<W: Write>(&mut self, archive: &mut Archive<'_, W>, reporter: &mut Counting) -> Result<(), PxarError> {
        self.flush(false, archive, reporter)
    }

    /// Where the payload of a file is in the previous stream, if the file is unchanged and the payload can be used.
    fn unchanged(
        &mut self,
        item: &Item,
        size: u64,
        path: &[u8],
        previous: Option<&Previous>,
        reporter: &mut Counting,
    ) -> Option<Range<u64>> {
        let previous = previous.filter(|_| !self.is_lost)?;
        let found = previous.payload(item.name.to_bytes(), &item.metadata, size);
        let payload = self.found(found, reporter)?;
        if self.look_ahead.accept(&payload) {
            return Some(payload);
        }
        let path = shown(path);
        reporter
            .warn(format!("warning: unchanged file is read again, the previous archive has it out of order: {path}"));
        None
    }

    /// What was looked up in the previous archive. If that is damaged or out of reach, all files are read from now on.
    fn found<T>(&mut self, result: Result<Option<T>, PxarError>, reporter: &mut Counting) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.is_lost = true;
            reporter.warn(format!("warning: all further files are read, as the previous archive cannot be: {error}"));
            None
        })
    }

    /// Stores some of what is held. A run that goes on need not be read only because it is cut in the middle of a chunk:
    /// if that would be so, what lies in the last chunk waits on.
    fn make_room<W: Write>(&mut self, archive: &mut Archive<'_, W>, reporter: &mut Counting) -> Result<(), PxarError> {
        let border = self.held.payload_across(self.look_ahead.last_chunk_start());
        let position = archive.payload_position();
        match border.and_then(|border| Some((border, self.look_ahead.plan_front(border, position)?))) {
            Some((border, plan)) => self.store(&plan, border, archive, reporter),
            None => self.flush(true, archive, reporter),
        }
    }

    /// Stores what is held.
    fn flush<W: Write>(
        &mut self,
        keep_last: bool,
        archive: &mut Archive<'_, W>,
        reporter: &mut Counting,
    ) -> Result<(), PxarError> {
        let plan = self.look_ahead.plan(archive.payload_position(), keep_last);
        self.store(&plan, u64::MAX, archive, reporter)
    }

    /// Stores what is held up to the payload at `end`, after the chunks that it needs.
    fn store<W: Write>(
        &mut self,
        plan: &Plan,
        end: u64,
        archive: &mut Archive<'_, W>,
        reporter: &mut Counting,
    ) -> Result<(), PxarError> {
        archive.inject(&plan.chunks)?;
        archive.stats.partial_chunk_count += plan.partial_count;
        while let Some(step) = self.held.pop(end) {
            let Step::Item(item, payload_offset) = step else {
                archive.end_directory()?;
                continue;
            };
            match (&item.body, plan.shift.zip(payload_offset)) {
                (Body::File(file), Some((shift, offset))) => archive.refer(&item, file, shift.apply(offset))?,
                _ => archive.store(&item, self.held.path(), reporter)?,
            }
        }
        Ok(())
    }
}
