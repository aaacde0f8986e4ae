//! Enum values and flag bits that the specification does not define: EINVAL, and nothing happens. (Some hosts trap.)

use guests::abi::oflags;
use guests::errno::check;
use guests::sys::*;
use guests::{ROOT, Suite, abi};

fn main() {
    let mut s = Suite::new();
    let fd = s.need("create", open(ROOT, "file", oflags::CREAT));
    s.need("write", write(fd, "content"));

    s.group("clockid");
    let mut value = 0u64;
    for id in [4, 5, 255, u32::MAX] {
        // SAFETY: the out pointer is live.
        s.is(
            &format!("resolution of {id}"),
            check(unsafe { abi::clock_res_get(id, out(&mut value)) }),
            "EINVAL",
        );
        // SAFETY: the out pointer is live.
        s.is(
            &format!("time of {id}"),
            check(unsafe { abi::clock_time_get(id, 0, out(&mut value)) }),
            "EINVAL",
        );
    }

    s.group("whence");
    for whence in [3, 4, 255] {
        s.is(&whence.to_string(), seek(fd, 0, whence), "EINVAL");
    }
    s.is("the offset is unchanged", tell(fd), "7");

    s.group("advice");
    for advice in [6, 7, 255] {
        s.is(&advice.to_string(), advise(fd, 0, 1, advice), "EINVAL");
    }

    s.group("fdflags");
    s.is("bit 5", set_flags(fd, 1 << 5), "EINVAL");
    s.is("bit 15", set_flags(fd, 1 << 15), "EINVAL");
    s.is("unchanged", fdstat(fd).map(|stat| stat.flags), "0");
    s.is(
        "path_open",
        open_with(ROOT, 0, "new", oflags::CREAT, abi::rights::FILE, 0, 1 << 5),
        "EINVAL",
    );
    s.is("no file was made", kind("new"), "ENOENT");

    s.group("oflags");
    s.is("bit 4", open(ROOT, "new", oflags::CREAT | 1 << 4), "EINVAL");
    s.is("no file was made", kind("new"), "ENOENT");

    s.group("lookupflags");
    s.is(
        "path_filestat_get",
        stat(ROOT, 2, "file").map(|_| ()),
        "EINVAL",
    );
    s.is(
        "path_open",
        open_with(ROOT, 2, "file", 0, abi::rights::FILE, 0, 0),
        "EINVAL",
    );
    s.is("path_link", link(ROOT, 2, "file", ROOT, "new"), "EINVAL");
    s.is(
        "path_filestat_set_times",
        path_set_times(ROOT, 2, "file", 1, 1, 1),
        "EINVAL",
    );

    s.group("fstflags");
    s.is("bit 4", set_times(fd, 1, 1, 1 << 4), "EINVAL");
    s.is(
        "bit 4 by path",
        path_set_times(ROOT, 0, "file", 1, 1, 1 << 4),
        "EINVAL",
    );

    s.group("sdflags");
    // SAFETY: takes no pointers.
    s.is(
        "bit 2",
        check(unsafe { abi::sock_shutdown(fd, 1 << 2) }),
        "EINVAL|ENOTSOCK",
    );

    s.group("truncated to 16 bits");
    // The ABI passes flags as i32; the upper bits are no part of a 16-bit or 8-bit value, and are refused too.
    s.is("fdflags", set_flags(fd, 1 << 16), "EINVAL");
    s.is("close", close(fd), "ok");
    s.done()
}
