//! An archive as it looks to those who read it from front to end and to those who jump.

use std::collections::VecDeque;
use std::io::Read;

use pbstore_pxar::{Decoder, Directory, Entry, Event, Kind, PxarError, ReadAt};

/// Path, entry, and the content if it is in the archive.
pub type Seen = (Vec<u8>, Entry, Vec<u8>);

/// Everything below the root, read from front to end; of a split archive without its payload no contents.
pub fn decoded<R: Read, P: Read>(mut decoder: Decoder<R, P>) -> Result<Vec<Seen>, PxarError> {
    let mut seen = Vec::new();
    while let Some(event) = decoder.next_event()? {
        let Event::Entry(entry) = event else { continue };
        let mut content = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match decoder.read_content(&mut buffer) {
                Ok(0) | Err(PxarError::PayloadRequired) => break,
                Ok(count) => content.extend_from_slice(&buffer[..count]),
                Err(error) => return Err(error),
            }
        }
        seen.push((decoder.path().to_vec(), entry, content));
    }
    seen.remove(0);
    Ok(seen)
}

pub fn content_of(directory: &Directory, file: &Entry) -> Vec<u8> {
    let content = directory.content(file).unwrap();
    let mut bytes = vec![0; content.size() as usize];
    content.read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(content.read_at(&mut [0; 1], content.size()).unwrap(), 0);
    bytes
}

/// Everything below the root, by opening directory after directory, sorted by place.
pub fn accessed(root: Directory) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut pending = VecDeque::from([(Vec::new(), root)]);
    while let Some((path, directory)) = pending.pop_front() {
        for entry in directory.entries() {
            let entry = entry.unwrap();
            assert_eq!(directory.lookup(&entry.name).unwrap().as_ref(), Some(&entry));
            let path = if path.is_empty() { entry.name.clone() } else { [path.as_slice(), b"/", &entry.name].concat() };
            let opened = directory.open(&entry.name).unwrap();
            assert_eq!(opened.is_some(), entry.kind == Kind::Directory);
            if let Some(opened) = opened {
                assert_eq!(*opened.metadata(), entry.metadata);
                pending.push_back((path.clone(), opened));
            }
            let content = match (&entry.kind, directory.content(&entry)) {
                (Kind::File { .. }, Ok(_)) => content_of(&directory, &entry),
                (Kind::File { .. }, Err(PxarError::PayloadRequired)) | (_, Err(PxarError::Invalid(_))) => Vec::new(),
                (_, content) => panic!("{:?}", content.map(drop)),
            };
            seen.push((path, entry, content));
        }
        assert!(directory.lookup(b"no such name").unwrap().is_none());
    }
    seen.sort_by_key(|(_, entry, _)| entry.name_start);
    seen
}
