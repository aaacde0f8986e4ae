//! What the code of a function is written with: what is known of the function, and its locals.
//!
//! Parameters: the function's own, then `left` and `base` (the caller's level). Results: the
//! function's own, then `left`. Locals of the function move up by two; ours come behind them. For wasmi
//! both may be otherwise ([`Layout::kept`], [`Layout::is_swapped`]).

use crate::meter::function::scan::{Event, LabelId};
use crate::meter::layout::Layout;
use crate::meter::{Detail, Options};
use wasm_encoder::{BlockType, Encode, Instruction, ValType};

/// Writes one function.
pub(in crate::meter) struct Emitter<'a> {
    pub layout: &'a Layout,
    pub detail: Detail,
    /// The host can look at the guest's state: nothing asks but where checkpoints may be.
    pub state: bool,
    /// The original module.
    pub wasm: &'a [u8],
    /// The function's index in the original module.
    pub function: u32,
    /// Its type.
    pub ty: u32,
    /// It is a leaf: it has no level.
    pub is_leaf: bool,
    /// How many parameters it has.
    pub params: u32,
    /// How many locals it has, its parameters included.
    pub locals: u32,
    /// What blocks that stand for the whole function have as results.
    pub results: BlockType,
    /// 8-byte cells of its frame.
    pub cells: u32,
    /// Code goes here.
    pub code: Vec<u8>,
    /// Where in `code` an `if` or `br_if` is whose condition hardly ever holds.
    pub unlikely: Vec<u32>,
    /// Labels of the module's blocks that are open, the function's own left out. Where a block stands
    /// for a loop, it is in the loop's place.
    pub(super) open: Vec<LabelId>,
    /// How many blocks are open, ours included.
    pub(super) height: u32,
    /// By label: how many were when its block opened.
    pub(super) heights: Vec<u32>,
    /// Our own locals behind the function's, made as they are needed.
    own: Vec<ValType>,
    pub(super) level: Option<u32>,
    /// Where it calls leaves: the largest level that they have, less its own, and the local that is not 0
    /// if that may be past a peak.
    pub(super) leaves: Option<(i64, u32)>,
    narrow: Option<u32>,
    wide: Option<u32>,
    vectors: [Option<u32>; 3],
    floats: [Option<u32>; 2],
    /// Addresses, and values of 64 and of 32 bits, of a pair of stores.
    pub(super) kept: [Vec<u32>; 3],
    /// A group is written.
    pub(super) in_group: bool,
    /// A block stands for the whole function.
    pub(super) wrapped: bool,
}

impl<'a> Emitter<'a> {
    /// An emitter without code yet; `code` is used again.
    pub fn new(
        layout: &'a Layout,
        options: &Options,
        wasm: &'a [u8],
        function: u32,
        mut code: Vec<u8>,
    ) -> Self {
        code.clear();
        Self {
            layout,
            detail: options.detail,
            state: options.state,
            wasm,
            function,
            ty: 0,
            is_leaf: false,
            params: 0,
            locals: 0,
            results: BlockType::Empty,
            cells: 0,
            code,
            unlikely: Vec::new(),
            open: Vec::new(),
            height: 0,
            heights: Vec::new(),
            own: Vec::new(),
            level: None,
            leaves: None,
            narrow: None,
            wide: None,
            vectors: [None; 3],
            floats: [None; 2],
            kept: Default::default(),
            in_group: false,
            wrapped: false,
        }
    }

    /// The locals that [`Emitter::emit`] has made, in order, behind the function's own.
    pub fn own_locals(&self) -> &[ValType] {
        &self.own
    }

    /// Writes instructions.
    pub(in crate::meter) fn put(&mut self, instructions: &[Instruction<'_>]) {
        for instruction in instructions {
            instruction.encode(&mut self.code);
        }
    }

    pub(super) fn raw(&mut self, event: &Event) {
        self.code
            .extend_from_slice(&self.wasm[event.start..event.end]);
    }

    /// How many parameters are added.
    fn added(&self) -> u32 {
        if self.is_leaf { 1 } else { 2 }
    }

    pub(super) fn left(&self) -> u32 {
        match self.is_leaf {
            true => self.params,
            false => self.layout.left_local(self.ty),
        }
    }

    pub(super) fn base(&self) -> u32 {
        self.layout.base_local(self.ty)
    }

    /// Where a local of the function is now.
    pub(super) fn moved(&self, local: u32) -> u32 {
        match local < self.params {
            true => local,
            false => local + self.added(),
        }
    }

    pub(super) fn make(&mut self, ty: ValType) -> u32 {
        self.own.push(ty);
        self.locals + self.added() + self.own.len() as u32 - 1
    }

    pub(super) fn level_local(&mut self) -> u32 {
        match self.level {
            Some(local) => local,
            None => {
                let local = self.make(ValType::I64);
                self.level = Some(local);
                local
            }
        }
    }

    pub(super) fn scratch(&mut self, wide: bool) -> u32 {
        let known = if wide { self.wide } else { self.narrow };
        if let Some(local) = known {
            return local;
        }
        let local = self.make(if wide { ValType::I64 } else { ValType::I32 });
        match wide {
            true => self.wide = Some(local),
            false => self.narrow = Some(local),
        }
        local
    }

    pub(super) fn float(&mut self, double: bool) -> u32 {
        let slot = usize::from(double);
        if let Some(local) = self.floats[slot] {
            return local;
        }
        let local = self.make(if double { ValType::F64 } else { ValType::F32 });
        self.floats[slot] = Some(local);
        local
    }

    /// Vector local `slot` of our own.
    pub(in crate::meter) fn vector(&mut self, slot: usize) -> u32 {
        if let Some(local) = self.vectors[slot] {
            return local;
        }
        let local = self.make(ValType::V128);
        self.vectors[slot] = Some(local);
        local
    }
}
