//! Extraction of what patterns match: what is made, what is left alone, and what hard links become.

mod memory;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{
    extract_archive, Decoder, Encoder, ExtractOptions, ExtractStats, Pattern, PlainPayload, PxarError, ReadAt, Reporter,
};
use tempfile::TempDir;

use memory::Bytes;

fn metadata(mode: u64, seconds: i64) -> Metadata {
    let own = fs::metadata("/proc/self").unwrap();
    let mtime = Mtime { seconds, nanoseconds: 0 };
    Metadata { stat: Stat { mode, uid: own.uid(), gid: own.gid(), mtime, flags: 0 }, ..Metadata::default() }
}

fn fill(encoder: &mut Encoder<Vec<u8>>) {
    let directory = metadata(0o040_750, 1000);
    let file = metadata(0o100_640, 2000);
    let add = |encoder: &mut Encoder<Vec<u8>>, name: &[u8]| {
        encoder.add_file(name, &file, name.len() as u64, &mut &*name).unwrap().0
    };
    encoder.begin_directory(b"etc", &directory).unwrap();
    encoder.begin_directory(b"conf.d", &directory).unwrap();
    let first = add(encoder, b"a.conf");
    add(encoder, b"b.bak");
    encoder.end_directory().unwrap();
    add(encoder, b"hosts");
    encoder.end_directory().unwrap();
    encoder.begin_directory(b"links", &directory).unwrap();
    encoder.add_hardlink(b"one", b"etc/conf.d/a.conf", first).unwrap();
    encoder.add_hardlink(b"two", b"etc/conf.d/a.conf", first).unwrap();
    encoder.end_directory().unwrap();
    add(encoder, b"z.conf");
}

/// Metadata stream and payload of the example.
fn split() -> (Vec<u8>, Vec<u8>) {
    let mut payload = PlainPayload(Vec::new());
    let mut encoder = Encoder::split(Vec::new(), &mut payload, None, &metadata(0o040_711, 3000)).unwrap();
    fill(&mut encoder);
    (encoder.finish().unwrap().0, payload.0)
}

fn plain() -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), &metadata(0o040_711, 3000)).unwrap();
    fill(&mut encoder);
    encoder.finish().unwrap().0
}

fn shared(bytes: Vec<u8>) -> Arc<dyn ReadAt> {
    Arc::new(Bytes(bytes))
}

#[derive(Default)]
struct Warnings(Vec<String>);

impl Reporter for Warnings {
    fn warn(&mut self, message: String) {
        self.0.push(message);
    }
}

fn options(patterns: &[&str]) -> ExtractOptions {
    let patterns = patterns.iter().map(|text| Pattern::parse_selecting(text.as_bytes()).unwrap()).collect();
    ExtractOptions { patterns, ..ExtractOptions::default() }
}

struct Extracted {
    base: TempDir,
    result: Result<ExtractStats, PxarError>,
    warnings: Vec<String>,
}

impl Extracted {
    fn target(&self) -> PathBuf {
        self.base.path().join("target")
    }

    /// All paths below the target.
    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut pending = vec![self.target()];
        while let Some(directory) = pending.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                paths.push(path.strip_prefix(self.target()).unwrap().to_str().unwrap().to_owned());
                if path.is_dir() {
                    pending.push(path);
                }
            }
        }
        paths.sort();
        paths
    }
}

fn extract_with(options: &ExtractOptions, prepare: impl FnOnce(&Path)) -> Extracted {
    let base = TempDir::new().unwrap();
    let target = base.path().join("target");
    fs::create_dir(&target).unwrap();
    prepare(&target);
    let (archive, payload) = split();
    let decoder = Decoder::at(shared(archive), Some(shared(payload)));
    let mut warnings = Warnings::default();
    let result = extract_archive(decoder, &target, options, &mut warnings);
    Extracted { base, result, warnings: warnings.0 }
}

fn extract(patterns: &[&str]) -> Extracted {
    let extracted = extract_with(&options(patterns), |_| ());
    // The same from streams, and from a version 1 archive, as long as no link has to be followed.
    if !patterns.iter().any(|pattern| pattern.contains("links")) {
        let (archive, payload) = split();
        let streams = Decoder::with_payload(archive.as_slice(), payload.as_slice());
        let target = extracted.base.path().join("streams");
        extract_archive(streams, &target, &options(patterns), &mut Warnings::default()).unwrap();
        let target = extracted.base.path().join("plain");
        let bytes = plain();
        extract_archive(Decoder::new(bytes.as_slice()), &target, &options(patterns), &mut Warnings::default()).unwrap();
        for other in ["streams", "plain"] {
            let status = std::process::Command::new("diff")
                .args(["-r", "target", other])
                .current_dir(extracted.base.path())
                .status()
                .unwrap();
            assert!(status.success());
        }
    }
    extracted
}

#[test]
fn files_come_with_the_directories_around_them() {
    let extracted = extract(&["a.conf"]);
    assert_eq!(extracted.paths(), ["etc", "etc/conf.d", "etc/conf.d/a.conf"]);
    assert_eq!(extracted.result.as_ref().unwrap().entry_count, 4);
    for (path, mode, time) in
        [("", 0o711, 3000), ("etc", 0o750, 1000), ("etc/conf.d", 0o750, 1000), ("etc/conf.d/a.conf", 0o640, 2000)]
    {
        let found = fs::metadata(extracted.target().join(path)).unwrap();
        assert_eq!((found.permissions().mode() & 0o7777, found.mtime()), (mode, time), "{path}");
    }
    assert_eq!(fs::read(extracted.target().join("etc/conf.d/a.conf")).unwrap(), b"a.conf");
}

#[test]
fn what_matches_comes_with_all_that_is_below() {
    assert_eq!(extract(&["/etc/conf.d"]).paths(), ["etc", "etc/conf.d", "etc/conf.d/a.conf", "etc/conf.d/b.bak"]);
    assert_eq!(extract(&["etc", "!conf.d"]).paths(), ["etc", "etc/hosts"]);
    let paths = extract(&["etc", "!conf.d", "*.bak"]).paths();
    assert_eq!(paths, ["etc", "etc/conf.d", "etc/conf.d/b.bak", "etc/hosts"]);
    assert_eq!(extract(&["/z.conf"]).paths(), ["z.conf"]);
    assert_eq!(extract(&["/"]).paths().len(), 9);
}

#[test]
fn nothing_is_touched_if_nothing_matches() {
    let extracted = extract(&["nothing"]);
    assert_eq!(extracted.paths(), [""; 0]);
    assert_eq!(extracted.result.as_ref().unwrap().entry_count, 0);
    assert_ne!(fs::metadata(extracted.target()).unwrap().mtime(), 3000);
    assert_eq!(extracted.warnings, ["warning: nothing in the archive matches the patterns"]);
}

#[test]
fn a_link_becomes_the_file_that_is_left_out() {
    let extracted = extract(&["links"]);
    assert_eq!(extracted.paths(), ["links", "links/one", "links/two"]);
    let [one, two] = ["one", "two"].map(|name| fs::metadata(extracted.target().join("links").join(name)).unwrap());
    assert_eq!((one.ino(), one.nlink(), one.mtime()), (two.ino(), 2, 2000));
    assert_eq!(fs::read(extracted.target().join("links/one")).unwrap(), b"a.conf");
    // With its target among what is extracted it stays a link to that.
    let extracted = extract(&["links", "a.conf"]);
    assert_eq!(fs::metadata(extracted.target().join("etc/conf.d/a.conf")).unwrap().nlink(), 3);
}

#[test]
fn a_link_in_a_stream_needs_its_target() {
    let base = TempDir::new().unwrap();
    let target = base.path().join("target");
    // What lies there from before is not what the link means.
    fs::create_dir_all(target.join("etc/conf.d")).unwrap();
    fs::write(target.join("etc/conf.d/a.conf"), "old").unwrap();
    let bytes = plain();
    let error =
        extract_archive(Decoder::new(bytes.as_slice()), &target, &options(&["links"]), &mut Warnings::default());
    let text = error.unwrap_err().to_string();
    let expected = r#"failed to create the hard link "links/one": "etc/conf.d/a.conf" is not among what is extracted"#;
    assert_eq!(text, expected);
}

#[test]
fn directories_in_the_way_are_told_once() {
    let options = ExtractOptions { strict: false, ..options(&["conf.d/*", "z.conf"]) };
    let extracted = extract_with(&options, |target| fs::write(target.join("etc"), "a file").unwrap());
    assert!(matches!(extracted.result, Err(PxarError::Incomplete { count: 1 })));
    assert_eq!(extracted.warnings.len(), 1);
    assert!(extracted.warnings[0].starts_with(r#"failed to create the directory "etc": "#), "{:?}", extracted.warnings);
    assert_eq!(extracted.paths(), ["etc", "z.conf"]);
    let allowed = ExtractOptions { allow_existing_dirs: true, ..options };
    let extracted = extract_with(&allowed, |target| fs::create_dir(target.join("etc")).unwrap());
    assert_eq!(extracted.paths().len(), 5);
    assert_eq!(fs::metadata(extracted.target().join("etc")).unwrap().mtime(), 1000);
}
