//! A second opinion on the count, independent of the instrumentation: a global counter that is added
//! to in the most naive way. It leaves semantics alone by construction: nothing moves, and no value
//! of the guest is touched.

use wasm_encoder::{
    ConstExpr, Encode, GlobalSection, GlobalType, Instruction as I, Module, RawSection, ValType,
};
use wasmparser::{
    BinaryReader, CompositeInnerType, FunctionBody, Operator, Parser, Payload, TypeRef,
};

/// The export of the counter.
pub const COUNTER: &str = "oracle:steps";

/// When steps are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Each operator, just before it: what was executed.
    Operators,
    /// A basic block, on entry: what is charged, also where a trap ends a block early.
    Blocks,
}

/// The published cost of an operator, without what it moves.
fn cost(operator: &Operator<'_>) -> i64 {
    use Operator as O;
    match operator {
        O::Nop | O::Block { .. } | O::Loop { .. } | O::Else | O::End | O::Drop => 0,
        _ => 1,
    }
}

/// What is needed to know of a module.
#[derive(Default)]
struct Facts {
    params: Vec<u32>,
    functions: Vec<u32>,
    imported_functions: usize,
    wide_memories: Vec<bool>,
    wide_tables: Vec<bool>,
    globals: u32,
}

impl Facts {
    fn read(wasm: &[u8]) -> Self {
        let mut facts = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("a valid module") {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group.expect("a type").into_types() {
                            let CompositeInnerType::Func(ty) = ty.composite_type.inner else {
                                panic!("not a function type");
                            };
                            facts.params.push(ty.params().len() as u32);
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import.expect("an import").ty {
                            TypeRef::Func(ty) => {
                                facts.functions.push(ty);
                                facts.imported_functions += 1;
                            }
                            TypeRef::Memory(memory) => facts.wide_memories.push(memory.memory64),
                            TypeRef::Table(table) => facts.wide_tables.push(table.table64),
                            TypeRef::Global(_) => facts.globals += 1,
                            other => panic!("an import of {other:?}"),
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    facts
                        .functions
                        .extend(section.into_iter().map(|ty| ty.expect("a type")));
                }
                Payload::TableSection(section) => {
                    for table in section {
                        facts.wide_tables.push(table.expect("a table").ty.table64);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        facts.wide_memories.push(memory.expect("a memory").memory64);
                    }
                }
                Payload::GlobalSection(section) => facts.globals += section.count(),
                _ => {}
            }
        }
        facts
    }

    /// Whether an operator's length (on top of the stack) is an i64, and by what it is divided.
    fn bulk(&self, operator: &Operator<'_>) -> Option<(bool, i64)> {
        use Operator as O;
        let memory = |index: u32| self.wide_memories[index as usize];
        let table = |index: u32| self.wide_tables[index as usize];
        Some(match *operator {
            O::MemoryFill { mem } => (memory(mem), 8),
            O::MemoryCopy { dst_mem, src_mem } => (memory(dst_mem) && memory(src_mem), 8),
            O::MemoryInit { .. } => (false, 8),
            O::TableFill { table: index } | O::TableGrow { table: index } => (table(index), 1),
            O::TableCopy {
                dst_table,
                src_table,
            } => (table(dst_table) && table(src_table), 1),
            O::TableInit { .. } => (false, 1),
            _ => return None,
        })
    }
}

/// The module with the counter, which is exported as [`COUNTER`].
pub fn count(wasm: &[u8], when: When) -> Vec<u8> {
    let facts = Facts::read(wasm);
    // Sections in order, each with its id.
    let mut sections: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut code = Vec::new();
    let mut bodies = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.expect("a valid module");
        match &payload {
            Payload::CodeSectionEntry(body) => {
                let index = facts.imported_functions + bodies;
                bodies += 1;
                let params = facts.params[facts.functions[index] as usize];
                let body = function(&facts, wasm, params, body, when);
                (body.len() as u32).encode(&mut code);
                code.extend(body);
            }
            Payload::CodeSectionStart { .. } => sections.push((10, Vec::new())),
            Payload::CustomSection(_) => {}
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    let bytes = &wasm[range.start as usize..range.end as usize];
                    sections.push((id, bytes.to_vec()));
                }
            }
        }
    }
    let order = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
    let rank = |id: u8| {
        order
            .iter()
            .position(|&one| one == id)
            .expect("a known section")
    };
    for id in [6, 7] {
        if !sections.iter().any(|&(one, _)| one == id) {
            sections.push((id, vec![0]));
        }
    }
    sections.sort_by_key(|&(id, _)| rank(id));
    let mut module = Module::new();
    for (id, bytes) in &mut sections {
        match *id {
            6 => {
                let mut own = GlobalSection::new();
                let ty = GlobalType {
                    val_type: ValType::I64,
                    mutable: true,
                    shared: false,
                };
                own.global(ty, &ConstExpr::i64_const(0));
                let mut encoded = Vec::new();
                own.encode(&mut encoded);
                // Behind the section's size and count, one byte each.
                append(bytes, &encoded[2..]);
            }
            7 => {
                let mut entry = Vec::new();
                COUNTER.encode(&mut entry);
                entry.push(3);
                facts.globals.encode(&mut entry);
                append(bytes, &entry);
            }
            10 => {
                (bodies as u32).encode(bytes);
                bytes.extend_from_slice(&code);
            }
            _ => {}
        }
        module.section(&RawSection {
            id: *id,
            data: bytes,
        });
    }
    module.finish()
}

/// Adds an entry to a section that starts with the number of its entries.
fn append(section: &mut Vec<u8>, entry: &[u8]) {
    let mut reader = BinaryReader::new(section, 0);
    let count = reader.read_var_u32().expect("a count");
    let rest = reader.original_position() as usize;
    let mut new = Vec::new();
    (count + 1).encode(&mut new);
    new.extend_from_slice(&section[rest..]);
    new.extend_from_slice(entry);
    *section = new;
}

/// An operator with its bytes.
struct Read<'a> {
    operator: Operator<'a>,
    start: usize,
    end: usize,
    /// No path reaches it.
    dead: bool,
    /// For an operator that opens a block: a live branch goes to its label. For `end`: so it is for
    /// the block it closes.
    targeted: bool,
    /// For `end`: what it closes is a loop or a block.
    closes_plain: bool,
    closes_loop: bool,
}

fn read_all<'a>(body: &FunctionBody<'a>) -> Vec<Read<'a>> {
    use Operator as O;
    let mut reader = body.get_operators_reader().expect("operators");
    let mut all: Vec<Read<'a>> = Vec::new();
    // Position in `all` of each open block's opener; `None` for the function's own.
    let mut open: Vec<Option<usize>> = vec![None];
    let mut function_targeted = false;
    let mut dead: Option<u32> = None;
    while !reader.eof() {
        let start = reader.original_position() as usize;
        let operator = reader.read().expect("an operator");
        let end = reader.original_position() as usize;
        if let Some(nested) = &mut dead {
            let revives = match operator {
                O::Block { .. } | O::Loop { .. } | O::If { .. } => {
                    *nested += 1;
                    false
                }
                O::End if *nested > 0 => {
                    *nested -= 1;
                    false
                }
                O::Else => *nested == 0,
                O::End => true,
                _ => false,
            };
            if !revives {
                all.push(Read {
                    operator,
                    start,
                    end,
                    dead: true,
                    targeted: false,
                    closes_plain: false,
                    closes_loop: false,
                });
                continue;
            }
            dead = None;
        }
        let mut this = Read {
            start,
            end,
            dead: false,
            targeted: false,
            closes_plain: false,
            closes_loop: false,
            operator: operator.clone(),
        };
        let mut target = |all: &mut Vec<Read<'a>>, depth: u32| {
            match open[open.len() - 1 - depth as usize] {
                Some(opener) => all[opener].targeted = true,
                None => function_targeted = true,
            };
        };
        match &operator {
            O::Br { relative_depth } | O::BrIf { relative_depth } => {
                target(&mut all, *relative_depth);
            }
            O::BrTable { targets } => {
                for depth in targets.targets() {
                    target(&mut all, depth.expect("a label"));
                }
                target(&mut all, targets.default());
            }
            O::Block { .. } | O::Loop { .. } | O::If { .. } => open.push(Some(all.len())),
            O::End => match open.pop().expect("an open block") {
                Some(opener) => {
                    this.targeted = all[opener].targeted;
                    this.closes_plain = matches!(all[opener].operator, O::Block { .. });
                    this.closes_loop = matches!(all[opener].operator, O::Loop { .. });
                }
                None => this.targeted = function_targeted,
            },
            _ => {}
        }
        if leaves(&operator) {
            dead = Some(0);
        }
        all.push(this);
    }
    all
}

/// Nothing behind it is reached from it.
fn leaves(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::Br { .. }
            | O::BrTable { .. }
            | O::Return
            | O::Unreachable
            | O::ReturnCall { .. }
            | O::ReturnCallIndirect { .. }
    )
}

/// A basic block ends with this operator.
fn ends_block(facts: &Facts, read: &Read<'_>) -> bool {
    use Operator as O;
    match &read.operator {
        O::End if read.closes_loop => false,
        O::End if read.closes_plain => read.targeted,
        O::End | O::Else | O::If { .. } | O::Loop { .. } | O::BrIf { .. } => true,
        O::Call { .. } | O::CallIndirect { .. } | O::MemoryGrow { .. } => true,
        operator => leaves(operator) || facts.bulk(operator).is_some(),
    }
}

fn function(
    facts: &Facts,
    wasm: &[u8],
    params: u32,
    body: &FunctionBody<'_>,
    when: When,
) -> Vec<u8> {
    let all = read_all(body);
    // Before which byte of the module how many steps are added.
    let mut charges: Vec<(usize, i64)> = Vec::new();
    match when {
        When::Operators => charges.extend(
            all.iter()
                .filter(|read| !read.dead)
                .map(|read| (read.start, cost(&read.operator))),
        ),
        When::Blocks => {
            let mut begin = all[0].start;
            let mut steps = 0;
            for read in all.iter().filter(|read| !read.dead) {
                steps += cost(&read.operator);
                if ends_block(facts, read) {
                    charges.push((begin, steps));
                    (begin, steps) = (read.end, 0);
                }
            }
        }
    }
    charges.retain(|&(_, steps)| steps != 0);

    let mut out = Vec::new();
    let mut locals = Vec::new();
    let mut groups = 0;
    let mut count = params;
    for group in body.get_locals_reader().expect("locals") {
        let (number, ty) = group.expect("locals");
        number.encode(&mut locals);
        ValType::try_from(ty).expect("a type").encode(&mut locals);
        groups += 1;
        count += number;
    }
    let (narrow, wide) = (count, count + 1);
    (groups + 2u32).encode(&mut out);
    out.extend(locals);
    for ty in [ValType::I32, ValType::I64] {
        1u32.encode(&mut out);
        ty.encode(&mut out);
    }
    let put = |out: &mut Vec<u8>, instructions: &[I<'_>]| {
        for instruction in instructions {
            instruction.encode(out);
        }
    };
    let mut next = charges.iter().peekable();
    for read in &all {
        while let Some((_, steps)) = next.next_if(|&&(at, _)| at <= read.start) {
            put(
                &mut out,
                &[
                    I::GlobalGet(facts.globals),
                    I::I64Const(*steps),
                    I::I64Add,
                    I::GlobalSet(facts.globals),
                ],
            );
        }
        let bulk = facts.bulk(&read.operator).filter(|_| !read.dead);
        if let Some((is_wide, unit)) = bulk {
            let local = if is_wide { wide } else { narrow };
            put(
                &mut out,
                &[
                    I::LocalTee(local),
                    I::GlobalGet(facts.globals),
                    I::LocalGet(local),
                ],
            );
            if is_wide {
                // More than any memory holds counts as 2^61.
                let most = I::I64Const(1 << 61);
                put(
                    &mut out,
                    &[most.clone(), I::LocalGet(local), most, I::I64LtU, I::Select],
                );
            } else {
                put(&mut out, &[I::I64ExtendI32U]);
            }
            put(
                &mut out,
                &[
                    I::I64Const(unit),
                    I::I64DivU,
                    I::I64Add,
                    I::GlobalSet(facts.globals),
                ],
            );
        }
        out.extend_from_slice(&wasm[read.start..read.end]);
    }
    out
}
