//! The functions of preview1 and `wasi_unstable`: names, parameters, and the layouts that differ.

/// Which generation of the interface a module imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Abi {
    /// `wasi_unstable`, snapshot 0.
    Unstable,
    /// `wasi_snapshot_preview1`.
    Preview1,
}

impl Abi {
    /// The module name that functions are imported from.
    pub fn module(self) -> &'static str {
        match self {
            Self::Unstable => "wasi_unstable",
            Self::Preview1 => "wasi_snapshot_preview1",
        }
    }

    /// The generation that is imported from `module`.
    pub fn from_module(module: &str) -> Option<Self> {
        [Self::Unstable, Self::Preview1]
            .into_iter()
            .find(|abi| abi.module() == module)
    }
}

/// The type of a parameter: every one of preview1 is an `i32` or an `i64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `i32`
    I32,
    /// `i64`
    I64,
}

macro_rules! functions {
    ($($variant:ident $name:literal ($($parameter:ident)*)),* $(,)?) => {
        /// A function of the interface. All return an errno, but [`Function::ProcExit`], which
        /// does not return.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // each is named and defined by the specification
        pub enum Function { $($variant),* }

        impl Function {
            /// Every function of preview1.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name, as modules import it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The types of its parameters.
            pub fn parameters(self) -> &'static [Parameter] {
                match self { $(Self::$variant => &[$(Parameter::$parameter),*]),* }
            }
        }
    };
}

functions! {
    ArgsGet "args_get" (I32 I32),
    ArgsSizesGet "args_sizes_get" (I32 I32),
    EnvironGet "environ_get" (I32 I32),
    EnvironSizesGet "environ_sizes_get" (I32 I32),
    ClockResGet "clock_res_get" (I32 I32),
    ClockTimeGet "clock_time_get" (I32 I64 I32),
    FdAdvise "fd_advise" (I32 I64 I64 I32),
    FdAllocate "fd_allocate" (I32 I64 I64),
    FdClose "fd_close" (I32),
    FdDatasync "fd_datasync" (I32),
    FdFdstatGet "fd_fdstat_get" (I32 I32),
    FdFdstatSetFlags "fd_fdstat_set_flags" (I32 I32),
    FdFdstatSetRights "fd_fdstat_set_rights" (I32 I64 I64),
    FdFilestatGet "fd_filestat_get" (I32 I32),
    FdFilestatSetSize "fd_filestat_set_size" (I32 I64),
    FdFilestatSetTimes "fd_filestat_set_times" (I32 I64 I64 I32),
    FdPread "fd_pread" (I32 I32 I32 I64 I32),
    FdPrestatGet "fd_prestat_get" (I32 I32),
    FdPrestatDirName "fd_prestat_dir_name" (I32 I32 I32),
    FdPwrite "fd_pwrite" (I32 I32 I32 I64 I32),
    FdRead "fd_read" (I32 I32 I32 I32),
    FdReaddir "fd_readdir" (I32 I32 I32 I64 I32),
    FdRenumber "fd_renumber" (I32 I32),
    FdSeek "fd_seek" (I32 I64 I32 I32),
    FdSync "fd_sync" (I32),
    FdTell "fd_tell" (I32 I32),
    FdWrite "fd_write" (I32 I32 I32 I32),
    PathCreateDirectory "path_create_directory" (I32 I32 I32),
    PathFilestatGet "path_filestat_get" (I32 I32 I32 I32 I32),
    PathFilestatSetTimes "path_filestat_set_times" (I32 I32 I32 I32 I64 I64 I32),
    PathLink "path_link" (I32 I32 I32 I32 I32 I32 I32),
    PathOpen "path_open" (I32 I32 I32 I32 I32 I64 I64 I32 I32),
    PathReadlink "path_readlink" (I32 I32 I32 I32 I32 I32),
    PathRemoveDirectory "path_remove_directory" (I32 I32 I32),
    PathRename "path_rename" (I32 I32 I32 I32 I32 I32),
    PathSymlink "path_symlink" (I32 I32 I32 I32 I32),
    PathUnlinkFile "path_unlink_file" (I32 I32 I32),
    PollOneoff "poll_oneoff" (I32 I32 I32 I32),
    ProcExit "proc_exit" (I32),
    ProcRaise "proc_raise" (I32),
    SchedYield "sched_yield" (),
    RandomGet "random_get" (I32 I32),
    SockAccept "sock_accept" (I32 I32 I32),
    SockRecv "sock_recv" (I32 I32 I32 I32 I32 I32),
    SockSend "sock_send" (I32 I32 I32 I32 I32),
    SockShutdown "sock_shutdown" (I32 I32),
}

impl Function {
    /// The function that a module imports as `name`. `sock_accept` came with preview1.
    pub fn find(abi: Abi, name: &str) -> Option<Self> {
        let found = Self::ALL
            .iter()
            .copied()
            .find(|function| function.name() == name)?;
        (abi == Abi::Preview1 || found != Self::SockAccept).then_some(found)
    }

    /// Whether it returns an errno; only `proc_exit` does not.
    pub fn returns(self) -> bool {
        self != Self::ProcExit
    }
}

/// One call of a function: which, in which generation, and its arguments as raw bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The generation whose layouts apply.
    pub abi: Abi,
    /// The function.
    pub function: Function,
    /// The arguments, `i32` ones zero-extended; unused ones are 0.
    pub args: [u64; 9],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preview1_has_46_functions_and_none_takes_more_than_nine_arguments() {
        assert_eq!(Function::ALL.len(), 46);
        assert!(
            Function::ALL
                .iter()
                .all(|function| function.parameters().len() <= 9)
        );
        assert_eq!(Function::find(Abi::Unstable, "sock_accept"), None);
    }
}
