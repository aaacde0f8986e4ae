//! `wasi_unstable` for the oracle: wasi-common has it, `wasmi_wasi` links preview1 only.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmi::{Caller, Error, Extern, Linker};
use wasmi_wasi::wasi_common::I32Exit;
use wasmi_wasi::wasi_common::snapshots::preview_0::wasi_unstable;
use wasmi_wasi::{WasiCtx, WasmiGuestMemory};

/// Its futures are ready when they are first polled: the context is a synchronous one.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("wasi-common's synchronous context never waits"),
    }
}

macro_rules! link {
    ($linker:ident: $($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        $linker
            .func_wrap(
                "wasi_unstable",
                stringify!($name),
                |mut caller: Caller<'_, WasiCtx>, $($arg: $type),*| -> Result<i32, Error> {
                    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                        return Err(Error::new("a guest exports its memory"));
                    };
                    let (bytes, context) = memory.data_and_store_mut(&mut caller);
                    let mut memory = WasmiGuestMemory::Unshared(bytes);
                    now(wasi_unstable::$name(context, &mut memory, $($arg),*))
                        .map_err(|error| Error::new(error.to_string()))
                },
            )
            .expect("nothing is defined twice");
    )*};
}

/// Adds all of `wasi_unstable`.
pub fn add_to_linker(linker: &mut Linker<WasiCtx>) {
    link! { linker:
        args_get(a: i32, b: i32);
        args_sizes_get(a: i32, b: i32);
        environ_get(a: i32, b: i32);
        environ_sizes_get(a: i32, b: i32);
        clock_res_get(a: i32, b: i32);
        clock_time_get(a: i32, b: i64, c: i32);
        fd_advise(a: i32, b: i64, c: i64, d: i32);
        fd_allocate(a: i32, b: i64, c: i64);
        fd_close(a: i32);
        fd_datasync(a: i32);
        fd_fdstat_get(a: i32, b: i32);
        fd_fdstat_set_flags(a: i32, b: i32);
        fd_fdstat_set_rights(a: i32, b: i64, c: i64);
        fd_filestat_get(a: i32, b: i32);
        fd_filestat_set_size(a: i32, b: i64);
        fd_filestat_set_times(a: i32, b: i64, c: i64, d: i32);
        fd_pread(a: i32, b: i32, c: i32, d: i64, e: i32);
        fd_prestat_get(a: i32, b: i32);
        fd_prestat_dir_name(a: i32, b: i32, c: i32);
        fd_pwrite(a: i32, b: i32, c: i32, d: i64, e: i32);
        fd_read(a: i32, b: i32, c: i32, d: i32);
        fd_readdir(a: i32, b: i32, c: i32, d: i64, e: i32);
        fd_renumber(a: i32, b: i32);
        fd_seek(a: i32, b: i64, c: i32, d: i32);
        fd_sync(a: i32);
        fd_tell(a: i32, b: i32);
        fd_write(a: i32, b: i32, c: i32, d: i32);
        path_create_directory(a: i32, b: i32, c: i32);
        path_filestat_get(a: i32, b: i32, c: i32, d: i32, e: i32);
        path_filestat_set_times(a: i32, b: i32, c: i32, d: i32, e: i64, f: i64, g: i32);
        path_link(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32);
        path_open(a: i32, b: i32, c: i32, d: i32, e: i32, f: i64, g: i64, h: i32, i: i32);
        path_readlink(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32);
        path_remove_directory(a: i32, b: i32, c: i32);
        path_rename(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32);
        path_symlink(a: i32, b: i32, c: i32, d: i32, e: i32);
        path_unlink_file(a: i32, b: i32, c: i32);
        poll_oneoff(a: i32, b: i32, c: i32, d: i32);
        proc_raise(a: i32);
        random_get(a: i32, b: i32);
        sched_yield();
        sock_recv(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32);
        sock_send(a: i32, b: i32, c: i32, d: i32, e: i32);
        sock_shutdown(a: i32, b: i32);
    }
    linker
        .func_wrap(
            "wasi_unstable",
            "proc_exit",
            |mut caller: Caller<'_, WasiCtx>, code: i32| -> Result<(), Error> {
                let mut memory = WasmiGuestMemory::Unshared(&mut []);
                let context = caller.data_mut();
                now(wasi_unstable::proc_exit(context, &mut memory, code)).map_err(|error| {
                    match error.downcast::<I32Exit>() {
                        Ok(I32Exit(status)) => Error::i32_exit(status),
                        Err(error) => Error::new(error.to_string()),
                    }
                })
            },
        )
        .expect("nothing is defined twice");
}
