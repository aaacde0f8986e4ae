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

unsafe extern "C" {
    /// Made by the linker: runs the constructors.
    fn __wasm_call_ctors();
}

/// What `crt1-reactor.o` of wasi-libc would export; rustc does not link that for a `cdylib`.
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    // SAFETY: the host calls `_initialize` once, before anything else.
    unsafe { __wasm_call_ctors() };
}

/// An export for hosts that go on to call one.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    let _ = sys::write(1, "ok answer = called\n");
    42
}
