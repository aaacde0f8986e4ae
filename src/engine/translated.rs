//! How wasmi is set up, and what it translated last: the same program is often run again.

use crate::meter::{Bounds, Metered, MeteredId};
use std::sync::{Mutex, PoisonError};
use wasmi::{CompilationMode, Config, Engine, Error, Module};

/// Calls beside the guest's own: wrappers of the instrumentation.
const EXTRA_CALLS: u64 = 16;
/// wasmi keeps its frames on the heap. A frame there has at most twice the cells of the guest's (a
/// vector on the operand stack is two), and what the instrumentation adds to it, in bytes:
const EXTRA_FRAME: u64 = 256;

/// So many modules stay translated, as far as they were run.
const MOST: usize = 16;
/// They have no more bytes than this, but for the last.
const MOST_BYTES: usize = 64 << 20;

/// How large wasmi's stacks may become; an engine is made for one such size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stacks {
    calls: usize,
    bytes: usize,
}

impl Stacks {
    /// What a run under `bounds` may need.
    fn under(bounds: &Bounds, profiled: bool) -> Self {
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        // With a profile there is a wrapper's frame for each of the guest's.
        let frames = if profiled { 2 } else { 1 };
        let calls = bounds.call + EXTRA_CALLS;
        Self {
            calls: size(frames * bounds.call + EXTRA_CALLS),
            bytes: size(frames * (2 * bounds.frame + calls * EXTRA_FRAME)),
        }
    }

    fn engine(self) -> Engine {
        let mut config = Config::default();
        config.set_max_recursion_depth(self.calls);
        config.set_max_stack_height(self.bytes);
        // A run's stack goes with it: it may be large.
        config.set_max_cached_stacks(0);
        // Functions are validated and translated when they are first called, so a large program starts
        // at once. All of it was validated when it was instrumented; what wasmi looks at again is our
        // own code.
        config.compilation_mode(CompilationMode::Lazy);
        Engine::new(&config)
    }
}

/// A module that is kept, with all functions that were translated so far.
struct Kept {
    id: MeteredId,
    stacks: Stacks,
    /// Of the binary: what wasmi makes of the functions that are called is some times that.
    bytes: usize,
    module: Module,
}

/// The module used last is at the end.
#[derive(Default)]
struct Last(Vec<Kept>);

impl Last {
    fn find(&mut self, id: MeteredId, stacks: Stacks) -> Option<Module> {
        let is_it = |kept: &Kept| kept.id == id && kept.stacks == stacks;
        let at = self.0.iter().position(is_it)?;
        let found = self.0.remove(at);
        let module = found.module.clone();
        self.0.push(found);
        Some(module)
    }

    fn keep(&mut self, kept: Kept) {
        self.0.push(kept);
        while self.0.len() > 1 && (self.0.len() > MOST || self.bytes() > MOST_BYTES) {
            self.0.remove(0);
        }
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|kept| kept.bytes).sum()
    }
}

/// The module in wasmi, ready to be instantiated under `bounds`; parsed, unless it is one of the last.
///
/// # Errors
/// If wasmi refuses it.
pub(super) fn translated(metered: &Metered, bounds: &Bounds) -> Result<Module, Error> {
    static LAST: Mutex<Last> = Mutex::new(Last(Vec::new()));
    let lock = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let (id, stacks) = (metered.id, Stacks::under(bounds, metered.profiled));
    if let Some(module) = lock().find(id, stacks) {
        return Ok(module);
    }
    // Not under the lock: others may need other modules meanwhile.
    let module = Module::new(&stacks.engine(), &metered.wasm)?;
    let mut last = lock();
    if let Some(module) = last.find(id, stacks) {
        return Ok(module);
    }
    last.keep(Kept {
        id,
        stacks,
        bytes: metered.wasm.len(),
        module: module.clone(),
    });
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Detail, Options, Target, instrument, profiled};

    fn metered() -> Metered {
        let options = Options {
            detail: Detail::Fast,
            target: Target::Interpreter,
            state: false,
        };
        instrument(b"\0asm\x01\0\0\0", &options).expect("it is valid")
    }

    #[test]
    fn a_module_is_parsed_once_for_each_size_of_the_stack() {
        let (one, other) = (metered(), metered());
        let module = |metered: &Metered, call: u64| {
            let bounds = Bounds::new(None, Some(call), None, None);
            translated(metered, &bounds).expect("wasmi takes it")
        };
        let first = module(&one, 1000);
        assert!(Engine::same(first.engine(), module(&one, 1000).engine()));
        assert!(!Engine::same(first.engine(), module(&one, 1001).engine()));
        assert!(!Engine::same(first.engine(), module(&other, 1000).engine()));
        assert!(Engine::same(first.engine(), module(&one, 1000).engine()));
    }

    #[test]
    fn only_the_last_are_kept() {
        let stacks = Stacks::under(&Bounds::default(), false);
        let module = Module::new(&stacks.engine(), b"\0asm\x01\0\0\0").expect("it is valid");
        let kept = |bytes: usize| Kept {
            id: MeteredId::fresh(),
            stacks,
            bytes,
            module: module.clone(),
        };
        let mut last = Last::default();
        let first = kept(1);
        let id = first.id;
        last.keep(first);
        for _ in 1..MOST {
            last.keep(kept(1));
        }
        // Now it is the one used last; that many others are needed to forget it.
        assert!(last.find(id, stacks).is_some());
        for _ in 1..MOST {
            last.keep(kept(1));
        }
        assert!(last.find(id, stacks).is_some());
        // One more is too many, however small.
        for _ in 0..MOST {
            last.keep(kept(1));
        }
        assert!(last.find(id, stacks).is_none());
        assert_eq!(last.0.len(), MOST);
        // So is what is too large together, but for what was used last.
        last.keep(kept(MOST_BYTES));
        assert_eq!(last.0.len(), 1);
        last.keep(kept(MOST_BYTES + 1));
        assert_eq!(last.bytes(), MOST_BYTES + 1);
        last.keep(kept(1));
        assert_eq!(last.bytes(), 1);
        last.keep(kept(MOST_BYTES - 1));
        assert_eq!(last.0.len(), 2);
    }

    /// The same program, instrumented in every way there is, and once more.
    #[test]
    fn ways_to_instrument_are_kept_apart() {
        let wasm = wat::parse_str("(module (func $leaf) (func (export \"_start\") call $leaf))")
            .expect("it is WebAssembly");
        let bounds = Bounds::default();
        let mut all = Vec::new();
        for detail in [Detail::Fast, Detail::Exact] {
            for target in [Target::Interpreter, Target::Compiler] {
                for state in [false, true] {
                    let options = Options {
                        detail,
                        target,
                        state,
                    };
                    all.extend((0..2).map(|_| instrument(&wasm, &options).expect("it is valid")));
                }
            }
        }
        let options = Options {
            detail: Detail::Fast,
            target: Target::Interpreter,
            state: false,
        };
        all.push(profiled(&wasm, &options).expect("it is valid"));
        let stored = all[0].to_bytes("it");
        all.push(Metered::from_bytes("it", &stored).expect("it is one"));
        let modules: Vec<Module> = all
            .iter()
            .map(|metered| translated(metered, &bounds).expect("wasmi takes it"))
            .collect();
        for (index, one) in modules.iter().enumerate() {
            let others = &modules[index + 1..];
            assert!(
                others
                    .iter()
                    .all(|other| !Engine::same(one.engine(), other.engine())),
                "{index}"
            );
        }
    }
}
