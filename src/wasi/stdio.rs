//! The standard streams.

use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// Something that happened to live input: bytes, or its end, and before which call of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// How many calls the guest had completed.
    pub calls: u64,
    /// What was pushed; `None` for the end.
    pub bytes: Option<Vec<u8>>,
}

/// Standard input: bytes known up front, or pushed while the program runs.
#[derive(Debug, Clone, Default)]
pub struct Stdin {
    buffer: VecDeque<u8>,
    open: bool,
    consumed: u64,
    /// What was pushed so far: with it the run can be made again.
    log: Vec<Pushed>,
    /// What is pushed when its call comes, in a run that is made again.
    script: VecDeque<Pushed>,
}

impl Stdin {
    /// Input that is all there from the start.
    pub fn fixed(bytes: &[u8]) -> Self {
        Self {
            buffer: bytes.iter().copied().collect(),
            ..Self::default()
        }
    }

    /// Input that is pushed as it was in another run.
    pub fn replayed(log: &[Pushed]) -> Self {
        Self {
            open: true,
            script: log.iter().cloned().collect(),
            // It may be made again once more.
            log: log.to_vec(),
            ..Self::default()
        }
    }

    /// What was pushed so far, in order.
    pub fn log(&self) -> &[Pushed] {
        &self.log
    }

    /// Pushes what comes before the next call, in a run that is made again.
    pub(super) fn play(&mut self, calls: u64) {
        while self.script.front().is_some_and(|next| next.calls <= calls) {
            match self.script.pop_front().and_then(|next| next.bytes) {
                Some(bytes) => self.buffer.extend(bytes),
                None => self.open = false,
            }
        }
    }

    /// Input that will be pushed while the program runs.
    pub fn live() -> Self {
        Self {
            open: true,
            ..Self::default()
        }
    }

    /// Adds bytes; ignored once the input is closed. `calls` is how many the guest has completed.
    pub(super) fn push(&mut self, bytes: &[u8], calls: u64) {
        self.happen(Pushed {
            calls,
            bytes: Some(bytes.to_vec()),
        });
    }

    /// Ends the input: the program reads what is left, then the end of the file.
    pub(super) fn close(&mut self, calls: u64) {
        self.happen(Pushed { calls, bytes: None });
    }

    /// What happens now comes after all that is still to be repeated.
    fn happen(&mut self, mut next: Pushed) {
        let will_end = self.script.iter().any(|pushed| pushed.bytes.is_none());
        if !self.open || will_end {
            return;
        }
        if let Some(last) = self.script.back() {
            next.calls = next.calls.max(last.calls);
            self.script.push_back(next.clone());
        } else {
            match &next.bytes {
                Some(bytes) => self.buffer.extend(bytes),
                None => self.open = false,
            }
        }
        self.log.push(next);
    }

    /// Whether a read would have to wait for the user.
    pub fn would_block(&self) -> bool {
        self.open && self.buffer.is_empty()
    }

    /// Bytes that can be read now.
    pub fn available(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Bytes read so far.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Takes up to `buffer.len()` bytes; returns how many.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let (front, back) = self.buffer.as_slices();
        let first = front.len().min(buffer.len());
        buffer[..first].copy_from_slice(&front[..first]);
        let second = back.len().min(buffer.len() - first);
        buffer[first..first + second].copy_from_slice(&back[..second]);
        self.buffer.drain(..first + second);
        self.consumed += (first + second) as u64;
        first + second
    }
}

/// A run of bytes that the program wrote to one of its two output streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// 1 for standard output, 2 for standard error.
    pub fd: u8,
    /// The bytes, as they were written.
    pub bytes: Vec<u8>,
}

/// Standard output and standard error: kept in order until the host takes them.
#[derive(Debug, Clone, Default)]
pub struct Output {
    chunks: Vec<Chunk>,
    pending: usize,
    total: u64,
    limit: Option<u64>,
    /// What was written to either stream, if that is digested.
    hashers: Option<[Sha256; 2]>,
}

/// Output that the host has not taken yet may grow to this many bytes before the run is asked to
/// come back: a program that floods its output must not fill the memory between two slices.
const PENDING_LIMIT: usize = 1 << 20;

impl Output {
    /// Output of at most `limit` bytes, both streams together.
    pub fn with_limit(limit: Option<u64>) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// From here on all that is written is digested.
    pub fn digest(&mut self) {
        self.hashers = Some(Default::default());
    }

    /// SHA-256 of what was written to standard output and to standard error, if it is digested.
    pub fn digests(&self) -> Option<[[u8; 32]; 2]> {
        let hashers = self.hashers.clone()?;
        Some(hashers.map(|hasher| hasher.finalize().into()))
    }

    /// Bytes written so far, both streams together.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Takes what was written since the last call, in order.
    pub fn take(&mut self) -> Vec<Chunk> {
        self.pending = 0;
        std::mem::take(&mut self.chunks)
    }

    /// Whether the host should take the output before the program goes on.
    pub fn is_full(&self) -> bool {
        self.pending >= PENDING_LIMIT
    }

    /// Appends `bytes`. If they pass the limit, only those up to it are kept and `false` returned.
    pub(super) fn write(&mut self, fd: u8, bytes: &[u8]) -> bool {
        let room = self.limit.map_or(u64::MAX, |limit| limit - self.total);
        let kept = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        self.total += kept.len() as u64;
        self.pending += kept.len();
        if let Some(hashers) = &mut self.hashers {
            hashers[usize::from(fd != 1)].update(kept);
        }
        match self.chunks.last_mut() {
            // Small writes of one stream are joined: a program that prints byte by byte should not
            // cost a message to the page for each.
            Some(last) if last.fd == fd && last.bytes.len() < PENDING_LIMIT => {
                last.bytes.extend_from_slice(kept);
            }
            _ if kept.is_empty() => {}
            _ => self.chunks.push(Chunk {
                fd,
                bytes: kept.to_vec(),
            }),
        }
        kept.len() == bytes.len()
    }
}
