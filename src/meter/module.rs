//! The new module, section by section.
//!
//! It is written in one go into one buffer; only one function at a time is held beside it, and for wasmi
//! where the others are.

use super::bounds::{MOST_CODE, MOST_LOCALS, MOST_TARGETS, check_room};
use super::function::{Emitter, Flow, Grouping, Plan, Scan, cells, plan, scan, turned};
use super::helpers;
use super::layout::{Growable, Layout, val_type};
use super::leaves::{self, Body, Leaf};
use super::sections::invalid;
use super::{
    Detail, MAX_TABLE_ELEMENTS, MeterError, Metered, MeteredId, Options, StateExports, Target,
};
use std::ops::Range;
use wasm_encoder::reencode::utils;
use wasm_encoder::{
    CustomSection, Encode, FunctionSection, MemorySection, RawSection, Section, SectionId,
    TableSection, ValType,
};
use wasmparser::{
    CompositeInnerType, ElementSectionReader, ExternalKind, FuncValidator, FunctionBody,
    GlobalSectionReader, ImportSectionReader, MemorySectionReader, Parser, Payload,
    TableSectionReader, TypeRef, ValidPayload, Validator, WasmModuleResources,
};

/// The name of the module that instrumented modules import the host's functions from. A task can't
/// import from it: its own imports are checked when it is loaded.
pub const HOST_MODULE: &str = "verirun";

/// Instruments a module.
///
/// # Errors
/// If it is not valid under [`super::features`], or at a bound of what engines accept.
pub fn instrument(wasm: &[u8], options: &Options) -> Result<Metered, MeterError> {
    instrument_with(wasm, options, true)
}

/// How the code for the interpreter is shaped. What is quicker takes more bytes, and can't be had with
/// tail calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// Functions may return parameters that nobody asks for ([`Layout::kept`]).
    keeps: bool,
    /// Leaves are told apart.
    finds: bool,
    /// The host's functions are called without a wrapper.
    direct: bool,
}

impl Form {
    /// Without all of it: as for compilers.
    const PLAIN: Self = Self {
        keeps: false,
        finds: false,
        direct: false,
    };
    /// The same with what tail calls allow.
    const DIRECT: Self = Self {
        direct: true,
        ..Self::PLAIN
    };
}

/// Instruments a module; without `leaves` each of its functions takes and returns the steps left.
pub(super) fn instrument_with(
    wasm: &[u8],
    options: &Options,
    leaves: bool,
) -> Result<Metered, MeterError> {
    let best = Form {
        keeps: true,
        finds: leaves && options.detail == Detail::Fast,
        direct: true,
    };
    let forms = match options.target {
        Target::Interpreter => &[best, Form::DIRECT, Form::PLAIN][..],
        Target::Compiler => &[Form::PLAIN][..],
    };
    for &form in forms {
        if let Some(metered) = build(wasm, options, form)? {
            return Ok(metered);
        }
    }
    Err(MeterError::Unexpected("it has no form".to_owned()))
}

/// Instruments a module; `None` if that can't be had in this form: its functions make tail calls, so that
/// they can't return their parameters, and there are no leaves; or one has no room for it, so that what
/// is refused does not depend on the engine.
fn build(wasm: &[u8], options: &Options, form: Form) -> Result<Option<Metered>, MeterError> {
    let mut builder = Builder {
        out: Vec::with_capacity(wasm.len() + wasm.len() / 2 + 4096),
        layout: Layout {
            for_wasmi: options.target == Target::Interpreter,
            keeps: form.keeps,
            direct: form.direct,
            ..Layout::default()
        },
        options: *options,
        wasm,
        head: Head::default(),
        code: None,
        form,
    };
    builder.out.extend_from_slice(b"\0asm\x01\0\0\0");
    builder.run()
}

/// The sections before the code, as they are in the original.
#[derive(Default)]
pub(super) struct Head<'a> {
    pub imports: Option<ImportSectionReader<'a>>,
    pub tables: Option<TableSectionReader<'a>>,
    pub memories: Option<MemorySectionReader<'a>>,
    pub globals: Option<GlobalSectionReader<'a>>,
    /// How many globals there are, imports included.
    pub global_count: u32,
    /// What all tables start with.
    pub table_elements: u64,
    pub exports: Vec<(&'a str, ExternalKind, u32)>,
    pub start: Option<u32>,
    pub elements: Option<ElementSectionReader<'a>>,
    pub data_count: Option<Range<u64>>,
    /// The names of our exports, chosen not to clash.
    pub left: String,
    pub place: String,
    pub start_name: String,
    /// What the names of the exports that show the guest's state begin with.
    pub state: String,
}

/// The code section while it is written.
#[derive(Default)]
struct Code {
    scan: Scan,
    plan: Plan,
    instructions: Vec<u8>,
    allocations: wasmparser::FuncValidatorAllocations,
    /// The next function of the original.
    next: u32,
    /// Where the section's size goes, once it is known.
    size_at: usize,
    /// Branches that are hardly ever taken, by function, and how many functions have some.
    hints: Vec<u8>,
    hinted: u32,
}

pub(super) struct Builder<'a> {
    pub out: Vec<u8>,
    pub layout: Layout,
    pub options: Options,
    wasm: &'a [u8],
    pub head: Head<'a>,
    code: Option<Code>,
    form: Form,
}

impl<'a> Builder<'a> {
    fn run(mut self) -> Result<Option<Metered>, MeterError> {
        let mut validator = Validator::new_with_features(super::features());
        let mut parser = Parser::new(0);
        parser.set_features(super::features());
        let mut data = None;
        // All functions, where something must be known of each before one is written.
        let mut bodies = Vec::new();
        for payload in parser.parse_all(self.wasm) {
            let payload = payload?;
            if !bodies.is_empty() && !matches!(payload, Payload::CodeSectionEntry(_)) {
                self.layout.leaves = leaves::find(&self.head, &self.layout, &bodies)?;
                self.start_code()?;
                for body in bodies.drain(..) {
                    if !self.body(body)? {
                        return Ok(None);
                    }
                }
            }
            match validator.payload(&payload)? {
                ValidPayload::Func(function, body) if self.form.finds => {
                    bodies.push((function, body))
                }
                ValidPayload::Func(function, body) => {
                    if !self.body((function, body))? {
                        return Ok(None);
                    }
                }
                _ => match payload {
                    Payload::CodeSectionStart { .. } if self.form.finds => {}
                    Payload::CodeSectionStart { .. } => self.start_code()?,
                    Payload::DataSection(section) => data = Some(section.range()),
                    payload => self.gather(payload)?,
                },
            }
        }
        if self.code.is_none() {
            self.start_code()?;
        }
        self.finish_code();
        if let Some(range) = data {
            self.copy(SectionId::Data, range);
        }
        let exact = self.options.detail == Detail::Exact;
        let state = self.state_exports();
        Ok(Some(Metered {
            id: MeteredId::fresh(),
            wasm: self.out,
            start: self.head.start.map(|_| self.head.start_name),
            left: self.head.left,
            place: exact.then_some(self.head.place),
            memory_pages: self.layout.memories.iter().map(|memory| memory.min).sum(),
            state,
            profiled: false,
        }))
    }

    /// Writes the next function. Returns `false` if it does not go with the form.
    fn body<R: WasmModuleResources>(
        &mut self,
        (function, body): Body<'a, R>,
    ) -> Result<bool, MeterError> {
        let code = self.code.get_or_insert_default();
        let allocations = std::mem::take(&mut code.allocations);
        let mut validator = function.into_validator(allocations);
        let fits = self.function(&mut validator, &body)?;
        let Some(code) = &mut self.code else {
            return Ok(true);
        };
        code.allocations = validator.into_allocations();
        Ok(fits && !(code.scan.tail_calls && self.form.keeps))
    }

    /// The exports that show the guest's state, if they are asked for.
    pub fn state_exports(&self) -> Option<StateExports> {
        self.options.state.then(|| StateExports {
            prefix: self.head.state.clone(),
            cells: self.layout.cells.iter().map(|cell| cell.of()).collect(),
            memories: self.layout.memories.len() as u32,
        })
    }

    /// Notes a section before the code.
    fn gather(&mut self, payload: Payload<'a>) -> Result<(), MeterError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        // Validation under `features` admits nothing but functions.
                        if let CompositeInnerType::Func(ty) = ty.composite_type.inner {
                            check_room(self.layout.types.len(), &ty)?;
                            self.layout.types.push(ty);
                        }
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    match import?.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                            self.layout.functions.push(ty);
                            self.layout.imported += 1;
                        }
                        TypeRef::Memory(memory) => self.memory(&memory),
                        TypeRef::Table(table) => self.table(&table)?,
                        TypeRef::Global(global) => self.global(&global),
                        TypeRef::Tag(_) => {}
                    }
                }
                self.head.imports = Some(section);
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.layout.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    self.table(&table?.ty)?;
                }
                self.head.tables = Some(section);
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.memory(&memory?);
                }
                self.head.memories = Some(section);
            }
            Payload::GlobalSection(section) => {
                for global in section.clone() {
                    self.global(&global?.ty);
                }
                self.head.globals = Some(section);
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.head
                        .exports
                        .push((export.name, export.kind, export.index));
                }
            }
            Payload::StartSection { func, .. } => self.head.start = Some(func),
            Payload::ElementSection(section) => self.head.elements = Some(section),
            Payload::DataCountSection { range, .. } => self.head.data_count = Some(range),
            _ => {}
        }
        Ok(())
    }

    fn global(&mut self, global: &wasmparser::GlobalType) {
        if global.mutable {
            let variable = (self.head.global_count, val_type(global.content_type));
            self.layout.variables.push(variable);
        }
        self.head.global_count += 1;
    }

    fn memory(&mut self, memory: &wasmparser::MemoryType) {
        self.layout.memories.push(Growable {
            wide: memory.memory64,
            max: memory.maximum,
            min: memory.initial,
            element: ValType::I32,
        });
    }

    fn table(&mut self, table: &wasmparser::TableType) -> Result<(), MeterError> {
        if table.initial > MAX_TABLE_ELEMENTS {
            return Err(MeterError::TableTooBig {
                index: self.layout.tables.len() as u32,
                found: table.initial,
                most: MAX_TABLE_ELEMENTS,
            });
        }
        // A few bytes declare thousands of tables: what counts is what they hold together.
        self.head.table_elements += table.initial;
        if self.head.table_elements > MAX_TABLE_ELEMENTS {
            return Err(MeterError::TablesTooBig {
                found: self.head.table_elements,
                most: MAX_TABLE_ELEMENTS,
            });
        }
        self.layout.tables.push(Growable {
            wide: table.table64,
            max: table.maximum,
            min: table.initial,
            element: val_type(wasmparser::ValType::Ref(table.element_type)),
        });
        Ok(())
    }

    /// Writes all sections before the code, and begins that.
    fn start_code(&mut self) -> Result<(), MeterError> {
        self.name_exports();
        self.write_types()?;
        self.write_imports()?;
        let mut functions = FunctionSection::new();
        let imported = self.layout.imported as usize;
        for function in self.layout.imported..self.layout.functions.len() as u32 {
            functions.function(self.layout.own_type(function));
        }
        for &ty in &self.layout.helper_types {
            functions.function(ty);
        }
        functions.append_to(&mut self.out);
        let mut layout = &self.layout;
        if let Some(section) = self.head.tables.take() {
            let mut tables = TableSection::new();
            utils::parse_table_section(&mut layout, &mut tables, section).map_err(invalid)?;
            tables.append_to(&mut self.out);
        }
        if let Some(section) = self.head.memories.take() {
            // Not copied: sizes may be written longer than engines of before WebAssembly 3 accept.
            let mut memories = MemorySection::new();
            utils::parse_memory_section(&mut layout, &mut memories, section).map_err(invalid)?;
            memories.append_to(&mut self.out);
        }
        self.write_globals()?;
        self.write_exports()?;
        self.write_elements()?;
        if let Some(range) = self.head.data_count.take() {
            self.copy(SectionId::DataCount, range);
        }
        self.out.push(SectionId::Code as u8);
        let size_at = self.out.len();
        self.out.extend_from_slice(&[0; 5]);
        let own = self.layout.functions.len() - imported;
        ((own + self.layout.helper_types.len()) as u32).encode(&mut self.out);
        let scan = Scan {
            floats: (self.options.target == Target::Compiler).then(Flow::default),
            grouping: self.options.is_for_speed().then(Grouping::default),
            ..Scan::default()
        };
        self.code = Some(Code {
            scan,
            next: self.layout.imported,
            size_at,
            ..Code::default()
        });
        Ok(())
    }

    fn copy(&mut self, id: SectionId, range: Range<u64>) {
        let data = &self.wasm[range.start as usize..range.end as usize];
        RawSection { id: id as u8, data }.append_to(&mut self.out);
    }

    /// Writes a function. Returns `false` if it would have room in another form.
    fn function<R: WasmModuleResources>(
        &mut self,
        validator: &mut FuncValidator<R>,
        body: &FunctionBody<'a>,
    ) -> Result<bool, MeterError> {
        let Some(code) = &mut self.code else {
            return Ok(true);
        };
        let function = code.next;
        code.next += 1;
        let leaf = self.layout.leaf(function);
        if let Some(Leaf { cost: Some(_), .. }) = leaf {
            // It was validated when it was found.
            let range = body.range();
            let bytes = &self.wasm[range.start as usize..range.end as usize];
            bytes.encode(&mut self.out);
            return Ok(true);
        }
        scan(validator, body, &mut code.scan)?;
        code.scan.mark_leaves(|function| self.layout.leaf(function));
        if code.scan.targets > MOST_TARGETS {
            return Err(MeterError::NoRoom {
                what: format!("function {function}"),
                found: format!("a `br_table` with {} labels", code.scan.targets),
                most: MOST_TARGETS,
            });
        }
        // Where checkpoints are taken, every head of a loop must ask.
        let with_turns = self.options.is_for_speed() && !self.options.state;
        let turned = with_turns.then(|| turned(&code.scan, self.wasm)).flatten();
        let best = turned.as_ref().unwrap_or(&code.scan);
        plan(best, self.options.detail, &mut code.plan);

        let ty = self.layout.functions[function as usize];
        let params = self.layout.types[ty as usize].params();
        let mut frame: u64 = params.iter().map(|&ty| cells(ty)).sum();
        let mut locals: Vec<(u32, ValType)> = Vec::new();
        let mut count = params.len() as u32;
        for group in body.get_locals_reader()? {
            let (number, ty) = group?;
            frame += u64::from(number) * cells(ty);
            count += number;
            locals.push((number, val_type(ty)));
        }
        if count > MOST_LOCALS {
            return Err(MeterError::NoRoom {
                what: format!("function {function}"),
                found: format!("{count} locals"),
                most: MOST_LOCALS,
            });
        }
        frame += u64::from(code.scan.height);
        let write = |scan: &Scan, plan: &Plan, instructions: Vec<u8>| {
            let mut emitter = Emitter::new(
                &self.layout,
                &self.options,
                self.wasm,
                function,
                instructions,
            );
            emitter.params = params.len() as u32;
            emitter.ty = ty;
            emitter.is_leaf = leaf.is_some();
            emitter.locals = count;
            emitter.results = self.layout.block_type(ty);
            emitter.cells = frame as u32;
            emitter.emit(scan, plan);
            emitter
        };
        let size = |emitter: &Emitter<'_>| {
            emitter.code.len() + 8 * (locals.len() + emitter.own_locals().len())
        };
        let instructions = std::mem::take(&mut code.instructions);
        let mut emitter = write(best, &code.plan, instructions);
        if size(&emitter) > MOST_CODE && code.scan.grouping.is_some() {
            // Stores in groups may be written twice, loops more often. What an engine can take must not
            // depend on that.
            let grouping = code.scan.grouping.take();
            plan(&code.scan, self.options.detail, &mut code.plan);
            emitter = write(&code.scan, &code.plan, Vec::new());
            code.scan.grouping = grouping;
        }
        let now = size(&emitter);
        locals.extend(emitter.own_locals().iter().map(|&ty| (1, ty)));
        if now > MOST_CODE && self.form != Form::PLAIN {
            return Ok(false);
        }
        if now > MOST_CODE {
            let had = body.range();
            return Err(MeterError::NoRoom {
                what: format!("function {function}"),
                found: format!("{} bytes of code, which become {now}", had.end - had.start),
                most: MOST_CODE as u32,
            });
        }
        let head = append_body(&mut self.out, &locals, &emitter.code);
        if self.options.target == Target::Compiler && !emitter.unlikely.is_empty() {
            // Relative to the start of the body, its locals included.
            code.hinted += 1;
            self.layout.function(function).encode(&mut code.hints);
            (emitter.unlikely.len() as u32).encode(&mut code.hints);
            for at in &emitter.unlikely {
                (head + at).encode(&mut code.hints);
                code.hints.extend([1, 0]);
            }
        }
        code.instructions = emitter.code;
        Ok(true)
    }

    /// Writes the wrappers, and then the section's size.
    fn finish_code(&mut self) {
        helpers::write(&self.layout, &mut self.out);
        if let Some(code) = &self.code {
            let mut size = (self.out.len() - code.size_at - 5) as u32;
            // All five bytes that were left for it, whatever it is.
            for index in 0..5 {
                let more = if index < 4 { 0x80 } else { 0 };
                self.out[code.size_at + index] = (size & 0x7f) as u8 | more;
                size >>= 7;
            }
            if code.hinted > 0 {
                let mut data = Vec::with_capacity(code.hints.len() + 5);
                code.hinted.encode(&mut data);
                data.extend_from_slice(&code.hints);
                let mut section = Vec::with_capacity(data.len() + 32);
                CustomSection {
                    name: "metadata.code.branch_hint".into(),
                    data: data.into(),
                }
                .append_to(&mut section);
                // It belongs before the code, whose section starts with its number.
                let before = code.size_at - 1;
                self.out.splice(before..before, section);
            }
        }
    }
}

/// Appends a function's body: its locals, and code that ends in `end`. Returns how many bytes the
/// locals take.
pub(super) fn append_body(out: &mut Vec<u8>, locals: &[(u32, ValType)], code: &[u8]) -> u32 {
    let mut head = Vec::with_capacity(16);
    (locals.len() as u32).encode(&mut head);
    for (count, ty) in locals {
        count.encode(&mut head);
        ty.encode(&mut head);
    }
    ((head.len() + code.len()) as u32).encode(out);
    out.extend_from_slice(&head);
    out.extend_from_slice(code);
    head.len() as u32
}
