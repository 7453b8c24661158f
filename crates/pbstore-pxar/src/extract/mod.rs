//! Extracts an archive into a directory and never touches anything outside of it.

mod attributes;
mod inodes;
mod link_target;
mod loose_links;
mod selection;
mod sparse;
mod tree;

use std::io::Read;
use std::path::Path;

use crate::decoder::Decoder;
use crate::error::PxarError;
use crate::flags::Flags;
use crate::pattern::Pattern;
use crate::report::Reporter;

/// What to restore, and what may be replaced.
#[derive(Clone, Debug)]
pub struct ExtractOptions {
    /// What to restore: leave out `Flags::ACL`, `XATTRS`, `OWNERSHIP`, `PERMISSIONS`, `DEVICE_NODES`… to ignore it.
    pub features: Flags,
    /// Directories that exist already are filled and get the archive's metadata.
    pub allow_existing_dirs: bool,
    /// Regular files, devices, fifos and sockets replace what has their name, unless that is a directory.
    pub overwrite_files: bool,
    /// Symlinks replace what has their name, unless that is a directory.
    pub overwrite_symlinks: bool,
    /// Hard links replace what has their name, unless that is a directory.
    pub overwrite_hardlinks: bool,
    /// Device nodes that cannot be made are warnings.
    pub ignore_device_errors: bool,
    /// What to extract, with everything below: the last pattern that matches decides, and a negated one leaves out.
    /// Directories on the way to what is extracted are made too. No patterns: everything.
    pub patterns: Vec<Pattern>,
    /// Stop at the first entry that cannot be extracted; else such entries are warnings and the call fails at the end.
    pub strict: bool,
}

impl Default for ExtractOptions {
    fn default() -> Self {
        Self {
            features: Flags::DEFAULT,
            allow_existing_dirs: false,
            overwrite_files: false,
            overwrite_symlinks: false,
            overwrite_hardlinks: false,
            ignore_device_errors: false,
            patterns: Vec::new(),
            strict: true,
        }
    }
}

/// What was extracted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtractStats {
    /// Entries of all kinds that were extracted, the root included.
    pub entry_count: u64,
    /// Content of the regular files, holes included.
    pub file_bytes: u64,
    /// Warnings that the reporter was given.
    pub warning_count: u64,
}

/// Extracts the archive that `decoder` is about to read into the directory `target`, which is made if it does not exist.
///
/// Nothing outside `target` is created, changed or linked to, whatever the archive says. Memory is bounded: content
/// passes through one buffer, and only a bounded number of directories is held open.
///
/// A hard link to a file that the patterns leave out becomes that file, if the decoder can read at any place
/// ([`Decoder::at`]); else it cannot be extracted.
///
/// # Errors
///
/// A damaged or truncated archive, a split archive without its payload stream, an entry that cannot be created (see
/// [`ExtractOptions::strict`]), or cancellation. What was extracted before stays.
pub fn extract_archive<R: Read, P: Read>(
    decoder: Decoder<R, P>,
    target: &Path,
    options: &ExtractOptions,
    reporter: &mut dyn Reporter,
) -> Result<ExtractStats, PxarError> {
    tree::extract(decoder, target, options, reporter)
}
