//! Which paths are left out: patterns of the caller, and of `.pxarexclude` files where those lie (pxar.md 4.1).

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{fstat, openat, FileType, Mode, OFlags};

use crate::error::PxarError;
use crate::pattern::{self, Pattern, Verdict};
use crate::report::{quoted, Reporter};

/// Name of the files with patterns for their directory.
pub const PATTERN_FILE: &std::ffi::CStr = c".pxarexclude";
/// Name of the generated entry that records the caller's patterns.
pub const RECORDED_PATTERNS: &[u8] = b".pxarexclude-cli";

const MAX_PATTERN_FILE_BYTES: usize = 1 << 20;

/// The patterns that are active in the current directory.
pub struct Exclusions {
    patterns: Vec<Pattern>,
    /// How many of `patterns` the caller gave.
    given: usize,
}

impl Exclusions {
    /// Begins with the caller's patterns.
    pub fn new(given: &[Pattern], skip_lost_and_found: bool, reporter: &mut dyn Reporter) -> Result<Self, PxarError> {
        let mut patterns = given.to_vec();
        for pattern in given {
            warn_if_changed(pattern, reporter);
        }
        if skip_lost_and_found {
            patterns.push(Pattern::parse(b"lost+found")?);
        }
        let given = patterns.len();
        Ok(Self { patterns, given })
    }

    /// Whether to leave out `path`, which has a leading slash.
    pub fn excludes(&self, path: &[u8], is_directory: bool) -> bool {
        pattern::verdict(self.patterns.iter(), path, is_directory) == Some(Verdict::Exclude)
    }

    /// How many patterns are active, for [`Self::truncate`] when the directory is left.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Drops the patterns of directories that were left.
    pub fn truncate(&mut self, length: usize) {
        self.patterns.truncate(length);
    }

    /// The caller's patterns as the archive records them, one a line; `None` if there are none.
    pub fn recorded(&self) -> Option<Vec<u8>> {
        let mut lines = Vec::new();
        for pattern in &self.patterns[..self.given] {
            lines.extend_from_slice(pattern.text());
            lines.push(b'\n');
        }
        (!lines.is_empty()).then_some(lines)
    }

    /// The caller's patterns as the prelude of a split archive records them (pxar.md 4.1); `None` if there are none.
    pub fn prelude(&self) -> Option<Vec<u8>> {
        let lines = self.recorded()?;
        let lines = String::from_utf8_lossy(&lines);
        Some(serde_json::json!({ "exclude-patterns": lines }).to_string().into_bytes())
    }

    /// Adds the patterns of the `.pxarexclude` file in a directory whose path is `path`, empty for the root.
    pub fn read_file(&mut self, directory: BorrowedFd, path: &[u8], reporter: &mut dyn Reporter) {
        let text = match read_pattern_file(directory) {
            Ok(text) => text,
            Err(error) => {
                let file = [path, b"/", PATTERN_FILE.to_bytes()].concat();
                return reporter.warn(format!("failed to read exclude patterns of {}: {error}", quoted(&file)));
            }
        };
        for line in text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match Pattern::parse_in(line, path) {
                Ok(pattern) => {
                    warn_if_changed(&pattern, reporter);
                    self.patterns.push(pattern);
                }
                Err(error) => reporter.warn(error.to_string()),
            }
        }
    }
}

fn warn_if_changed(pattern: &Pattern, reporter: &mut dyn Reporter) {
    if let Some(written) = pattern.changed_from() {
        let (written, used) = (quoted(written), quoted(pattern.text()));
        reporter.warn(format!("warning: exclude pattern {written} is used as {used}"));
    }
}

fn read_pattern_file(directory: BorrowedFd) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = openat(directory, PATTERN_FILE, flags, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = vec![0; MAX_PATTERN_FILE_BYTES + 1];
    let mut length = 0;
    while length < text.len() {
        match rustix::io::read(&fd, &mut text[length..])? {
            0 => break,
            count => length += count,
        }
    }
    if length > MAX_PATTERN_FILE_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    text.truncate(length);
    Ok(text)
}
