//! What an archive says survives being written again, in one stream and in two, read in order and at any place.
#![no_main]

use std::collections::HashMap;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::flat_tree::{decode, detached, encode, encode_split, Step};
use pbstore_fuzz::{within, InMemory, Steering};
use pbstore_pxar::accessor::{Accessor, Directory};
use pbstore_pxar::{Decoder, Kind, ReadAt};

/// Two blocks of 1 MiB of the encoder, the decoder's buffers, and the tree a few times.
const HEAP_BOUND: usize = 16 << 20;

// Input: as of pxar_accessor.
fuzz_target!(|input: &[u8]| {
    let (archive, payload) = Steering::new(input).streams();
    within(HEAP_BOUND, || {
        let decoded = match payload {
            Some(payload) => decode(Decoder::with_payload(archive, payload)),
            None => decode(Decoder::new(archive)),
        };
        let Ok(tree) = decoded else { return };
        let Some(whole) = encode(&tree) else { return };
        let again = decode(Decoder::new(whole.as_slice())).unwrap();
        assert_eq!(again, tree);
        assert_eq!(encode(&again).as_ref(), Some(&whole));

        let (metadata, payload) = encode_split(&tree, Some(b"prelude")).unwrap();
        let mut decoder = Decoder::with_payload(metadata.as_slice(), payload.as_slice());
        decoder.next_event().unwrap();
        assert_eq!(decoder.prelude(), Some(b"prelude".as_slice()));
        assert_eq!(decode(Decoder::with_payload(metadata.as_slice(), payload.as_slice())).unwrap(), tree);
        let (metadata, payload) = (InMemory::shared(&metadata), InMemory::shared(&payload));
        assert_eq!(decode(Decoder::at(Arc::clone(&metadata), Some(Arc::clone(&payload)))).unwrap(), tree);

        if has_plain_names(&tree) {
            is_found_at_any_place(&tree, Accessor::open(InMemory::shared(&whole)).unwrap());
            is_found_at_any_place(&tree, Accessor::with_payload(metadata, payload).unwrap());
        }
    });
});

/// Whether names lead to one entry each.
fn has_plain_names(tree: &[Step]) -> bool {
    let mut paths = HashMap::new();
    tree.iter().all(|step| match step {
        Step::Entry(path, ..) => paths.insert(path, ()).is_none(),
        Step::DirectoryEnd => true,
    })
}

fn is_found_at_any_place(tree: &[Step], root: Directory) {
    let mut open: Vec<Directory> = Vec::new();
    for step in tree {
        let Step::Entry(_, entry, content) = step else {
            open.pop();
            continue;
        };
        let Some(directory) = open.last() else {
            assert_eq!(*root.metadata(), entry.metadata);
            open.push(root.clone());
            continue;
        };
        let found = directory.lookup(&entry.name).unwrap().unwrap();
        assert_eq!(detached(found.clone()), *entry);
        match entry.kind {
            Kind::Directory => {
                let child = directory.open(&entry.name).unwrap().unwrap();
                open.push(child);
            }
            Kind::Hardlink { .. } => assert!(matches!(directory.follow(&found).unwrap().kind, Kind::File { .. })),
            Kind::File { .. } => {
                let mut bytes = vec![0; content.len()];
                directory.content(&found).unwrap().read_exact_at(&mut bytes, 0).unwrap();
                assert_eq!(bytes, *content);
            }
            _ => {}
        }
    }
    let names = |step: &Step| match step {
        Step::Entry(path, entry, _) if !path.is_empty() && !path.contains(&b'/') => Some(entry.name.clone()),
        _ => None,
    };
    let listed = root.entries().map(|entry| entry.unwrap().name);
    assert!(listed.eq(tree.iter().filter_map(names)));
}
