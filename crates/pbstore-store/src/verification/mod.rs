//! Verification of stored chunks: what one task remembers over all indexes that it checks (datastore-layout.md 7).

mod fault;
mod permits;
mod verdict;

use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use pbstore_format::digest::to_hex;
use pbstore_format::{Digest, Index, Opener};

use self::fault::{judge, Expected, Fault};
use self::permits::Permits;
use self::verdict::Findings;
use crate::backup_chunks::{parse_index, AnyIndex};
use crate::chunk_store::SetAside;
use crate::{ChunkStore, Result, StoreError};

pub use self::verdict::{CheckProgress, IndexVerdict};

/// Bound on the chunks, stored and plain, that all threads together have in memory; one chunk is always let in.
const MEMORY_BYTES: u64 = 192 << 20;

/// In which order chunks are read (datastore tuning option `chunk-order`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkOrder {
    /// As in the index.
    Index,
    /// As they lie on the disk.
    Inode,
}

impl FromStr for ChunkOrder {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self::Index),
            "inode" => Ok(Self::Inode),
            _ => Err(StoreError::refused(format!("unknown chunk order {text:?}: expected none or inode"))),
        }
    }
}

/// How a verification goes about it.
#[derive(Debug, Clone, Copy)]
pub struct VerificationOptions {
    /// Chunks read at the same time.
    pub readers: u8,
    /// Chunks decoded and digested at the same time.
    pub workers: u8,
    /// In which order they are read.
    pub order: ChunkOrder,
}

/// What a manifest says of an index.
#[derive(Debug, Clone, Copy)]
pub struct IndexClaim {
    /// Checksum over its entries.
    pub csum: Digest,
    /// Bytes of the archive.
    pub size: u64,
    /// Whether its chunks are encrypted.
    pub is_encrypted: bool,
}

/// One verification task. A chunk is read once, however many indexes refer to it; indexes are checked one at a time.
pub struct Verification {
    store: Arc<dyn ChunkStore>,
    order: ChunkOrder,
    thread_count: usize,
    reading: Permits,
    working: Permits,
    memory: Permits,
    good_plain: Mutex<HashSet<Digest>>,
    good_encrypted: Mutex<HashSet<Digest>>,
    bad: Mutex<HashSet<Digest>>,
    aborted: AtomicBool,
}

/// What the threads of one check share.
struct Check<'a, I> {
    index: &'a I,
    is_encrypted: bool,
    /// Positions in the index, in the order in which they are read.
    todo: Vec<usize>,
    next: AtomicUsize,
    findings: &'a Findings,
    progress: &'a CheckProgress,
}

impl Verification {
    /// Nothing is verified yet.
    pub fn new(store: Arc<dyn ChunkStore>, options: VerificationOptions) -> Self {
        let (readers, workers) = (options.readers.max(1), options.workers.max(1));
        Self {
            store,
            order: options.order,
            thread_count: usize::from(readers) + usize::from(workers),
            reading: Permits::new(readers.into()),
            working: Permits::new(workers.into()),
            memory: Permits::new(MEMORY_BYTES),
            good_plain: Mutex::default(),
            good_encrypted: Mutex::default(),
            bad: Mutex::default(),
            aborted: AtomicBool::new(false),
        }
    }

    /// Stop what runs soon, and let nothing start any more.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::Relaxed);
    }

    /// Compare an index file with what its manifest claims, then check every chunk that no earlier check has settled.
    /// Corrupt chunks are set aside. Blocks until it is done.
    ///
    /// # Errors
    /// `WrongIndex` when it is not the index of the manifest, `Format` when it is none at all, `Io`, `Aborted`. Bad
    /// chunks are no error but part of the verdict.
    pub fn check_index(&self, path: &Path, claim: &IndexClaim, progress: &CheckProgress) -> Result<IndexVerdict> {
        match parse_index(path)? {
            AnyIndex::Fixed(index) => self.check(&index, claim, progress),
            AnyIndex::Dynamic(index) => self.check(&index, claim, progress),
        }
    }

    fn check(&self, index: &(impl Index + Sync), claim: &IndexClaim, progress: &CheckProgress) -> Result<IndexVerdict> {
        if index.csum() != claim.csum {
            return Err(StoreError::WrongIndex("wrong index checksum".into()));
        }
        if index.size() != claim.size {
            let text = format!("wrong size ({} != {})", index.size(), claim.size);
            return Err(StoreError::WrongIndex(text));
        }
        let findings = Findings::default();
        let todo = self.unsettled(index, claim.is_encrypted, &findings)?;
        progress.expect(todo.len());
        let check = Check {
            index,
            is_encrypted: claim.is_encrypted,
            todo: self.in_order(index, todo)?,
            next: AtomicUsize::new(0),
            findings: &findings,
            progress,
        };
        self.run(&check)?;
        self.not_aborted()?;
        Ok(findings.into_verdict())
    }

    /// Positions of the different chunks that are to be checked; known bad ones are noted.
    fn unsettled(&self, index: &impl Index, is_encrypted: bool, findings: &Findings) -> Result<Vec<usize>> {
        let good = lock(self.good(is_encrypted));
        let bad = lock(&self.bad);
        let mut seen = HashSet::new();
        let mut todo = Vec::new();
        for (position, digest) in index.digests().enumerate() {
            if good.contains(digest) || !seen.insert(digest) {
                continue;
            }
            if bad.contains(digest) {
                findings.add_fault(position, vec![format!("chunk {} was marked as corrupt", to_hex(digest))]);
            } else {
                todo.push(position);
            }
        }
        self.not_aborted()?;
        Ok(todo)
    }

    fn in_order(&self, index: &impl Index, todo: Vec<usize>) -> Result<Vec<usize>> {
        if self.order == ChunkOrder::Index {
            return Ok(todo);
        }
        let mut placed = Vec::with_capacity(todo.len());
        for position in todo {
            self.not_aborted()?;
            let place = index.digest(position).map_or(u64::MAX, |digest| self.store.place(digest));
            placed.push((place, position));
        }
        placed.sort_unstable();
        Ok(placed.into_iter().map(|(_, position)| position).collect())
    }

    fn run(&self, check: &Check<'_, impl Index + Sync>) -> Result<()> {
        let count = self.thread_count.min(check.todo.len());
        let openers = (0..count).map(|_| Opener::new(None)).collect::<Result<Vec<_>, _>>()?;
        thread::scope(|scope| {
            for mut opener in openers {
                let builder = thread::Builder::new().name("pbstore-verify".into());
                let started = builder.spawn_scoped(scope, move || while self.step(check, &mut opener) {});
                if let Err(error) = started {
                    // Those that run finish early: without all threads there is no verdict.
                    check.next.store(usize::MAX / 2, Ordering::Relaxed);
                    return Err(StoreError::Refused(format!("cannot start a thread: {error}")));
                }
            }
            Ok(())
        })
    }

    /// Check the next chunk; false when there is none. One thread takes a chunk from the disk to its verdict; how many
    /// of them are in which half is what the permits bound.
    fn step(&self, check: &Check<'_, impl Index>, opener: &mut Opener) -> bool {
        let reading = self.reading.take(1);
        let taken = check.todo.get(check.next.fetch_add(1, Ordering::Relaxed));
        let Some((position, digest)) = taken.and_then(|at| Some((*at, check.index.digest(*at)?))) else {
            return false;
        };
        if self.aborted.load(Ordering::Relaxed) {
            return false;
        }
        let plain_bytes = check.index.chunk_len(position).unwrap_or(0);
        let expected = Expected { digest, plain_bytes, is_encrypted: check.is_encrypted };
        let opened = self.store.open(digest);
        let stored_bytes = opened.as_ref().map_or(0, |chunk| chunk.bytes);
        let _memory = self.memory.take(stored_bytes.saturating_add(plain_bytes));
        let loaded = opened.and_then(|chunk| chunk.read_all(digest));
        drop(reading);
        let _working = self.working.take(1);
        let judged = judge(opener, &loaded, &expected);
        if judged.as_ref().map_or_else(Fault::is_loaded, |()| true) {
            check.findings.add_read(stored_bytes, plain_bytes);
        }
        match judged {
            Ok(()) => self.note_good(&expected),
            Err(fault) => {
                if let Some(lines) = self.lines_of(&fault, &expected, opener) {
                    check.findings.add_fault(position, lines);
                }
            }
        }
        check.progress.advance();
        true
    }

    fn note_good(&self, expected: &Expected<'_>) {
        lock(self.good(expected.is_encrypted)).insert(*expected.digest);
    }

    /// What is to be said of a fault, after a corrupt chunk was set aside; None when the chunk is good by now.
    fn lines_of(&self, fault: &Fault, expected: &Expected<'_>, opener: &mut Opener) -> Option<Vec<String>> {
        let mut lines = vec![fault.describe(expected.digest)];
        if fault.is_corruption() {
            // Once more, while no upload can replace it: what somebody healed meanwhile must not be taken away.
            let mut is_healed = false;
            let set_aside = self.store.set_aside(expected.digest, &mut |again| {
                let judged = judge(opener, again, expected);
                is_healed = judged.is_ok();
                judged.is_err_and(|fault| fault.is_corruption())
            });
            match set_aside {
                Ok(SetAside::Renamed(path)) => lines.push(format!("corrupt chunk renamed to {path:?}")),
                Ok(SetAside::Kept) if is_healed => {
                    self.note_good(expected);
                    return None;
                }
                Ok(SetAside::Kept) => return Some(lines),
                Ok(SetAside::Gone) => {}
                Err(error) => lines.push(format!("cannot rename the corrupt chunk - {error}")),
            }
        }
        if fault.is_corruption() || matches!(fault, Fault::Missing(_)) {
            lock(&self.bad).insert(*expected.digest);
        }
        Some(lines)
    }

    fn good(&self, is_encrypted: bool) -> &Mutex<HashSet<Digest>> {
        if is_encrypted {
            &self.good_encrypted
        } else {
            &self.good_plain
        }
    }

    fn not_aborted(&self) -> Result<()> {
        if self.aborted.load(Ordering::Relaxed) {
            return Err(StoreError::Aborted);
        }
        Ok(())
    }
}

/// A set is complete after each insert, so a panic elsewhere leaves it as good as any.
fn lock(set: &Mutex<HashSet<Digest>>) -> MutexGuard<'_, HashSet<Digest>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}
