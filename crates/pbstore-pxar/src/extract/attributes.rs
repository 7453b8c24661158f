//! Gives an extracted inode its metadata, in the order that keeps what was set before (pxar.md 6).

use std::io;

use rustix::fs::{Gid, Uid};
use rustix::io::Errno;

use crate::flags::{self, Flags};
use crate::inode::{is_unsupported, owner, Inode};
use crate::inode_flags;
use crate::metadata::{Metadata, TYPE_DIRECTORY, TYPE_FILE};
use crate::posix_acl;
use crate::report::Reporter;

const SET_ID_BITS: u64 = 0o6000;

/// Why an attribute could not be set: what was tried, and the system's answer.
pub type AttributeError = (&'static str, io::Error);

/// Sets metadata, and counts what only a more privileged user could set.
pub struct AttributeWriter {
    features: Flags,
    user: u32,
    group: u32,
    denied: [u64; DENIED.len()],
}

/// Things that need privileges, and how the summary at the end calls them.
const DENIED: [(Denied, &str); 5] = [
    (Denied::Owner, "the owner"),
    (Denied::SetId, "set-user-id and set-group-id bits (as the owner was not restored)"),
    (Denied::Xattr, "extended attributes or file capabilities"),
    (Denied::Project, "the quota project"),
    (Denied::Flags, "file attribute flags"),
];

#[derive(Clone, Copy)]
enum Denied {
    Owner = 0,
    SetId = 1,
    Xattr = 2,
    Project = 3,
    Flags = 4,
}

impl AttributeWriter {
    /// Sets what is in `features`.
    pub fn new(features: Flags) -> Self {
        let user = rustix::process::geteuid().as_raw();
        let group = rustix::process::getegid().as_raw();
        Self { features, user, group, denied: [0; DENIED.len()] }
    }

    /// Sets the flags that only work on empty files.
    pub fn apply_initial(&mut self, inode: &Inode, metadata: &Metadata) -> Result<(), AttributeError> {
        self.apply_chattr(inode, metadata, Flags::INITIAL)
    }

    /// Sets everything on an inode whose content is complete.
    pub fn apply(&mut self, inode: &Inode, metadata: &Metadata) -> Result<Vec<String>, AttributeError> {
        let has_owner = self.apply_owner(metadata, |uid, gid| inode.set_owner(uid, gid))?;
        self.apply_xattrs(inode, metadata)?;
        let warnings = self.apply_acl(inode, metadata)?;
        self.apply_project(inode, metadata)?;
        self.apply_mode(inode, metadata, has_owner)?;
        inode.set_mtime(metadata.stat.mtime).map_err(|error| ("failed to set the time of", error.into()))?;
        self.apply_chattr(inode, metadata, Flags::CHATTR)?;
        self.apply_fat(inode, metadata)?;
        Ok(warnings)
    }

    /// Sets the owner with `set`; false if the inode does not belong to whom it should. Where only the group may be set,
    /// as by a member of it, that is done.
    pub fn apply_owner(
        &mut self,
        metadata: &Metadata,
        set: impl Fn(Option<Uid>, Option<Gid>) -> Result<(), Errno>,
    ) -> Result<bool, AttributeError> {
        let (uid, gid) = (metadata.stat.uid, metadata.stat.gid);
        if !self.features.contains(Flags::OWNERSHIP) {
            return Ok(uid == self.user && gid == self.group);
        }
        match owner(uid, gid).and_then(|(uid, gid)| set(Some(uid), Some(gid))) {
            Ok(()) => Ok(true),
            // EINVAL: an id that does not exist in this user namespace.
            Err(Errno::PERM | Errno::INVAL) => {
                self.count(Denied::Owner);
                if gid != u32::MAX {
                    let _ = set(None, Some(Gid::from_raw(gid)));
                }
                Ok(false)
            }
            Err(Errno::OPNOTSUPP) => Ok(false),
            Err(error) => Err(("failed to set the owner of", error.into())),
        }
    }

    fn apply_xattrs(&mut self, inode: &Inode, metadata: &Metadata) -> Result<(), AttributeError> {
        if self.features.contains(Flags::XATTRS) {
            for xattr in &metadata.xattrs {
                // Anything else could mean more than data: labels, capabilities, ACLs.
                let is_data = xattr.name.starts_with(b"user.") || xattr.name.starts_with(b"trusted.");
                if is_data || xattr.name == b"security.NTACL" {
                    self.set_xattr(inode, &xattr.name, &xattr.value)?;
                }
            }
        }
        match &metadata.fcaps {
            Some(value) if self.features.contains(Flags::FCAPS) && metadata.file_type() == TYPE_FILE => {
                self.set_xattr(inode, b"security.capability", value)
            }
            _ => Ok(()),
        }
    }

    fn set_xattr(&mut self, inode: &Inode, name: &[u8], value: &[u8]) -> Result<(), AttributeError> {
        match inode.set_xattr(name, value) {
            Ok(()) | Err(Errno::OPNOTSUPP) => Ok(()),
            Err(Errno::PERM) => {
                self.count(Denied::Xattr);
                Ok(())
            }
            Err(error) => Err(("failed to set an extended attribute of", error.into())),
        }
    }

    fn apply_acl(&mut self, inode: &Inode, metadata: &Metadata) -> Result<Vec<String>, AttributeError> {
        if !self.features.contains(Flags::ACL) || metadata.acl.is_empty() {
            return Ok(Vec::new());
        }
        let bad = |reason: &str| ("failed to set the ACL of", io::Error::other(reason));
        let mut warnings = Vec::new();
        if let Some(access) = posix_acl::write_access(&metadata.acl, metadata.stat.mode).map_err(bad)? {
            if access.group_guessed {
                warnings.push("the ACL has no permissions for the owning group, using its mask".to_owned());
            }
            set_acl(inode, posix_acl::ACCESS_XATTR, &access.value)?;
        }
        if metadata.file_type() == TYPE_DIRECTORY {
            if let Some(value) = posix_acl::write_default(&metadata.acl).map_err(bad)? {
                set_acl(inode, posix_acl::DEFAULT_XATTR, &value)?;
            }
        }
        Ok(warnings)
    }

    fn apply_project(&mut self, inode: &Inode, metadata: &Metadata) -> Result<(), AttributeError> {
        let (Some(id), Some(fd)) = (metadata.quota_project_id, inode.ioctl_fd()) else { return Ok(()) };
        if !self.features.contains(Flags::QUOTA_PROJECT_ID) {
            return Ok(());
        }
        let id = u32::try_from(id)
            .map_err(|_| ("failed to set the quota project of", io::Error::other("the id is too large")))?;
        let result = inode_flags::set_project_id(fd, id);
        self.tolerate(result, Denied::Project, "failed to set the quota project of")
    }

    fn apply_mode(&mut self, inode: &Inode, metadata: &Metadata, has_owner: bool) -> Result<(), AttributeError> {
        if !self.features.contains(Flags::PERMISSIONS) {
            return Ok(());
        }
        let mut mode = metadata.stat.mode & 0o7777;
        // A program that runs as its owner must not run as somebody who never owned it.
        if !has_owner && metadata.file_type() != TYPE_DIRECTORY && mode & SET_ID_BITS != 0 {
            mode &= !SET_ID_BITS;
            self.count(Denied::SetId);
        }
        match inode.set_mode(mode) {
            Ok(()) | Err(Errno::OPNOTSUPP) => Ok(()),
            Err(error) => Err(("failed to set the permissions of", error.into())),
        }
    }

    fn apply_chattr(&mut self, inode: &Inode, metadata: &Metadata, which: Flags) -> Result<(), AttributeError> {
        let wanted = Flags(metadata.stat.flags) & self.features & which;
        let (Some(fd), true) = (inode.ioctl_fd(), wanted != Flags::NONE) else { return Ok(()) };
        let bits = flags::to_kernel(&flags::CHATTR_BITS, wanted);
        let result = inode_flags::set_chattr(fd, bits, bits);
        self.tolerate(result, Denied::Flags, "failed to set the attribute flags of")
    }

    fn apply_fat(&mut self, inode: &Inode, metadata: &Metadata) -> Result<(), AttributeError> {
        let wanted = Flags(metadata.stat.flags) & self.features & Flags::FAT;
        let (Some(fd), true) = (inode.ioctl_fd(), wanted != Flags::NONE) else { return Ok(()) };
        let bits = flags::to_kernel(&flags::FAT_BITS, wanted);
        let result = inode_flags::set_fat(fd, bits, bits);
        self.tolerate(result, Denied::Flags, "failed to set the FAT attributes of")
    }

    fn tolerate(&mut self, result: io::Result<()>, denied: Denied, action: &'static str) -> Result<(), AttributeError> {
        match result {
            Err(error) if is_unsupported(&error) => Ok(()),
            Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
                self.count(denied);
                Ok(())
            }
            result => result.map_err(|error| (action, error)),
        }
    }

    fn count(&mut self, denied: Denied) {
        self.denied[denied as usize] += 1;
    }

    /// One warning for each kind of thing that was denied, however often it was.
    pub fn summarise(&self, reporter: &mut dyn Reporter) {
        for (denied, what) in DENIED {
            let count = self.denied[denied as usize];
            if count > 0 {
                reporter.warn(format!("warning: {what} could not be restored for {count} entries: not permitted"));
            }
        }
    }
}

fn set_acl(inode: &Inode, name: &str, value: &[u8]) -> Result<(), AttributeError> {
    match inode.set_xattr(name.as_bytes(), value) {
        Ok(()) | Err(Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(("failed to set the ACL of", error.into())),
    }
}
