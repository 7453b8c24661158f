//! Fixed index files: sizes and offsets that cannot be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_format::fixed_index::{chunk_count, encode_file};
use pbstore_format::{FixedIndex, Index};
use pbstore_fuzz::within;

/// Some copies of the longest input.
const HEAP_BOUND: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    within(HEAP_BOUND, || {
        let Ok(index) = FixedIndex::parse(input.to_vec()) else { return };
        let count = index.len();
        assert_eq!(chunk_count(index.size(), index.chunk_size()), Some(count as u64));
        let mut start = 0;
        for number in 0..count {
            let end = index.chunk_end(number).unwrap();
            assert!(start < end && end - start <= index.chunk_size());
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

        let digests: Vec<_> = index.digests().copied().collect();
        let file = encode_file(*index.header(), &digests).unwrap();
        let again = FixedIndex::parse(file).unwrap();
        assert_eq!((again.header().csum, again.csum()), (index.csum(), index.csum()));
        assert_eq!((again.size(), again.ctime(), again.uuid()), (index.size(), index.ctime(), index.uuid()));
        assert!(again.digests().eq(index.digests()));
    });
});
