//! Metering: from the task's module to one that counts its own steps.
//!
//! The instrumented module is ordinary WebAssembly, so any engine runs it, and the numbers come
//! from the code that we inject, never from an engine. `docs/profile.md` defines what is counted.
//!
//! How it is done: every function takes two more parameters, the steps left and how deep its caller
//! is, and returns the steps left as one more result, so that both stay in registers. Steps are
//! charged where it is cheapest ([`function`]), and compared with what is left at function entries
//! and loop heads only. A host that is called can read the exact count, because every path is
//! settled before a call.
//!
//! A trap can happen between two settled points. Its exact count (and its place) is found by
//! running the task again with [`Detail::Exact`], which settles every basic block: the run is
//! deterministic, so it ends in the same trap.

mod bounds;
mod cost;
mod function;
mod gauge;
mod helpers;
mod layout;
mod leaves;
mod module;
mod profile;
mod profiler;
mod relaxed;
mod sections;
mod stored;

pub use gauge::{Bounds, Gauge, Limit, Passed, Ticked};
pub use module::{HOST_MODULE, instrument};
pub use profile::{ProfileFunction, profiled};
pub use profiler::{Node, Profiler};
use std::sync::atomic::{AtomicU64, Ordering};

/// The version of the published definition of steps, call depth and frame bytes. It goes into every
/// receipt; it changes when a number would.
pub const PROFILE_VERSION: u32 = 1;

/// How often the count is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detail {
    /// At function entries, loop heads and calls: fast.
    Fast,
    /// At every basic block, with the place: exact where the guest traps, and slower.
    Exact,
}

/// How to instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options {
    /// How often the count is settled.
    pub detail: Detail,
    /// What kind of engine the module is for.
    pub target: Target,
    /// Whether the host can look at the guest's state ([`Metered::state`]): for checkpoints. Then every
    /// loop asks at its head, for compilers too, so that all engines are looked at in the same places.
    pub state: bool,
}

impl Options {
    /// Whether the code is shaped for a compiler's optimiser, where nothing needs more detail.
    fn is_for_speed(self) -> bool {
        self.target == Target::Compiler && self.detail == Detail::Fast
    }
}

/// The kind of engine that a module is instrumented for. The numbers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// wasmi, which makes NaNs canonical by itself.
    Interpreter,
    /// A compiler (a browser's, wasmtime). The code makes NaNs canonical, and tells which branches
    /// are hardly ever taken: without these hints V8 keeps registers free for the calls in them.
    Compiler,
}

/// The functions that an instrumented module imports from [`HOST_MODULE`], in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostFunction {
    /// `tick(left: i64, function: i32) -> i64`: the steps granted are used up (`left` is negative).
    /// The host ends the run, or grants more and returns what is left then.
    Tick,
    /// `deeper(level: i64, left: i64, function: i32) -> i64`: a call is deeper, or its frames are
    /// larger, than any before. The host ends the run, or returns the new [`Level::room`].
    Deeper,
    /// `grow(table: i32, size: i64, delta: i64, max: i64, left: i64, function: i32) -> i32`: a
    /// memory (`table` 0, pages) or a table (1, elements) is about to grow by `delta`. The host
    /// ends the run, or returns 1 (it grows; the engine must not fail) or 0 (it does not: -1).
    Grow,
    /// `lack()`: the engine did not get memory that the limits allow. Never returns.
    Lack,
}

impl HostFunction {
    /// All of them, in the order of their imports.
    pub const ALL: [Self; 4] = [Self::Tick, Self::Deeper, Self::Grow, Self::Lack];

    /// Its name in the import section.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Deeper => "deeper",
            Self::Grow => "grow",
            Self::Lack => "lack",
        }
    }

    /// Its parameters, `true` for i64 and `false` for i32.
    pub fn parameters(self) -> &'static [bool] {
        match self {
            Self::Tick => &[true, false],
            Self::Deeper => &[true, true, false],
            Self::Grow => &[false, true, true, true, true, false],
            Self::Lack => &[],
        }
    }

    /// Its result, if it has one: `true` for i64 and `false` for i32.
    pub fn result(self) -> Option<bool> {
        match self {
            Self::Tick | Self::Deeper => Some(true),
            Self::Grow => Some(false),
            Self::Lack => None,
        }
    }
}

/// Call depth and frame size in one number, as instrumented code carries them: 8-byte cells of frames
/// in the upper 40 bits, the depth in the lower 24. So what a function with few cells adds fits into
/// the 32 bits that a machine's addition can have in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// Nested calls.
    pub depth: u32,
    /// 8-byte cells in the frames of these calls.
    pub cells: u32,
}

impl Level {
    /// Bits of the depth, with the one that shows that it is past another.
    const SHIFT: u32 = 24;
    /// The largest depth; far more than [`Bounds::MOST_CALLS`].
    const MOST_DEPTH: i64 = (1 << (Self::SHIFT - 1)) - 1;
    /// The most cells; far more than [`Bounds::MOST_FRAME`].
    const MOST_CELLS: i64 = (1 << (63 - Self::SHIFT)) - 1;
    /// The bits that show that a level is past another, in the sum with its [`Level::room`].
    pub(crate) const PAST: i64 = (1 << 63) | (1 << (Self::SHIFT - 1));

    /// From what `deeper` is given.
    pub fn unpack(packed: i64) -> Self {
        Self {
            depth: (packed & ((1 << Self::SHIFT) - 1)) as u32,
            cells: u32::try_from(packed >> Self::SHIFT).unwrap_or(u32::MAX),
        }
    }

    /// As instrumented code has it.
    pub(crate) fn pack(self) -> i64 {
        i64::from(self.cells) << Self::SHIFT | i64::from(self.depth)
    }

    /// What is added to a level to see whether it is past this one: bit 23 shows that it is deeper,
    /// bit 63 that its frames are larger.
    pub fn room(self) -> i64 {
        let depth = Self::MOST_DEPTH - i64::from(self.depth).min(Self::MOST_DEPTH);
        (Self::MOST_CELLS - i64::from(self.cells)) << Self::SHIFT | depth
    }

    /// The larger of both halves.
    pub fn max(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            cells: self.cells.max(other.cells),
        }
    }
}

/// Tells instrumented modules of this process apart, so that an engine knows which it has compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeteredId(u64);

impl MeteredId {
    /// Another than all before.
    pub(crate) fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// An instrumented module.
#[derive(Debug, Clone)]
pub struct Metered {
    /// Which one it is.
    pub id: MeteredId,
    /// The binary.
    pub wasm: Vec<u8>,
    /// The export that runs the module's start function, which its own start section named: so that
    /// it runs in slices too.
    pub start: Option<String>,
    /// The exported mutable i64 global with the steps left, right whenever the host is called.
    pub left: String,
    /// With [`Detail::Exact`] the exported global with the place of the basic block that runs:
    /// the function's index in the upper 32 bits, the byte offset in the original module below.
    pub place: Option<String>,
    /// Pages of all memories at the start.
    pub memory_pages: u64,
    /// The exports that show the guest's state, if they were asked for.
    pub state: Option<StateExports>,
    /// Whether it tells where its functions begin and end ([`profiled`]).
    pub profiled: bool,
}

/// What shows a guest's state beside the stack: memories, and *cells*.
///
/// A cell is 64 bits: each mutable global in the order of indices (an i32 or f32 extended with
/// zeros; a v128 as two cells, its lower half first; a reference as 0 if it is null, else 1), then
/// the size of each table in elements. Floats are shown as their bits, which JavaScript would not
/// do, and that is why cells are functions.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StateExports {
    /// What all names begin with.
    prefix: String,
    /// The cells; each has a function without parameters that returns it as an i64.
    pub cells: Vec<CellOf>,
    /// How many memories there are.
    pub memories: u32,
}

/// What a cell is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CellOf {
    /// A global.
    Global {
        /// Its index in the task's module.
        index: u32,
        /// The number of its first bit that is in this cell: 64 for the upper half of a vector.
        first: u8,
        /// How many of its bits are in this cell; none of a reference, which is only null or not.
        bits: u8,
    },
    /// The size of the table with this index.
    Table(u32),
}

impl StateExports {
    /// How many cells one function flips bits of.
    pub(crate) const SHARE: u32 = 4096;

    /// The cell with this bit of a global, and the bit in it; `None` if no mutable global has it.
    pub fn bit_of(&self, global: u32, bit: u8) -> Option<(u32, u64)> {
        let at = self.cells.iter().position(|&cell| match cell {
            CellOf::Global { index, first, bits } => {
                index == global && (first..first + bits).contains(&bit)
            }
            CellOf::Table(_) => false,
        })?;
        Some((at as u32, 1 << (bit % 64)))
    }

    /// The name of the function `(cell: i32, bits: i64)` that flips these bits of this cell, if it is a global's.
    pub fn flip(&self, cell: u32) -> String {
        format!("{}flip:{}", self.prefix, cell / Self::SHARE)
    }

    /// The name of the function that returns this cell.
    pub fn cell(&self, index: u32) -> String {
        format!("{}cell:{index}", self.prefix)
    }

    /// The name of this memory.
    pub fn memory(&self, index: u32) -> String {
        format!("{}memory:{index}", self.prefix)
    }
}

/// Why a module can't be instrumented.
#[derive(Debug, thiserror::Error)]
pub enum MeterError {
    /// It is not valid, or needs a feature that the profile leaves out.
    #[error("{0}")]
    Invalid(#[from] wasmparser::BinaryReaderError),
    /// It is valid, but at a bound that leaves no room for what metering adds.
    #[error("{what} has {found}; with metering {most} are possible")]
    NoRoom {
        /// Which function or type.
        what: String,
        /// How many of what it has.
        found: String,
        /// The most it may have.
        most: u32,
    },
    /// The re-encoder stumbled over something that the validator let pass.
    #[error("this module could not be instrumented ({0}); please report this")]
    Unexpected(String),
    /// All tables together are larger than the profile allows.
    #[error("its tables start with {found} elements together; the profile allows {most}")]
    TablesTooBig {
        /// Elements at the start, as far as they were counted.
        found: u64,
        /// Elements allowed.
        most: u64,
    },
    /// A table is larger than the profile allows.
    #[error("table {index} starts with {found} elements; the profile allows {most}")]
    TableTooBig {
        /// Which table.
        index: u32,
        /// Elements at the start.
        found: u64,
        /// Elements allowed.
        most: u64,
    },
}

/// The most elements of a table: what browsers allow. So many may all tables together start with, and
/// by so many they may grow together; `table.grow` past that answers -1.
pub const MAX_TABLE_ELEMENTS: u64 = 10_000_000;

/// The proposals that tasks may use: all that wasmi 2 executes and the profile makes deterministic.
pub fn features() -> wasmparser::WasmFeatures {
    use wasmparser::WasmFeatures as F;
    F::MUTABLE_GLOBAL
        | F::SATURATING_FLOAT_TO_INT
        | F::SIGN_EXTENSION
        | F::REFERENCE_TYPES
        | F::MULTI_VALUE
        | F::BULK_MEMORY
        | F::SIMD
        | F::RELAXED_SIMD
        | F::TAIL_CALL
        | F::FLOATS
        | F::MULTI_MEMORY
        | F::MEMORY64
        | F::EXTENDED_CONST
        | F::GC_TYPES
}
