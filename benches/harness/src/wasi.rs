//! As much of preview1 as the benchmarks' programs need: arguments, the standard streams, a clock
//! that counts how often it is read. There are no files; every other function answers EBADF. It knows
//! no interpreter.

/// What the functions are imported from.
pub const MODULE: &str = "wasi_snapshot_preview1";
const SUCCESS: i32 = 0;
const EBADF: i32 = 8;
const ESPIPE: i32 = 70;
/// `filetype` of a terminal.
const CHARACTER_DEVICE: u8 = 2;
/// The three standard streams.
const STREAMS: std::ops::RangeInclusive<u32> = 0..=2;

/// Why a call does not return.
#[derive(Debug)]
pub enum Stop {
    /// The program called `proc_exit`.
    Exit(i32),
    /// A range is not in its memory.
    OutOfBounds,
}

/// The program's memory.
pub trait Memory {
    /// Copies from `at`.
    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Stop>;
    /// Copies to `at`.
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Stop>;
}

impl Memory for [u8] {
    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Stop> {
        let end = (at as usize).checked_add(into.len());
        let range = end.and_then(|end| self.get(at as usize..end));
        into.copy_from_slice(range.ok_or(Stop::OutOfBounds)?);
        Ok(())
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Stop> {
        let end = (at as usize).checked_add(bytes.len());
        let range = end.and_then(|end| self.get_mut(at as usize..end));
        range.ok_or(Stop::OutOfBounds)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub enum Function {
    FdWrite,
    FdRead,
    FdFdstatGet,
    FdFilestatGet,
    FdSeek,
    ArgsSizesGet,
    ArgsGet,
    EnvironSizesGet,
    ClockTimeGet,
    RandomGet,
    PollOneoff,
    ProcExit,
    /// Does nothing, and says that it did.
    Nothing,
    /// Any other.
    Absent,
}

impl Function {
    /// The function of that name.
    pub fn named(name: &str) -> Self {
        match name {
            "fd_write" => Self::FdWrite,
            "fd_read" => Self::FdRead,
            "fd_fdstat_get" => Self::FdFdstatGet,
            "fd_filestat_get" => Self::FdFilestatGet,
            "fd_seek" => Self::FdSeek,
            "args_sizes_get" => Self::ArgsSizesGet,
            "args_get" => Self::ArgsGet,
            "environ_sizes_get" => Self::EnvironSizesGet,
            "clock_time_get" => Self::ClockTimeGet,
            "random_get" => Self::RandomGet,
            "poll_oneoff" => Self::PollOneoff,
            "proc_exit" => Self::ProcExit,
            "environ_get" | "fd_fdstat_set_flags" | "sched_yield" => Self::Nothing,
            _ => Self::Absent,
        }
    }
}

/// The host's side of a run.
pub struct Host {
    pub output: Vec<u8>,
    /// Each ends with a zero byte.
    args: Vec<Vec<u8>>,
    stdin: Vec<u8>,
    taken: usize,
    ticks: u64,
}

fn word(memory: &(impl Memory + ?Sized), at: u32) -> Result<u32, Stop> {
    let mut bytes = [0; 4];
    memory.read(at, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// The pairs of address and length at `at`.
fn vectors(
    memory: &(impl Memory + ?Sized),
    at: u32,
    count: u32,
) -> Result<Vec<(u32, usize)>, Stop> {
    (0..count)
        .map(|index| {
            let at = at.wrapping_add(index * 8);
            Ok((
                word(memory, at)?,
                word(memory, at.wrapping_add(4))? as usize,
            ))
        })
        .collect()
}

impl Host {
    /// A host for one run.
    pub fn new(mut args: Vec<Vec<u8>>, stdin: Vec<u8>) -> Self {
        args.iter_mut().for_each(|arg| arg.push(0));
        Self {
            output: Vec::new(),
            args,
            stdin,
            taken: 0,
            ticks: 0,
        }
    }

    /// Makes a call with the arguments that the program passed, wide ones cut where only a narrow one
    /// is of interest. Answers an errno.
    ///
    /// # Errors
    /// If the program does not go on.
    pub fn call(
        &mut self,
        function: Function,
        args: &[u32],
        memory: &mut (impl Memory + ?Sized),
    ) -> Result<i32, Stop> {
        let arg = |index: usize| args.get(index).copied().unwrap_or(0);
        match function {
            Function::FdWrite | Function::FdFdstatGet | Function::FdFilestatGet
                if !STREAMS.contains(&arg(0)) =>
            {
                Ok(EBADF)
            }
            Function::FdWrite => self.fd_write(memory, arg(1), arg(2), arg(3)),
            Function::FdRead if arg(0) != 0 => Ok(EBADF),
            Function::FdRead => self.fd_read(memory, arg(1), arg(2), arg(3)),
            Function::FdFdstatGet => {
                // A character device with the rights to read, to write and to be polled.
                let mut stat = [0; 24];
                stat[0] = CHARACTER_DEVICE;
                stat[8..16].copy_from_slice(&0x0800_0042_u64.to_le_bytes());
                memory.write(arg(1), &stat).map(|()| SUCCESS)
            }
            Function::FdFilestatGet => {
                let mut stat = [0; 64];
                stat[16] = CHARACTER_DEVICE;
                memory.write(arg(1), &stat).map(|()| SUCCESS)
            }
            Function::FdSeek => Ok(match STREAMS.contains(&arg(0)) {
                true => ESPIPE,
                false => EBADF,
            }),
            Function::ArgsSizesGet => {
                let bytes: usize = self.args.iter().map(Vec::len).sum();
                memory.write(arg(0), &(self.args.len() as u32).to_le_bytes())?;
                memory.write(arg(1), &(bytes as u32).to_le_bytes())?;
                Ok(SUCCESS)
            }
            Function::ArgsGet => {
                let (mut pointer, mut at) = (arg(0), arg(1));
                for arg in &self.args {
                    memory.write(pointer, &at.to_le_bytes())?;
                    memory.write(at, arg)?;
                    pointer += 4;
                    at += arg.len() as u32;
                }
                Ok(SUCCESS)
            }
            Function::EnvironSizesGet => {
                memory.write(arg(0), &[0; 4])?;
                memory.write(arg(1), &[0; 4])?;
                Ok(SUCCESS)
            }
            Function::ClockTimeGet => {
                self.ticks += 1;
                let time = 100_000_000_000 + self.ticks * 1000;
                memory.write(arg(2), &time.to_le_bytes()).map(|()| SUCCESS)
            }
            Function::RandomGet => {
                let bytes = vec![42; arg(1) as usize];
                memory.write(arg(0), &bytes).map(|()| SUCCESS)
            }
            Function::PollOneoff => poll_oneoff(memory, arg(0), arg(1), arg(2), arg(3)),
            Function::ProcExit => Err(Stop::Exit(arg(0) as i32)),
            Function::Nothing => Ok(SUCCESS),
            Function::Absent => Ok(EBADF),
        }
    }

    fn fd_write(
        &mut self,
        memory: &mut (impl Memory + ?Sized),
        at: u32,
        count: u32,
        done: u32,
    ) -> Result<i32, Stop> {
        let before = self.output.len();
        for (at, length) in vectors(memory, at, count)? {
            let start = self.output.len();
            self.output.resize(start + length, 0);
            memory.read(at, &mut self.output[start..])?;
        }
        let total = (self.output.len() - before) as u32;
        memory.write(done, &total.to_le_bytes()).map(|()| SUCCESS)
    }

    fn fd_read(
        &mut self,
        memory: &mut (impl Memory + ?Sized),
        at: u32,
        count: u32,
        done: u32,
    ) -> Result<i32, Stop> {
        let before = self.taken;
        for (at, length) in vectors(memory, at, count)? {
            let end = self.stdin.len().min(self.taken + length);
            memory.write(at, &self.stdin[self.taken..end])?;
            self.taken = end;
        }
        let total = (self.taken - before) as u32;
        memory.write(done, &total.to_le_bytes()).map(|()| SUCCESS)
    }
}

/// Whatever it waits for is there.
fn poll_oneoff(
    memory: &mut (impl Memory + ?Sized),
    from: u32,
    to: u32,
    count: u32,
    done: u32,
) -> Result<i32, Stop> {
    for index in 0..count {
        let mut subscription = [0; 9];
        memory.read(from + index * 48, &mut subscription)?;
        let (userdata, kind) = (&subscription[..8], subscription[8]);
        let mut event = [0; 32];
        event[..8].copy_from_slice(userdata);
        event[10] = kind;
        event[16] = u8::from(kind != 0);
        memory.write(to + index * 32, &event)?;
    }
    memory.write(done, &count.to_le_bytes()).map(|()| SUCCESS)
}
