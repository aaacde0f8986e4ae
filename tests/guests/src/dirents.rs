//! What `fd_readdir` writes.

use crate::abi::FILETYPES;
use crate::sys::{R, readdir};

/// One whole entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirent {
    /// The cookie that continues after this entry.
    pub next: u64,
    /// Inode number.
    pub ino: u64,
    /// The file type's name.
    pub kind: &'static str,
    /// The entry's name.
    pub name: Vec<u8>,
}

/// Size of the fixed part of an entry.
pub const HEADER: usize = 24;

/// The whole entries at the start of `buf`; a truncated last one is left out.
pub fn parse_dirents(mut buf: &[u8]) -> Vec<Dirent> {
    let mut entries = Vec::new();
    while let Some((header, rest)) = buf.split_at_checked(HEADER) {
        let word =
            |from: usize| u64::from_le_bytes(header[from..from + 8].try_into().expect("8 bytes"));
        let len = u32::from_le_bytes(header[16..20].try_into().expect("4 bytes")) as usize;
        let Some((name, rest)) = rest.split_at_checked(len) else {
            break;
        };
        entries.push(Dirent {
            next: word(0),
            ino: word(8),
            kind: FILETYPES
                .get(usize::from(header[20]))
                .copied()
                .unwrap_or("?"),
            name: name.to_vec(),
        });
        buf = rest;
    }
    entries
}

/// The whole directory, read with a buffer of `len` bytes (which must hold at least one entry).
pub fn list(fd: u32, len: usize) -> R<Vec<Dirent>> {
    let mut all: Vec<Dirent> = Vec::new();
    let mut cookie = 0;
    loop {
        let buf = readdir(fd, len, cookie)?;
        let full = buf.len() == len;
        let entries = parse_dirents(&buf);
        let Some(last) = entries.last() else {
            return Ok(all);
        };
        cookie = last.next;
        all.extend(entries);
        if !full {
            return Ok(all);
        }
    }
}
