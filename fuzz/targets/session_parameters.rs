//! Queries of the calls that a session's front serves itself: what is let through, and how long an answer gets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::within;

#[path = "../../crates/pbstore-wire/src/server/parameters.rs"]
mod parameters;

/// Names and values, decoded, in a map.
const HEAP_BOUND: usize = 4 << 20;

fuzz_target!(|input: &[u8]| {
    let Ok(query) = std::str::from_utf8(input) else { return };
    within(HEAP_BOUND, || {
        let mut call = parameters::Parameters::parse(query);
        let wid = call.integer("wid", 1..=256);
        let size = call.integer("size", 1..=16 << 20);
        let digest = call.digest("digest");
        match call.finish() {
            Ok(()) => {
                assert!((1..=256).contains(&wid) && (1..=16 << 20).contains(&size));
                let canonical = format!("digest={}&size={size}&wid={wid}", pbstore_format::digest::to_hex(&digest));
                let mut again = parameters::Parameters::parse(&canonical);
                assert_eq!((again.integer("wid", 1..=256), again.integer("size", 1..=16 << 20)), (wid, size));
                assert_eq!(again.digest("digest"), digest);
                assert_eq!(again.finish(), Ok(()));
            }
            Err(text) => {
                assert!(text.len() < 8192 && text.starts_with("parameter verification failed"));
                assert!(text.lines().count() <= 18 && !text.contains(|c: char| c.is_control() && c != '\n'));
            }
        }
    });
});
