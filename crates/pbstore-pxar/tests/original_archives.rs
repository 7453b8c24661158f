//! Archives that the original programs made, from the directory in PBSTORE_FIXTURES; without it there is nothing to read.

mod memory;
mod views;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use pbstore_pxar::{Accessor, Decoder};

use memory::Bytes;
use views::{accessed, decoded};

const FOLDERS: [&str; 3] = ["3.2.4/pxar", "4.2.3/pxar", "4.2.3/items"];

fn fixtures() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    std::env::var_os("PBSTORE_FIXTURES").map_or(beside, PathBuf::from)
}

fn archives() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(fixtures().join(folder)) else { continue };
        paths.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let is_archive = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        let name = name.trim_end_matches(".xz");
        name.ends_with(".pxar") || name.ends_with(".mpxar")
    };
    paths.retain(is_archive);
    paths.sort();
    paths
}

fn read(path: &Path) -> Vec<u8> {
    if path.extension().is_some_and(|extension| extension == "xz") {
        let output = Command::new("xz").arg("-dc").arg(path).output().expect("xz unpacks the archives");
        assert!(output.status.success());
        return output.stdout;
    }
    fs::read(path).unwrap()
}

#[test]
fn jumping_finds_what_reading_finds() {
    let paths = archives();
    if paths.is_empty() {
        eprintln!("no archives of the original at {}: set PBSTORE_FIXTURES", fixtures().display());
        return;
    }
    for path in paths {
        let bytes = read(&path);
        let root = Accessor::open(Arc::new(Bytes(bytes.clone()))).unwrap();
        let seen = decoded(Decoder::new(bytes.as_slice())).unwrap();
        assert!(seen.len() > 5, "{}", path.display());
        // Not assert_eq, which would print megabytes.
        assert!(accessed(root) == seen, "{}", path.display());
        println!("{}: {} entries", path.display(), seen.len());
    }
}
