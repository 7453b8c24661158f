//! Which entries are extracted: all, or what patterns match and what lies below.

use crate::pattern::{verdict, Pattern, Verdict};

/// Follows the walk through an archive and decides entry by entry.
///
/// The last pattern that matches a path decides; where none does, it is as with the directory around.
pub struct Selection<'a> {
    patterns: &'a [Pattern],
    /// For each directory on the way, whether it is selected.
    around: Vec<bool>,
}

impl<'a> Selection<'a> {
    /// Everything if there are no patterns.
    pub fn new(patterns: &'a [Pattern]) -> Self {
        Self { patterns, around: Vec::new() }
    }

    pub fn is_all(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the child at `path` (from the root, without leading slash) of the current directory is selected.
    pub fn selects(&self, path: &[u8], is_directory: bool) -> bool {
        let around = self.around.last().copied().unwrap_or(false);
        self.is_all() || self.decide(path, is_directory, around)
    }

    /// Whether the file at `path` is selected, wherever in the archive it is.
    pub fn selects_elsewhere(&self, path: &[u8]) -> bool {
        if self.is_all() {
            return true;
        }
        let mut around = self.decide(b"", true, false);
        for (slash, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            around = self.decide(&path[..slash], true, around);
        }
        self.decide(path, false, around)
    }

    fn decide(&self, path: &[u8], is_directory: bool, around: bool) -> bool {
        // To a pattern that excludes when an archive is made, matching means being extracted here.
        match verdict(self.patterns.iter(), &[b"/", path].concat(), is_directory) {
            Some(Verdict::Exclude) => true,
            Some(Verdict::Include) => false,
            None => around,
        }
    }

    /// Goes into a directory.
    pub fn enter(&mut self, selected: bool) {
        self.around.push(selected);
    }

    /// Leaves the current directory.
    pub fn leave(&mut self) {
        self.around.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(patterns: &[&str], path: &str) -> bool {
        let patterns: Vec<_> = patterns.iter().map(|text| Pattern::parse(text.as_bytes()).unwrap()).collect();
        Selection::new(&patterns).selects_elsewhere(path.as_bytes())
    }

    #[test]
    fn what_matches_is_selected_with_what_is_below() {
        assert!(selected(&[], "any/thing"));
        assert!(selected(&["etc"], "etc/hosts"));
        assert!(selected(&["hosts"], "etc/hosts"));
        assert!(selected(&["/etc/"], "etc/hosts"));
        assert!(selected(&["*"], "etc/hosts"));
        assert!(selected(&["/"], "etc/hosts"));
        assert!(!selected(&["etc"], "usr/hosts"));
        assert!(!selected(&["hosts/"], "etc/hosts"));
        assert!(!selected(&["/hosts"], "etc/hosts"));
    }

    #[test]
    fn later_patterns_override() {
        assert!(!selected(&["etc", "!hosts"], "etc/hosts"));
        assert!(!selected(&["etc", "!etc/sub"], "etc/sub/file"));
        assert!(selected(&["etc", "!etc/sub", "*.conf"], "etc/sub/a.conf"));
        assert!(!selected(&["!etc"], "usr"));
    }
}
