//! `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown` where there is no socket.

use guests::abi::oflags;
use guests::errno::check;
use guests::sys::*;
use guests::{ROOT, Suite, UNUSED_FD, abi};

fn accept(fd: u32) -> R<u32> {
    let mut new = 0u32;
    // SAFETY: the out pointer is live.
    check(unsafe { abi::sock_accept(fd, 0, out(&mut new)) })?;
    Ok(new)
}

fn recv(fd: u32) -> R<usize> {
    let mut buf = [0u8; 8];
    let iov = [Iovec {
        buf: out(&mut buf),
        len: 8,
    }];
    let (mut n, mut flags) = (0usize, 0u16);
    // SAFETY: all pointers are live.
    check(unsafe { abi::sock_recv(fd, at(&iov), 1, 0, out(&mut n), out(&mut flags)) })?;
    Ok(n)
}

fn send(fd: u32) -> R<usize> {
    let iov = ciovecs(&[b"x"]);
    let mut n = 0usize;
    // SAFETY: all pointers are live.
    check(unsafe { abi::sock_send(fd, at(iov.as_slice()), 1, 0, out(&mut n)) })?;
    Ok(n)
}

fn shutdown(fd: u32, how: u32) -> R<()> {
    // SAFETY: takes no pointers.
    check(unsafe { abi::sock_shutdown(fd, how) })
}

fn main() {
    let mut s = Suite::new();
    let file = s.need("create", open(ROOT, "file", oflags::CREAT));
    for (name, fd, want) in [
        ("file", file, "ENOTSOCK|EBADF"),
        ("stdin", 0, "ENOTSOCK|EBADF"),
        ("stdout", 1, "ENOTSOCK|EBADF"),
        ("directory", ROOT, "EBADF"),
        ("not open", UNUSED_FD, "EBADF"),
    ] {
        s.group(name);
        s.is("sock_accept", accept(fd), want);
        s.is("sock_recv", recv(fd), want);
        s.is("sock_send", send(fd), want);
        s.is("sock_shutdown rd", shutdown(fd, 1), want);
        s.is("sock_shutdown wr", shutdown(fd, 2), want);
        s.is("sock_shutdown both", shutdown(fd, 3), want);
    }
    s.group("file");
    s.is(
        "nothing was written",
        fstat(file).map(|stat| stat.size),
        "0",
    );
    s.done()
}
