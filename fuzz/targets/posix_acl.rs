//! ACLs as the kernel's extended attributes have them, and from an archive's items.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::{within, Steering};
use pbstore_pxar::metadata::{self, Acl};

#[allow(dead_code, reason = "the names of the attributes are not needed here")]
#[path = "../../crates/pbstore-pxar/src/posix_acl.rs"]
mod posix_acl;

/// Entries take twice the bytes that they have in the attribute.
const HEAP_BOUND: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let mut steering = Steering::new(input);
    let mode = u64::from(u16::from_le_bytes(steering.bytes()));
    let value = steering.rest();
    within(HEAP_BOUND, || {
        access(value, mode);
        default(value);
        let acl = from_items(value);
        let _ = posix_acl::write_access(&acl, mode);
        let _ = posix_acl::write_default(&acl);
    });
});

fn access(value: &[u8], mode: u64) {
    let mut acl = Acl::default();
    let understood = posix_acl::read_access(value, &mut acl);
    assert!(understood || acl.is_empty());
    match posix_acl::write_access(&acl, mode) {
        Ok(Some(written)) => {
            let mut again = Acl::default();
            assert!(posix_acl::read_access(&written.value, &mut again));
            assert_eq!(written.group_guessed, acl.group_obj.is_none());
            let group_obj = Some(acl.group_obj.unwrap_or(mode >> 3 & 7));
            assert_eq!(again, Acl { group_obj, ..acl });
        }
        Ok(None) => assert!(acl.is_empty()),
        Err(reason) => assert!(!reason.is_empty()),
    }
}

fn default(value: &[u8]) {
    let mut acl = Acl::default();
    let understood = posix_acl::read_default(value, &mut acl);
    assert!(understood || acl.is_empty());
    match posix_acl::write_default(&acl) {
        Ok(Some(written)) => {
            let mut again = Acl::default();
            assert!(posix_acl::read_default(&written, &mut again));
            assert_eq!(again, acl);
        }
        Ok(None) => assert!(acl.is_empty()),
        Err(reason) => assert!(!reason.is_empty()),
    }
}

/// An ACL with numbers that no kernel gives.
fn from_items(bytes: &[u8]) -> Acl {
    let mut numbers = bytes.chunks_exact(8).map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap()));
    let mut next = || numbers.next().unwrap_or(metadata::NO_PERMISSIONS);
    let entry = |id, permissions| metadata::AclEntry { id, permissions };
    Acl {
        users: vec![entry(next(), next())],
        groups: vec![entry(next(), next())],
        group_obj: Some(next()),
        default: Some(metadata::AclDefault { user_obj: next(), group_obj: next(), other: next(), mask: next() }),
        default_users: vec![entry(next(), next())],
        default_groups: vec![entry(next(), next())],
    }
}
