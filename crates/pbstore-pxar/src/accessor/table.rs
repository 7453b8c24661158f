//! A directory's goodbye table, looked up without being believed.

use std::cmp::Ordering;
use std::io::ErrorKind;
use std::sync::Arc;

use super::table_room::{KeptTable, TableRoom};
use crate::error::PxarError;
use crate::goodbye::{Record, RECORD_BYTES};
use crate::input::Input;
use crate::items::{self, GOODBYE, GOODBYE_TAIL_MARKER, HEADER_BYTES};
use crate::read_at::ReadAt;

/// A child takes at least a name of one byte and a hard link to a name of one byte.
const MIN_CHILD_BYTES: u64 = 44;

/// No two names are known to have the same hash. Tables with more than this many alike only cost time.
const MAX_ALIKE: usize = 1000;

/// Where a table is, and what it says of its directory.
#[derive(Clone, Copy)]
pub struct TableSpan {
    /// Offset of the table's header; the directory's children end here.
    pub start: u64,
    count: u64,
}

impl TableSpan {
    /// Finds the table of the directory whose entry begins at `entry_start` and that ends at `end`.
    pub fn find(source: &Arc<dyn ReadAt>, entry_start: u64, end: u64) -> Result<Self, PxarError> {
        let tail_start = end.checked_sub(RECORD_BYTES).filter(|start| *start >= entry_start);
        let tail_start = tail_start.ok_or(PxarError::Truncated { offset: end })?;
        let [hash, offset, size] = numbers(source, tail_start)?;
        if hash != GOODBYE_TAIL_MARKER {
            return Err(PxarError::malformed(tail_start, "a directory without the end of its goodbye table"));
        }
        let bad_size = || PxarError::malformed(tail_start, "a goodbye table of a wrong length");
        let content_bytes = size.checked_sub(HEADER_BYTES).filter(|bytes| bytes % RECORD_BYTES == 0);
        let count = content_bytes.and_then(|bytes| (bytes / RECORD_BYTES).checked_sub(1)).ok_or_else(bad_size)?;
        let start = end.checked_sub(size).filter(|start| *start >= entry_start).ok_or_else(bad_size)?;
        if offset != start - entry_start {
            return Err(PxarError::malformed(tail_start, "a goodbye table that belongs to another directory"));
        }
        let header = Input::between(source, start, end).header()?;
        if header.item_type != GOODBYE || header.content_bytes != size - HEADER_BYTES {
            return Err(PxarError::malformed(start, "a goodbye table does not begin where its end says"));
        }
        Ok(Self { start, count })
    }

    /// Loads the table; the directory's first child is at `children_start`.
    pub fn load(
        self,
        source: &Arc<dyn ReadAt>,
        children_start: u64,
        room: &Arc<TableRoom>,
    ) -> Result<Table, PxarError> {
        let child_bytes = self.start.saturating_sub(children_start);
        if self.count > child_bytes / MIN_CHILD_BYTES {
            return Err(PxarError::malformed(self.start, "a goodbye table with more children than there is room for"));
        }
        let mut kept = room.take(self.count * RECORD_BYTES);
        if let Some(kept) = &mut kept {
            read(source, kept.bytes_mut(), self.start + HEADER_BYTES)?;
        }
        Ok(Table { source: Arc::clone(source), span: self, children_start, kept: kept.map(Arc::new) })
    }
}

/// A directory's table.
#[derive(Clone)]
pub struct Table {
    source: Arc<dyn ReadAt>,
    span: TableSpan,
    children_start: u64,
    /// None where there is no room: then it is read record by record.
    kept: Option<Arc<KeptTable>>,
}

/// A child as the table has it: where its name item begins, and where it ends, unless it is a file of a split archive.
#[derive(Clone, Copy)]
pub struct Place {
    pub name_start: u64,
    size: u64,
}

impl Place {
    /// Where a directory ends.
    pub fn directory_end(self, limit: u64) -> Result<u64, PxarError> {
        let end = self.name_start.checked_add(self.size).filter(|end| *end <= limit);
        end.ok_or_else(|| PxarError::malformed(self.name_start, "a directory reaches beyond its parent"))
    }
}

impl Table {
    /// Offset of the table's header.
    pub fn start(&self) -> u64 {
        self.span.start
    }

    /// Calls `visit` with all children whose names have this hash, until it returns something.
    pub fn find<T>(
        &self,
        hash: u64,
        mut visit: impl FnMut(Place) -> Result<Option<T>, PxarError>,
    ) -> Result<Option<T>, PxarError> {
        let mut pending = vec![0];
        let mut alike = 0;
        while let Some(node) = pending.pop() {
            if node >= self.span.count {
                continue;
            }
            let record = self.record(node)?;
            let (smaller, larger) = (2 * node + 1, 2 * node + 2);
            match hash.cmp(&record.hash) {
                Ordering::Less => pending.push(smaller),
                Ordering::Greater => pending.push(larger),
                Ordering::Equal => {
                    if let Some(found) = visit(self.place(record)?)? {
                        return Ok(Some(found));
                    }
                    alike += 1;
                    if alike > MAX_ALIKE {
                        let reason = "a goodbye table with more than 1000 names of the same hash";
                        return Err(PxarError::malformed(self.span.start, reason));
                    }
                    pending.extend([larger, smaller]);
                }
            }
        }
        Ok(None)
    }

    fn record(&self, node: u64) -> Result<Record, PxarError> {
        let offset = node * RECORD_BYTES;
        let kept = self.kept.as_ref().map(|kept| &kept.bytes()[offset as usize..(offset + RECORD_BYTES) as usize]);
        let [hash, offset, size] = match kept.and_then(items::u64s) {
            Some(numbers) => numbers,
            None => numbers(&self.source, self.span.start + HEADER_BYTES + offset)?,
        };
        Ok(Record { hash, offset, size })
    }

    fn place(&self, record: Record) -> Result<Place, PxarError> {
        let name_start = self.span.start.checked_sub(record.offset);
        let name_start = name_start.filter(|start| (self.children_start..self.span.start).contains(start));
        let name_start = name_start.ok_or_else(|| {
            PxarError::malformed(self.span.start, "a goodbye table names a child outside of its directory")
        })?;
        Ok(Place { name_start, size: record.size })
    }
}

fn numbers(source: &Arc<dyn ReadAt>, offset: u64) -> Result<[u64; 3], PxarError> {
    let mut bytes = [0; RECORD_BYTES as usize];
    read(source, &mut bytes, offset)?;
    items::u64s(&bytes).ok_or(PxarError::Truncated { offset })
}

fn read(source: &Arc<dyn ReadAt>, buffer: &mut [u8], offset: u64) -> Result<(), PxarError> {
    source.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => PxarError::Truncated { offset },
        _ => PxarError::Read(error),
    })
}
