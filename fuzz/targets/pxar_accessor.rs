//! Any bytes as an archive that is read at any place: down its goodbye tables, along its hard links, into its files.
//!
//! Input: the length of the metadata stream (longer than all: a version 1 archive), the streams.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::{within, InMemory, Steering};
use pbstore_pxar::accessor::{Accessor, Directory};
use pbstore_pxar::{Entry, Kind, ReadAt};

/// The streams, the tables on one path, and what metadata takes.
const HEAP_BOUND: usize = 4 << 20;

fuzz_target!(|input: &[u8]| {
    let (archive, payload) = Steering::new(input).streams();
    within(HEAP_BOUND, || {
        let source = InMemory::shared(archive);
        let root = match payload {
            Some(payload) => Accessor::with_payload(source, InMemory::shared(payload)),
            None => Accessor::open(source),
        };
        match root {
            Ok(root) => walk(root, archive.len()),
            Err(error) => assert!(!error.to_string().contains('\n')),
        }
    });
});

/// Visits everything below `root`; there cannot be more than the archive has room for.
fn walk(root: Directory, archive_bytes: usize) {
    let mut open = vec![root.entries()];
    let mut directories = vec![root];
    let mut count = 0;
    while let Some(entries) = open.last_mut() {
        let directory = directories.last().unwrap();
        match entries.next() {
            Some(Ok(entry)) => {
                count += 1;
                assert!(count <= archive_bytes / 44);
                let child = directory.open(&entry.name);
                visit(directory, &entry);
                if let (Ok(Some(child)), Kind::Directory) = (child, &entry.kind) {
                    open.push(child.entries());
                    directories.push(child);
                }
            }
            Some(Err(error)) => {
                assert!(!error.to_string().contains('\n'));
                assert!(entries.next().is_none());
            }
            None => {
                open.pop();
                directories.pop();
            }
        }
    }
}

fn visit(directory: &Directory, entry: &Entry) {
    if let Ok(Some(found)) = directory.lookup(&entry.name) {
        assert_eq!(found.name, entry.name);
    }
    let followed = directory.follow(entry);
    assert!(followed.is_err() || matches!(entry.kind, Kind::Hardlink { .. }));
    for file in followed.iter().chain([entry]) {
        let content = directory.content(file);
        let Kind::File { size, .. } = file.kind else {
            assert!(content.is_err());
            continue;
        };
        let Ok(content) = content else { continue };
        assert_eq!(content.size(), size);
        let mut buffer = [0; 64];
        let last = size.saturating_sub(1);
        for offset in [0, last, size, u64::MAX] {
            let count = content.read_at(&mut buffer, offset).unwrap() as u64;
            assert_eq!(count, size.saturating_sub(offset).min(64));
        }
    }
}
