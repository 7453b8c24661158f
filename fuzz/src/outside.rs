//! A directory to extract into, beside one that has to stay as it is.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{symlink, MetadataExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Stands in archives for [`Scene::outside_path`].
pub const PLACEHOLDER: &[u8; 32] = b"@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";

/// The two directories; they go when it is dropped.
pub struct Scene {
    target: PathBuf,
    outside: PathBuf,
    outside_path: [u8; 32],
    before: Vec<Fact>,
    _base: TempDir,
}

/// What can be seen of an inode. A change of anything changes the times.
#[derive(Debug, PartialEq, Eq)]
struct Fact {
    path: PathBuf,
    /// Inode, mode, owner, group, number of links, size.
    numbers: [u64; 6],
    /// Last change of content and of anything.
    times: [(i64, i64); 2],
    content: Vec<u8>,
}

impl Scene {
    /// Makes the directories, in memory where the system has a place for that.
    ///
    /// # Panics
    ///
    /// They cannot be made.
    #[allow(clippy::new_without_default, reason = "it makes directories")]
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let base = tempfile::Builder::new().prefix("pbf-").tempdir_in(parent).unwrap();
        let (target, outside) = (base.path().join("target"), base.path().join("out"));
        fs::create_dir_all(outside.join("directory")).unwrap();
        fs::write(outside.join("secret"), "untouched").unwrap();
        symlink("secret", outside.join("link")).unwrap();
        // Slashes in front mean nothing, so that every path can have the same length.
        let path = outside.as_os_str().as_bytes();
        let mut outside_path = [b'/'; 32];
        let start =
            outside_path.len().checked_sub(path.len()).expect("the temporary folder has a path of 18 bytes at most");
        outside_path[start..].copy_from_slice(path);
        let before = facts(&outside);
        Self { target, outside, outside_path, before, _base: base }
    }

    /// Where to extract to; does not exist.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Absolute path of the directory that has to stay as it is.
    pub fn outside_path(&self) -> &[u8; 32] {
        &self.outside_path
    }

    /// Whether extraction may do everything.
    pub fn is_root() -> bool {
        fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }

    /// Removes what was extracted.
    ///
    /// # Panics
    ///
    /// Something changed outside of the target.
    pub fn check_and_clear(&self) {
        let parent = self.outside.parent().unwrap();
        let mut names: Vec<_> = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.retain(|name| name != "target");
        assert_eq!(names, ["out"], "something was made beside the target");
        assert_eq!(facts(&self.outside), self.before, "something changed outside of the target");
        if self.target.exists() {
            fs::remove_dir_all(&self.target).unwrap();
        }
    }
}

fn facts(directory: &Path) -> Vec<Fact> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = names.chain([directory.to_owned(), directory.join("directory/.")]).collect();
    paths.sort();
    paths.into_iter().map(fact).collect()
}

fn fact(path: PathBuf) -> Fact {
    let now = fs::symlink_metadata(&path).unwrap();
    let numbers = [now.ino(), now.mode().into(), now.uid().into(), now.gid().into(), now.nlink(), now.size()];
    let times = [(now.mtime(), now.mtime_nsec()), (now.ctime(), now.ctime_nsec())];
    let content = if now.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
    Fact { path, numbers, times, content }
}
