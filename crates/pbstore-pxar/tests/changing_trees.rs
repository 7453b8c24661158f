//! Trees that change while they are archived: a warning for what is lost, and everything else as it is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pbstore_pxar::{create_archive, CreateOptions, CreateStats, Decoder, Event, Kind, PxarError, Reporter};
use tempfile::TempDir;

/// Changes the tree when the walk gets to a path.
struct Changing<'a, F: FnMut(&Path)> {
    root: PathBuf,
    at: &'a str,
    change: F,
    warnings: Vec<String>,
}

impl<F: FnMut(&Path)> Reporter for Changing<'_, F> {
    fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    fn entry(&mut self, path: &[u8]) {
        if path == self.at.as_bytes() {
            (self.change)(&self.root);
        }
    }
}

/// Paths and contents of an archive, and the warnings.
struct Outcome {
    entries: Vec<(String, Vec<u8>)>,
    warnings: Vec<String>,
}

impl Outcome {
    fn paths(&self) -> Vec<&str> {
        self.entries.iter().map(|(path, _)| path.as_str()).collect()
    }
}

fn tree(names: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in names {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::write(path, name).unwrap();
        }
    }
    directory
}

/// Archives a tree and changes it when the walk gets to `at`, whose metadata has been read then.
fn archive(tree: &TempDir, at: &str, change: impl FnMut(&Path)) -> Outcome {
    let mut reporter = Changing { root: tree.path().to_owned(), at, change, warnings: Vec::new() };
    let mut bytes = Vec::new();
    let stats = create_archive(tree.path(), &mut bytes, None, &CreateOptions::default(), &mut reporter).unwrap();
    let entries = entries(&bytes);
    check_counts(&stats, &entries, &reporter.warnings);
    Outcome { entries, warnings: reporter.warnings }
}

fn check_counts(stats: &CreateStats, entries: &[(String, Vec<u8>)], warnings: &[String]) {
    assert_eq!(stats.entry_count, 1 + entries.len() as u64);
    assert_eq!(stats.file_bytes, entries.iter().map(|(_, content)| content.len() as u64).sum::<u64>());
    assert_eq!(stats.warning_count, warnings.len() as u64);
}

fn entries(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut decoder = Decoder::new(archive);
    let mut entries = Vec::new();
    while let Some(event) = decoder.next_event().unwrap() {
        let Event::Entry(entry) = event else { continue };
        let mut content = Vec::new();
        if let Kind::File { size, .. } = entry.kind {
            content.resize(size as usize, 0);
            let mut filled = 0;
            while filled < content.len() {
                filled += decoder.read_content(&mut content[filled..]).unwrap();
            }
        }
        entries.push((String::from_utf8_lossy(decoder.path()).into_owned(), content));
    }
    entries.remove(0);
    entries
}

#[test]
fn removed_files_are_left_out() {
    let tree = tree(&["a", "b", "c", "d/e"]);
    let outcome = archive(&tree, "a", |root| {
        fs::remove_file(root.join("b")).unwrap();
        fs::remove_dir_all(root.join("d")).unwrap();
    });
    assert_eq!(outcome.paths(), ["a", "c"]);
    let vanished = |name| format!("warning: file vanished while reading: \"{name}\"");
    assert_eq!(outcome.warnings, [vanished("b"), vanished("d")]);
}

#[test]
fn a_directory_that_is_removed_before_it_is_listed_is_empty() {
    let tree = tree(&["a", "d/e/", "z"]);
    let outcome = archive(&tree, "d/e", |root| fs::remove_dir(root.join("d/e")).unwrap());
    assert_eq!(outcome.paths(), ["a", "d", "d/e", "z"]);
    assert_eq!(outcome.warnings, ["warning: file vanished while reading directory: \"d/e\""]);
}

#[test]
fn what_is_replaced_is_archived_as_what_it_is_now() {
    let tree = tree(&["0", "directory/inside", "file", "file-too", "link"]);
    fs::remove_file(tree.path().join("link")).unwrap();
    symlink("target", tree.path().join("link")).unwrap();
    let outcome = archive(&tree, "0", |root| {
        fs::remove_dir_all(root.join("directory")).unwrap();
        fs::write(root.join("directory"), "now a file").unwrap();
        fs::remove_file(root.join("file")).unwrap();
        fs::create_dir_all(root.join("file/deeper")).unwrap();
        fs::remove_file(root.join("file-too")).unwrap();
        symlink("target", root.join("file-too")).unwrap();
        fs::remove_file(root.join("link")).unwrap();
        fs::write(root.join("link"), "a file too").unwrap();
    });
    assert_eq!(outcome.paths(), ["0", "directory", "file", "file/deeper", "file-too", "link"]);
    assert_eq!(outcome.entries[1].1, b"now a file");
    assert_eq!(outcome.entries[5].1, b"a file too");
    assert_eq!(outcome.warnings, Vec::<String>::new());
}

#[test]
fn a_file_has_the_size_that_it_had_when_it_was_opened() {
    let tree = tree(&["grown", "shrunk", "the rest"]);
    let outcome = archive(&tree, "grown", |root| fs::write(root.join("grown"), "grown since").unwrap());
    assert_eq!(outcome.entries[0].1, b"grown");
    assert_eq!(outcome.warnings, ["warning: file size increased while reading: \"grown\", file will be truncated!"]);
    let outcome = archive(&tree, "shrunk", |root| fs::write(root.join("shrunk"), "shr").unwrap());
    assert_eq!(outcome.entries[1].1, b"shr\0\0\0");
    let expected = "warning: file size shrunk while reading: \"shrunk\", file will be padded with zeros!";
    assert_eq!(outcome.warnings, [expected]);
    assert_eq!(outcome.entries[2].1, b"the rest");
}

#[test]
fn names_are_in_the_order_of_their_bytes() {
    let tree = tree(&["b", "a", "Z", "a.b", "ä", "a-/x", "a0", "~", " "]);
    let outcome = archive(&tree, "", |_| {});
    assert_eq!(outcome.paths(), [" ", "Z", "a", "a-", "a-/x", "a.b", "a0", "b", "~", "ä"]);
}

#[test]
fn a_directory_that_is_moved_away_is_not_followed() {
    let tree = tree(&["a/b/c", "a/z"]);
    let outside = tempfile::tempdir_in(tree.path().parent().unwrap()).unwrap();
    // So deep that the walk has to open `a` again on its way back.
    let deep = format!("a/b{}", "/n".repeat(70));
    fs::create_dir_all(tree.path().join(&deep)).unwrap();
    let change = |root: &Path| fs::rename(root.join("a/b"), outside.path().join("b")).unwrap();
    let mut reporter = Changing { root: tree.path().to_owned(), at: &deep, change, warnings: Vec::new() };
    let made = create_archive(tree.path(), Vec::new(), None, &CreateOptions::default(), &mut reporter);
    let error = made.unwrap_err();
    assert!(matches!(&error, PxarError::File { .. }), "{error}");
    assert!(error.to_string().contains("it was moved meanwhile"), "{error}");
}
