//! As much of preview1 as the benchmarks' programs need: arguments, the standard streams, a clock
//! that counts how often it is read. There are no files; every other function answers EBADF.

use wasmi::errors::HostError;
use wasmi::{Caller, Error, ExternType, Linker, Memory, Module, TrapCode, Val};

const MODULE: &str = "wasi_snapshot_preview1";
const SUCCESS: i32 = 0;
const EBADF: i32 = 8;
const ESPIPE: i32 = 70;
/// `filetype` of a terminal.
const CHARACTER_DEVICE: u8 = 2;
/// The three standard streams.
const STREAMS: std::ops::RangeInclusive<i32> = 0..=2;

/// What a store holds.
pub struct Host {
    pub memory: Option<Memory>,
    pub output: Vec<u8>,
    /// Each ends with a zero byte.
    args: Vec<Vec<u8>>,
    stdin: Vec<u8>,
    taken: usize,
    ticks: u64,
    /// The deepest call and the largest frames of an instrumented module.
    pub peak: (i64, i64),
}

impl Host {
    pub fn new(mut args: Vec<Vec<u8>>, stdin: Vec<u8>) -> Self {
        args.iter_mut().for_each(|arg| arg.push(0));
        Self {
            memory: None,
            output: Vec::new(),
            args,
            stdin,
            taken: 0,
            ticks: 0,
            peak: (0, 0),
        }
    }
}

/// The program called `proc_exit`.
#[derive(Debug)]
pub struct Exit(pub i32);

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

impl HostError for Exit {}

/// The guest's memory beside the host's state; an access out of bounds is a trap.
struct Guest<'a> {
    bytes: &'a mut [u8],
    host: &'a mut Host,
}

impl<'a> Guest<'a> {
    fn new(caller: &'a mut Caller<'_, Host>) -> Result<Self, Error> {
        let memory = caller
            .data()
            .memory
            .ok_or_else(|| Error::new("the program exports no memory"))?;
        let (bytes, host) = memory.data_and_store_mut(caller);
        Ok(Self { bytes, host })
    }

    fn slice(&mut self, at: u32, length: u32) -> Result<&mut [u8], Error> {
        let start = at as usize;
        start
            .checked_add(length as usize)
            .and_then(|end| self.bytes.get_mut(start..end))
            .ok_or_else(|| TrapCode::MemoryOutOfBounds.into())
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Error> {
        self.slice(at, bytes.len() as u32)?.copy_from_slice(bytes);
        Ok(())
    }

    fn word(&mut self, at: u32) -> Result<u32, Error> {
        let bytes = self.slice(at, 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// The pairs of address and length at `at`.
    fn vectors(&mut self, at: u32, count: u32) -> Result<Vec<(u32, u32)>, Error> {
        (0..count)
            .map(|index| Ok((self.word(at + index * 8)?, self.word(at + index * 8 + 4)?)))
            .collect()
    }
}

type Answer = Result<i32, Error>;

fn fd_write(mut caller: Caller<'_, Host>, fd: i32, at: u32, count: u32, done: u32) -> Answer {
    if !STREAMS.contains(&fd) {
        return Ok(EBADF);
    }
    let mut guest = Guest::new(&mut caller)?;
    let mut total = 0;
    for (at, length) in guest.vectors(at, count)? {
        let chunk = guest.slice(at, length)?.to_vec();
        guest.host.output.extend(chunk);
        total += length;
    }
    guest.write(done, &total.to_le_bytes())?;
    Ok(SUCCESS)
}

fn fd_read(mut caller: Caller<'_, Host>, fd: i32, at: u32, count: u32, done: u32) -> Answer {
    if fd != 0 {
        return Ok(EBADF);
    }
    let mut guest = Guest::new(&mut caller)?;
    let mut total = 0;
    for (at, length) in guest.vectors(at, count)? {
        let from = guest.host.taken;
        let left = (guest.host.stdin.len() - from).min(length as usize);
        let chunk = guest.host.stdin[from..from + left].to_vec();
        guest.write(at, &chunk)?;
        guest.host.taken += left;
        total += left as u32;
    }
    guest.write(done, &total.to_le_bytes())?;
    Ok(SUCCESS)
}

fn fd_fdstat_get(mut caller: Caller<'_, Host>, fd: i32, at: u32) -> Answer {
    if !STREAMS.contains(&fd) {
        return Ok(EBADF);
    }
    // A character device with the rights to read, to write and to be polled.
    let mut stat = [0; 24];
    stat[0] = CHARACTER_DEVICE;
    stat[8..16].copy_from_slice(&0x0800_0042_u64.to_le_bytes());
    Guest::new(&mut caller)?.write(at, &stat)?;
    Ok(SUCCESS)
}

fn fd_filestat_get(mut caller: Caller<'_, Host>, fd: i32, at: u32) -> Answer {
    if !STREAMS.contains(&fd) {
        return Ok(EBADF);
    }
    let mut stat = [0; 64];
    stat[16] = CHARACTER_DEVICE;
    Guest::new(&mut caller)?.write(at, &stat)?;
    Ok(SUCCESS)
}

fn args_sizes_get(mut caller: Caller<'_, Host>, count: u32, size: u32) -> Answer {
    let mut guest = Guest::new(&mut caller)?;
    let number = guest.host.args.len() as u32;
    let bytes: usize = guest.host.args.iter().map(Vec::len).sum();
    guest.write(count, &number.to_le_bytes())?;
    guest.write(size, &(bytes as u32).to_le_bytes())?;
    Ok(SUCCESS)
}

fn args_get(mut caller: Caller<'_, Host>, mut pointers: u32, mut at: u32) -> Answer {
    let mut guest = Guest::new(&mut caller)?;
    for arg in guest.host.args.clone() {
        guest.write(pointers, &at.to_le_bytes())?;
        guest.write(at, &arg)?;
        pointers += 4;
        at += arg.len() as u32;
    }
    Ok(SUCCESS)
}

fn environ_sizes_get(mut caller: Caller<'_, Host>, count: u32, size: u32) -> Answer {
    let mut guest = Guest::new(&mut caller)?;
    guest.write(count, &[0; 4])?;
    guest.write(size, &[0; 4])?;
    Ok(SUCCESS)
}

fn clock_time_get(mut caller: Caller<'_, Host>, _clock: i32, _precision: i64, at: u32) -> Answer {
    let mut guest = Guest::new(&mut caller)?;
    guest.host.ticks += 1;
    let time = 100_000_000_000 + guest.host.ticks * 1000;
    guest.write(at, &time.to_le_bytes())?;
    Ok(SUCCESS)
}

fn random_get(mut caller: Caller<'_, Host>, at: u32, length: u32) -> Answer {
    Guest::new(&mut caller)?.slice(at, length)?.fill(42);
    Ok(SUCCESS)
}

/// Whatever it waits for is there.
fn poll_oneoff(mut caller: Caller<'_, Host>, from: u32, to: u32, count: u32, done: u32) -> Answer {
    let mut guest = Guest::new(&mut caller)?;
    for index in 0..count {
        let userdata = guest.slice(from + index * 48, 8)?.to_vec();
        let kind = guest.slice(from + index * 48 + 8, 1)?[0];
        let mut event = [0; 32];
        event[..8].copy_from_slice(&userdata);
        event[10] = kind;
        event[16] = u8::from(kind != 0);
        guest.write(to + index * 32, &event)?;
    }
    guest.write(done, &count.to_le_bytes())?;
    Ok(SUCCESS)
}

/// Defines what `module` imports.
pub fn link(linker: &mut Linker<Host>, module: &Module) -> Result<(), Error> {
    // Some modules import a function twice; and those that do something take their place below.
    linker.allow_shadowing(true);
    for import in module.imports() {
        if let ExternType::Func(ty) = import.ty() {
            linker.func_new(MODULE, import.name(), ty.clone(), |_, _, results| {
                if let [errno] = results {
                    *errno = Val::I32(EBADF);
                }
                Ok(())
            })?;
        }
    }
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(MODULE, "fd_read", fd_read)?;
    linker.func_wrap(MODULE, "fd_fdstat_get", fd_fdstat_get)?;
    linker.func_wrap(MODULE, "fd_fdstat_set_flags", |_: i32, _: i32| SUCCESS)?;
    linker.func_wrap(MODULE, "fd_filestat_get", fd_filestat_get)?;
    linker.func_wrap(MODULE, "fd_seek", fd_seek)?;
    linker.func_wrap(MODULE, "args_sizes_get", args_sizes_get)?;
    linker.func_wrap(MODULE, "args_get", args_get)?;
    linker.func_wrap(MODULE, "environ_sizes_get", environ_sizes_get)?;
    linker.func_wrap(MODULE, "environ_get", |_: u32, _: u32| SUCCESS)?;
    linker.func_wrap(MODULE, "clock_time_get", clock_time_get)?;
    linker.func_wrap(MODULE, "random_get", random_get)?;
    linker.func_wrap(MODULE, "poll_oneoff", poll_oneoff)?;
    linker.func_wrap(MODULE, "sched_yield", || SUCCESS)?;
    linker.func_wrap(MODULE, "proc_exit", proc_exit)?;
    Ok(())
}

fn fd_seek(fd: i32, _offset: i64, _whence: i32, _at: u32) -> i32 {
    if STREAMS.contains(&fd) { ESPIPE } else { EBADF }
}

fn proc_exit(code: i32) -> Result<(), Error> {
    Err(Error::host(Exit(code)))
}
