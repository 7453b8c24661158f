//! What an archive says survives being written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::{flat_tree, within};

/// The encoder's block of 1 MiB, twice the decoder's buffers, and the tree a few times.
const HEAP_BOUND: usize = 8 << 20;

fuzz_target!(|input: &[u8]| {
    within(HEAP_BOUND, || {
        let Ok(tree) = flat_tree::decode(input) else { return };
        let Some(archive) = flat_tree::encode(&tree) else { return };
        let again = flat_tree::decode(&archive).unwrap();
        assert_eq!(again, tree);
        assert_eq!(flat_tree::encode(&again), Some(archive));
    });
});
