//! The digest of a system's own state: what a program could find out by calls, beside files and
//! output.

use super::clock::Clock;
use super::descriptor::{Descriptor, Object, Stream};
use super::system::{Source, System};
use crate::digest::Digest;
use crate::task::Access;

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

impl System {
    /// SHA-256 of the clock, the position in the random bytes, what was read of standard input, and
    /// all descriptors; `docs/receipt.md` has the layout.
    pub fn state_digest(&self) -> Digest {
        let mut out = Vec::with_capacity(256);
        number(
            &mut out,
            match self.clock {
                Clock::Fixed { elapsed } => elapsed,
                Clock::Virtual { slept } => slept,
            },
        );
        number(
            &mut out,
            match &self.random {
                // 2^64 words take longer to draw than any run.
                Source::ChaCha(generator) => generator.get_word_pos() as u64,
                Source::Constant(_) => 0,
            },
        );
        number(&mut out, self.stdin.consumed());
        for descriptor in self.fds.all() {
            match descriptor {
                None => out.push(b'-'),
                Some(descriptor) => describe(descriptor, &mut out),
            }
        }
        Digest::of(&out)
    }
}

fn describe(descriptor: &Descriptor, out: &mut Vec<u8>) {
    match &descriptor.object {
        Object::Stream(stream) => out.push(match stream {
            Stream::In => b'0',
            Stream::Out => b'1',
            Stream::Err => b'2',
        }),
        Object::File { ino, offset } => {
            out.push(b'f');
            number(out, ino.0);
            number(out, *offset);
        }
        Object::Directory {
            ino,
            preopen,
            listing,
        } => {
            out.push(if preopen.is_some() { b'p' } else { b'd' });
            number(out, ino.0);
            // What is in a listing follows from the files when it began.
            let (read, names) = listing
                .as_ref()
                .map_or((0, 0), |listing| (listing.read.len() as u64, listing.names));
            number(out, read);
            number(out, names);
        }
    }
    number(out, descriptor.rights);
    number(out, descriptor.inheriting);
    out.extend(descriptor.flags.to_le_bytes());
    out.push(match descriptor.access {
        Access::ReadWrite => 0,
        Access::ReadOnlyFiles => 1,
        Access::ReadOnly => 2,
    });
}
