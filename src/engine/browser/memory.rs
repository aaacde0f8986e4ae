//! The guest's memory, as its system reads and writes it.

use super::js::Guest;
use crate::wasi::{Fault, GuestMemory};
use std::borrow::Cow;

/// The guest's memory: a `WebAssembly.Memory` that is copied from and to, once for each access.
pub(super) struct Linear<'a> {
    pub(super) guest: &'a Guest,
    pub(super) size: u64,
}

impl GuestMemory for Linear<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn view(&self, address: u32, len: u32) -> Result<Cow<'_, [u8]>, Fault> {
        self.check(address, len)?;
        let mut bytes = vec![0; len as usize];
        self.guest.read(address, &mut bytes);
        Ok(Cow::Owned(bytes))
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.check(address, u32::try_from(bytes.len()).map_err(|_| Fault)?)?;
        self.guest.write(address, bytes);
        Ok(())
    }

    fn fill(
        &mut self,
        address: u32,
        len: u32,
        fill: &mut dyn FnMut(&mut [u8]) -> usize,
    ) -> Result<usize, Fault> {
        self.check(address, len)?;
        let mut bytes = vec![0; len as usize];
        let filled = fill(&mut bytes).min(bytes.len());
        self.guest.write(address, &bytes[..filled]);
        Ok(filled)
    }
}
