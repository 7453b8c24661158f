//! POSIX ACLs between the kernel's extended attributes and the archive's items (pxar.md 3.3).

use crate::metadata::{Acl, AclDefault, AclEntry, NO_PERMISSIONS};

/// Attribute that holds the access ACL.
pub const ACCESS_XATTR: &str = "system.posix_acl_access";
/// Attribute that holds the default ACL of a directory.
pub const DEFAULT_XATTR: &str = "system.posix_acl_default";

const VERSION: [u8; 4] = 2u32.to_le_bytes();
const NO_ID: u32 = u32::MAX;

const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// The entries of an ACL, sorted into their kinds.
struct Parts {
    users: Vec<AclEntry>,
    groups: Vec<AclEntry>,
    unnamed: AclDefault,
}

/// Takes the access ACL's value over into `acl`; false if the value makes no sense.
pub fn read_access(value: &[u8], acl: &mut Acl) -> bool {
    let Some(parts) = parse(value) else { return false };
    acl.users = parts.users;
    acl.groups = parts.groups;
    // With a mask, the group bits of the mode are the mask.
    acl.group_obj = (parts.unnamed.mask != NO_PERMISSIONS).then_some(parts.unnamed.group_obj);
    true
}

/// Takes the default ACL's value over into `acl`; false if the value makes no sense.
pub fn read_default(value: &[u8], acl: &mut Acl) -> bool {
    let Some(parts) = parse(value) else { return false };
    acl.default_users = parts.users;
    acl.default_groups = parts.groups;
    let unnamed = parts.unnamed;
    let present = [unnamed.user_obj, unnamed.group_obj, unnamed.other, unnamed.mask];
    acl.default = present.iter().any(|permissions| *permissions != NO_PERMISSIONS).then_some(unnamed);
    true
}

fn parse(value: &[u8]) -> Option<Parts> {
    let absent = NO_PERMISSIONS;
    let unnamed = AclDefault { user_obj: absent, group_obj: absent, other: absent, mask: absent };
    let mut parts = Parts { users: Vec::new(), groups: Vec::new(), unnamed };
    let entries = value.strip_prefix(&VERSION)?;
    if entries.len() % 8 != 0 {
        return None;
    }
    for entry in entries.chunks_exact(8) {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        let permissions = u64::from(u16::from_le_bytes([entry[2], entry[3]]));
        let id = u64::from(u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]));
        match tag {
            USER_OBJ => parts.unnamed.user_obj = permissions,
            USER => parts.users.push(AclEntry { id, permissions }),
            GROUP_OBJ => parts.unnamed.group_obj = permissions,
            GROUP => parts.groups.push(AclEntry { id, permissions }),
            MASK => parts.unnamed.mask = permissions,
            OTHER => parts.unnamed.other = permissions,
            _ => return None,
        }
    }
    parts.users.sort_unstable();
    parts.groups.sort_unstable();
    Some(parts)
}

/// An access ACL to set.
pub struct AccessAcl {
    /// Value of the attribute.
    pub value: Vec<u8>,
    /// The archive had no permissions for the owning group, so they were taken from the mask.
    pub group_guessed: bool,
}

/// The access ACL of an entry with this mode; `None` if the mode says it all, an error if it cannot be one.
pub fn write_access(acl: &Acl, mode: u64) -> Result<Option<AccessAcl>, &'static str> {
    let named = !acl.users.is_empty() || !acl.groups.is_empty();
    if !named && acl.group_obj.is_none() {
        return Ok(None);
    }
    let group_bits = mode >> 3 & 7;
    let unnamed = AclDefault {
        user_obj: mode >> 6 & 7,
        group_obj: acl.group_obj.unwrap_or(group_bits),
        other: mode & 7,
        mask: group_bits,
    };
    let value = write(&acl.users, &acl.groups, unnamed)?;
    Ok(Some(AccessAcl { value, group_guessed: acl.group_obj.is_none() }))
}

/// The default ACL of a directory; `None` if it has none, an error if it cannot be one.
pub fn write_default(acl: &Acl) -> Result<Option<Vec<u8>>, &'static str> {
    match acl.default {
        Some(unnamed) => write(&acl.default_users, &acl.default_groups, unnamed).map(Some),
        None if acl.default_users.is_empty() && acl.default_groups.is_empty() => Ok(None),
        None => Err("a default ACL without its unnamed entries"),
    }
}

fn write(users: &[AclEntry], groups: &[AclEntry], unnamed: AclDefault) -> Result<Vec<u8>, &'static str> {
    let mut value = VERSION.to_vec();
    put(&mut value, USER_OBJ, unnamed.user_obj, NO_ID)?;
    for entry in users {
        put_named(&mut value, USER, entry)?;
    }
    put(&mut value, GROUP_OBJ, unnamed.group_obj, NO_ID)?;
    for entry in groups {
        put_named(&mut value, GROUP, entry)?;
    }
    put(&mut value, MASK, unnamed.mask, NO_ID)?;
    put(&mut value, OTHER, unnamed.other, NO_ID)?;
    Ok(value)
}

fn put_named(value: &mut Vec<u8>, tag: u16, entry: &AclEntry) -> Result<(), &'static str> {
    let id = u32::try_from(entry.id).map_err(|_| "an ACL entry with an impossible id")?;
    if entry.permissions == NO_PERMISSIONS {
        return Err("a named ACL entry without permissions");
    }
    put(value, tag, entry.permissions, id)
}

fn put(value: &mut Vec<u8>, tag: u16, permissions: u64, id: u32) -> Result<(), &'static str> {
    match permissions {
        NO_PERMISSIONS => return Ok(()),
        0..=7 => {}
        _ => return Err("an ACL entry with impossible permissions"),
    }
    value.extend_from_slice(&tag.to_le_bytes());
    value.extend_from_slice(&(permissions as u16).to_le_bytes());
    value.extend_from_slice(&id.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn access_acl_with_named_entries_survives_a_round_trip() {
        let value = bytes(concat!(
            "0200000001000600ffffffff020004002200000002000600e803000004000400ffffffff",
            "08000400d007000010000600ffffffff20000000ffffffff"
        ));
        let mut acl = Acl::default();
        assert!(read_access(&value, &mut acl));
        assert_eq!(acl.users, [AclEntry { id: 34, permissions: 4 }, AclEntry { id: 1000, permissions: 6 }]);
        assert_eq!(acl.group_obj, Some(4));
        let written = write_access(&acl, 0o100_660).unwrap().unwrap();
        assert_eq!(written.value, value);
        assert!(!written.group_guessed);
    }

    #[test]
    fn default_acl_without_a_mask_survives_a_round_trip() {
        let value = bytes("0200000001000700ffffffff04000500ffffffff20000400ffffffff");
        let mut acl = Acl::default();
        assert!(read_default(&value, &mut acl));
        assert_eq!(acl.default.unwrap().mask, NO_PERMISSIONS);
        assert_eq!(write_default(&acl), Ok(Some(value)));
    }

    #[test]
    fn an_acl_that_only_repeats_the_mode_is_nothing() {
        let mut acl = Acl::default();
        assert!(read_access(&bytes("0200000001000600ffffffff04000400ffffffff20000400ffffffff"), &mut acl));
        assert!(acl.is_empty());
        assert!(write_access(&acl, 0o644).unwrap().is_none());
    }

    #[test]
    fn impossible_values_are_refused() {
        assert!(!read_access(b"", &mut Acl::default()));
        assert!(!read_access(&bytes("02000000010006"), &mut Acl::default()));
        let too_much = Acl { users: vec![AclEntry { id: 1, permissions: 8 }], ..Acl::default() };
        assert!(write_access(&too_much, 0).is_err());
        let no_such_id = Acl { users: vec![AclEntry { id: 1 << 32, permissions: 7 }], ..Acl::default() };
        assert!(write_access(&no_such_id, 0).is_err());
    }
}
