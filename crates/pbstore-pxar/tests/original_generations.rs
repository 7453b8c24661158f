//! The three generations of trees that release 4.2.3 archived with change detection, archived by us with its archives
//! as reference. They are in the directory that PBSTORE_FIXTURES names; without it, or for ordinary users, who cannot
//! unpack them, there is nothing to do.

mod payloads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use payloads::{assembled, reference, seen, Chunks, Cutter, Cutting, Log, Seen};
use pbstore_format::blob::{open, MAX_CHUNK_BYTES};
use pbstore_format::digest::to_hex;
use pbstore_format::{DynamicIndex, Index};
use pbstore_pxar::{create_split_archive, CreateOptions, CreateStats, Kind, Pattern};

const DAYS: [&str; 3] = ["2026-06-01T08:00:00Z", "2026-06-02T08:00:00Z", "2026-06-03T08:00:00Z"];

/// A split archive.
struct Archive {
    metadata: Vec<u8>,
    index: DynamicIndex,
}

/// The generations of one tree, with the chunks of all archives of it.
struct Tree<'a> {
    fixtures: &'a Path,
    unpacked: &'a Path,
    group: &'a str,
    name: &'a str,
    exclude: Vec<Pattern>,
    chunks: Chunks,
}

impl<'a> Tree<'a> {
    fn new(fixtures: &'a Path, unpacked: &'a Path, group: &'a str, name: &'a str, exclude: &[&str]) -> Self {
        let exclude = exclude.iter().map(|text| Pattern::parse(text.as_bytes()).unwrap()).collect();
        Self { fixtures, unpacked, group, name, exclude, chunks: Chunks::new() }
    }

    /// The original's archive of a generation.
    fn original(&mut self, generation: usize) -> Archive {
        let Self { group, name, .. } = self;
        let packed = self.fixtures.join(format!("items/{group}-g{generation}-{name}.mpxar.xz"));
        let metadata = Command::new("xz").arg("-dc").arg(packed).output().unwrap().stdout;
        let path = format!("host/{group}/{}/{name}.ppxar.didx", DAYS[generation - 1]);
        let index = DynamicIndex::parse(fs::read(self.unpacked.join(path)).unwrap()).unwrap();
        for number in 0..index.len() {
            let digest = *index.digest(number).unwrap();
            let file_name = to_hex(&digest);
            let blob = fs::read(self.unpacked.join(".chunks").join(&file_name[..4]).join(file_name)).unwrap();
            // What is encrypted only has to have its length here.
            let content = open(&blob, None, MAX_CHUNK_BYTES);
            let content = content.unwrap_or_else(|_| vec![0; index.chunk_len(number).unwrap() as usize]);
            self.chunks.insert(digest, content);
        }
        Archive { metadata, index }
    }

    /// Our archive of a generation.
    fn archive(&mut self, generation: usize, before: Option<&Archive>) -> (Archive, CreateStats) {
        let source = self.unpacked.join(format!("g{generation}")).join(self.name);
        let options = CreateOptions { exclude: self.exclude.clone(), ..CreateOptions::default() };
        let reference = before.map(|before| reference(&before.metadata, &before.index));
        let mut cutter = Cutter::new(&mut self.chunks, Cutting { max: 4 << 20, min: Some(1 << 20) });
        let (mut metadata, mut log) = (Vec::new(), Log::default());
        let stats = create_split_archive(&source, &mut metadata, &mut cutter, reference, &options, &mut log).unwrap();
        assert_eq!(log.warnings, Vec::<String>::new());
        let index = cutter.finish();
        (Archive { metadata, index }, stats)
    }

    /// How many files the original reused, as it said.
    fn reused_by_the_original(&self, generation: usize) -> u64 {
        let path = format!("cli/backup-{}-g{generation}.txt", self.group);
        let text = fs::read_to_string(self.fixtures.join(path)).unwrap();
        let end = text.find(&format!("\n{}.ppxar: had to", self.name)).unwrap();
        let line = text[..end].lines().rfind(|line| line.contains("unchanged, reusable files")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Our archive has what the original's has, which saw every change that metadata tells of.
    fn compare(&self, ours: &Archive, original: &Archive) {
        let mut theirs = self.seen(original);
        // GNU tar keeps no sockets.
        theirs.retain(|entry| entry.kind != Kind::Socket);
        let found = self.seen(ours);
        assert_eq!(found.len(), theirs.len());
        for (found, expected) in found.iter().zip(&theirs) {
            let path = String::from_utf8_lossy(&found.path);
            assert_eq!(found.path, expected.path);
            assert!(found.content == expected.content, "{path} has other content");
            assert_eq!(found.metadata, expected.metadata, "{path}");
            assert_eq!(without_distance(&found.kind), without_distance(&expected.kind), "{path}");
        }
    }

    fn seen(&self, archive: &Archive) -> Vec<Seen> {
        seen(&archive.metadata, &self.payload(archive))
    }

    fn payload(&self, archive: &Archive) -> Vec<u8> {
        assembled(&archive.index, &self.chunks)
    }
}

/// A socket that is missing in between makes the way to a link's target shorter.
fn without_distance(kind: &Kind) -> Kind {
    match kind.clone() {
        Kind::Hardlink { target, .. } => Kind::Hardlink { target, distance: 0 },
        kind => kind,
    }
}

fn untar(archive: &Path, target: &Path) {
    let options = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "--same-owner", "-xJf"];
    let mut command = Command::new("tar");
    command.arg("-C").arg(target).args(options).arg(archive).stderr(Stdio::null());
    assert!(command.status().unwrap().success());
}

fn reused(stats: &CreateStats) -> (u64, u64, u64, u64) {
    (stats.reused_file_count, stats.reused_payload_bytes(), stats.padding_bytes(), stats.partial_chunk_count)
}

#[test]
fn generations_of_423_are_archived_with_its_archives_as_reference() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let fixtures = std::env::var_os("PBSTORE_FIXTURES").map_or(beside, PathBuf::from).join("4.2.3");
    if !fixtures.is_dir() || !rustix::process::geteuid().is_root() {
        eprintln!("not done: needs root and the files of the original at {}", fixtures.display());
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    untar(&fixtures.join("trees/sources-g1-g2-g3.tar.xz"), directory.path());
    untar(&fixtures.join("datastore.tar.xz"), directory.path());
    let exclude = ["*.bak", "/cache", "!important.bak"];
    small_files_in_one_chunk(Tree::new(&fixtures, directory.path(), "split", "etc", &exclude));
    all_kinds_of_changes(Tree::new(&fixtures, directory.path(), "split", "tree", &exclude));
    encrypted_payloads(Tree::new(&fixtures, directory.path(), "encsplit", "enc", &["*.nope"]));
}

fn small_files_in_one_chunk(mut tree: Tree) {
    let originals = [1, 2, 3].map(|generation| tree.original(generation));
    let (ours, _) = tree.archive(1, None);
    assert!(ours.metadata == originals[0].metadata);
    assert!(tree.payload(&ours) == tree.payload(&originals[0]));
    let (ours, stats) = tree.archive(2, Some(&originals[0]));
    tree.compare(&ours, &originals[1]);
    assert_eq!(reused(&stats), (0, 0, 0, 0));
    assert_eq!(tree.reused_by_the_original(2), 0);
    let (ours, stats) = tree.archive(3, Some(&originals[1]));
    // Among the files is one whose content changed but not its metadata: both have its old content.
    tree.compare(&ours, &originals[2]);
    assert!(ours.metadata == originals[2].metadata);
    assert!(tree.payload(&ours) == tree.payload(&originals[2]));
    assert_eq!(reused(&stats), (32, 32172, 32, 1));
    assert_eq!(tree.reused_by_the_original(3), 32);
}

fn all_kinds_of_changes(mut tree: Tree) {
    let originals = [1, 2, 3].map(|generation| tree.original(generation));
    let (ours, _) = tree.archive(1, None);
    tree.compare(&ours, &originals[0]);
    // The original takes the chunk behind a run too if the run ends with a chunk, and finds that it is all padding.
    let (ours, stats) = tree.archive(2, Some(&originals[0]));
    tree.compare(&ours, &originals[1]);
    assert_eq!(reused(&stats), (115, 35_201_716, 743_544, 3));
    assert_eq!(tree.reused_by_the_original(2), 9);
    let (ours, stats) = tree.archive(3, Some(&originals[1]));
    tree.compare(&ours, &originals[2]);
    assert_eq!(reused(&stats), (16, 26_560_329, 238_928, 3));
    assert_eq!(tree.reused_by_the_original(3), 8);
}

fn encrypted_payloads(mut tree: Tree) {
    let originals = [1, 2].map(|generation| tree.original(generation));
    let (ours, _) = tree.archive(1, None);
    assert!(ours.metadata == originals[0].metadata);
    let (ours, stats) = tree.archive(2, Some(&originals[0]));
    assert!(ours.metadata == originals[1].metadata);
    assert_eq!(reused(&stats), (14, 8974, 862, 1));
    assert_eq!(tree.reused_by_the_original(2), 14);
    let (_, stats) = tree.archive(3, Some(&originals[1]));
    assert_eq!(reused(&stats), (0, 0, 0, 0));
    assert_eq!(tree.reused_by_the_original(3), 0);
}
