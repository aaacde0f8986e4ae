//! How the WASI layer reaches guest memory, whatever engine holds it.

use super::Errno;
use std::borrow::Cow;

/// A range of guest memory that does not exist. The guest sees EFAULT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault;

impl From<Fault> for Errno {
    fn from(_: Fault) -> Self {
        Errno::Fault
    }
}

/// The linear memory of a guest, by checked ranges. Addresses and lengths are in bytes.
///
/// An engine whose memory is a slice of ours lends it out; one whose memory lies in the host (a
/// `WebAssembly.Memory`) copies, once for each call, so bulk transfers stay bulk.
pub trait GuestMemory {
    /// Current size in bytes.
    fn size(&self) -> u64;

    /// The bytes at `address`, borrowed where the engine can.
    fn view(&self, address: u32, len: u32) -> Result<Cow<'_, [u8]>, Fault>;

    /// Copies `bytes` to `address`.
    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Fault>;

    /// Lets `fill` write the first bytes of the range at `address`; it returns how many it wrote.
    fn fill(
        &mut self,
        address: u32,
        len: u32,
        fill: &mut dyn FnMut(&mut [u8]) -> usize,
    ) -> Result<usize, Fault>;

    /// Checks that the range exists.
    fn check(&self, address: u32, len: u32) -> Result<(), Fault> {
        match u64::from(address) + u64::from(len) <= self.size() {
            true => Ok(()),
            false => Err(Fault),
        }
    }
}

/// Guest memory as a slice of our own memory.
impl GuestMemory for &mut [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn view(&self, address: u32, len: u32) -> Result<Cow<'_, [u8]>, Fault> {
        let start = address as usize;
        let end = start.checked_add(len as usize).ok_or(Fault)?;
        self.get(start..end).map(Cow::Borrowed).ok_or(Fault)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Fault> {
        let start = address as usize;
        let end = start.checked_add(bytes.len()).ok_or(Fault)?;
        self.get_mut(start..end)
            .ok_or(Fault)?
            .copy_from_slice(bytes);
        Ok(())
    }

    fn fill(
        &mut self,
        address: u32,
        len: u32,
        fill: &mut dyn FnMut(&mut [u8]) -> usize,
    ) -> Result<usize, Fault> {
        let start = address as usize;
        let end = start.checked_add(len as usize).ok_or(Fault)?;
        Ok(fill(self.get_mut(start..end).ok_or(Fault)?))
    }
}

/// Typed access on top of the ranges; all integers are little-endian.
impl dyn GuestMemory + '_ {
    /// Reads `N` bytes.
    pub fn read_bytes<const N: usize>(&self, address: u32) -> Result<[u8; N], Fault> {
        let view = self.view(address, N as u32)?;
        view[..].try_into().map_err(|_| Fault)
    }

    /// Reads a `u32`.
    pub fn read_u32(&self, address: u32) -> Result<u32, Fault> {
        self.read_bytes(address).map(u32::from_le_bytes)
    }

    /// Writes a `u32`.
    pub fn write_u32(&mut self, address: u32, value: u32) -> Result<(), Fault> {
        self.write(address, &value.to_le_bytes())
    }

    /// Writes a `u64`.
    pub fn write_u64(&mut self, address: u32, value: u64) -> Result<(), Fault> {
        self.write(address, &value.to_le_bytes())
    }

    /// Reads a list of `(address, length)` pairs: an `iovec` or `ciovec` array. Every range is
    /// checked before any is used, so that a bad one leaves no partial effect.
    pub fn read_iovecs(&self, address: u32, count: u32) -> Result<Vec<(u32, u32)>, Errno> {
        let len = count.checked_mul(8).ok_or(Errno::Fault)?;
        let view = self.view(address, len)?;
        let mut total = 0u32;
        let mut ranges = Vec::with_capacity(count as usize);
        for pair in view.chunks_exact(8) {
            let word = |at: usize| {
                u32::from_le_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]])
            };
            let (base, len) = (word(0), word(4));
            self.check(base, len)?;
            // The result is a 32-bit count of bytes.
            total = total.checked_add(len).ok_or(Errno::Inval)?;
            ranges.push((base, len));
        }
        Ok(ranges)
    }
}
