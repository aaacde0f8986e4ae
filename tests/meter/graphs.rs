//! Random modules of another kind than wasm-smith's: functions that call functions that call nothing, from
//! straight code and from loops, and small loops without calls. wasm-smith makes few of these, and hardly
//! ever a function that is neither exported nor in a table.

use crate::drive::digest;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, Encode, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    Instruction as I, MemArg, MemArgTarget, MemorySection, MemoryType, Module, RefType,
    StartSection, TableSection, TableType, TypeSection, ValType,
};

const TYPES: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];

/// Locals beside the parameters: these types, in this order, so that one of each is there. The last two
/// are counters, which only a loop's own end touches.
const LOCALS: [ValType; 8] = [
    ValType::I32,
    ValType::I32,
    ValType::I64,
    ValType::F32,
    ValType::F64,
    ValType::F64,
    ValType::I32,
    ValType::I32,
];
const COUNTERS: u32 = 2;

struct Signature {
    params: Vec<ValType>,
    results: Vec<ValType>,
}

/// A source of choices.
struct Dice(ChaCha8Rng);

impl Dice {
    /// A number below `most`.
    fn below(&mut self, most: usize) -> usize {
        self.0.next_u32() as usize % most
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn ty(&mut self) -> ValType {
        // Integers more often: they decide where code goes.
        TYPES[[0, 0, 0, 1, 1, 2, 3, 3][self.below(8)]]
    }

    fn types(&mut self, most: usize) -> Vec<ValType> {
        (0..self.below(most + 1)).map(|_| self.ty()).collect()
    }
}

/// What a function may call: an index and a type each.
struct Callee {
    function: u32,
    params: Vec<ValType>,
    results: Vec<ValType>,
}

/// Writes one function.
struct Writer<'a> {
    dice: &'a mut Dice,
    callees: &'a [Callee],
    signature: &'a Signature,
    code: Vec<u8>,
    /// What a branch to each open label carries; those of loops carry nothing.
    labels: Vec<Option<ValType>>,
    /// Counters in use.
    counters: u32,
    /// Statements and operands that may still be written.
    room: usize,
    /// No calls and nothing that asks, as in the loops that are written in copies.
    is_tight: bool,
}

impl Writer<'_> {
    fn put(&mut self, instruction: I<'_>) {
        instruction.encode(&mut self.code);
    }

    fn local(&self, index: u32) -> ValType {
        let params = self.signature.params.len() as u32;
        match self.signature.params.get(index as usize) {
            Some(&ty) => ty,
            None => LOCALS[(index - params) as usize],
        }
    }

    /// A local of this type that is no counter.
    fn local_of(&mut self, ty: ValType) -> u32 {
        let count = (self.signature.params.len() + LOCALS.len()) as u32 - COUNTERS;
        let fitting: Vec<u32> = (0..count).filter(|&at| self.local(at) == ty).collect();
        fitting[self.dice.below(fitting.len())]
    }

    fn spend(&mut self) -> bool {
        self.room = self.room.saturating_sub(1);
        self.room > 0
    }

    fn constant(&mut self, ty: ValType) {
        let small = [0, 1, 2, 3, 8, 100, -1, i32::MIN][self.dice.below(8)];
        let float = [0.0, -0.0, 1.5, -2.5, f64::INFINITY, 1e300, f64::NAN, 3.0][self.dice.below(8)];
        let wide = i64::from(small) << self.dice.below(32);
        self.put(match ty {
            ValType::I64 => I::I64Const(wide),
            ValType::F32 => I::F32Const((float as f32).into()),
            ValType::F64 => I::F64Const(float.into()),
            _ => I::I32Const(small),
        });
    }

    /// Where in memory: mostly within it.
    fn address(&mut self, depth: usize) {
        self.value(ValType::I32, depth);
        if !self.dice.one_in(16) {
            self.put(I::I32Const(0xfff8));
            self.put(I::I32And);
        }
    }

    fn memory(&mut self) -> MemArg {
        MemArg {
            offset: [0, 0, 4, 8][self.dice.below(4)],
            align: 0,
            target: MemArgTarget::Memory(0),
            ordering: None,
        }
    }

    /// Leaves a value of this type.
    fn value(&mut self, ty: ValType, depth: usize) {
        if depth == 0 || !self.spend() {
            return match self.dice.one_in(2) {
                true => self.constant(ty),
                false => {
                    let local = self.local_of(ty);
                    self.put(I::LocalGet(local));
                }
            };
        }
        match self.dice.below(12) {
            0 => self.constant(ty),
            1..=3 => {
                let local = self.local_of(ty);
                self.put(I::LocalGet(local));
            }
            4..=6 => self.operator(ty, depth - 1),
            7 => {
                self.address(depth - 1);
                let at = self.memory();
                self.put(match ty {
                    ValType::I64 => I::I64Load(at),
                    ValType::F32 => I::F32Load(at),
                    ValType::F64 => I::F64Load(at),
                    _ => I::I32Load(at),
                });
            }
            8 => {
                self.value(ValType::I32, depth - 1);
                self.put(I::If(BlockType::Result(ty)));
                self.labels.push(Some(ty));
                self.block(depth - 1);
                self.value(ty, depth - 1);
                self.put(I::Else);
                self.value(ty, depth - 1);
                self.end();
            }
            9 => {
                self.put(I::Block(BlockType::Result(ty)));
                self.labels.push(Some(ty));
                self.block(depth - 1);
                self.value(ty, depth - 1);
                self.end();
            }
            _ => {
                let callees = self.callees;
                let fitting = |callee: &&Callee| callee.results == [ty];
                let all: Vec<&Callee> = callees.iter().filter(fitting).collect();
                match all.len() {
                    n if n > 0 && !self.is_tight => {
                        let callee = all[self.dice.below(n)];
                        self.call(callee, depth - 1);
                    }
                    _ => self.operator(ty, depth - 1),
                }
            }
        }
    }

    /// An operator whose result has this type.
    fn operator(&mut self, ty: ValType, depth: usize) {
        let pick = self.dice.below(8);
        let (operand, count, operator) = match ty {
            ValType::I64 => match pick {
                0 => (ValType::I64, 2, I::I64DivS),
                1 => (ValType::I32, 1, I::I64ExtendI32S),
                2 => (ValType::F64, 1, I::I64ReinterpretF64),
                3 => (ValType::I64, 2, I::I64Mul),
                4 => (ValType::I64, 2, I::I64Xor),
                _ => (ValType::I64, 2, I::I64Add),
            },
            ValType::F32 => match pick {
                0 => (ValType::F64, 1, I::F32DemoteF64),
                1 => (ValType::F32, 2, I::F32Div),
                2 => (ValType::F32, 1, I::F32Sqrt),
                _ => (ValType::F32, 2, I::F32Add),
            },
            ValType::F64 => match pick {
                0 => (ValType::F32, 1, I::F64PromoteF32),
                1 => (ValType::F64, 2, I::F64Div),
                2 => (ValType::F64, 1, I::F64Sqrt),
                3 => (ValType::F64, 2, I::F64Sub),
                _ => (ValType::F64, 2, I::F64Mul),
            },
            _ => match pick {
                0 => (ValType::I32, 2, I::I32RemU),
                1 => (ValType::I64, 1, I::I32WrapI64),
                2 => (ValType::F64, 2, I::F64Lt),
                3 => (ValType::I32, 1, I::I32Eqz),
                4 => (ValType::I32, 2, I::I32LtU),
                5 => (ValType::I32, 2, I::I32And),
                _ => (ValType::I32, 2, I::I32Add),
            },
        };
        for _ in 0..count {
            self.value(operand, depth);
        }
        self.put(operator);
    }

    fn call(&mut self, callee: &Callee, depth: usize) {
        for &ty in &callee.params {
            self.value(ty, depth);
        }
        self.put(I::Call(callee.function));
    }

    fn end(&mut self) {
        self.labels.pop();
        self.put(I::End);
    }

    /// Some statements.
    fn block(&mut self, depth: usize) {
        for _ in 0..self.dice.below(4) {
            self.statement(depth);
        }
    }

    /// Something that leaves nothing.
    fn statement(&mut self, depth: usize) {
        if !self.spend() {
            return;
        }
        let depth = depth.saturating_sub(1);
        match self.dice.below(20) {
            0..=3 => {
                let ty = self.dice.ty();
                self.value(ty, depth);
                let local = self.local_of(ty);
                self.put(I::LocalSet(local));
            }
            4..=5 => self.store(depth),
            6 => {
                self.value(ValType::I32, depth);
                self.put(I::If(BlockType::Empty));
                self.labels.push(None);
                self.block(depth);
                if self.dice.one_in(2) {
                    self.put(I::Else);
                    self.block(depth);
                }
                self.end();
            }
            7 => {
                self.put(I::Block(BlockType::Empty));
                self.labels.push(None);
                self.block(depth);
                self.end();
            }
            8..=11 if depth > 0 => self.turns(depth),
            12 => self.branch(depth),
            13 => self.branch_table(depth),
            14..=18 if !self.is_tight && !self.callees.is_empty() => {
                let callees = self.callees;
                let callee = &callees[self.dice.below(callees.len())];
                self.call(callee, depth);
                for _ in 0..callee.results.len() {
                    self.put(I::Drop);
                }
            }
            19 if !self.is_tight => self.rare(depth),
            _ => {
                let ty = self.dice.ty();
                self.value(ty, depth);
                self.put(I::Drop);
            }
        }
    }

    fn store(&mut self, depth: usize) {
        let ty = self.dice.ty();
        self.address(depth);
        self.value(ty, depth);
        let at = self.memory();
        self.put(match ty {
            ValType::I64 => I::I64Store(at),
            ValType::F32 => I::F32Store(at),
            ValType::F64 => I::F64Store(at),
            _ => I::I32Store8(at),
        });
    }

    /// A branch to one of the open labels, mostly if something holds.
    fn branch(&mut self, depth: usize) {
        let to = self.dice.below(self.labels.len());
        let carried = self.labels[self.labels.len() - 1 - to];
        if let Some(ty) = carried {
            self.value(ty, depth);
        }
        self.value(ValType::I32, depth);
        self.put(I::BrIf(to as u32));
        if carried.is_some() {
            self.put(I::Drop);
        }
    }

    fn branch_table(&mut self, depth: usize) {
        let labels = self.labels.iter().rev().enumerate();
        let plain: Vec<u32> = labels
            .filter(|(_, carried)| carried.is_none())
            .map(|(to, _)| to as u32)
            .collect();
        if plain.is_empty() {
            return;
        }
        let mut pick = || plain[self.dice.below(plain.len())] + 1;
        let (some, other) = ([pick(), pick()], pick());
        // What comes behind is reached, too.
        self.put(I::Block(BlockType::Empty));
        self.labels.push(None);
        self.value(ValType::I32, depth);
        self.put(I::BrTable(vec![some[0], 0, some[1]].into(), other));
        self.end();
    }

    /// A loop that counts its turns, or goes on as it happens.
    fn turns(&mut self, depth: usize) {
        let was_tight = self.is_tight;
        self.is_tight |= !self.dice.one_in(4);
        let first = (self.signature.params.len() + LOCALS.len()) as u32 - COUNTERS;
        let counter = first + self.counters;
        let counts = self.counters < COUNTERS && !self.dice.one_in(8);
        let carries = self.dice.one_in(4);
        if counts {
            self.counters += 1;
            self.put(I::I32Const(0));
            self.put(I::LocalSet(counter));
        }
        self.put(I::Loop(match carries {
            true => BlockType::Result(ValType::I32),
            false => BlockType::Empty,
        }));
        self.labels.push(None);
        // How long it is decides in how many copies it is.
        for _ in 0..[0, 0, 0, 0, 0, 110, 110, 820][self.dice.below(8)] {
            self.put(I::Nop);
        }
        self.block(depth);
        match counts {
            true => {
                let most = [1, 2, 3, 4, 5, 9, 40][self.dice.below(7)];
                self.put(I::LocalGet(counter));
                self.put(I::I32Const(1));
                self.put(I::I32Add);
                self.put(I::LocalTee(counter));
                self.put(I::I32Const(most));
                self.put(I::I32LtU);
                self.counters -= 1;
            }
            false => self.value(ValType::I32, depth),
        }
        self.put(I::BrIf(0));
        if carries {
            self.value(ValType::I32, depth);
        }
        self.end();
        if carries {
            self.put(I::Drop);
        }
        self.is_tight = was_tight;
    }

    /// What asks by itself, or ends it.
    fn rare(&mut self, depth: usize) {
        match self.dice.below(4) {
            0 => {
                self.address(depth);
                self.value(ValType::I32, depth);
                self.put(I::I32Const(24));
                self.put(I::MemoryFill(0));
            }
            1 => {
                let pages = self.dice.below(2) as i32;
                self.put(I::I32Const(pages));
                self.put(I::MemoryGrow(0));
                self.put(I::Drop);
            }
            2 => {
                self.value(ValType::I32, depth);
                self.put(I::If(BlockType::Empty));
                self.put(I::Unreachable);
                self.put(I::End);
            }
            _ => {
                self.value(ValType::I32, depth);
                self.put(I::If(BlockType::Empty));
                for index in 0..self.signature.results.len() {
                    self.constant(self.signature.results[index]);
                }
                self.put(I::Return);
                self.put(I::End);
            }
        }
    }
}

/// Module number `case`.
pub fn generate(seed: u64, case: u64) -> Vec<u8> {
    let dice = &mut Dice(ChaCha8Rng::seed_from_u64(digest(&("graphs", seed, case))));
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    let mut callees: Vec<Callee> = Vec::new();
    let mut signatures: Vec<Signature> = Vec::new();
    let imported = dice.below(2) as u32;
    let (low, middle, high) = (1 + dice.below(4), 1 + dice.below(3), 1 + dice.below(2));
    let count = imported as usize + low + middle + high;
    for function in 0..count as u32 {
        let signature = Signature {
            params: dice.types(3),
            results: dice.types(2),
        };
        types.ty().function(
            signature.params.iter().copied(),
            signature.results.iter().copied(),
        );
        if function < imported {
            imports.import("host", "function", EntityType::Function(function));
            callees.push(Callee {
                function,
                params: signature.params.clone(),
                results: signature.results.clone(),
            });
        }
        signatures.push(signature);
    }
    // A start function has neither.
    types.ty().function([], []);
    let starts = dice.one_in(8);

    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    let mut exports = ExportSection::new();
    let mut table: Vec<u32> = Vec::new();
    for function in imported..count as u32 {
        let signature = &signatures[function as usize];
        let level = (function - imported) as usize;
        let is_low = level < low;
        functions.function(function);
        let own = Callee {
            function,
            params: signature.params.clone(),
            results: signature.results.clone(),
        };
        // Now and then one that calls itself.
        let recurs = !is_low && dice.one_in(16);
        if recurs {
            callees.push(own);
        }
        let mut writer = Writer {
            room: [8, 30, 80][dice.below(3)],
            dice: &mut *dice,
            callees: if is_low { &[] } else { &callees },
            signature,
            code: Vec::new(),
            labels: Vec::new(),
            counters: 0,
            is_tight: false,
        };
        // The function's own label carries all that it returns: a branch there needs one value at most.
        let carried = match signature.results[..] {
            [] => Some(None),
            [one] => Some(Some(one)),
            _ => None,
        };
        match carried {
            Some(carried) => writer.labels.push(carried),
            None => {
                // Nothing branches there.
                writer.put(I::Block(BlockType::Empty));
                writer.labels.push(None);
            }
        }
        for _ in 0..1 + writer.dice.below(4) {
            writer.statement(3);
        }
        if carried.is_none() {
            writer.end();
        }
        for &ty in &signature.results {
            writer.value(ty, 2);
        }
        writer.put(I::End);
        let mut body = Function::new(LOCALS.iter().map(|&ty| (1, ty)));
        body.raw(writer.code);
        code.function(&body);
        if !recurs {
            callees.push(Callee {
                function,
                params: signature.params.clone(),
                results: signature.results.clone(),
            });
        }
        if level >= low + middle || dice.one_in(12) {
            exports.export(&format!("f{function}"), ExportKind::Func, function);
        }
        if dice.one_in(12) {
            table.push(function);
        }
    }
    if starts {
        functions.function(count as u32);
        let mut body = Function::new([]);
        let callee = &callees[dice.below(callees.len())];
        for ty in &callee.params {
            body.instruction(&match ty {
                ValType::I64 => I::I64Const(3),
                ValType::F32 => I::F32Const(3.0.into()),
                ValType::F64 => I::F64Const(3.0.into()),
                _ => I::I32Const(3),
            });
        }
        body.instruction(&I::Call(callee.function));
        for _ in &callee.results {
            body.instruction(&I::Drop);
        }
        body.instruction(&I::End);
        code.function(&body);
    }

    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: Some(4),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: table.len() as u64,
        maximum: None,
        shared: false,
    });
    let mut globals = GlobalSection::new();
    let ty = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    globals.global(ty, &ConstExpr::i32_const(7));
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("global", ExportKind::Global, 0);
    let mut elements = ElementSection::new();
    if !table.is_empty() {
        let offset = ConstExpr::i32_const(0);
        elements.active(None, &offset, Elements::Functions(table.into()));
    }
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&tables)
        .section(&memories)
        .section(&globals)
        .section(&exports);
    if starts {
        module.section(&StartSection {
            function_index: count as u32,
        });
    }
    module.section(&elements).section(&code);
    module.finish()
}
