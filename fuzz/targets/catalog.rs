//! Any bytes as a catalog: a walk through all of it, a search, and the same entries again after writing them.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::within;
use pbstore_pxar::catalog::{CatalogEntry, CatalogKind, CatalogReader, CatalogSink, CatalogWalk, CatalogWriter};
use pbstore_pxar::PxarError;

/// The tables from the root to the current directory, which do not overlap, and the places that were visited.
const HEAP_BOUND: usize = 2 << 20;
/// Paths can take the square of the input, and more than the limit of the process.
const MAX_PATH_BYTES: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Ok(count) = within(HEAP_BOUND, || walk(input, |_, _| {})) else { return };
    let mut entries = Vec::new();
    let mut path_bytes = 0;
    walk(input, |path, entry| {
        path_bytes += path.len();
        if path_bytes < MAX_PATH_BYTES {
            entries.push((path.to_vec(), entry));
        }
    })
    .unwrap();
    let directories = entries.iter().filter(|(_, entry)| entry.kind == CatalogKind::Directory);
    for (path, _) in directories.take(8) {
        assert!(CatalogReader::new(Cursor::new(input)).unwrap().find(path).is_ok());
    }
    if entries.len() == count {
        survives_writing(&entries);
    }
});

/// Visits all entries; how many there were.
fn walk(input: &[u8], mut visit: impl FnMut(&[u8], CatalogEntry)) -> Result<usize, PxarError> {
    let mut walk = CatalogWalk::new(CatalogReader::new(Cursor::new(input))?)?;
    let mut count = 0;
    while let Some(entry) = walk.next_entry()? {
        assert!(walk.path().ends_with(&entry.name));
        visit(walk.path(), entry);
        count += 1;
    }
    Ok(count)
}

fn survives_writing(entries: &[(Vec<u8>, CatalogEntry)]) {
    // Only directories say how deep an entry lies, so the writer can be driven by paths of plain names.
    if entries.iter().any(|(_, entry)| entry.name.is_empty() || entry.name.contains(&b'/')) {
        return;
    }
    let mut writer = CatalogWriter::new(Vec::new()).unwrap();
    let mut open = 0;
    for (path, entry) in entries {
        let depth = path.iter().filter(|byte| **byte == b'/').count() - 1;
        while open > depth {
            writer.end_directory().unwrap();
            open -= 1;
        }
        match entry.kind {
            CatalogKind::Directory => {
                writer.start_directory(&entry.name).unwrap();
                open += 1;
            }
            CatalogKind::File => writer.add_file(&entry.name, entry.size, entry.mtime_seconds).unwrap(),
            kind => writer.add_other(&entry.name, kind).unwrap(),
        }
    }
    for _ in 0..open {
        writer.end_directory().unwrap();
    }
    let written = writer.finish().unwrap();
    let mut expected = entries.iter();
    let count = walk(&written, |path, entry| {
        let (old_path, old) = expected.next().unwrap();
        let old = CatalogEntry { directory_offset: entry.directory_offset, ..old.clone() };
        assert_eq!((path, &entry), (old_path.as_slice(), &old));
    });
    assert_eq!(count.unwrap(), entries.len());
}
