//! A directory of an archive as the members of a file: hard links find their file, inside the directory or elsewhere.

use std::collections::HashMap;

use pbstore_pxar::metadata::Stat;
use pbstore_pxar::{Directory, Entry, Found, Kind, PxarError, TreeWalk};

use crate::member::{Body, Member};

/// Paths of files that lie elsewhere and were added by the name of a link. Further ones are added once for every link.
const MAX_REMEMBERED_BYTES: usize = 4 << 20;

/// What becomes of hard links.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HardLinks {
    /// Links, wherever their file is a member.
    Links,
    /// The content again.
    Files,
}

/// The members one after the other: the directory itself first, unless it is the root.
pub(crate) struct Members {
    root: Directory,
    /// Path of the directory in the archive and, except for the root, a slash.
    base: Vec<u8>,
    /// Its name, and again a slash.
    prefix: Vec<u8>,
    first: Option<Member>,
    walk: TreeWalk,
    hard_links: HardLinks,
    /// By where the file is in the archive: the member that has its content.
    elsewhere: HashMap<u64, Vec<u8>>,
    remembered_bytes: usize,
}

impl Members {
    /// `directory` is what `root` has at `path`.
    pub(crate) fn new(root: Directory, directory: Directory, path: &[u8], hard_links: HardLinks) -> Self {
        let names: Vec<_> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
        let name = names.last().copied().unwrap_or_default();
        let with_slash = |path: &[u8]| if path.is_empty() { Vec::new() } else { [path, b"/"].concat() };
        let stat = directory.metadata().stat;
        let first = (!name.is_empty()).then(|| Member { path: name.to_vec(), stat, body: Body::Directory });
        Self {
            root,
            base: with_slash(&names.join(&b'/')),
            prefix: with_slash(name),
            first,
            walk: TreeWalk::new(directory, name),
            hard_links,
            elsewhere: HashMap::new(),
            remembered_bytes: 0,
        }
    }

    /// The next one; `None` at the end.
    pub(crate) fn next_member(&mut self) -> Result<Option<Member>, PxarError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Some((path, entry)) = self.walk.next_entry()? else { return Ok(None) };
        let stat = entry.metadata.stat;
        let body = match entry.kind {
            Kind::Directory => Body::Directory,
            Kind::File { .. } => Body::File(self.root.content(&entry)?),
            Kind::Symlink { target } => Body::Symlink(target),
            Kind::BlockDevice(device) => Body::BlockDevice(device),
            Kind::CharDevice(device) => Body::CharDevice(device),
            Kind::Fifo => Body::Fifo,
            Kind::Socket => Body::Socket,
            Kind::Hardlink { .. } => {
                let (stat, body) = self.hard_link(&path, &entry)?;
                return Ok(Some(Member { path, stat, body }));
            }
        };
        Ok(Some(Member { path, stat, body }))
    }

    fn hard_link(&mut self, path: &[u8], link: &Entry) -> Result<(Stat, Body), PxarError> {
        let file = self.root.follow(link)?;
        let stat = file.metadata.stat;
        if self.hard_links == HardLinks::Links {
            if let Some(member) = self.member_of(link, &file)? {
                return Ok((stat, Body::HardLink(member)));
            }
            if self.remembered_bytes + path.len() <= MAX_REMEMBERED_BYTES {
                self.remembered_bytes += path.len();
                self.elsewhere.insert(file.name_start, path.to_vec());
            }
        }
        Ok((stat, Body::File(self.root.content(&file)?)))
    }

    /// The member that has the content of `file`, which `link` leads to.
    fn member_of(&self, link: &Entry, file: &Entry) -> Result<Option<Vec<u8>>, PxarError> {
        let Kind::Hardlink { target, .. } = &link.kind else { return Ok(None) };
        if let Some(below) = target.strip_prefix(self.base.as_slice()) {
            // The text of a link could say anything.
            if matches!(self.root.find(target)?, Some(Found::Other(found)) if found.name_start == file.name_start) {
                return Ok(Some([self.prefix.as_slice(), below].concat()));
            }
        }
        Ok(self.elsewhere.get(&file.name_start).cloned())
    }
}
