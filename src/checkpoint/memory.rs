//! The digest of a memory, of which only what changed is hashed again.

use crate::digest::{Digest, join_nodes};
use crate::engine::Guest;
use std::sync::LazyLock;

/// What is hashed at once.
pub(super) const PAGE: usize = 4096;
/// WebAssembly's pages, in which memories grow.
const WASM_PAGE: usize = 1 << 16;
/// Pages in one of these.
const EACH: usize = WASM_PAGE / PAGE;

/// A page: BLAKE3, which SIMD makes several times as fast as SHA-256.
fn leaf(page: &[u8]) -> Digest {
    Digest(*blake3::hash(page).as_bytes())
}

/// No page is as short as this, so it needs no mark of its own.
fn join(left: Digest, right: Digest) -> Digest {
    let mut both = [0; 64];
    both[..32].copy_from_slice(&left.0);
    both[32..].copy_from_slice(&right.0);
    Digest(*blake3::hash(&both).as_bytes())
}

fn root_of(nodes: impl IntoIterator<Item = Digest>) -> Digest {
    join_nodes(nodes, join).unwrap_or_else(|| leaf(&[]))
}

/// The leaf of a page of zeros, and the node over a WebAssembly page of them.
static ZEROS: LazyLock<(Digest, Digest)> = LazyLock::new(|| {
    let leaf = leaf(&[0; PAGE]);
    (leaf, root_of([leaf; EACH]))
});

/// Whether two pieces of memory of the same length are the same. In a browser `==` compares byte by
/// byte, more than ten times as slowly as this.
pub(crate) fn is_same(one: &[u8], two: &[u8]) -> bool {
    if !cfg!(target_family = "wasm") {
        return one == two;
    }
    let (one, rest) = one.as_chunks::<64>();
    let (two, other_rest) = two.as_chunks::<64>();
    let word = |bytes: &[u8; 64], at: usize| {
        let (words, _) = bytes.as_chunks::<8>();
        u64::from_ne_bytes(words[at])
    };
    let same = |(one, two): (&[u8; 64], &[u8; 64])| {
        (0..8).fold(0, |all, at| all | (word(one, at) ^ word(two, at))) == 0
    };
    one.iter().zip(two).all(same) && rest == other_rest
}

/// A memory as it was when it was last looked at.
#[derive(Default)]
pub(super) struct Mirror {
    /// A fast hash of each page would not do in its place: programs can be made for which it stays.
    copy: Vec<u8>,
    leaves: Vec<Digest>,
    /// A node for each WebAssembly page.
    nodes: Vec<Digest>,
    root: Option<Digest>,
    /// A bit for each page that was found changed since it was hashed.
    marks: Vec<u16>,
}

impl Mirror {
    /// Bytes of the memory.
    pub fn size(&self) -> u64 {
        self.copy.len() as u64
    }

    /// Bytes of the pages that were found changed since the root was made.
    pub fn marked(&self) -> u64 {
        let pages: u32 = self.marks.iter().map(|marks| marks.count_ones()).sum();
        u64::from(pages) * PAGE as u64
    }

    /// Makes room for a memory that grew; what is new is zero in it.
    fn grow(&mut self, size: u64) -> Result<(), String> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = size.saturating_sub(self.copy.len());
        if more == 0 {
            return Ok(());
        }
        let room = self.copy.try_reserve_exact(more);
        room.map_err(|_| {
            format!("there is not enough memory on this device to take checkpoints of {size} bytes")
        })?;
        self.copy.resize(size, 0);
        self.leaves.resize(size / PAGE, ZEROS.0);
        self.nodes.resize(size / WASM_PAGE, ZEROS.1);
        self.marks.resize(size / WASM_PAGE, 0);
        self.root = None;
        Ok(())
    }

    /// Takes over what changed, and marks it.
    pub fn look(&mut self, guest: &mut dyn Guest, index: usize) -> Result<(), String> {
        self.grow(guest.memory_size(index))?;
        guest.visit(index, &mut |at, bytes| {
            let first = at as usize / WASM_PAGE;
            let copies = self.copy[at as usize..].chunks_exact_mut(WASM_PAGE);
            let wasm_pages = bytes.chunks_exact(WASM_PAGE).zip(copies);
            for (marks, (now, copy)) in self.marks[first..].iter_mut().zip(wasm_pages) {
                let pages = now.chunks_exact(PAGE).zip(copy.chunks_exact_mut(PAGE));
                for (page, (now, copy)) in pages.enumerate() {
                    if !is_same(now, copy) {
                        copy.copy_from_slice(now);
                        *marks |= 1 << page;
                    }
                }
            }
            false
        });
        Ok(())
    }

    /// The root over all pages; what was marked is hashed, and no longer marked.
    pub fn root(&mut self) -> Digest {
        for (page, marks) in self.marks.iter_mut().enumerate() {
            if *marks == 0 {
                continue;
            }
            let leaves = &mut self.leaves[page * EACH..(page + 1) * EACH];
            let pages = self.copy[page * WASM_PAGE..].chunks_exact(PAGE);
            for (each, (found, bytes)) in leaves.iter_mut().zip(pages).enumerate() {
                if *marks & 1 << each != 0 {
                    *found = leaf(bytes);
                }
            }
            self.nodes[page] = root_of(leaves.iter().copied());
            self.root = None;
            *marks = 0;
        }
        let nodes = &self.nodes;
        *self
            .root
            .get_or_insert_with(|| root_of(nodes.iter().copied()))
    }
}
