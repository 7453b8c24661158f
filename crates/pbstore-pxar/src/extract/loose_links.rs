//! Hard links to files that are left out, where only some entries are extracted.

use std::collections::HashMap;
use std::io::{self, Read};

use super::tree::Extraction;
use crate::entry::{Entry, Kind};
use crate::error::PxarError;
use crate::report::quoted;

/// Most memory for the paths of files that may be linked to; further links become files of their own.
const MAX_HELD_BYTES: usize = 16 << 20;

/// Where files were extracted under the name of a link instead of their own: their places in the archive, and paths.
#[derive(Default)]
pub struct LooseLinks {
    paths: HashMap<u64, Vec<u8>>,
    held_bytes: usize,
}

impl LooseLinks {
    fn remember(&mut self, place: u64, path: &[u8]) {
        self.held_bytes += path.len() + size_of::<(u64, Vec<u8>)>();
        if self.held_bytes <= MAX_HELD_BYTES {
            self.paths.insert(place, path.to_vec());
        }
    }
}

impl<R: Read, P: Read> Extraction<'_, R, P> {
    pub fn hard_link(&mut self, link: &Entry, target: &[u8]) -> Result<(), PxarError> {
        if self.selection.selects_elsewhere(target) {
            return self.link_to(&link.name, target);
        }
        let Kind::Hardlink { distance, .. } = link.kind else { return Ok(()) };
        let place = link.name_start.saturating_sub(distance);
        if let Some(path) = self.loose_links.paths.get(&place) {
            let path = path.clone();
            return self.link_to(&link.name, &path);
        }
        let Some((file, content)) = self.decoder.follow(link)? else {
            let reason = format!("{} is not among what is extracted", quoted(target));
            return Err(self.error("failed to create the hard link", io::Error::other(reason)));
        };
        self.file_of(&link.name, &file.metadata, &content)?;
        self.loose_links.remember(place, self.decoder.path());
        Ok(())
    }
}
