//! The digest of all files, of which only what changed is hashed again.

use crate::digest::{Digest, leaf_node, root_of_nodes};
use crate::fs::{Filesystem, Ino, InodeView};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A block of a file, shared with it (so that it is copied when it is written next), and its digest.
type Block = (Arc<Vec<u8>>, Option<Digest>);

/// An inode as it was at the last checkpoint.
#[derive(Default)]
struct Known {
    version: u64,
    node: Option<Digest>,
    blocks: BTreeMap<u64, Block>,
}

/// The files as they were at the last checkpoint.
#[derive(Default)]
pub(crate) struct FileDigests {
    known: BTreeMap<Ino, Known>,
    last: Option<(u64, Digest)>,
}

impl FileDigests {
    /// Takes over what changed. Returns the digest.
    pub fn update(&mut self, files: &Filesystem) -> Digest {
        if let Some((version, digest)) = self.last
            && version == files.version()
        {
            return digest;
        }
        let mut nodes = Vec::with_capacity(files.count());
        for inode in files.inodes() {
            let known = self.known.entry(inode.ino).or_default();
            let node = match known.node {
                Some(node) if known.version == inode.version => node,
                _ => leaf_node(&describe(&inode, &mut known.blocks)),
            };
            known.node = Some(node);
            known.version = inode.version;
            nodes.push(node);
        }
        if self.known.len() > nodes.len() {
            self.known.retain(|&ino, _| files.metadata(ino).is_ok());
        }
        let mut hasher = Sha256::new();
        let (next, names) = files.counters();
        hasher.update(next.to_le_bytes());
        hasher.update(names.to_le_bytes());
        hasher.update(root_of_nodes(nodes).0);
        let digest = Digest(hasher.finalize().into());
        self.last = Some((files.version(), digest));
        digest
    }
}

/// All that a program can see of an inode, or will.
fn describe(inode: &InodeView<'_>, blocks: &mut BTreeMap<u64, Block>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let number = |out: &mut Vec<u8>, number: u64| out.extend(number.to_le_bytes());
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    };
    number(&mut out, inode.ino.0);
    number(&mut out, inode.links);
    number(&mut out, inode.open);
    for time in [
        inode.times.accessed,
        inode.times.modified,
        inode.times.changed,
    ] {
        number(&mut out, time);
    }
    out.push(u8::from(inode.read_only));
    if let Some(content) = inode.content {
        out.push(b'f');
        number(&mut out, content.len());
        let mut kept = BTreeMap::new();
        for (index, block) in content.blocks() {
            let known = blocks.remove(&index);
            let digest = match known {
                Some((same, digest)) if Arc::ptr_eq(&same, block) => digest,
                _ => digest_of_block(block),
            };
            if let Some(digest) = digest {
                number(&mut out, index);
                out.extend(digest.0);
            }
            kept.insert(index, (Arc::clone(block), digest));
        }
        *blocks = kept;
    } else if let Some(target) = inode.target {
        out.push(b'l');
        text(&mut out, target);
    } else {
        out.push(b'd');
        number(&mut out, inode.parent.map_or(0, |parent| parent.0));
        for (name, ino, serial) in &inode.entries {
            text(&mut out, name);
            number(&mut out, ino.0);
            number(&mut out, *serial);
        }
    }
    out
}

/// The digest of a block up to its last byte that is not zero; a hole, and zeros, have none.
fn digest_of_block(block: &[u8]) -> Option<Digest> {
    let end = block.iter().rposition(|&byte| byte != 0)? + 1;
    Some(Digest::of(&block[..end]))
}
