//! The exports for JavaScript: numbers only, so that nothing has to be generated for them.
//!
//! JavaScript fills the buffer and says what the bytes in it are; what comes back is there again.

use crate::Program;
use std::cell::RefCell;

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    program: Option<Program>,
    args: Vec<Vec<u8>>,
    stdin: Vec<u8>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn with<T>(action: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(action)
}

/// Makes the buffer `length` bytes long; returns where it is.
#[unsafe(no_mangle)]
pub extern "C" fn buffer(length: usize) -> *mut u8 {
    with(|state| {
        state.buffer.resize(length, 0);
        state.buffer.as_mut_ptr()
    })
}

/// How many bytes are in the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn length() -> usize {
    with(|state| state.buffer.len())
}

/// Loads the program in the buffer. Returns 0, or -1 with the reason in the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn load(fuel: bool) -> i32 {
    with(|state| match Program::new(&state.buffer, fuel) {
        Ok(program) => {
            state.program = Some(program);
            0
        }
        Err(error) => {
            state.buffer = error.to_string().into_bytes();
            -1
        }
    })
}

/// Forgets arguments and standard input.
#[unsafe(no_mangle)]
pub extern "C" fn clear() {
    with(|state| {
        state.args.clear();
        state.stdin.clear();
    });
}

/// Takes the buffer as the next argument, beginning with the program's name.
#[unsafe(no_mangle)]
pub extern "C" fn arg() {
    with(|state| state.args.push(std::mem::take(&mut state.buffer)));
}

/// Takes the buffer as standard input.
#[unsafe(no_mangle)]
pub extern "C" fn stdin() {
    with(|state| state.stdin = std::mem::take(&mut state.buffer));
}

/// Runs the program. Returns its exit code with its output in the buffer, or -1 with the reason.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> i32 {
    with(|state| {
        let (code, bytes) = match &state.program {
            Some(program) => match program.run(&state.args, &state.stdin) {
                Ok(outcome) => (outcome.code, outcome.output),
                Err(error) => (-1, error.to_string().into_bytes()),
            },
            None => (-1, b"no program is loaded".to_vec()),
        };
        state.buffer = bytes;
        code
    })
}
