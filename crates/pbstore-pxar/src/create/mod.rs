//! Makes an archive of a directory tree.

mod archive;
mod attributes;
mod content;
mod exclusions;
mod file_system;
mod item;
mod links;
mod listing;
mod reference;
mod reuse;
mod stats;
mod walk;
mod warning;

use std::io::Write;
use std::path::Path;

use crate::catalog::CatalogSink;
use crate::error::PxarError;
use crate::flags::Flags;
use crate::pattern::{verdict, Pattern, Verdict};
use crate::payload_sink::PayloadSink;
use crate::report::Reporter;

pub use self::reference::Reference;
pub use self::stats::CreateStats;

/// What to take from the tree, and what not.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// Metadata to store, as far as the file system has it.
    pub features: Flags,
    /// Descend into every mounted file system.
    pub all_file_systems: bool,
    /// Device numbers (`st_dev`) of mounted file systems to descend into; the root's own is always among them.
    pub include_devices: Vec<u64>,
    /// Exclusion patterns, the last match decides. They are recorded in the archive.
    pub exclude: Vec<Pattern>,
    /// Leave out everything named `lost+found`.
    pub skip_lost_and_found: bool,
    /// Keep a file without its extended attributes if the kernel says they are too big to list.
    pub skip_e2big_xattr: bool,
    /// Most entries held at once: the sum of the listings of all directories on the current path.
    pub entries_max: usize,
    /// Most files held open until it is decided whether a previous archive's payload is used for them. By default the
    /// process's limit of open files is raised as far as it goes, and used up to half of what it was before.
    pub held_files_max: Option<usize>,
}

impl CreateOptions {
    /// Whether the patterns leave out the file at `path` (from the root, without leading slash) or a directory around it.
    pub fn excludes_file(&self, path: &[u8]) -> bool {
        let slashed = [b"/", path].concat();
        let ends = slashed.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(end, _)| (end, true));
        ends.chain([(slashed.len(), false)]).any(|(end, is_directory)| {
            verdict(self.exclude.iter(), &slashed[..end], is_directory) == Some(Verdict::Exclude)
        })
    }
}

impl Default for CreateOptions {
    fn default() -> Self {
        Self {
            features: Flags::DEFAULT,
            all_file_systems: false,
            include_devices: Vec::new(),
            exclude: Vec::new(),
            skip_lost_and_found: false,
            skip_e2big_xattr: false,
            entries_max: 1_048_576,
            held_files_max: None,
        }
    }
}

/// Writes the tree below `source` to `output` as a version 1 archive (pxar.md 4).
///
/// `output` is given blocks of up to 1 MiB. Names go to `catalog` in archive order; the caller starts and ends the
/// archive there. Files that vanish, cannot be read or change while they are read are warnings.
///
/// # Errors
///
/// The source is no readable directory or lies on a virtual file system, `output` or `catalog` fails, a read error on a
/// file's content, more entries than `entries_max`, or the reporter cancels.
pub fn create_archive<W: Write>(
    source: &Path,
    output: W,
    catalog: Option<&mut dyn CatalogSink>,
    options: &CreateOptions,
    reporter: &mut dyn Reporter,
) -> Result<CreateStats, PxarError> {
    let catalog = catalog.map(|catalog| catalog as &mut dyn CatalogSink);
    walk::walk(source, Target { output, payload: None, catalog }, None, options, reporter)
}

/// Writes the tree below `source` as a split archive (pxar.md 7): contents to `payload`, everything else to `metadata`.
///
/// Like [`create_archive`], with the caller's patterns in the prelude instead of an entry. Files that look as they do in
/// `reference` are not read: `payload` gets chunks of the previous payload stream that hold their contents.
///
/// # Errors
///
/// As [`create_archive`]. A reference that cannot be read is a warning; files are read then.
pub fn create_split_archive<W: Write>(
    source: &Path,
    metadata: W,
    payload: &mut dyn PayloadSink,
    reference: Option<Reference>,
    options: &CreateOptions,
    reporter: &mut dyn Reporter,
) -> Result<CreateStats, PxarError> {
    let target = Target { output: metadata, payload: Some(payload), catalog: None };
    walk::walk(source, target, reference.as_ref(), options, reporter)
}

/// Where an archive goes.
struct Target<'a, W: Write> {
    output: W,
    /// For the contents of a split archive.
    payload: Option<&'a mut dyn PayloadSink>,
    catalog: Option<&'a mut dyn CatalogSink>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_excluded_with_a_directory_around_it() {
        let excludes = |patterns: &[&str], path: &str| {
            let exclude = patterns.iter().map(|text| Pattern::parse(text.as_bytes()).unwrap()).collect();
            CreateOptions { exclude, ..CreateOptions::default() }.excludes_file(path.as_bytes())
        };
        assert!(excludes(&["key.json"], "etc/key.json"));
        assert!(excludes(&["/etc/"], "etc/keys/key.json"));
        assert!(excludes(&["etc", "!key.json"], "etc/key.json"));
        assert!(!excludes(&[], "key.json"));
        assert!(!excludes(&["/key.json"], "etc/key.json"));
        assert!(!excludes(&["*.json", "!key.json"], "etc/key.json"));
        assert!(!excludes(&["key.json/"], "key.json"));
    }
}
