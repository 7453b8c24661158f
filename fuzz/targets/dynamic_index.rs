//! Dynamic index files: ends that do not ascend, chunks that are too long.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_format::blob::MAX_CHUNK_BYTES;
use pbstore_format::dynamic_index::encode_file;
use pbstore_format::{DynamicIndex, Index};
use pbstore_fuzz::within;

/// Some copies of the longest input.
const HEAP_BOUND: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    within(HEAP_BOUND, || {
        let Ok(index) = DynamicIndex::parse(input.to_vec()) else { return };
        let count = index.len();
        let mut start = 0;
        for number in 0..count {
            let end = index.chunk_end(number).unwrap();
            assert!(start < end && end - start <= MAX_CHUNK_BYTES as u64);
            assert_eq!((index.chunk_start(number), index.chunk_len(number)), (Some(start), Some(end - start)));
            assert_eq!((index.find(start), index.find(end - 1)), (Some(number), Some(number)));
            start = end;
        }
        assert_eq!(start, index.size());
        for beyond in [count, usize::MAX] {
            assert_eq!((index.digest(beyond), index.chunk_end(beyond)), (None, None));
            assert_eq!(index.chunk_start(beyond), None);
        }
        assert_eq!((index.find(index.size()), index.find(u64::MAX)), (None, None));

        let entries = (0..count).map(|number| (index.chunk_end(number).unwrap(), *index.digest(number).unwrap()));
        let file = encode_file(*index.header(), &entries.collect::<Vec<_>>()).unwrap();
        let again = DynamicIndex::parse(file).unwrap();
        assert_eq!((again.header().csum, again.csum()), (index.csum(), index.csum()));
        assert_eq!((again.size(), again.ctime(), again.uuid()), (index.size(), index.ctime(), index.uuid()));
        assert!(again.digests().eq(index.digests()));
    });
});
