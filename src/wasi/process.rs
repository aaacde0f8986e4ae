//! Arguments, environment, clocks, signals, sockets.

use super::clock::{ClockId, RESOLUTION};
use super::*;

/// Writes a list of strings as C expects it: an array of pointers at `pointers`, and at `buffer`
/// the strings, each with a NUL behind it.
fn write_strings(
    memory: &mut Memory<'_>,
    strings: &[Vec<u8>],
    pointers: u32,
    buffer: u32,
) -> Result<(), Stop> {
    let mut addresses = Vec::with_capacity(strings.len() * 4);
    let mut bytes = Vec::new();
    for string in strings {
        let address = u64::from(buffer) + bytes.len() as u64;
        let address = u32::try_from(address).map_err(|_| Errno::Fault)?;
        addresses.extend_from_slice(&address.to_le_bytes());
        bytes.extend_from_slice(string);
        bytes.push(0);
    }
    memory.check(pointers, addresses.len() as u32)?;
    memory.write(buffer, &bytes)?;
    memory.write(pointers, &addresses)?;
    Ok(())
}

fn write_sizes(
    memory: &mut Memory<'_>,
    strings: &[Vec<u8>],
    count: u32,
    size: u32,
) -> Result<(), Stop> {
    let bytes: usize = strings.iter().map(|string| string.len() + 1).sum();
    memory.check(size, 4)?;
    memory.write_u32(count, strings.len() as u32)?;
    memory.write_u32(size, u32::try_from(bytes).map_err(|_| Errno::Overflow)?)?;
    Ok(())
}

impl System {
    pub(super) fn args_get(
        &self,
        memory: &mut Memory<'_>,
        argv: u32,
        buffer: u32,
    ) -> Result<(), Stop> {
        write_strings(memory, &self.args, argv, buffer)
    }

    pub(super) fn args_sizes_get(
        &self,
        memory: &mut Memory<'_>,
        count: u32,
        size: u32,
    ) -> Result<(), Stop> {
        write_sizes(memory, &self.args, count, size)
    }

    pub(super) fn environ_get(
        &self,
        memory: &mut Memory<'_>,
        environ: u32,
        buffer: u32,
    ) -> Result<(), Stop> {
        write_strings(memory, &self.env, environ, buffer)
    }

    pub(super) fn environ_sizes_get(
        &self,
        memory: &mut Memory<'_>,
        count: u32,
        size: u32,
    ) -> Result<(), Stop> {
        write_sizes(memory, &self.env, count, size)
    }

    pub(super) fn clock_res_get(
        &self,
        memory: &mut Memory<'_>,
        id: u32,
        result: u32,
    ) -> Result<(), Stop> {
        ClockId::decode(id)?;
        Ok(memory.write_u64(result, RESOLUTION)?)
    }

    pub(super) fn clock_time_get(
        &mut self,
        memory: &mut Memory<'_>,
        id: u32,
        result: u32,
    ) -> Result<(), Stop> {
        let id = ClockId::decode(id)?;
        memory.check(result, 8)?;
        let time = self.clock.read(id, self.steps);
        Ok(memory.write_u64(result, time)?)
    }

    /// A signal does what the specification says of it: nothing, or it ends the process, for which
    /// shells have the exit code 128 + the signal's number. One that stops a process ends it too:
    /// nobody is there to continue it.
    pub(super) fn proc_raise(&self, signal: u32) -> Result<(), Stop> {
        const NONE: u32 = 0;
        const PIPE: u32 = 13;
        const CHLD: u32 = 16;
        const CONT: u32 = 17;
        const URG: u32 = 22;
        const WINCH: u32 = 27;
        const LAST: u32 = 30;
        match signal {
            NONE | PIPE | CHLD | CONT | URG | WINCH => Ok(()),
            1..=LAST => Err(Stop::Exit(128 + signal)),
            _ => Err(Errno::Inval.into()),
        }
    }

    /// There are no sockets: a file or stream is none (ENOTSOCK); a descriptor that is not open, or
    /// is a directory, is EBADF, as for every function that makes no sense on a directory.
    pub(super) fn sock(&self, fd: u32) -> Result<(), Stop> {
        self.no_directory(fd, 0)?;
        Err(Errno::Notsock.into())
    }
}
