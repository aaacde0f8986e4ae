//! How wasmtime compiles, and what it compiled last: many runs are of few modules.

use sha2::{Digest, Sha256};
use std::sync::{Mutex, OnceLock, PoisonError};
use wasmtime::{Config, Engine, Error, Module, OptLevel};

/// Of the host's stack a guest may use so many bytes. They are reserved, and taken when they are
/// used. A call takes some 100 bytes, and the call limit is 65 536 where nothing is said; past this
/// the run is made on the interpreter.
const GUEST_STACK: usize = 128 << 20;

/// What our own functions have below the guest.
const HOST_STACK: usize = 2 << 20;

/// So many modules stay compiled.
const MOST: usize = 4;

/// The compiler, one for the process.
pub(super) fn engine() -> Result<Engine, String> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    let made = ENGINE.get_or_init(|| {
        let mut config = Config::new();
        // Without backtraces: in a deep recursion they take longer than the recursion.
        config
            .wasm_simd(true)
            .wasm_multi_memory(true)
            .wasm_memory64(true)
            .wasm_tail_call(true)
            .wasm_extended_const(true)
            .cranelift_opt_level(OptLevel::Speed)
            .wasm_backtrace_max_frames(None)
            .max_wasm_stack(GUEST_STACK)
            .async_stack_size(GUEST_STACK + HOST_STACK);
        Engine::new(&config).map_err(|error| format!("{error:#}"))
    });
    made.clone()
}

type Key = [u8; 32];

/// Compiles a module, unless it is one of the last.
pub(super) fn compile(engine: &Engine, wasm: &[u8]) -> Result<Module, Error> {
    static LAST: Mutex<Vec<(Key, Module)>> = Mutex::new(Vec::new());
    let key: Key = Sha256::digest(wasm).into();
    let lock = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let find = |last: &mut Vec<(Key, Module)>| {
        let at = last.iter().position(|(one, _)| *one == key)?;
        // The one used last is at the end.
        let found = last.remove(at);
        let module = found.1.clone();
        last.push(found);
        Some(module)
    };
    if let Some(module) = find(&mut lock()) {
        return Ok(module);
    }
    // Not under the lock: others may need other modules meanwhile.
    let module = Module::new(engine, wasm)?;
    let mut last = lock();
    if find(&mut last).is_none() {
        if last.len() >= MOST {
            last.remove(0);
        }
        last.push((key, module.clone()));
    }
    Ok(module)
}
