//! The chunk store in a local directory: `.chunks/<4 hex digits>/<64 hex digits>` (datastore-layout.md 1).

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pbstore_format::blob::{self, BlobKind};
use pbstore_format::digest::to_hex;
use pbstore_format::{Digest, FormatError};
use rustix::fs::{AtFlags, OFlags, Timespec, Timestamps, CWD, UTIME_NOW, UTIME_OMIT};

use crate::atomic_file::{self, Owner, FILE_MODE};
use crate::chunk_store::{ChunkStore, InsertOutcome, Inserted, SetAside, StoredChunk};
use crate::{Result, StoreError, SyncLevel};

const CHUNKS: &str = ".chunks";
const LOCK: &str = ".lock";
const CHUNK_DIRECTORY_MODE: u32 = 0o750;
/// Changes of a chunk exclude each other only within a shard: two chunks meet in one with a chance of 1 in 1024. All
/// stores share the shards, for one that is opened anew with other options meets itself.
static SHARDS: [Mutex<()>; SHARD_COUNT] = [const { Mutex::new(()) }; SHARD_COUNT];
const SHARD_COUNT: usize = 1024;
/// Corrupt forms of a chunk that are kept.
const BAD_COUNT: u8 = 10;

/// Chunks below one datastore directory.
pub struct LocalChunkStore {
    root: PathBuf,
    chunks: PathBuf,
    owner: Owner,
    level: SyncLevel,
}

impl LocalChunkStore {
    /// Lay out a new store in the existing directory `root`: 65536 chunk directories and the lock file.
    ///
    /// `report` is told each percent from 1 to 99; false from it ends the work.
    ///
    /// # Errors
    /// `Refused` when there is a `.chunks` already, or `report` said so; `Io`.
    pub fn create(root: &Path, mut report: impl FnMut(u8) -> bool) -> Result<()> {
        let owner = Owner::of(root)?;
        let chunks = root.join(CHUNKS);
        create_directory(&chunks, owner).map_err(|error| match error {
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                StoreError::refused(format!("{} exists already: the directory holds a chunk store", chunks.display()))
            }
            other => other,
        })?;
        let mut reported = 0;
        for prefix in 0..=u16::MAX {
            create_directory(&chunks.join(format!("{prefix:04x}")), owner)?;
            let percent = u8::try_from(u32::from(prefix) * 100 / u32::from(u16::MAX)).unwrap_or(u8::MAX);
            if percent > reported && percent < 100 {
                reported = percent;
                if !report(percent) {
                    return Err(StoreError::refused(format!("{} was left unfinished", chunks.display())));
                }
            }
        }
        let lock = root.join(LOCK);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(&lock)
            .map_err(StoreError::io("create", &lock))?;
        owner.claim(&file, FILE_MODE, &lock)
    }

    /// Open the store of the datastore directory `root`.
    ///
    /// # Errors
    /// `Refused` when it holds no chunk store; `Io`.
    pub fn open(root: &Path, level: SyncLevel) -> Result<Self> {
        let chunks = root.join(CHUNKS);
        if !chunks.is_dir() {
            return Err(StoreError::refused(format!("{} is no datastore: it has no {CHUNKS}", root.display())));
        }
        let owner = Owner::of(root)?;
        Ok(Self { root: root.to_owned(), chunks, owner, level })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        chunk_path(&self.chunks, digest)
    }

    fn touch_path(path: &Path) -> io::Result<()> {
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
            last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        };
        Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn write(&self, path: &Path, blob: &[u8], outcome: InsertOutcome) -> Result<Inserted> {
        atomic_file::write(path, blob, self.owner, self.level)?;
        Ok(Inserted { outcome, stored_bytes: length(blob) })
    }
}

impl ChunkStore for LocalChunkStore {
    fn insert(&self, digest: &Digest, blob: &[u8]) -> Result<Inserted> {
        let incoming = blob::kind(blob)?;
        let path = self.path(digest);
        let _guard = lock(digest);
        let Some(metadata) = inspect(&path)? else {
            return self.write(&path, blob, InsertOutcome::New);
        };
        match judge(&path, &metadata, incoming, length(blob))? {
            InsertOutcome::Duplicate => {
                Self::touch_path(&path).map_err(StoreError::io("touch chunk", &path))?;
                Ok(Inserted { outcome: InsertOutcome::Duplicate, stored_bytes: metadata.len() })
            }
            outcome => self.write(&path, blob, outcome),
        }
    }

    fn open(&self, digest: &Digest) -> Result<StoredChunk> {
        let path = self.path(digest);
        let file = open_chunk(&path).map_err(StoreError::io("open chunk", &path))?;
        let metadata = file.metadata().map_err(StoreError::io("inspect chunk", &path))?;
        if !metadata.is_file() {
            return Err(StoreError::refused(format!("chunk {} is not a regular file", path.display())));
        }
        let (bytes, limit) = (metadata.len(), blob::MAX_BLOB_BYTES);
        if bytes > length_of(limit) {
            return Err(FormatError::TooLarge { what: "chunk", limit }.into());
        }
        Ok(StoredChunk { bytes, reader: Box::new(file) })
    }

    fn touch(&self, digest: &Digest) -> Result<bool> {
        let path = self.path(digest);
        match Self::touch_path(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io("touch chunk", &path)(error)),
        }
    }

    fn contains(&self, digest: &Digest) -> Result<bool> {
        Ok(inspect(&self.path(digest))?.is_some_and(|metadata| metadata.is_file()))
    }

    fn place(&self, digest: &Digest) -> u64 {
        fs::symlink_metadata(self.path(digest)).map_or(u64::MAX, |metadata| metadata.ino())
    }

    fn set_aside(&self, digest: &Digest, is_bad: &mut dyn FnMut(&Result<Vec<u8>>) -> bool) -> Result<SetAside> {
        let path = self.path(digest);
        let _guard = lock(digest);
        if inspect(&path)?.is_none() {
            return Ok(SetAside::Gone);
        }
        if !is_bad(&self.read(digest)) {
            return Ok(SetAside::Kept);
        }
        let aside = bad_path(&path)?;
        fs::rename(&path, &aside).map_err(StoreError::io("rename", &path))?;
        Ok(SetAside::Renamed(aside))
    }

    fn sync(&self) -> Result<()> {
        if self.level != SyncLevel::Filesystem {
            return Ok(());
        }
        let directory = File::open(&self.chunks).map_err(StoreError::io("open", &self.chunks))?;
        rustix::fs::syncfs(&directory).map_err(StoreError::io("sync file system of", &self.chunks))
    }

    fn sync_level(&self) -> SyncLevel {
        self.level
    }

    fn root(&self) -> &Path {
        &self.root
    }
}

/// Exclude other changes of the same chunk. Directories share shards, so a sweep can hold one for a directory.
fn lock(digest: &Digest) -> MutexGuard<'static, ()> {
    let [first, second, ..] = *digest;
    let shard = usize::from(u16::from_be_bytes([first, second])) % SHARD_COUNT;
    // The mutex guards no data, so a panic elsewhere leaves nothing half-done behind.
    SHARDS[shard].lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first free of `<chunk>.0.bad` to `<chunk>.9.bad`; the last one is overwritten.
fn bad_path(path: &Path) -> Result<PathBuf> {
    let mut candidate = path.to_owned();
    for number in 0..BAD_COUNT {
        candidate = path.with_extension(format!("{number}.bad"));
        if inspect(&candidate)?.is_none() {
            break;
        }
    }
    Ok(candidate)
}

/// The table of blobs-and-chunks.md 5.1 for a path where something stands already; first match wins.
fn judge(path: &Path, old: &Metadata, incoming: BlobKind, new_bytes: u64) -> Result<InsertOutcome> {
    if !old.is_file() {
        return Err(StoreError::refused(format!("chunk {} is not a regular file", path.display())));
    }
    let old_bytes = old.len();
    if old_bytes == new_bytes {
        return Ok(InsertOutcome::Duplicate);
    }
    if old_bytes == 0 {
        log::warn!("found empty chunk {}, overwriting it", path.display());
        return Ok(InsertOutcome::HealedEmpty);
    }
    if !incoming.is_encrypted() {
        let keep = old_bytes < new_bytes;
        return Ok(if keep { InsertOutcome::Duplicate } else { InsertOutcome::ReplacedLarger });
    }
    match stored_kind(path)? {
        Some(BlobKind::Plain | BlobKind::Compressed) => Err(StoreError::refused(format!(
            "chunk {} is stored unencrypted: refusing the encrypted one",
            path.display()
        ))),
        Some(BlobKind::Encrypted) if incoming == BlobKind::Encrypted => Err(StoreError::refused(format!(
            "chunk {} has {old_bytes} bytes, the same chunk of {new_bytes} bytes cannot be right",
            path.display()
        ))),
        _ => Ok(InsertOutcome::Duplicate),
    }
}

/// Kind of the blob in a file, None when its head is that of no blob.
fn stored_kind(path: &Path) -> Result<Option<BlobKind>> {
    let mut head = Vec::with_capacity(blob::ENCRYPTED_HEADER);
    let file = open_chunk(path).map_err(StoreError::io("open chunk", path))?;
    file.take(length_of(blob::ENCRYPTED_HEADER)).read_to_end(&mut head).map_err(StoreError::io("read chunk", path))?;
    Ok(blob::kind(&head).ok())
}

/// Where a chunk lies below a directory `.chunks`.
pub(crate) fn chunk_path(chunks: &Path, digest: &Digest) -> PathBuf {
    let name = to_hex(digest);
    let prefix = name.get(..4).unwrap_or_default();
    chunks.join(prefix).join(&name)
}

/// Open a chunk file, never through a symlink; of what is no regular file, the open does not wait.
pub(crate) fn open_chunk(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
}

fn inspect(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("inspect chunk", path)(error)),
    }
}

fn create_directory(path: &Path, owner: Owner) -> Result<()> {
    DirBuilder::new().mode(CHUNK_DIRECTORY_MODE).create(path).map_err(StoreError::io("create directory", path))?;
    let directory = File::open(path).map_err(StoreError::io("open", path))?;
    owner.claim(&directory, CHUNK_DIRECTORY_MODE, path)
}

fn length(bytes: &[u8]) -> u64 {
    length_of(bytes.len())
}

fn length_of(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
