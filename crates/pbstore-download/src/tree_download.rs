//! A directory of an archive as one file.

use std::path::Path;

use pbstore_pxar::Directory;

use crate::file_download::FileDownload;
use crate::format::Format;
use crate::member::Body;
use crate::members::{HardLinks, Members};
use crate::portions::{Portions, MAX_PORTION_BYTES};
use crate::tar::Tar;
use crate::zip::Zip;
use crate::zstd_output::ZstdOutput;
use crate::DownloadError;

/// Content is read in such pieces.
const PIECE_BYTES: usize = 128 << 10;
/// A portion ends behind the step with which it becomes as long. One step adds less than what is left to its limit.
const PORTION_BYTES: usize = MAX_PORTION_BYTES / 2;
/// A portion ends as well when so much content was read for it, or so many members were looked at.
const MAX_READ_BYTES: usize = 4 << 20;
const MAX_MEMBERS: usize = 1024;

/// A zip file of `directory`, which `root` has at `path`. What of its list of members does not fit into memory goes into
/// an unnamed file in `spool`.
pub fn zip_download(root: Directory, directory: Directory, path: &[u8], spool: &Path) -> impl Portions {
    let members = Members::new(root, directory, path, HardLinks::Files);
    TreeDownload { members, format: Zip::new(spool), content: None, stage: Stage::Members }
}

/// A tar file, compressed with zstd, of `directory`, which `root` has at `path`.
///
/// # Errors
/// The compressor does not work.
pub fn tar_zst_download(root: Directory, directory: Directory, path: &[u8]) -> Result<impl Portions, DownloadError> {
    let members = Members::new(root, directory, path, HardLinks::Links);
    Ok(TreeDownload { members, format: ZstdOutput::new(Tar::default())?, content: None, stage: Stage::Members })
}

struct TreeDownload<F> {
    members: Members,
    format: F,
    /// Of the file that is being added.
    content: Option<FileDownload>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Members,
    End,
    Done,
}

impl<F: Format> TreeDownload<F> {
    /// Adds a piece of content; returns how long it was.
    fn add_content(&mut self, piece: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<usize, DownloadError> {
        let Some(content) = &mut self.content else { return Ok(0) };
        if content.read(piece, PIECE_BYTES)? {
            self.format.content(piece, out)?;
        } else {
            self.content = None;
            self.format.end_content(out)?;
        }
        Ok(piece.len())
    }

    fn begin_member(&mut self, out: &mut Vec<u8>) -> Result<(), DownloadError> {
        let Some(member) = self.members.next_member()? else {
            self.stage = Stage::End;
            return Ok(());
        };
        if self.format.begin(&member, out)? {
            if let Body::File(content) = member.body {
                self.content = Some(FileDownload::new(content));
            }
        }
        Ok(())
    }
}

impl<F: Format> Portions for TreeDownload<F> {
    fn next_portion(&mut self) -> Result<Option<Vec<u8>>, DownloadError> {
        if self.stage == Stage::Done {
            return Ok(None);
        }
        let (mut out, mut piece) = (Vec::new(), Vec::new());
        let (mut read_bytes, mut member_count) = (0, 0);
        while out.len() < PORTION_BYTES && read_bytes < MAX_READ_BYTES && member_count < MAX_MEMBERS {
            match self.stage {
                Stage::Members if self.content.is_some() => read_bytes += self.add_content(&mut piece, &mut out)?,
                Stage::Members => {
                    self.begin_member(&mut out)?;
                    member_count += 1;
                }
                Stage::End => {
                    if !self.format.finish(&mut out)? {
                        self.stage = Stage::Done;
                    }
                }
                Stage::Done => break,
            }
        }
        Ok(Some(out))
    }
}
