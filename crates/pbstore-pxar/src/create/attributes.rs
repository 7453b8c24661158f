//! Reads the metadata of an inode that stat(2) does not give (pxar.md 3.2).

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::Stat as KernelStat;
use rustix::io::Errno;

use super::file_system::FileSystem;
use crate::flags::{self, Flags};
use crate::inode::{is_unsupported, Inode};
use crate::inode_flags;
use crate::items::MAX_XATTR_NAME_BYTES;
use crate::metadata::{Metadata, Mtime, Stat, Xattr, TYPE_DIRECTORY, TYPE_FILE};
use crate::posix_acl;

/// The kernel's limits for a list of attribute names and for one value.
const XATTR_BUFFER_BYTES: usize = 65536;

/// Reads attributes into buffers that are used again for every inode.
pub struct AttributeReader {
    names: Box<[u8]>,
    value: Box<[u8]>,
    features: Flags,
    skip_e2big: bool,
}

impl AttributeReader {
    /// Reads what is in `features`; `skip_e2big` drops extended attributes that are too big to list.
    pub fn new(features: Flags, skip_e2big: bool) -> Self {
        let buffer = || vec![0; XATTR_BUFFER_BYTES].into_boxed_slice();
        Self { names: buffer(), value: buffer(), features, skip_e2big }
    }

    /// All metadata of an inode on `file_system`.
    pub fn read(&mut self, inode: &Inode, stat: &KernelStat, file_system: &mut FileSystem) -> io::Result<Metadata> {
        let mut metadata = Metadata { stat: basic(stat), ..Metadata::default() };
        if let Some(fd) = inode.ioctl_fd() {
            self.read_flags(fd, &mut metadata, file_system)?;
        }
        self.read_xattrs(inode, &mut metadata, file_system)?;
        Ok(metadata)
    }

    fn read_flags(&self, fd: BorrowedFd, metadata: &mut Metadata, file_system: &mut FileSystem) -> io::Result<()> {
        if self.asks(file_system, Flags::CHATTR) {
            let value = supported(inode_flags::chattr(fd), file_system, Flags::CHATTR)?;
            metadata.stat.flags |= flags::from_kernel(&flags::CHATTR_BITS, value.unwrap_or(0)).0;
        }
        if self.asks(file_system, Flags::FAT) {
            let value = supported(inode_flags::fat(fd), file_system, Flags::FAT)?;
            metadata.stat.flags |= flags::from_kernel(&flags::FAT_BITS, value.unwrap_or(0)).0;
        }
        if self.asks(file_system, Flags::QUOTA_PROJECT_ID) {
            let value = supported(inode_flags::project_id(fd), file_system, Flags::QUOTA_PROJECT_ID)?;
            metadata.quota_project_id = value.filter(|id| *id != 0).map(u64::from);
        }
        Ok(())
    }

    fn asks(&self, file_system: &FileSystem, feature: Flags) -> bool {
        (self.features & file_system.features).intersects(feature)
    }

    fn read_xattrs(&mut self, inode: &Inode, metadata: &mut Metadata, file_system: &mut FileSystem) -> io::Result<()> {
        let wanted = self.features & file_system.features;
        if !wanted.intersects(Flags::XATTRS | Flags::ACL | Flags::FCAPS) {
            return Ok(());
        }
        let length = match inode.list_xattrs(&mut self.names) {
            Err(Errno::TOOBIG) if self.skip_e2big => return Ok(()),
            // Special files may have none where other inodes of the file system do.
            Err(_) if inode.ioctl_fd().is_none() => return Ok(()),
            result => supported(result.map_err(Into::into), file_system, Flags::XATTRS | Flags::ACL | Flags::FCAPS)?,
        };
        let names = self.names.get(..length.unwrap_or(0)).unwrap_or_default();
        for name in names.split(|byte| *byte == 0).filter(|name| is_wanted(name, wanted)) {
            let value = match inode.get_xattr(name, &mut self.value) {
                Ok(length) => self.value.get(..length).unwrap_or_default(),
                // Removed since it was listed, or not for us to see.
                Err(Errno::NODATA | Errno::ACCESS | Errno::PERM | Errno::OPNOTSUPP) => continue,
                Err(Errno::TOOBIG) if self.skip_e2big => continue,
                Err(error) => return Err(error.into()),
            };
            store(name, value, metadata)?;
        }
        Ok(())
    }
}

/// The metadata that stat(2) gives.
pub fn basic(stat: &KernelStat) -> Stat {
    Stat {
        mode: stat.st_mode.into(),
        flags: 0,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: Mtime { seconds: stat.st_mtime as _, nanoseconds: stat.st_mtime_nsec as u32 },
    }
}

fn is_wanted(name: &[u8], wanted: Flags) -> bool {
    match name {
        b"" => false,
        b"security.capability" => wanted.contains(Flags::FCAPS),
        b"system.posix_acl_access" | b"system.posix_acl_default" => wanted.contains(Flags::ACL),
        _ => {
            let stored = name.starts_with(b"user.") || name.starts_with(b"trusted.") || name == b"security.NTACL";
            stored && wanted.contains(Flags::XATTRS) && name.len() as u64 <= MAX_XATTR_NAME_BYTES
        }
    }
}

fn store(name: &[u8], value: &[u8], metadata: &mut Metadata) -> io::Result<()> {
    let understood = match name {
        b"security.capability" => {
            if metadata.file_type() == TYPE_FILE {
                metadata.fcaps = Some(value.to_vec());
            }
            true
        }
        b"system.posix_acl_access" => posix_acl::read_access(value, &mut metadata.acl),
        b"system.posix_acl_default" => {
            metadata.file_type() != TYPE_DIRECTORY || posix_acl::read_default(value, &mut metadata.acl)
        }
        _ => {
            metadata.xattrs.push(Xattr { name: name.to_vec(), value: value.to_vec() });
            true
        }
    };
    understood.then_some(()).ok_or_else(|| io::Error::other("the kernel gave an ACL of an unknown form"))
}

/// Turns a feature off where it turns out to be missing.
fn supported<T>(result: io::Result<T>, file_system: &mut FileSystem, feature: Flags) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_unsupported(&error) => {
            file_system.features = file_system.features.without(feature);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
