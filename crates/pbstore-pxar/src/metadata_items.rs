//! Reads the items between an entry's stat data and its tail.

use std::io::Read;

use crate::error::PxarError;
use crate::input::Input;
use crate::items::{self, Header};
use crate::metadata::{AclDefault, AclEntry, Metadata, Mtime, Stat, Xattr};

/// Most memory that the metadata of one entry may take.
const MAX_METADATA_BYTES: usize = 16 << 20;

const NANOSECONDS: u64 = 1_000_000_000;

/// Reads the content of an ENTRY or ENTRY_V1 item.
pub fn read_stat<R: Read>(input: &mut Input<R>, header: Header) -> Result<Stat, PxarError> {
    let start = input.position();
    let (mode, flags, ids, seconds, nanoseconds) = match header.item_type {
        items::ENTRY => {
            let [mode, flags, ids, seconds, nanoseconds] = input.numbers(header)?;
            (mode, flags, ids, seconds as i64, nanoseconds & u64::from(u32::MAX))
        }
        items::ENTRY_V1 => {
            let [mode, flags, ids, mtime] = input.numbers(header)?;
            (mode, flags, ids, (mtime / NANOSECONDS) as i64, mtime % NANOSECONDS)
        }
        other => return Err(unexpected(start, other, "an entry")),
    };
    if nanoseconds >= NANOSECONDS {
        return Err(PxarError::malformed(start, "a time with a second or more of nanoseconds"));
    }
    let mtime = Mtime { seconds, nanoseconds: nanoseconds as u32 };
    Ok(Stat { mode, flags, uid: ids as u32, gid: (ids >> 32) as u32, mtime })
}

/// Reads metadata items up to the first header that is none, which is returned.
pub fn read_metadata<R: Read>(input: &mut Input<R>, stat: Stat) -> Result<(Metadata, Header), PxarError> {
    let mut metadata = Metadata { stat, ..Metadata::default() };
    let mut held_bytes = 0;
    loop {
        let start = input.position();
        let header = input.header()?;
        if !read_item(input, header, &mut metadata)? {
            return Ok((metadata, header));
        }
        held_bytes += header.content_bytes as usize + size_of::<Xattr>();
        if held_bytes > MAX_METADATA_BYTES {
            return Err(PxarError::malformed(start, "more than 16 MiB of metadata in one entry"));
        }
    }
}

/// Reads one item into `metadata`; false if it is no metadata.
fn read_item<R: Read>(input: &mut Input<R>, header: Header, metadata: &mut Metadata) -> Result<bool, PxarError> {
    let start = input.position();
    let acl = &mut metadata.acl;
    match header.item_type {
        items::XATTR => metadata.xattrs.push(read_xattr(input, header)?),
        items::ACL_USER => acl.users.push(read_acl_entry(input, header)?),
        items::ACL_GROUP => acl.groups.push(read_acl_entry(input, header)?),
        items::ACL_DEFAULT_USER => acl.default_users.push(read_acl_entry(input, header)?),
        items::ACL_DEFAULT_GROUP => acl.default_groups.push(read_acl_entry(input, header)?),
        items::ACL_GROUP_OBJ => {
            let [permissions] = input.numbers(header)?;
            set_once(&mut acl.group_obj, permissions, start)?;
        }
        items::ACL_DEFAULT => {
            let [user_obj, group_obj, other, mask] = input.numbers(header)?;
            set_once(&mut acl.default, AclDefault { user_obj, group_obj, other, mask }, start)?;
        }
        items::FCAPS => {
            let limit = items::MAX_XATTR_NAME_BYTES + items::MAX_XATTR_VALUE_BYTES;
            let value = input.content(header, limit)?;
            set_once(&mut metadata.fcaps, value, start)?;
        }
        items::QUOTA_PROJID => {
            let [id] = input.numbers(header)?;
            set_once(&mut metadata.quota_project_id, id, start)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_xattr<R: Read>(input: &mut Input<R>, header: Header) -> Result<Xattr, PxarError> {
    let start = input.position();
    let limit = items::MAX_XATTR_NAME_BYTES + 1 + items::MAX_XATTR_VALUE_BYTES;
    let mut name = input.content(header, limit)?;
    let end = name.iter().position(|byte| *byte == 0).filter(|end| *end > 0);
    let end = end.ok_or_else(|| PxarError::malformed(start, "an extended attribute without a name"))?;
    let value = name.split_off(end + 1);
    name.truncate(end);
    Ok(Xattr { name, value })
}

fn read_acl_entry<R: Read>(input: &mut Input<R>, header: Header) -> Result<AclEntry, PxarError> {
    let [id, permissions] = input.numbers(header)?;
    Ok(AclEntry { id, permissions })
}

fn set_once<T>(slot: &mut Option<T>, value: T, offset: u64) -> Result<(), PxarError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(PxarError::malformed(offset, "a metadata item that may be there once is there twice")),
    }
}

/// The error for an item type that has no place here.
pub fn unexpected(offset: u64, item_type: u64, wanted: &str) -> PxarError {
    PxarError::malformed(offset, format!("expected {wanted}, found an item of type {item_type:016x}"))
}
