//! Exclude patterns: any text as a pattern, any path, against a matcher that tries everything (pxar.md 4.1).
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::plain_glob::matches;
use pbstore_fuzz::within;
use pbstore_pxar::pattern::Verdict;
use pbstore_pxar::Pattern;

/// A class takes 256 bytes for two or more of the pattern.
const HEAP_BOUND: usize = 4 << 20;
/// Trying everything takes too long with more.
const MAX_PLAIN_BYTES: usize = 28;

// Input: the pattern, a zero byte, the path without its leading slash.
fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let text = parts.next().unwrap_or_default();
    let path = [b"/", parts.next().unwrap_or_default()].concat();
    within(HEAP_BOUND, || {
        let pattern = match Pattern::parse(text) {
            Ok(pattern) => pattern,
            Err(error) => return assert!(!error.to_string().contains('\n')),
        };
        let normal = pattern.text();
        let again = Pattern::parse(normal).unwrap();
        assert_eq!((again.text(), again.changed_from()), (normal, None));

        let (body, hit) = match normal.strip_prefix(b"!") {
            Some(body) => (body, Verdict::Include),
            None => (normal, Verdict::Exclude),
        };
        let verdict = pattern.verdict(&path, true);
        assert!(verdict.is_none() || verdict == Some(hit));
        assert_eq!(again.verdict(&path, true), verdict);
        let (directories_only, glob) = match body.strip_suffix(b"/") {
            Some(glob) => (true, glob),
            None => (false, body),
        };
        assert_eq!(pattern.verdict(&path, false), verdict.filter(|_| !directories_only));
        let inside = Pattern::parse_in(text, b"/dir").unwrap();
        let inside_verdict = inside.verdict(&[b"/dir", path.as_slice()].concat(), true);
        if glob.len() > MAX_PLAIN_BYTES || path.len() > MAX_PLAIN_BYTES {
            return;
        }
        let suffixes = (0..path.len()).filter(|start| path[*start] == b'/').map(|start| &path[start + 1..]);
        let matched = std::iter::once(path.as_slice()).chain(suffixes).any(|end| matches(glob, end));
        assert_eq!(verdict.is_some(), matched);
        if glob.starts_with(b"/") {
            assert_eq!(inside_verdict.is_some(), matches(glob, &path));
        }
    });
});
