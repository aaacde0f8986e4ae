//! Values as the text that a check compares and prints.

use crate::Errno;

/// Turns a result into text: `ok` or a value for success, the errno's name for an error.
pub trait Show {
    /// The text that the check compares with what is wanted.
    fn show(&self) -> String;
}

impl Show for () {
    fn show(&self) -> String {
        "ok".into()
    }
}

macro_rules! by_display {
    ($($t:ty),*) => { $(impl Show for $t { fn show(&self) -> String { self.to_string() } })* };
}
by_display!(
    bool, u8, u16, u32, u64, i32, i64, usize, str, String, &str, Errno
);

impl Show for [u8] {
    fn show(&self) -> String {
        format!("\"{}\"", self.escape_ascii())
    }
}

impl Show for Vec<u8> {
    fn show(&self) -> String {
        self.as_slice().show()
    }
}

impl Show for &[u8] {
    fn show(&self) -> String {
        (**self).show()
    }
}

impl<A: Show, B: Show> Show for (A, B) {
    fn show(&self) -> String {
        format!("{} {}", self.0.show(), self.1.show())
    }
}

impl<A: Show, B: Show, C: Show> Show for (A, B, C) {
    fn show(&self) -> String {
        format!("{} {} {}", self.0.show(), self.1.show(), self.2.show())
    }
}

impl<T: Show> Show for Result<T, Errno> {
    fn show(&self) -> String {
        match self {
            Ok(value) => value.show(),
            Err(errno) => errno.show(),
        }
    }
}
