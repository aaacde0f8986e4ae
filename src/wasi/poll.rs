//! `poll_oneoff`.

use super::clock::ClockId;
use super::*;

/// Sizes in bytes.
const EVENT: u32 = 32;

fn subscription_size(abi: Abi) -> u32 {
    match abi {
        // The clock's subscription starts with an identifier there.
        Abi::Unstable => 56,
        Abi::Preview1 => 48,
    }
}

/// `eventtype` of preview1.
mod eventtype {
    pub const CLOCK: u8 = 0;
    pub const FD_READ: u8 = 1;
    pub const FD_WRITE: u8 = 2;
}

/// `subclockflags`: the timeout is a point in time.
const ABSTIME: u16 = 1;
/// `eventrwflags`: there will be no more data.
const HANGUP: u16 = 1;

/// What one subscription waits for.
enum Wait {
    Clock { id: u32, timeout: u64, flags: u16 },
    Read(u32),
    Write(u32),
}

struct Subscription {
    userdata: [u8; 8],
    wait: Wait,
}

/// What happened.
struct Event {
    userdata: [u8; 8],
    error: Errno,
    kind: u8,
    bytes: u64,
    flags: u16,
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut taken = [0; N];
    taken.copy_from_slice(&bytes[at..at + N]);
    taken
}

fn decode(abi: Abi, bytes: &[u8]) -> Result<Subscription, Errno> {
    let wait = match bytes[8] {
        eventtype::CLOCK => {
            let at = match abi {
                Abi::Unstable => 24,
                Abi::Preview1 => 16,
            };
            Wait::Clock {
                id: u32::from_le_bytes(take(bytes, at)),
                timeout: u64::from_le_bytes(take(bytes, at + 8)),
                flags: u16::from_le_bytes(take(bytes, at + 24)),
            }
        }
        eventtype::FD_READ => Wait::Read(u32::from_le_bytes(take(bytes, 16))),
        eventtype::FD_WRITE => Wait::Write(u32::from_le_bytes(take(bytes, 16))),
        _ => return Err(Errno::Inval),
    };
    Ok(Subscription {
        userdata: take(bytes, 0),
        wait,
    })
}

impl System {
    /// Waits for the first of the subscribed events. Descriptors that are ready now come first; if
    /// none is, the timeouts that end first are over at once, since no time passes between calls;
    /// if there are no timeouts, the guest waits for input.
    pub(super) fn poll_oneoff(
        &mut self,
        memory: &mut Memory<'_>,
        abi: Abi,
        subscriptions: u32,
        events: u32,
        count: u32,
        result: u32,
    ) -> Result<(), Stop> {
        if count == 0 {
            return Err(Errno::Inval.into());
        }
        let size = subscription_size(abi);
        let len = count.checked_mul(size).ok_or(Errno::Fault)?;
        memory.check(events, count.checked_mul(EVENT).ok_or(Errno::Fault)?)?;
        memory.check(result, 4)?;
        let subscriptions = memory
            .view(subscriptions, len)?
            .chunks_exact(size as usize)
            .map(|bytes| decode(abi, bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let ready = self.ready(&subscriptions)?;
        let mut bytes = Vec::with_capacity(ready.len() * EVENT as usize);
        for event in &ready {
            let mut raw = [0; EVENT as usize];
            raw[..8].copy_from_slice(&event.userdata);
            raw[8..10].copy_from_slice(&(event.error as u16).to_le_bytes());
            raw[10] = event.kind;
            raw[16..24].copy_from_slice(&event.bytes.to_le_bytes());
            raw[24..26].copy_from_slice(&event.flags.to_le_bytes());
            bytes.extend_from_slice(&raw);
        }
        memory.write(events, &bytes)?;
        Ok(memory.write_u32(result, ready.len() as u32)?)
    }

    /// The events that are due. A descriptor that is not open fails the whole call with EBADF, as
    /// on wasmtime; any other error is told in the subscription's event.
    fn ready(&mut self, subscriptions: &[Subscription]) -> Result<Vec<Event>, Stop> {
        for subscription in subscriptions {
            if let Wait::Read(fd) | Wait::Write(fd) = subscription.wait {
                self.fds.get(fd)?;
            }
        }
        let mut ready = Vec::new();
        let mut sleepers = Vec::new();
        for subscription in subscriptions {
            let userdata = subscription.userdata;
            match subscription.wait {
                Wait::Clock { id, timeout, flags } => match self.left(id, timeout, flags) {
                    Ok(0) => ready.push(clock_event(userdata, Errno::Success)),
                    Ok(left) => sleepers.push((left, userdata)),
                    Err(errno) => ready.push(clock_event(userdata, errno)),
                },
                Wait::Read(fd) => ready.extend(self.read_event(fd, userdata)),
                Wait::Write(fd) => ready.push(self.write_event(fd, userdata)),
            }
        }
        if !ready.is_empty() {
            return Ok(ready);
        }
        let Some(shortest) = sleepers.iter().map(|(left, _)| *left).min() else {
            return Err(Stop::Block);
        };
        self.clock.sleep(shortest);
        let over = sleepers.into_iter().filter(|&(left, _)| left == shortest);
        Ok(over
            .map(|(_, userdata)| clock_event(userdata, Errno::Success))
            .collect())
    }

    /// Nanoseconds until a clock's subscription is due.
    fn left(&self, id: u32, timeout: u64, flags: u16) -> Result<u64, Errno> {
        let now = self.clock.peek(ClockId::decode(id)?, self.steps);
        match flags {
            0 => Ok(timeout),
            ABSTIME => Ok(timeout.saturating_sub(now)),
            _ => Err(Errno::Inval),
        }
    }

    /// The event of a descriptor that can be read, or `None` if that has to be waited for.
    fn read_event(&self, fd: u32, userdata: [u8; 8]) -> Option<Event> {
        let event = |error, bytes, flags| Event {
            userdata,
            error,
            kind: eventtype::FD_READ,
            bytes,
            flags,
        };
        let descriptor = match self.descriptor(fd, rights::POLL_FD_READWRITE) {
            Ok(descriptor) => descriptor,
            Err(errno) => return Some(event(errno, 0, 0)),
        };
        match descriptor.object {
            Object::Stream(Stream::In) if self.stdin.would_block() => None,
            Object::Stream(Stream::In) => {
                let bytes = self.stdin.available();
                Some(event(
                    Errno::Success,
                    bytes,
                    if bytes == 0 { HANGUP } else { 0 },
                ))
            }
            Object::Stream(_) => Some(event(Errno::Badf, 0, 0)),
            Object::File { ino, offset } => {
                let len = self.fs.content(ino).map_or(0, |content| content.len());
                Some(event(Errno::Success, len.saturating_sub(offset), 0))
            }
            Object::Directory { .. } => Some(event(Errno::Badf, 0, 0)),
        }
    }

    fn write_event(&self, fd: u32, userdata: [u8; 8]) -> Event {
        let descriptor = self.descriptor(fd, rights::POLL_FD_READWRITE);
        let error = match descriptor.map(|descriptor| &descriptor.object) {
            Ok(Object::Stream(Stream::In) | Object::Directory { .. }) => Errno::Badf,
            Ok(_) => Errno::Success,
            Err(errno) => errno,
        };
        Event {
            userdata,
            error,
            kind: eventtype::FD_WRITE,
            bytes: 0,
            flags: 0,
        }
    }
}

fn clock_event(userdata: [u8; 8], error: Errno) -> Event {
    Event {
        userdata,
        error,
        kind: eventtype::CLOCK,
        bytes: 0,
        flags: 0,
    }
}
