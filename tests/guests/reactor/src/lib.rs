//! A reactor: no `_start`; the host calls `_initialize` once, and then exports.
//!
//! What `_initialize` is there for is to run constructors, so this one writes from a constructor.

use guests::sys;

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = construct;

extern "C" fn construct() {
    let _ = sys::write(1, "ok constructor = ran\n");
}

/// An export for hosts that go on to call one.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    let _ = sys::write(1, "ok answer = called\n");
    42
}
