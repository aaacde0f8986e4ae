//! The state of one run's system, and the dispatch of calls to it.

use super::clock::Clock;
use super::record::{self, CallLog};
use super::trace::{Trace, Traced};
use super::*;
use crate::fs::{Filesystem, FsError};
use crate::task::{Preopen, Random};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Guest memory, whatever holds it.
pub(super) type Memory<'a> = dyn GuestMemory + 'a;

/// A limit of the system (not of the engine) that a call exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// The bytes written to standard output and standard error.
    Output,
    /// The bytes stored in files.
    Files,
}

/// What the engine does after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Give this errno to the guest.
    Return(Errno),
    /// Hold the guest until there is input, then make the same call again. Nothing has happened.
    Block,
    /// End the run with this exit code.
    Exit(u32),
    /// End the run: a limit was exceeded.
    Exceeded(Exceeded),
}

/// Why a call does not return success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Errno(Errno),
    Block,
    Exit(u32),
    Exceeded(Exceeded),
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<FsError> for Stop {
    fn from(error: FsError) -> Self {
        Self::Errno(error.into())
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Errno(fault.into())
    }
}

/// What a [`System`] starts from.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Arguments, the program's name first.
    pub args: Vec<Vec<u8>>,
    /// Environment, each `NAME=VALUE`.
    pub env: Vec<Vec<u8>>,
    /// Standard input.
    pub stdin: Stdin,
    /// Whether the standard streams are a terminal (`character_device`).
    pub terminal: bool,
    /// The files.
    pub fs: Filesystem,
    /// Preopened directories, from descriptor 3 on.
    pub preopens: Vec<Preopen>,
    /// How time passes.
    pub clock: Clock,
    /// Where random bytes come from.
    pub random: Random,
    /// The most bytes that may be written to standard output and error together.
    pub output_limit: Option<u64>,
    /// The most bytes that files may hold.
    pub file_limit: Option<u64>,
    /// Whether to digest all calls.
    pub trace: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    ChaCha(Box<ChaCha20Rng>),
    Constant(u8),
}

/// Everything that a guest can see and change through preview1.
#[derive(Debug, Clone)]
pub struct System {
    pub(super) args: Vec<Vec<u8>>,
    pub(super) env: Vec<Vec<u8>>,
    pub(super) terminal: bool,
    pub(super) fds: Descriptors,
    pub(super) clock: Clock,
    pub(super) random: Source,
    file_limit: Option<u64>,
    /// Steps executed before the current call; the engine keeps it up to date.
    pub steps: u64,
    /// Calls made so far.
    pub calls: u64,
    /// Digests all calls, if that is asked for.
    pub trace: Option<Trace>,
    /// Records the calls, if that is asked for.
    pub record: Option<CallLog>,
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output and error.
    pub output: Output,
    /// The files.
    pub fs: Filesystem,
}

impl System {
    /// A system ready for a run.
    ///
    /// # Errors
    /// If the path of a preopen is no directory.
    pub fn new(setup: Setup) -> Result<Self, FsError> {
        let mut fs = setup.fs;
        let mut fds = Descriptors::default();
        // The table is empty, so these can't fail; an error would still be reported, not lost.
        let mut open = |fs: &mut Filesystem, descriptor| {
            fds.insert(fs, descriptor)
                .map(drop)
                .map_err(|_| FsError::NoSpace)
        };
        for stream in [Stream::In, Stream::Out, Stream::Err] {
            open(&mut fs, Descriptor::stream(stream))?;
        }
        for preopen in &setup.preopens {
            let ino = fs.find(&preopen.path)?;
            fs.list(ino).map(drop)?;
            open(&mut fs, Descriptor::preopen(ino, preopen))?;
        }
        Ok(Self {
            args: setup.args,
            env: setup.env,
            terminal: setup.terminal,
            fds,
            clock: setup.clock,
            random: match setup.random {
                Random::Seed(seed) => Source::ChaCha(Box::new(ChaCha20Rng::from_seed(seed))),
                Random::TruebitV1 => Source::Constant(42),
            },
            file_limit: setup.file_limit,
            steps: 0,
            calls: 0,
            trace: setup.trace.then(Trace::default),
            record: None,
            stdin: setup.stdin,
            output: Output::with_limit(setup.output_limit),
            fs,
        })
    }

    /// Makes one call of the guest.
    pub fn call(&mut self, call: &Call, memory: &mut Memory<'_>) -> Reply {
        self.stdin.play(self.calls);
        let paths = match self.record {
            Some(_) => record::paths(call, memory),
            None => Vec::new(),
        };
        let reply = match self.trace.take() {
            None => self.answer(call, memory),
            Some(mut trace) => {
                let mut traced = Traced {
                    memory,
                    trace: &mut trace,
                };
                let reply = self.answer(call, &mut traced);
                trace.call(call, self.steps, reply);
                self.trace = Some(trace);
                reply
            }
        };
        if let Some(record) = &mut self.record {
            record.note(call, self.steps, reply, paths, memory);
        }
        if reply != Reply::Block {
            self.calls += 1;
        }
        reply
    }

    fn answer(&mut self, call: &Call, memory: &mut Memory<'_>) -> Reply {
        match self.dispatch(call, memory) {
            Ok(()) => Reply::Return(Errno::Success),
            Err(Stop::Errno(errno)) => Reply::Return(errno),
            Err(Stop::Block) => Reply::Block,
            Err(Stop::Exit(code)) => Reply::Exit(code),
            Err(Stop::Exceeded(limit)) => Reply::Exceeded(limit),
        }
    }

    /// Adds bytes to live standard input; ignored once it is closed.
    pub fn push_stdin(&mut self, bytes: &[u8]) {
        self.stdin.push(bytes, self.calls);
    }

    /// Ends live standard input: the program reads what is left, then the end of the file.
    pub fn close_stdin(&mut self) {
        self.stdin.close(self.calls);
    }

    fn dispatch(&mut self, call: &Call, memory: &mut Memory<'_>) -> Result<(), Stop> {
        use Function as F;
        let abi = call.abi;
        let int = |index: usize| call.args[index] as u32;
        let long = |index: usize| call.args[index];
        let text = |index: usize| (int(index), int(index + 1));
        match call.function {
            F::ArgsGet => self.args_get(memory, int(0), int(1)),
            F::ArgsSizesGet => self.args_sizes_get(memory, int(0), int(1)),
            F::EnvironGet => self.environ_get(memory, int(0), int(1)),
            F::EnvironSizesGet => self.environ_sizes_get(memory, int(0), int(1)),
            F::ClockResGet => self.clock_res_get(memory, int(0), int(1)),
            F::ClockTimeGet => self.clock_time_get(memory, int(0), int(2)),
            F::FdAdvise => self.fd_advise(int(0), long(1), long(2), int(3)),
            F::FdAllocate => self.fd_allocate(int(0)),
            F::FdClose => self.fd_close(int(0)),
            F::FdDatasync => self.fd_datasync(int(0)),
            F::FdFdstatGet => self.fd_fdstat_get(memory, int(0), int(1)),
            F::FdFdstatSetFlags => self.fd_fdstat_set_flags(int(0), int(1)),
            F::FdFdstatSetRights => self.fd_fdstat_set_rights(int(0), long(1), long(2)),
            F::FdFilestatGet => self.fd_filestat_get(memory, abi, int(0), int(1)),
            F::FdFilestatSetSize => self.fd_filestat_set_size(int(0), long(1)),
            F::FdFilestatSetTimes => self.fd_filestat_set_times(int(0), long(1), long(2), int(3)),
            F::FdPread => self.fd_pread(memory, int(0), text(1), long(3), int(4)),
            F::FdPrestatGet => self.fd_prestat_get(memory, int(0), int(1)),
            F::FdPrestatDirName => self.fd_prestat_dir_name(memory, int(0), int(1), int(2)),
            F::FdPwrite => self.fd_pwrite(memory, int(0), text(1), long(3), int(4)),
            F::FdRead => self.fd_read(memory, int(0), text(1), int(3)),
            F::FdReaddir => self.fd_readdir(memory, int(0), text(1), long(3), int(4)),
            F::FdRenumber => Ok(self.fds.renumber(&mut self.fs, int(0), int(1))?),
            F::FdSeek => self.fd_seek(memory, abi, int(0), long(1) as i64, int(2), int(3)),
            F::FdSync => self.fd_sync(int(0)),
            F::FdTell => self.fd_tell(memory, int(0), int(1)),
            F::FdWrite => self.fd_write(memory, int(0), text(1), int(3)),
            F::PathCreateDirectory => self.path_create_directory(memory, int(0), text(1)),
            F::PathFilestatGet => {
                self.path_filestat_get(memory, abi, int(0), int(1), text(2), int(4))
            }
            F::PathFilestatSetTimes => self.path_filestat_set_times(
                memory,
                int(0),
                int(1),
                text(2),
                (long(4), long(5), int(6)),
            ),
            F::PathLink => self.path_link(memory, (int(0), int(1), text(2)), (int(4), text(5))),
            F::PathOpen => self.path_open(memory, call),
            F::PathReadlink => self.path_readlink(memory, int(0), text(1), text(3), int(5)),
            F::PathRemoveDirectory => self.path_remove_directory(memory, int(0), text(1)),
            F::PathRename => self.path_rename(memory, (int(0), text(1)), (int(3), text(4))),
            F::PathSymlink => self.path_symlink(memory, text(0), int(2), text(3)),
            F::PathUnlinkFile => self.path_unlink_file(memory, int(0), text(1)),
            F::PollOneoff => self.poll_oneoff(memory, abi, int(0), int(1), int(2), int(3)),
            F::ProcExit => Err(Stop::Exit(int(0))),
            F::ProcRaise => self.proc_raise(int(0)),
            F::SchedYield => Ok(()),
            F::RandomGet => self.random_get(memory, int(0), int(1)),
            F::SockAccept | F::SockRecv | F::SockSend | F::SockShutdown => self.sock(int(0)),
        }
    }

    /// The time in nanoseconds, now.
    pub(super) fn now(&self) -> u64 {
        self.clock.now(self.steps)
    }

    /// Descriptor `fd` if it has all of `rights`. What is not open for reading or writing is EBADF
    /// as in POSIX; for want of another right it is ENOTCAPABLE.
    pub(super) fn descriptor(&self, fd: u32, rights: Rights) -> Result<&Descriptor, Errno> {
        let descriptor = self.fds.get(fd)?;
        match rights & !descriptor.rights {
            0 => Ok(descriptor),
            missing if missing & (rights::FD_READ | rights::FD_WRITE) != 0 => Err(Errno::Badf),
            _ => Err(Errno::Notcapable),
        }
    }

    /// As [`System::descriptor`], for what makes no sense on a directory: EBADF there.
    pub(super) fn no_directory(&self, fd: u32, rights: Rights) -> Result<&Descriptor, Errno> {
        match self.fds.get(fd)?.object {
            Object::Directory { .. } => Err(Errno::Badf),
            _ => self.descriptor(fd, rights),
        }
    }

    /// Ends the run if storing `growth` more bytes in files passes the limit.
    pub(super) fn check_growth(&self, growth: u64) -> Result<(), Stop> {
        match self.file_limit {
            Some(limit) if self.fs.stored().saturating_add(growth) > limit => {
                Err(Stop::Exceeded(Exceeded::Files))
            }
            _ => Ok(()),
        }
    }

    fn random_get(&mut self, memory: &mut Memory<'_>, address: u32, len: u32) -> Result<(), Stop> {
        let source = &mut self.random;
        memory.fill(address, len, &mut |buffer| {
            match source {
                Source::ChaCha(generator) => generator.fill_bytes(buffer),
                Source::Constant(byte) => buffer.fill(*byte),
            }
            buffer.len()
        })?;
        Ok(())
    }
}
