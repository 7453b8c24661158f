//! What is common to the formats that a directory is downloaded in.

use crate::member::Member;
use crate::DownloadError;

/// Takes members one after the other and appends the bytes of the file to what the caller gives.
pub(crate) trait Format: Send {
    /// A member begins, unless the format has no place for such things and leaves it out. Whether its content is wanted.
    fn begin(&mut self, member: &Member, out: &mut Vec<u8>) -> Result<bool, DownloadError>;

    /// A piece of the content of the member, a file.
    fn content(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), DownloadError>;

    /// The content of the member, a file, is complete.
    fn end_content(&mut self, out: &mut Vec<u8>) -> Result<(), DownloadError>;

    /// All members are there. To be called until it returns false: then the file is complete.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<bool, DownloadError>;
}
