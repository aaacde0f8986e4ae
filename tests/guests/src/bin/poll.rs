//! `poll_oneoff`. The test gives `input\n` on stdin.

use guests::abi::oflags;
use guests::errno::{Errno, check};
use guests::sys::*;
use guests::{ROOT, Suite, UNUSED_FD, abi};

/// `subscription`, with room for both kinds of content: 48 bytes, and 56 in `wasi_unstable`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Subscription {
    userdata: u64,
    tag: u8,
    /// There a clock has an identifier first, and a descriptor is in its place.
    #[cfg(feature = "unstable")]
    identifier: u64,
    /// Clock id or descriptor.
    id: u64,
    timeout: u64,
    precision: u64,
    flags: u16,
}

/// `event`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
struct Event {
    userdata: u64,
    error: u16,
    kind: u8,
    nbytes: u64,
    flags: u16,
}

const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;
const ABSTIME: u16 = 1;
const MS: u64 = 1_000_000;

fn clock(userdata: u64, id: u64, timeout: u64, flags: u16) -> Subscription {
    Subscription {
        userdata,
        tag: CLOCK,
        id,
        timeout,
        flags,
        ..Subscription::default()
    }
}

fn on_fd(userdata: u64, tag: u8, fd: u32) -> Subscription {
    Subscription {
        userdata,
        tag,
        #[cfg(not(feature = "unstable"))]
        id: u64::from(fd),
        #[cfg(feature = "unstable")]
        identifier: u64::from(fd),
        ..Subscription::default()
    }
}

/// The events; one more slot than asked for shows that the host writes no more than it may.
fn poll(subscriptions: &[Subscription]) -> R<Vec<Event>> {
    let guard = Event {
        userdata: u64::MAX,
        ..Event::default()
    };
    let mut events = vec![guard; subscriptions.len() + 1];
    let mut n = usize::MAX;
    // SAFETY: both arrays are as long as said, the count's pointer is live.
    check(unsafe {
        abi::poll_oneoff(
            at(subscriptions),
            out(events.as_mut_slice()),
            subscriptions.len(),
            out(&mut n),
        )
    })?;
    assert!(
        n <= subscriptions.len(),
        "the count of events is written and no larger than that of subscriptions"
    );
    assert_eq!(
        events[subscriptions.len()].userdata,
        u64::MAX,
        "no event past the last"
    );
    events.truncate(n);
    Ok(events)
}

/// What became of the one subscription: its errno, whether the host reports it in the event or for the whole call.
fn one(subscription: Subscription) -> R<Event> {
    let events = poll(&[subscription])?;
    assert_eq!(events.len(), 1, "one subscription, one event");
    match events[0].error {
        0 => Ok(events[0]),
        errno => Err(Errno(errno)),
    }
}

fn main() {
    let mut s = Suite::new();
    let size = if cfg!(feature = "unstable") { 56 } else { 48 };
    assert_eq!(size_of::<Subscription>(), size);
    assert_eq!(size_of::<Event>(), 32);
    none(&mut s);
    clocks(&mut s);
    files(&mut s);
    several(&mut s);
    stdio(&mut s);
    s.done()
}

fn none(s: &mut Suite) {
    s.group("none");
    s.is(
        "zero subscriptions",
        poll(&[]).map(|events| events.len()),
        "EINVAL",
    );
    let mut n = 77usize;
    // SAFETY: no subscription is read and no event written.
    s.is(
        "zero at any address",
        check(unsafe { abi::poll_oneoff(8, 8, 0, out(&mut n)) }),
        "EINVAL",
    );
}

fn clocks(s: &mut Suite) {
    for (id, name) in [(0, "realtime"), (1, "monotonic")] {
        s.group(name);
        let event = one(clock(0x1234_5678_9abc_def0, id, MS, 0));
        s.is("relative", event.map(|e| e.kind), "0");
        s.is(
            "userdata",
            event.map(|e| e.userdata == 0x1234_5678_9abc_def0),
            "true",
        );
        s.is(
            "no bytes, no flags",
            event.map(|e| (e.nbytes, e.flags)),
            "0 0",
        );
        s.is(
            "relative zero",
            one(clock(1, id, 0, 0)).map(|e| e.userdata),
            "1",
        );
        s.is(
            "absolute in the past",
            one(clock(2, id, 1, ABSTIME)).map(|e| e.userdata),
            "2",
        );
    }
    s.group("absolute");
    let mut now = 0u64;
    // SAFETY: the out pointer is live.
    s.need(
        "now",
        check(unsafe { abi::clock_time_get(1, 0, out(&mut now)) }),
    );
    s.is(
        "monotonic, now",
        one(clock(3, 1, now, ABSTIME)).map(|e| e.userdata),
        "3",
    );
    s.is(
        "monotonic, soon",
        one(clock(4, 1, now + MS, ABSTIME)).map(|e| e.userdata),
        "4",
    );
    s.group("cpu time");
    s.is(
        "process",
        one(clock(5, 2, 1, 0)).map(|e| e.userdata),
        "5|EINVAL|ENOTSUP",
    );
    s.is(
        "thread",
        one(clock(6, 3, 1, 0)).map(|e| e.userdata),
        "6|EINVAL|ENOTSUP",
    );
}

fn files(s: &mut Suite) {
    s.group("file");
    let fd = s.need("create", open(ROOT, "file", oflags::CREAT));
    s.need("write", write(fd, "0123456789"));
    s.need("seek", seek(fd, 4, 0));
    let event = one(on_fd(7, READ, fd));
    s.is("read", event.map(|e| (e.userdata, e.kind)), "7 1");
    s.is("bytes to read", event.map(|e| e.nbytes), "6|1");
    s.need("to the end", seek(fd, 0, 2));
    s.is(
        "read at the end",
        one(on_fd(8, READ, fd)).map(|e| (e.userdata, e.kind)),
        "8 1",
    );
    s.is(
        "write",
        one(on_fd(9, WRITE, fd)).map(|e| (e.userdata, e.kind)),
        "9 2",
    );
    s.is("polling moves no offset", tell(fd), "10");
    s.is("close", close(fd), "ok");
    s.is(
        "closed, read",
        one(on_fd(10, READ, fd)).map(|_| ()),
        "EBADF",
    );
    s.is(
        "closed, write",
        one(on_fd(11, WRITE, fd)).map(|_| ()),
        "EBADF",
    );
    s.is(
        "never opened",
        one(on_fd(12, READ, UNUSED_FD)).map(|_| ()),
        "EBADF",
    );
    s.is(
        "largest number",
        one(on_fd(12, READ, u32::MAX)).map(|_| ()),
        "EBADF",
    );
    // A descriptor that is not open fails the call, not its event: there is nothing to wait for.
    for (name, fd) in [("closed", fd), ("never opened", UNUSED_FD)] {
        let events = poll(&[clock(15, 1, 0, 0), on_fd(16, READ, fd)]);
        s.is(
            &format!("{name}, the whole call"),
            events.map(|events| events.len()),
            "EBADF",
        );
    }
    s.group("directory");
    let dir = s.need(
        "open",
        mkdir(ROOT, "dir").and_then(|()| open_dir(ROOT, "dir")),
    );
    s.is(
        "read",
        one(on_fd(13, READ, dir)).map(|_| ()),
        "ok|EBADF|ENOTCAPABLE|EISDIR",
    );
    s.is(
        "write",
        one(on_fd(14, WRITE, dir)).map(|_| ()),
        "ok|EBADF|ENOTCAPABLE|EISDIR",
    );
    s.is("close", close(dir), "ok");
}

fn several(s: &mut Suite) {
    s.group("several");
    let fd = s.need("create", open(ROOT, "several", oflags::CREAT));
    s.need("write", pwrite(fd, "0123456789", 0));
    let users = |events: R<Vec<Event>>| {
        events.map(|events| {
            let mut users: Vec<_> = events.iter().map(|e| e.userdata).collect();
            users.sort();
            users
                .iter()
                .map(u64::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    let hour = 3600 * 1000 * MS;
    s.is(
        "read and write",
        users(poll(&[on_fd(1, READ, fd), on_fd(2, WRITE, fd)])),
        "1 2",
    );
    s.is(
        "the same twice",
        users(poll(&[on_fd(1, READ, fd), on_fd(1, READ, fd)])),
        "1 1",
    );
    // A host whose clock stands still fires every timer at once.
    s.is(
        "a far timer",
        users(poll(&[clock(1, 1, hour, 0), on_fd(2, READ, fd)])),
        "2|1 2",
    );
    s.is(
        "two timers",
        users(poll(&[clock(1, 1, hour, 0), clock(2, 1, MS, 0)])),
        "2|1 2",
    );
    s.is(
        "three timers",
        users(poll(&[
            clock(1, 1, hour, 0),
            clock(2, 0, MS, 0),
            clock(3, 1, hour, 0),
        ])),
        "2|1 2 3",
    );
    let many: Vec<_> = (0..100)
        .map(|i| on_fd(i, if i % 2 == 0 { READ } else { WRITE }, fd))
        .collect();
    s.is("a hundred", poll(&many).map(|events| events.len()), "100");
    s.is("close", close(fd), "ok");
}

fn stdio(s: &mut Suite) {
    s.group("stdio");
    s.is(
        "stdout",
        one(on_fd(1, WRITE, 1)).map(|e| (e.userdata, e.kind)),
        "1 2",
    );
    s.is(
        "stderr",
        one(on_fd(2, WRITE, 2)).map(|e| (e.userdata, e.kind)),
        "2 2",
    );
    let event = one(on_fd(3, READ, 0));
    s.is("stdin", event.map(|e| (e.userdata, e.kind)), "3 1");
    s.is("stdin has bytes", event.map(|e| e.nbytes >= 1), "true");
    s.is("read", read(0, 100), "\"input\\n\"");
    s.is(
        "stdin at the end",
        one(on_fd(4, READ, 0)).map(|e| (e.userdata, e.kind)),
        "4 1",
    );
    s.is("read at the end", read(0, 100), "\"\"");
    s.is(
        "stdin and a timer",
        poll(&[on_fd(5, READ, 0), clock(6, 1, MS, 0)])
            .map(|events| events.iter().any(|e| e.userdata == 5)),
        "true",
    );
}
