//! Paths of requests: what is let through has nothing hidden in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::within;

#[path = "../../crates/pbstore-wire/src/server/target.rs"]
mod target;

/// A copy or two of the path.
const HEAP_BOUND: usize = 256 << 10;

fuzz_target!(|input: &[u8]| {
    let Ok(path) = std::str::from_utf8(input) else { return };
    within(HEAP_BOUND, || {
        let Some(clean) = target::clean_path(path) else { return };
        assert_eq!(target::clean_path(&clean).as_ref(), Some(&clean));
        let components = clean.strip_prefix('/').unwrap();
        for component in components.split('/') {
            assert!(!component.is_empty() || clean == "/");
            let decoded: Vec<u8> = percent_encoding::percent_decode_str(component).collect();
            assert!(!decoded.starts_with(b"."));
        }
    });
});
