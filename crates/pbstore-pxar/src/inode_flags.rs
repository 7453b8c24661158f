//! Attributes that only ioctls reach: chattr flags, FAT attributes, quota projects.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{ioctl_getflags, ioctl_setflags, IFlags};
use rustix::ioctl::{ioctl, opcode, Getter, Opcode, Setter};

const FAT_GET: Opcode = opcode::read::<u32>(b'r', 0x10);
const FAT_SET: Opcode = opcode::write::<u32>(b'r', 0x11);
const EXTENDED_GET: Opcode = opcode::read::<ExtendedAttributes>(b'X', 31);
const EXTENDED_SET: Opcode = opcode::write::<ExtendedAttributes>(b'X', 32);

/// The kernel's `struct fsxattr`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct ExtendedAttributes {
    flags: u32,
    extent_size: u32,
    extent_count: u32,
    project_id: u32,
    copy_extent_size: u32,
    reserved: [u8; 8],
}

/// Reads the flags that chattr(1) shows.
pub fn chattr(fd: BorrowedFd) -> io::Result<u32> {
    Ok(ioctl_getflags(fd)?.bits())
}

/// Sets the flags in `mask` to `wanted` and leaves the others as they are.
pub fn set_chattr(fd: BorrowedFd, mask: u32, wanted: u32) -> io::Result<()> {
    let present = chattr(fd)?;
    let changed = (present & !mask) | (wanted & mask);
    if changed != present {
        ioctl_setflags(fd, IFlags::from_bits_retain(changed))?;
    }
    Ok(())
}

/// Reads the attributes of a file on a FAT file system.
pub fn fat(fd: BorrowedFd) -> io::Result<u32> {
    // SAFETY: FAT_IOCTL_GET_ATTRIBUTES writes one u32.
    let value = unsafe { ioctl(fd, Getter::<FAT_GET, u32>::new()) }?;
    Ok(value)
}

/// Sets the attributes in `mask` of a file on a FAT file system to `wanted`.
pub fn set_fat(fd: BorrowedFd, mask: u32, wanted: u32) -> io::Result<()> {
    let present = fat(fd)?;
    let changed = (present & !mask) | (wanted & mask);
    if changed != present {
        // SAFETY: FAT_IOCTL_SET_ATTRIBUTES reads one u32.
        unsafe { ioctl(fd, Setter::<FAT_SET, u32>::new(changed)) }?;
    }
    Ok(())
}

/// Reads the quota project id; 0 is none.
pub fn project_id(fd: BorrowedFd) -> io::Result<u32> {
    Ok(extended(fd)?.project_id)
}

/// Sets the quota project id.
pub fn set_project_id(fd: BorrowedFd, project_id: u32) -> io::Result<()> {
    let changed = ExtendedAttributes { project_id, ..extended(fd)? };
    // SAFETY: FS_IOC_FSSETXATTR reads one struct fsxattr, which has the layout of ExtendedAttributes.
    unsafe { ioctl(fd, Setter::<EXTENDED_SET, ExtendedAttributes>::new(changed)) }?;
    Ok(())
}

fn extended(fd: BorrowedFd) -> io::Result<ExtendedAttributes> {
    // SAFETY: FS_IOC_FSGETXATTR writes one struct fsxattr, which has the layout of ExtendedAttributes.
    Ok(unsafe { ioctl(fd, Getter::<EXTENDED_GET, ExtendedAttributes>::new()) }?)
}
