//! The new code of a function.
//!
//! Parameters: the function's own, then `left` and `base` (the caller's level). Results: the
//! function's own, then `left`. Locals of the function move up by two; ours come behind them. For wasmi
//! both may be otherwise ([`Layout::kept`], [`Layout::is_swapped`]).

mod floats;

use super::group::Grouping;
use super::plan::Plan;
use super::scan::{Bulk, Event, Kind, LabelId, LabelKind, Scan};
use crate::meter::cost::Unit;
use crate::meter::layout::Layout;
use crate::meter::leaves::Leaf;
use crate::meter::{Detail, HostFunction, Level, Options};
use wasm_encoder::{BlockType, Encode, Instruction, ValType};

/// The most table elements or bytes that are counted; more than any memory or table has.
const WIDE_CAP: i64 = 1 << 61;

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
    open: Vec<LabelId>,
    /// How many blocks are open, ours included.
    height: u32,
    /// By label: how many were when its block opened.
    heights: Vec<u32>,
    /// Our own locals behind the function's, made as they are needed.
    own: Vec<ValType>,
    level: Option<u32>,
    /// Where it calls leaves: the largest level that they have, less its own, and the local that is not 0
    /// if that may be past a peak.
    leaves: Option<(i64, u32)>,
    narrow: Option<u32>,
    wide: Option<u32>,
    vectors: [Option<u32>; 3],
    floats: [Option<u32>; 2],
    /// Addresses, and values of 64 and of 32 bits, of a pair of stores.
    kept: [Vec<u32>; 3],
    /// A group is written.
    in_group: bool,
    /// A block stands for the whole function.
    wrapped: bool,
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

    /// How many parameters are added.
    fn added(&self) -> u32 {
        if self.is_leaf { 1 } else { 2 }
    }

    fn left(&self) -> u32 {
        match self.is_leaf {
            true => self.params,
            false => self.layout.left_local(self.ty),
        }
    }

    fn base(&self) -> u32 {
        self.layout.base_local(self.ty)
    }

    /// Puts what the function returns behind its own results.
    fn put_kept(&mut self) {
        for param in self.layout.kept(self.ty) {
            self.put(&[Instruction::LocalGet(param as u32)]);
        }
        self.put(&[Instruction::LocalGet(self.left())]);
    }

    /// Takes what a function of type `ty` returned behind its own results, and charges for what comes next.
    fn take_kept(&mut self, ty: u32, steps: i64) {
        if steps != 0 {
            self.put(&[Instruction::I64Const(steps), Instruction::I64Sub]);
        }
        self.put(&[Instruction::LocalSet(self.left())]);
        for _ in self.layout.kept(ty) {
            self.put(&[Instruction::Drop]);
        }
    }

    /// Writes a call of a function or, with the number of a table, through that. The index of the
    /// latter is in a local.
    fn call(&mut self, ty: u32, call: Instruction<'_>, index: Option<u32>, steps: i64) {
        let (left, level) = (self.left(), self.level_local());
        let behind = self.layout.behind(ty, left, level);
        self.put(&behind.map(Instruction::LocalGet));
        if let Some(index) = index {
            self.put(&[Instruction::LocalGet(index)]);
        }
        self.put(&[call]);
        self.take_kept(ty, steps);
    }

    /// Puts this function's level, and what is added to it.
    fn put_level(&mut self, more: i64) {
        let (from, more) = match self.level {
            Some(level) => (level, more),
            None => (self.base(), more + self.mine()),
        };
        self.put(&[Instruction::LocalGet(from)]);
        if more != 0 {
            self.put(&[Instruction::I64Const(more), Instruction::I64Add]);
        }
    }

    /// What this function adds to its caller's level.
    fn mine(&self) -> i64 {
        Level {
            depth: 1,
            cells: self.cells,
        }
        .pack()
    }

    /// Watches the peaks for a leaf that is about to be called, where it may be past one. `credit` was
    /// charged by then and is not executed: if a limit is passed, the count is exact.
    fn watch(&mut self, function: u32, credit: i64) {
        let (Some(leaf), Some((most, deep))) = (self.layout.leaf(function), self.leaves) else {
            return;
        };
        let its = leaf.level().pack();
        self.put(&[
            Instruction::LocalGet(deep),
            Instruction::If(BlockType::Empty),
        ]);
        self.put_level(its);
        self.put(&[
            Instruction::I64Const(most - its),
            Instruction::LocalGet(self.left()),
        ]);
        if credit != 0 {
            self.put(&[Instruction::I64Const(credit), Instruction::I64Add]);
        }
        self.put(&[
            Instruction::I32Const(function as i32),
            Instruction::Call(self.layout.enter()),
            Instruction::LocalSet(deep),
            Instruction::End,
        ]);
    }

    /// At the entry of a function that calls leaves, one test for its own level and theirs. Where that
    /// does not hold it looks at its own, and [`Emitter::watch`] at each of theirs.
    fn enter_above_leaves(&mut self, most: i64, deep: u32, has_level: bool) {
        self.check();
        if has_level {
            let (mine, base, level) = (self.mine(), self.base(), self.level_local());
            self.put(&[
                Instruction::LocalGet(base),
                Instruction::I64Const(mine),
                Instruction::I64Add,
                Instruction::LocalSet(level),
            ]);
        }
        let past = [
            Instruction::I64Const(Level::PAST),
            Instruction::I64And,
            Instruction::I64Const(0),
            Instruction::I64Ne,
            Instruction::If(BlockType::Empty),
        ];
        // In this order wasmi has the sum in its register.
        let sum = |emitter: &mut Self, more: i64| {
            let (from, more) = match emitter.level {
                Some(level) => (level, more),
                None => (emitter.base(), more + emitter.mine()),
            };
            emitter.put(&[
                Instruction::GlobalGet(emitter.layout.room),
                Instruction::LocalGet(from),
                Instruction::I64Add,
            ]);
            if more != 0 {
                emitter.put(&[Instruction::I64Const(more), Instruction::I64Add]);
            }
        };
        sum(self, most);
        self.put(&past);
        self.put(&[Instruction::I32Const(1), Instruction::LocalSet(deep)]);
        sum(self, 0);
        self.put(&past);
        self.put_level(0);
        self.put(&[
            Instruction::LocalGet(self.left()),
            Instruction::I32Const(self.function as i32),
            Instruction::Call(self.layout.host(HostFunction::Deeper)),
            Instruction::GlobalSet(self.layout.room),
            Instruction::End,
            Instruction::End,
        ]);
    }

    /// Writes a call of a host function: all is settled, and then it needs no wrapper.
    fn call_host(&mut self, function: u32) {
        let left = self.left();
        emit_host_check(&mut self.code, self.layout, left, Some(function), false);
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::GlobalSet(self.layout.left),
            Instruction::Call(function),
        ]);
    }

    /// Whether an event is a call that is charged together with what comes next, in one operator of
    /// wasmi's.
    fn charges_next(&self, kind: &Kind) -> bool {
        let calls = match *kind {
            Kind::Call(function) => !self.is_direct(function),
            Kind::CallIndirect { .. } | Kind::CallLeaf(_) => true,
            _ => false,
        };
        calls && self.layout.for_wasmi && self.detail == Detail::Fast
    }

    /// Whether a function is the host's, and called without a wrapper.
    fn is_direct(&self, function: u32) -> bool {
        self.layout.direct && function < self.layout.imported
    }

    /// Where a local of the function is now.
    fn moved(&self, local: u32) -> u32 {
        match local < self.params {
            true => local,
            false => local + self.added(),
        }
    }

    fn make(&mut self, ty: ValType) -> u32 {
        self.own.push(ty);
        self.locals + self.added() + self.own.len() as u32 - 1
    }

    fn level_local(&mut self) -> u32 {
        match self.level {
            Some(local) => local,
            None => {
                let local = self.make(ValType::I64);
                self.level = Some(local);
                local
            }
        }
    }

    fn scratch(&mut self, wide: bool) -> u32 {
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

    fn float(&mut self, double: bool) -> u32 {
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

    /// Asks the host for more if no steps are left.
    fn check(&mut self) {
        let left = self.left();
        let rare = emit_host_check(
            &mut self.code,
            self.layout,
            left,
            Some(self.function),
            self.detail == Detail::Exact,
        );
        self.unlikely.push(rare);
    }

    fn charge(&mut self, steps: i64, place: usize) {
        if steps == 0 {
            return;
        }
        let left = self.left();
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::I64Const(steps),
            Instruction::I64Sub,
            Instruction::LocalSet(left),
        ]);
        if self.detail == Detail::Exact {
            let at = i64::from(self.function) << 32 | i64::from(place as u32);
            self.put(&[
                Instruction::I64Const(at),
                Instruction::GlobalSet(self.layout.place),
                Instruction::LocalGet(left),
                Instruction::GlobalSet(self.layout.left),
            ]);
            self.check();
        }
    }

    /// Counts the call and its frame, and asks the host if that is deeper than ever, or (if it `asks`)
    /// if no steps are left. Its own level is kept if it `calls`.
    fn enter(&mut self, calls: bool, asks: bool) {
        // One test for both: `left` is negative, which is bit 63 too. If it has so many bits that it
        // looks like a depth (the host grants less at a time), the helper finds nothing to ask.
        let both = asks && self.layout.enters && !self.layout.for_wasmi;
        if asks && !both && self.detail == Detail::Fast {
            self.check();
        }
        let (left, base) = (self.left(), self.base());
        let mine = self.mine();
        // In this order wasmi needs four operators: it adds a constant into a local in one, and what
        // `global.get` leaves in its register is not moved.
        if calls {
            let level = self.level_local();
            self.put(&[
                Instruction::LocalGet(base),
                Instruction::I64Const(mine),
                Instruction::I64Add,
                Instruction::LocalSet(level),
                Instruction::GlobalGet(self.layout.room),
                Instruction::LocalGet(level),
                Instruction::I64Add,
            ]);
        } else {
            self.put(&[
                Instruction::GlobalGet(self.layout.room),
                Instruction::LocalGet(base),
                Instruction::I64Add,
                Instruction::I64Const(mine),
                Instruction::I64Add,
            ]);
        }
        if both {
            self.put(&[Instruction::LocalGet(left), Instruction::I64Or]);
        }
        self.put(&[
            Instruction::I64Const(Level::PAST),
            Instruction::I64And,
            Instruction::I64Const(0),
            Instruction::I64Ne,
        ]);
        self.unlikely.push(self.code.len() as u32);
        self.put(&[Instruction::If(BlockType::Empty)]);
        match self.level {
            Some(level) => self.put(&[Instruction::LocalGet(level)]),
            None => self.put(&[
                Instruction::LocalGet(base),
                Instruction::I64Const(mine),
                Instruction::I64Add,
            ]),
        }
        let (ask, then) = match both {
            true => (self.layout.enter(), Instruction::LocalSet(left)),
            false => (
                self.layout.host(HostFunction::Deeper),
                Instruction::GlobalSet(self.layout.room),
            ),
        };
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::I32Const(self.function as i32),
            Instruction::Call(ask),
            then,
            Instruction::End,
        ]);
    }

    /// Writes the function's code, without the declarations of locals.
    pub fn emit(&mut self, scan: &Scan, plan: &Plan) {
        let leaves = scan.events.iter().filter_map(|event| match event.kind {
            Kind::CallLeaf(function) | Kind::CallPlain { function, .. } => {
                self.layout.leaf(function)
            }
            _ => None,
        });
        let most = leaves.map(Leaf::level).reduce(Level::max);
        if let Some(most) = most {
            let has_level = scan.events.iter().any(|event| match event.kind {
                Kind::Call(function) => !self.is_direct(function),
                Kind::CallIndirect { .. } => true,
                _ => false,
            });
            let (most, deep) = (most.pack(), self.make(ValType::I32));
            self.leaves = Some((most, deep));
            self.enter_above_leaves(most, deep, has_level);
        } else {
            // Where checkpoints may be is part of what they say, and was never here.
            let asks = scan.calls || scan.is_long() && !self.state;
            match self.is_leaf {
                true if asks => self.check(),
                true => {}
                false => self.enter(scan.calls, asks),
            }
        }
        self.heights.resize(scan.labels.len(), 0);
        self.begin(0);
        // Branches to the function's label find a block that has its results.
        self.wrapped = scan.labels.first().is_some_and(|label| label.targeted);
        if self.wrapped {
            self.put(&[Instruction::Block(self.results)]);
        }
        self.charge(plan.charges[0], scan.start);
        let mut copied = scan.start;
        let mut next = 0;
        let groups = scan.grouping.as_ref().map_or(&[][..], Grouping::groups);
        for group in groups {
            copied = self.events(scan, plan, next..group.first, copied);
            self.code.extend_from_slice(&self.wasm[copied..group.start]);
            self.group(scan, plan, group);
            next = group.last + 1;
            copied = scan.events[next - 1].end;
        }
        self.events(scan, plan, next..scan.events.len(), copied);
    }

    /// Writes events and the code between them, from `copied` in the module on. Returns where it ends.
    fn events(
        &mut self,
        scan: &Scan,
        plan: &Plan,
        range: std::ops::Range<usize>,
        mut copied: usize,
    ) -> usize {
        for index in range {
            let event = &scan.events[index];
            self.code.extend_from_slice(&self.wasm[copied..event.start]);
            copied = event.end;
            self.event(scan, plan, index, event);
            if !self.charges_next(&event.kind) {
                self.charge(plan.charges[index + 1], event.end);
            }
        }
        copied
    }

    fn raw(&mut self, event: &Event) {
        self.code
            .extend_from_slice(&self.wasm[event.start..event.end]);
    }

    fn event(&mut self, scan: &Scan, plan: &Plan, index: usize, event: &Event) {
        let left = self.left();
        let next = match self.charges_next(&event.kind) {
            true => plan.charges[index + 1],
            false => 0,
        };
        match event.kind {
            Kind::Local { opcode, index } => {
                let moved = self.moved(index);
                self.code.push(opcode);
                moved.encode(&mut self.code);
            }
            Kind::RefFunc(function) => {
                self.put(&[Instruction::RefFunc(self.layout.function(function))]);
            }
            Kind::Relaxed(number) => {
                super::super::relaxed::emit(self, number);
                self.make_canonical(event.canonical);
            }
            Kind::Float => {
                self.raw(event);
                if !(event.later && self.in_group) {
                    self.make_canonical(event.canonical);
                }
            }
            Kind::Dead => {}
            Kind::Block(label) | Kind::If(label) => {
                self.open.push(label);
                self.begin(label);
                self.raw(event);
            }
            Kind::Loop(label) => {
                self.open.push(label);
                self.begin(label);
                self.raw(event);
                if self.detail == Detail::Fast && !scan.labels[label as usize].asks_later {
                    self.check();
                }
            }
            Kind::Open { label, ty } => {
                self.begin(label);
                if let (Some(_), Some(last)) =
                    (scan.labels[label as usize].stands_for, self.open.last_mut())
                {
                    *last = label;
                }
                // `block`, and its type.
                self.code.extend([0x02, ty]);
            }
            Kind::Leave(label) => {
                let depth = self.depth(label);
                self.put(&[Instruction::Br(depth)]);
            }
            Kind::Close(label) => {
                self.height -= 1;
                if let (Some(again), Some(last)) =
                    (scan.labels[label as usize].stands_for, self.open.last_mut())
                {
                    *last = again;
                }
                self.put(&[Instruction::End]);
            }
            Kind::Ask => self.check(),
            Kind::End(label) => {
                self.open.pop();
                self.height -= 1;
                if scan.labels[label as usize].kind != LabelKind::Function {
                    return self.raw(event);
                }
                if self.wrapped {
                    self.put(&[Instruction::End]);
                }
                self.put_kept();
                self.put(&[Instruction::End]);
            }
            Kind::BrIf(label) => {
                let depth = self.depth(label);
                if plan.edges[index] == 0 {
                    return self.put(&[Instruction::BrIf(depth)]);
                }
                self.put(&[Instruction::If(BlockType::Empty)]);
                self.charge(plan.edges[index], event.start);
                self.put(&[Instruction::Br(depth + 1), Instruction::End]);
            }
            Kind::Br(label) => {
                let depth = self.depth(label);
                self.put(&[Instruction::Br(depth)]);
            }
            Kind::BrTable if scan.turned => self.branch_table(event),
            Kind::Return => {
                self.put_kept();
                self.put(&[Instruction::Return]);
            }
            Kind::Call(function) if self.is_direct(function) => self.call_host(function),
            Kind::Call(function) => {
                let ty = self.layout.functions[function as usize];
                let call = Instruction::Call(self.layout.function(function));
                self.call(ty, call, None, next);
            }
            Kind::CallPlain { function, .. } => {
                self.watch(function, plan.credit[index]);
                self.put(&[Instruction::Call(self.layout.function(function))]);
            }
            Kind::CallLeaf(function) => {
                self.watch(function, 0);
                self.put(&[
                    Instruction::LocalGet(left),
                    Instruction::Call(self.layout.function(function)),
                ]);
                self.take_kept(self.layout.functions[function as usize], next);
            }
            Kind::ReturnCall(function) => {
                let ty = self.layout.functions[function as usize];
                // The frame is replaced: the callee is as deep as this function is.
                let behind = self.layout.behind(ty, left, self.base());
                self.put(&behind.map(Instruction::LocalGet));
                self.put(&[Instruction::ReturnCall(self.layout.function(function))]);
            }
            Kind::CallIndirect { ty, table, wide } => {
                let index = self.scratch(wide);
                self.put(&[Instruction::LocalSet(index)]);
                let call = Instruction::CallIndirect {
                    type_index: self.layout.metered_type(ty),
                    table_index: table,
                };
                self.call(ty, call, Some(index), next);
            }
            Kind::ReturnCallIndirect { ty, table, wide } => {
                let index = self.scratch(wide);
                self.put(&[Instruction::LocalSet(index)]);
                let behind = self.layout.behind(ty, left, self.base());
                self.put(&behind.map(Instruction::LocalGet));
                self.put(&[
                    Instruction::LocalGet(index),
                    Instruction::ReturnCallIndirect {
                        type_index: self.layout.metered_type(ty),
                        table_index: table,
                    },
                ]);
            }
            Kind::MemoryGrow(memory) => self.grow(self.layout.memory_grow(memory)),
            Kind::TableGrow(table) => {
                let wide = self.layout.table64(table);
                self.charge_length(Bulk {
                    unit: Unit::Elements,
                    wide,
                });
                self.grow(self.layout.table_grow(table));
            }
            Kind::Bulk(bulk) => {
                self.charge_length(bulk);
                self.raw(event);
            }
            Kind::Else(_) | Kind::BrTable | Kind::Unreachable | Kind::Store => self.raw(event),
        }
    }

    /// A block opens.
    fn begin(&mut self, label: LabelId) {
        self.heights[label as usize] = self.height;
        self.height += 1;
    }

    /// How a branch to an open block names it.
    fn depth(&self, label: LabelId) -> u32 {
        self.height - 1 - self.heights[label as usize]
    }

    /// Writes a `br_table` with the depths that its labels have now.
    fn branch_table(&mut self, event: &Event) {
        let mut rest = &self.wasm[event.start + 1..event.end];
        self.code.push(self.wasm[event.start]);
        // The number of labels, which does not count the default.
        let count = leb(&mut rest);
        count.encode(&mut self.code);
        for _ in 0..=count {
            let depth = leb(&mut rest) as usize;
            // One more is the function's own label.
            let at = self.open.len().checked_sub(1 + depth);
            let label = at.map_or(0, |at| self.open[at]);
            self.depth(label).encode(&mut self.code);
        }
    }

    fn grow(&mut self, helper: u32) {
        let left = self.left();
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::I32Const(self.function as i32),
            Instruction::Call(helper),
            Instruction::LocalSet(left),
        ]);
    }

    /// Charges what a bulk operator moves, before it does; its length is on top of the stack.
    fn charge_length(&mut self, bulk: Bulk) {
        let (length, left) = (self.scratch(bulk.wide), self.left());
        self.put(&[
            Instruction::LocalTee(length),
            Instruction::LocalGet(left),
            Instruction::LocalGet(length),
        ]);
        if bulk.wide {
            // No memory is that large, so nothing is lost, and the subtraction can't wrap.
            self.put(&[
                Instruction::I64Const(WIDE_CAP),
                Instruction::LocalGet(length),
                Instruction::I64Const(WIDE_CAP),
                Instruction::I64LtU,
                Instruction::Select,
            ]);
        } else {
            self.put(&[Instruction::I64ExtendI32U]);
        }
        if bulk.unit == Unit::Bytes {
            self.put(&[Instruction::I64Const(3), Instruction::I64ShrU]);
        }
        self.put(&[Instruction::I64Sub, Instruction::LocalSet(left)]);
        if self.detail == Detail::Exact {
            self.put(&[
                Instruction::LocalGet(left),
                Instruction::GlobalSet(self.layout.left),
            ]);
        }
        self.check();
    }
}

/// Reads an unsigned LEB128 number that has been validated.
fn leb(bytes: &mut &[u8]) -> u32 {
    let (mut value, mut shift) = (0, 0);
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    value
}

/// Writes: if `left` (a local) is negative, ask the host. Without `function` its index is in the
/// local behind `left`. With `settled` the global has `left` too, and gets what the host grants: if the
/// block traps, that is what the host reads. Returns where the `if` is.
pub(in crate::meter) fn emit_host_check(
    code: &mut Vec<u8>,
    layout: &Layout,
    left: u32,
    function: Option<u32>,
    settled: bool,
) -> u32 {
    let which = match function {
        Some(function) => Instruction::I32Const(function as i32),
        None => Instruction::LocalGet(left + 1),
    };
    for instruction in [
        Instruction::LocalGet(left),
        Instruction::I64Const(0),
        Instruction::I64LtS,
    ] {
        instruction.encode(code);
    }
    let rare = code.len() as u32;
    for instruction in [
        Instruction::If(BlockType::Empty),
        Instruction::LocalGet(left),
        which,
        Instruction::Call(layout.host(HostFunction::Tick)),
        Instruction::LocalSet(left),
    ] {
        instruction.encode(code);
    }
    if settled {
        Instruction::LocalGet(left).encode(code);
        Instruction::GlobalSet(layout.left).encode(code);
    }
    Instruction::End.encode(code);
    rare
}
