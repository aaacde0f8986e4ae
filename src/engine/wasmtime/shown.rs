//! What shows a guest's state on wasmtime, to whoever observes it.

use super::{Data, Interrupt, Slot, ask, at_once, lock};
use crate::engine::{Guest, Observer};
use crate::meter::StateExports;
use crate::wasi::System;
use std::cell::Cell;
use wasmtime::{AsContextMut, Error, Func, Instance, Memory, Store, Val};

/// The exports that show a guest's state.
#[derive(Clone)]
pub(super) struct Shown {
    state: StateExports,
    cells: Vec<Func>,
    instance: Instance,
    memories: Vec<Memory>,
}

impl Shown {
    pub fn find(
        store: &mut Store<Data>,
        instance: &Instance,
        state: &StateExports,
    ) -> Option<Self> {
        let count = state.cells.len() as u32;
        let cells = (0..count).map(|index| instance.get_func(&mut *store, &state.cell(index)));
        let cells = cells.collect::<Option<_>>()?;
        let memories =
            (0..state.memories).map(|index| instance.get_memory(&mut *store, &state.memory(index)));
        Some(Self {
            state: state.clone(),
            cells,
            instance: *instance,
            memories: memories.collect::<Option<_>>()?,
        })
    }
}

thread_local! {
    /// The observer of the guest that runs. What a store holds must be fit for other threads, and an
    /// observer need not be; the guest itself runs on the thread that polls it.
    static OBSERVER: Cell<Option<Box<dyn Observer>>> = const { Cell::new(None) };
}

/// Does `run` with this observer at hand.
pub(super) fn observed<T>(observer: &mut Option<Box<dyn Observer>>, run: impl FnOnce() -> T) -> T {
    let outer = OBSERVER.replace(observer.take());
    let result = run();
    *observer = OBSERVER.replace(outer);
    result
}

/// A guest whose state is shown.
struct ShownGuest<'a, C> {
    context: C,
    slot: &'a Slot,
    shown: &'a Shown,
    cells: Vec<u64>,
}

impl<C: AsContextMut<Data = Data>> Guest for ShownGuest<'_, C> {
    fn cells(&mut self) -> Result<Vec<u64>, String> {
        Ok(self.cells.clone())
    }

    fn state(&self) -> &StateExports {
        &self.shown.state
    }

    fn flip(&mut self, cell: u32, bits: u64) -> Result<(), String> {
        let params = [Val::I32(cell as i32), Val::I64(bits as i64)];
        let name = self.shown.state.flip(cell);
        let flip = self.shown.instance.get_func(&mut self.context, &name);
        let flip = flip.ok_or_else(|| format!("the guest has no cell {cell}"))?;
        let flipped = at_once(flip.call_async(&mut self.context, &params, &mut []));
        let waited = || "wasmtime waited".to_owned();
        flipped
            .ok_or_else(waited)?
            .map_err(|error| format!("{error:#}"))?;
        // They were read before; a checkpoint may be taken at this stop too.
        if let Some(it) = self.cells.get_mut(cell as usize) {
            *it ^= bits;
        }
        Ok(())
    }

    fn memories(&self) -> usize {
        self.shown.memories.len()
    }

    fn memory_size(&self, memory: usize) -> u64 {
        let memory = self.shown.memories.get(memory);
        memory.map_or(0, |memory| {
            memory.data_size(self.context.as_context()) as u64
        })
    }

    fn visit(&mut self, memory: usize, each: &mut dyn FnMut(u64, &mut [u8]) -> bool) {
        if let Some(memory) = self.shown.memories.get(memory) {
            each(0, memory.data_mut(&mut self.context));
        }
    }

    fn with_system(&mut self, look: &mut dyn FnMut(&System)) {
        if let Some(host) = lock(self.slot).as_mut() {
            look(&host.system);
        }
    }
}

/// What the cells hold. A store with functions that may wait calls all functions as if they might.
async fn cells(
    mut context: impl AsContextMut<Data = Data>,
    shown: &Shown,
) -> Result<Vec<u64>, Error> {
    let mut cells = Vec::with_capacity(shown.cells.len());
    for cell in &shown.cells {
        let mut result = [Val::I64(0)];
        cell.call_async(&mut context, &[], &mut result).await?;
        cells.push(match result {
            [Val::I64(value)] => value as u64,
            // The helpers have no other type.
            _ => 0,
        });
    }
    Ok(cells)
}

/// Has the observer look at the guest.
pub(super) async fn look(mut context: impl AsContextMut<Data = Data>) -> Result<(), Error> {
    let data = context.as_context().data();
    let slot = Slot::clone(&data.slot);
    let Some(shown) = data.shown.clone() else {
        return Err(Interrupt::Astray.into());
    };
    let cells = cells(&mut context, &shown).await?;
    let Some(mut observer) = OBSERVER.take() else {
        return Err(Interrupt::Astray.into());
    };
    let steps = ask(&slot, |host| {
        let steps = host.gauge.steps();
        host.system.steps = steps;
        Ok(steps)
    })?;
    let mut guest = ShownGuest {
        context: &mut context,
        slot: &slot,
        shown: &shown,
        cells,
    };
    let next = observer.look(&mut guest, steps);
    OBSERVER.set(Some(observer));
    ask(&slot, |host| match next {
        Ok(next) => {
            host.gauge.look_from(next);
            Ok(())
        }
        Err(reason) => {
            host.blind = Some(reason);
            Err(Interrupt::Blind)
        }
    })
}
