//! The digest of a memory, of which only what changed is hashed again.

use crate::digest::{Digest, leaf_node, root_of_nodes};
use crate::engine::Guest;
use std::sync::LazyLock;

/// What is hashed at once.
const PAGE: usize = 4096;
/// WebAssembly's pages, in which memories grow.
const WASM_PAGE: usize = 1 << 16;

/// The leaf of a page of zeros, and the node over a WebAssembly page of them.
static ZEROS: LazyLock<(Digest, Digest)> = LazyLock::new(|| {
    let leaf = leaf_node(&[0; PAGE]);
    (leaf, root_of_nodes([leaf; WASM_PAGE / PAGE]))
});

/// A memory as it was at the last checkpoint.
#[derive(Default)]
pub(super) struct Mirror {
    /// A fast hash of each page would not do in its place: programs can be made for which it stays.
    copy: Vec<u8>,
    leaves: Vec<Digest>,
    /// A node for each WebAssembly page.
    nodes: Vec<Digest>,
    root: Option<Digest>,
}

impl Mirror {
    /// Bytes of the memory.
    pub fn size(&self) -> u64 {
        self.copy.len() as u64
    }

    /// Makes room for a memory that grew; what is new is zero in it.
    fn grow(&mut self, size: u64) -> Result<(), String> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = size.saturating_sub(self.copy.len());
        if more == 0 && self.root.is_some() {
            return Ok(());
        }
        let room = self.copy.try_reserve_exact(more);
        room.map_err(|_| {
            format!("there is not enough memory on this device to take checkpoints of {size} bytes")
        })?;
        self.copy.resize(size, 0);
        self.leaves.resize(size / PAGE, ZEROS.0);
        self.nodes.resize(size / WASM_PAGE, ZEROS.1);
        self.root = None;
        Ok(())
    }

    /// Takes over what changed. Returns the root over all pages.
    pub fn update(&mut self, guest: &mut dyn Guest, index: usize) -> Result<Digest, String> {
        self.grow(guest.memory_size(index))?;
        guest.visit(index, &mut |at, bytes| {
            let first = at as usize / WASM_PAGE;
            let copies = self.copy[at as usize..].chunks_exact_mut(WASM_PAGE);
            for (offset, (now, copy)) in bytes.chunks_exact(WASM_PAGE).zip(copies).enumerate() {
                if now != copy {
                    let page = first + offset;
                    const EACH: usize = WASM_PAGE / PAGE;
                    let leaves = &mut self.leaves[page * EACH..(page + 1) * EACH];
                    let pages = now.chunks_exact(PAGE).zip(copy.chunks_exact_mut(PAGE));
                    for (leaf, (now, copy)) in leaves.iter_mut().zip(pages) {
                        if now != copy {
                            copy.copy_from_slice(now);
                            *leaf = leaf_node(now);
                        }
                    }
                    self.nodes[page] = root_of_nodes(leaves.iter().copied());
                    self.root = None;
                }
            }
            false
        });
        let nodes = &self.nodes;
        Ok(*self
            .root
            .get_or_insert_with(|| root_of_nodes(nodes.iter().copied())))
    }
}
