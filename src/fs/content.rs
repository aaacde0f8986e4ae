//! The bytes of one regular file: sparse, chunked, and shared copy-on-write.
//!
//! A file is a map from block number to block. Blocks that were never written are absent (a 1 GB
//! hole costs nothing), a block holds only the bytes up to the last one written in it (a 10-byte
//! file costs 10 bytes), and growing a file never moves what is already there, so a 200 MB file
//! needs 200 MB and not twice that while it grows. Blocks are reference counted: a snapshot of a
//! filesystem is cheap, and a run never changes the inputs that it was given.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Size of a block in bytes (64 KiB, as a page of linear memory).
pub const BLOCK: u64 = 1 << 16;

/// The largest size of a file in bytes: offsets are signed 64-bit in preview1 (`filedelta`).
pub const MAX_FILE_SIZE: u64 = i64::MAX as u64;

/// The bytes of a regular file.
#[derive(Clone, Default)]
pub struct Content {
    len: u64,
    /// Bytes held in blocks.
    stored: u64,
    blocks: BTreeMap<u64, Arc<Vec<u8>>>,
}

impl Content {
    /// A file that holds `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        content.write_at(0, bytes);
        content
    }

    /// Size in bytes, holes included.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the size is 0.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The blocks that are held, by number.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u64, &Arc<Vec<u8>>)> {
        self.blocks.iter().map(|(&index, block)| (index, block))
    }

    /// Bytes that take up space: of each 64 KiB block, those up to the last one written.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// An upper bound, in bytes, of what writing `len` bytes at `offset` adds to [`Content::stored`].
    pub fn growth(&self, offset: u64, len: u64) -> u64 {
        if len == 0 {
            return 0;
        }
        let end = offset.saturating_add(len);
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        let wanted = (last - first) * BLOCK + (end - last * BLOCK);
        let present: u64 = self
            .blocks
            .range(first..=last)
            .map(|(_, block)| block.len() as u64)
            .sum();
        wanted.saturating_sub(present)
    }

    /// Copies bytes from `offset` on into `buffer`; returns how many there were before the end.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let available = self.len.saturating_sub(offset);
        let wanted = buffer
            .len()
            .min(usize::try_from(available).unwrap_or(usize::MAX));
        let mut done = 0;
        while done < wanted {
            let position = offset + done as u64;
            let start = (position % BLOCK) as usize;
            let span = (wanted - done).min(BLOCK as usize - start);
            let target = &mut buffer[done..done + span];
            let block = self.blocks.get(&(position / BLOCK)).map_or(&[][..], |b| b);
            let from = block.get(start..).unwrap_or(&[]);
            let held = from.len().min(span);
            target[..held].copy_from_slice(&from[..held]);
            target[held..].fill(0);
            done += span;
        }
        wanted
    }

    /// Writes all of `bytes` at `offset`, growing the file (with a hole if `offset` is past the end).
    ///
    /// The caller has checked `offset + bytes.len()` against [`MAX_FILE_SIZE`].
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let position = offset + done as u64;
            let start = (position % BLOCK) as usize;
            let span = (bytes.len() - done).min(BLOCK as usize - start);
            let block = Arc::make_mut(self.blocks.entry(position / BLOCK).or_default());
            let end = start + span;
            if block.len() < end {
                self.stored += (end - block.len()) as u64;
                reserve(block, end);
                block.resize(end, 0);
            }
            block[start..end].copy_from_slice(&bytes[done..done + span]);
            done += span;
        }
        if !bytes.is_empty() {
            self.len = self.len.max(offset + bytes.len() as u64);
        }
    }

    /// Sets the size: cuts off what is behind it, or grows the file with a hole.
    pub fn set_len(&mut self, len: u64) {
        if len < self.len {
            let keep = (len % BLOCK) as usize;
            let mut cut = self.blocks.split_off(&(len / BLOCK));
            if keep > 0
                && let Some(mut block) = cut.remove(&(len / BLOCK))
            {
                if block.len() > keep {
                    self.stored -= (block.len() - keep) as u64;
                    Arc::make_mut(&mut block).truncate(keep);
                }
                self.blocks.insert(len / BLOCK, block);
            }
            self.stored -= cut.values().map(|block| block.len() as u64).sum::<u64>();
        }
        self.len = len;
    }

    /// Whether both hold the same bytes. Blocks that are shared are not compared byte by byte.
    pub fn same_bytes(&self, other: &Self) -> bool {
        if self.len != other.len {
            return false;
        }
        let numbers: std::collections::BTreeSet<_> =
            self.blocks.keys().chain(other.blocks.keys()).collect();
        numbers.into_iter().all(|number| {
            match (self.blocks.get(number), other.blocks.get(number)) {
                (Some(a), Some(b)) if Arc::ptr_eq(a, b) => true,
                (a, b) => {
                    let a = a.map_or(&[][..], |block| block);
                    let b = b.map_or(&[][..], |block| block);
                    let shared = a.len().min(b.len());
                    a[..shared] == b[..shared]
                        && a[shared..].iter().all(|&byte| byte == 0)
                        && b[shared..].iter().all(|&byte| byte == 0)
                }
            }
        })
    }

    /// All bytes in order, block by block (holes as zeros), without a copy of the whole.
    ///
    /// A file may be far longer than any memory or disk: see [`Content::for_each_stored`].
    pub fn for_each_block(&self, mut visit: impl FnMut(&[u8])) {
        static ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
        let mut position = 0;
        while position < self.len {
            let span = (self.len - position).min(BLOCK) as usize;
            let block = self.blocks.get(&(position / BLOCK)).map_or(&[][..], |b| b);
            let held = block.len().min(span);
            visit(&block[..held]);
            if held < span {
                visit(&ZEROS[..span - held]);
            }
            position += span as u64;
        }
    }

    /// Visits what is stored, with its offset; between and behind are zeros.
    pub fn for_each_stored(&self, mut visit: impl FnMut(u64, &[u8])) {
        for (number, block) in &self.blocks {
            visit(number * BLOCK, block);
        }
    }
}

/// Makes room for `end` bytes: doubling for the many small writes of a growing log, but never past
/// a block, so that no more than a block is ever spare.
fn reserve(block: &mut Vec<u8>, end: usize) {
    if block.capacity() < end {
        let target = end.next_power_of_two().min(BLOCK as usize).max(end);
        block.reserve_exact(target - block.len());
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes, {} stored)", self.len, self.stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(content: &Content) -> Vec<u8> {
        let mut all = Vec::new();
        content.for_each_block(|block| all.extend_from_slice(block));
        all
    }

    #[test]
    fn a_hole_reads_as_zeros_and_costs_nothing() {
        let mut content = Content::default();
        content.write_at(1 << 30, b"end");
        assert_eq!(content.len(), (1 << 30) + 3);
        assert_eq!(content.stored(), 3);
        let mut buffer = [7; 8];
        assert_eq!(content.read_at((1 << 30) - 4, &mut buffer), 7);
        assert_eq!(&buffer[..7], b"\0\0\0\0end");
        content.set_len(MAX_FILE_SIZE);
        let mut stored = Vec::new();
        content.for_each_stored(|offset, bytes| stored.push((offset, bytes.to_vec())));
        assert_eq!(stored, [(1 << 30, b"end".to_vec())]);
    }

    #[test]
    fn shrinking_and_growing_again_shows_zeros_not_old_bytes() {
        let mut content = Content::from_bytes(&[9; 100_000]);
        content.set_len(70_000);
        content.set_len(100_000);
        assert_eq!(content.stored(), 70_000);
        let mut expected = vec![9; 70_000];
        expected.resize(100_000, 0);
        assert_eq!(bytes(&content), expected);
        content.set_len(0);
        assert_eq!(content.stored(), 0);
    }

    #[test]
    fn a_clone_does_not_see_later_writes() {
        let mut content = Content::from_bytes(b"before");
        let snapshot = content.clone();
        content.write_at(0, b"after!");
        assert_eq!(bytes(&snapshot), b"before");
        assert!(!content.same_bytes(&snapshot));
        content.write_at(0, b"before");
        assert!(content.same_bytes(&snapshot));
    }

    #[test]
    fn growth_bounds_what_a_write_stores() {
        let mut content = Content::from_bytes(&[1; 10]);
        for (offset, len) in [
            (5u64, 3u64),
            (5, 100),
            (65_530, 20),
            (200_000, 70_000),
            (0, 300_000),
        ] {
            let bound = content.growth(offset, len);
            let before = content.stored();
            content.write_at(offset, &vec![2; len as usize]);
            assert!(content.stored() - before <= bound, "{offset} {len}");
        }
    }
}
