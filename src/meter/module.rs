//! The new module, section by section.
//!
//! It is written in one go into one buffer; only one function at a time is held beside it.

use super::function::{Emitter, Flow, Plan, Scan, cells, plan, scan};
use super::helpers;
use super::{Detail, HostFunction, MAX_TABLE_ELEMENTS, MeterError, Metered, Options, Target};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    BlockType, ConstExpr, CustomSection, ElementSection, Elements, Encode, EntityType, ExportKind,
    ExportSection, FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection,
    RawSection, Section, SectionId, TableSection, TypeSection, ValType,
};
use wasmparser::{
    CompositeInnerType, ElementSectionReader, ExternalKind, FuncType, FuncValidator, FunctionBody,
    GlobalSectionReader, ImportSectionReader, MemorySectionReader, Parser, Payload,
    TableSectionReader, TypeRef, ValidPayload, Validator, WasmModuleResources,
};

/// The name of the module that instrumented modules import the host's functions from. A task can't
/// import from it: its own imports are checked when it is loaded.
pub const HOST_MODULE: &str = "verirun";

/// Room for what metering adds to a function: two parameters, and locals.
const OWN_LOCALS: u32 = 10;
/// Fewer than the 50 000 of browsers: wasmi has no more, and finds out when it runs.
const MOST_LOCALS: u32 = 30_000 - OWN_LOCALS;
const MOST_PARAMS: usize = 1000 - 2;
const MOST_RESULTS: usize = 1000 - 1;
/// What engines accept in one module: types, functions, imports, exports and globals each,
const MOST_ITEMS: u32 = 1_000_000;
/// element segments,
const MOST_SEGMENTS: u32 = 100_000;
/// bytes of a function's code,
const MOST_CODE: usize = 7_654_321;
/// and labels of a `br_table`: V8 has the lowest bound.
const MOST_TARGETS: u32 = 65_520;

/// A memory or table as far as growing goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growable {
    /// Its sizes are i64.
    pub wide: bool,
    /// The most it may have, by its type.
    pub max: Option<u64>,
    /// What it starts with.
    min: u64,
    /// For a table, the type of its elements.
    element: ValType,
}

/// Where everything is in the new module.
#[derive(Debug, Default)]
pub(super) struct Layout {
    types: Vec<FuncType>,
    /// Types of all functions, imports first.
    functions: Vec<u32>,
    /// How many of these are imports.
    pub imported: u32,
    pub memories: Vec<Growable>,
    pub tables: Vec<Growable>,
    /// Our globals.
    pub left: u32,
    pub room: u32,
    pub place: u32,
    /// Block types for functions with several results.
    blocks: HashMap<u32, u32>,
    /// The type of the first host function; the others follow.
    host_type: u32,
    /// Functions that are called from outside, in the order of their wrappers.
    pub outside: Vec<u32>,
    /// The types of all that is behind the task's own functions.
    helper_types: Vec<u32>,
}

impl Layout {
    /// The type with which metered code calls functions of type `ty`.
    pub fn metered_type(&self, ty: u32) -> u32 {
        self.types.len() as u32 + ty
    }

    /// The new index of a function. A host function of the task is reached through a wrapper.
    pub fn function(&self, function: u32) -> u32 {
        match function < self.imported {
            true => self.first_helper() + function,
            false => function + HostFunction::ALL.len() as u32,
        }
    }

    /// The index of one of our host functions.
    pub fn host(&self, function: HostFunction) -> u32 {
        self.imported + function as u32
    }

    fn first_helper(&self) -> u32 {
        self.functions.len() as u32 + HostFunction::ALL.len() as u32
    }

    /// The helper that grows a memory.
    pub fn memory_grow(&self, memory: u32) -> u32 {
        self.first_helper() + self.imported + memory
    }

    /// The helper that grows a table.
    pub fn table_grow(&self, table: u32) -> u32 {
        self.first_helper() + self.imported + self.memories.len() as u32 + table
    }

    /// Whether a table's sizes are i64.
    pub fn table64(&self, table: u32) -> bool {
        self.tables
            .get(table as usize)
            .is_some_and(|table| table.wide)
    }

    /// The first wrapper for a function that is called from outside.
    pub fn first_outside(&self) -> u32 {
        self.table_grow(self.tables.len() as u32)
    }

    pub fn type_of(&self, function: u32) -> &FuncType {
        &self.types[self.functions[function as usize] as usize]
    }

    fn block_type(&self, ty: u32) -> BlockType {
        match self.types[ty as usize].results() {
            [] => BlockType::Empty,
            [one] => BlockType::Result(val_type(*one)),
            _ => BlockType::FunctionType(self.blocks[&ty]),
        }
    }
}

/// Function references move to where the functions are now; everything else stays.
impl Reencode for &Layout {
    type Error = std::convert::Infallible;

    fn function_index(
        &mut self,
        function: u32,
    ) -> Result<u32, wasm_encoder::reencode::Error<Self::Error>> {
        Ok(self.function(function))
    }
}

fn val_type(ty: wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        // `features` leaves out all references but these two.
        wasmparser::ValType::Ref(ty) => match ty.is_extern_ref() {
            true => ValType::EXTERNREF,
            false => ValType::FUNCREF,
        },
    }
}

/// These types, then `more` times i64.
fn val_types(types: &[wasmparser::ValType], more: usize) -> Vec<ValType> {
    let i64s = std::iter::repeat_n(ValType::I64, more);
    types.iter().map(|&ty| val_type(ty)).chain(i64s).collect()
}

pub(super) fn wide(yes: bool) -> ValType {
    if yes { ValType::I64 } else { ValType::I32 }
}

/// An error of the re-encoder is one of the parser here: nothing else is asked of it.
fn invalid(error: wasm_encoder::reencode::Error) -> MeterError {
    match error {
        wasm_encoder::reencode::Error::ParseError(error) => MeterError::Invalid(error),
        other => MeterError::Unexpected(other.to_string()),
    }
}

/// Instruments a module.
///
/// # Errors
/// If it is not valid under [`super::features`], or at a bound of what engines accept.
pub fn instrument(wasm: &[u8], options: &Options) -> Result<Metered, MeterError> {
    let mut builder = Builder {
        out: Vec::with_capacity(wasm.len() + wasm.len() / 2 + 4096),
        layout: Layout::default(),
        options: *options,
        wasm,
        head: Head::default(),
        code: None,
    };
    builder.out.extend_from_slice(b"\0asm\x01\0\0\0");
    builder.run()
}

/// The sections before the code, as they are in the original.
#[derive(Default)]
struct Head<'a> {
    imports: Option<ImportSectionReader<'a>>,
    tables: Option<TableSectionReader<'a>>,
    memories: Option<MemorySectionReader<'a>>,
    globals: Option<GlobalSectionReader<'a>>,
    /// How many globals there are, imports included.
    global_count: u32,
    /// What all tables start with.
    table_elements: u64,
    exports: Vec<(&'a str, ExternalKind, u32)>,
    start: Option<u32>,
    elements: Option<ElementSectionReader<'a>>,
    data_count: Option<Range<u64>>,
    /// The names of our exports, chosen not to clash.
    left: String,
    place: String,
    start_name: String,
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

struct Builder<'a> {
    out: Vec<u8>,
    layout: Layout,
    options: Options,
    wasm: &'a [u8],
    head: Head<'a>,
    code: Option<Code>,
}

impl<'a> Builder<'a> {
    fn run(mut self) -> Result<Metered, MeterError> {
        let mut validator = Validator::new_with_features(super::features());
        let mut parser = Parser::new(0);
        parser.set_features(super::features());
        let mut data = None;
        for payload in parser.parse_all(self.wasm) {
            let payload = payload?;
            match validator.payload(&payload)? {
                ValidPayload::Func(function, body) => {
                    let code = self.code.get_or_insert_default();
                    let allocations = std::mem::take(&mut code.allocations);
                    let mut validator = function.into_validator(allocations);
                    self.function(&mut validator, &body)?;
                    if let Some(code) = &mut self.code {
                        code.allocations = validator.into_allocations();
                    }
                }
                _ => match payload {
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
        Ok(Metered {
            wasm: self.out,
            start: self.head.start.map(|_| self.head.start_name),
            left: self.head.left,
            place: exact.then_some(self.head.place),
            memory_pages: self.layout.memories.iter().map(|memory| memory.min).sum(),
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
                        TypeRef::Global(_) => self.head.global_count += 1,
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
                self.head.global_count += section.count();
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
        for &ty in &self.layout.functions[imported..] {
            functions.function(self.layout.metered_type(ty));
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

    /// Names for what we export that the task does not use.
    fn name_exports(&mut self) {
        let taken: BTreeSet<&str> = self.head.exports.iter().map(|&(name, ..)| name).collect();
        let free = |wanted: &str| {
            let mut name = wanted.to_owned();
            while taken.contains(name.as_str()) {
                name.push('\'');
            }
            name
        };
        self.head.left = free("verirun:left");
        self.head.place = free("verirun:place");
        self.head.start_name = free("verirun:start");
    }

    fn write_types(&mut self) -> Result<(), MeterError> {
        let layout = &mut self.layout;
        let mut types = TypeSection::new();
        for ty in &layout.types {
            types
                .ty()
                .function(val_types(ty.params(), 0), val_types(ty.results(), 0));
        }
        for ty in &layout.types {
            types
                .ty()
                .function(val_types(ty.params(), 2), val_types(ty.results(), 1));
        }
        layout.host_type = types.len();
        for function in HostFunction::ALL {
            types.ty().function(
                function.parameters().iter().map(|&yes| wide(yes)),
                function.result().map(wide),
            );
        }
        for (index, ty) in layout.types.iter().enumerate() {
            if ty.results().len() > 1 {
                layout.blocks.insert(index as u32, types.len());
                types.ty().function([], val_types(ty.results(), 0));
            }
        }
        // The wrappers, in the order of `Layout::function`, `memory_grow`, `table_grow`.
        let imported = layout.imported as usize;
        let mut helpers: Vec<u32> = layout.functions[..imported]
            .iter()
            .map(|&ty| layout.metered_type(ty))
            .collect();
        for memory in &layout.memories {
            helpers.push(types.len());
            let size = wide(memory.wide);
            types
                .ty()
                .function([size, ValType::I64, ValType::I32], [size, ValType::I64]);
        }
        for table in &layout.tables {
            helpers.push(types.len());
            let size = wide(table.wide);
            types.ty().function(
                [table.element, size, ValType::I64, ValType::I32],
                [size, ValType::I64],
            );
        }
        let mut outside: BTreeSet<u32> = self.head.start.into_iter().collect();
        for &(_, kind, index) in &self.head.exports {
            if matches!(kind, ExternalKind::Func | ExternalKind::FuncExact) {
                outside.insert(index);
            }
        }
        layout.outside = outside.into_iter().collect();
        helpers.extend(
            layout
                .outside
                .iter()
                .map(|&function| layout.functions[function as usize]),
        );
        layout.helper_types = helpers;
        check_count("types", layout.types.len(), types.len(), MOST_ITEMS)?;
        let functions = layout.functions.len();
        let all = functions + HostFunction::ALL.len() + layout.helper_types.len();
        check_count("functions", functions, all as u32, MOST_ITEMS)?;
        types.append_to(&mut self.out);
        Ok(())
    }

    fn write_imports(&mut self) -> Result<(), MeterError> {
        let mut imports = ImportSection::new();
        let mut layout = &self.layout;
        if let Some(section) = self.head.imports.take() {
            utils::parse_import_section(&mut layout, &mut imports, section).map_err(invalid)?;
        }
        for (offset, function) in (0..).zip(HostFunction::ALL) {
            let ty = EntityType::Function(self.layout.host_type + offset);
            imports.import(HOST_MODULE, function.name(), ty);
        }
        let had = imports.len() as usize - HostFunction::ALL.len();
        check_count("imports", had, imports.len(), MOST_ITEMS)?;
        imports.append_to(&mut self.out);
        Ok(())
    }

    fn write_globals(&mut self) -> Result<(), MeterError> {
        let mut globals = GlobalSection::new();
        if let Some(section) = self.head.globals.take() {
            let mut layout = &self.layout;
            utils::parse_global_section(&mut layout, &mut globals, section).map_err(invalid)?;
        }
        let first = self.head.global_count;
        self.layout.left = first;
        self.layout.room = first + 1;
        self.layout.place = first + 2;
        let mut own = |initial: i64| {
            let ty = GlobalType {
                val_type: ValType::I64,
                mutable: true,
                shared: false,
            };
            globals.global(ty, &ConstExpr::i64_const(initial));
        };
        own(0);
        own(super::Level::default().room());
        if self.options.detail == Detail::Exact {
            own(0);
        }
        check_count("globals", first as usize, first + 3, MOST_ITEMS)?;
        globals.append_to(&mut self.out);
        Ok(())
    }

    fn write_exports(&mut self) -> Result<(), MeterError> {
        let mut exports = ExportSection::new();
        let outside = |function: u32| {
            let position = self.layout.outside.partition_point(|&one| one < function);
            self.layout.first_outside() + position as u32
        };
        for &(name, kind, index) in &self.head.exports {
            match kind {
                ExternalKind::Func | ExternalKind::FuncExact => {
                    exports.export(name, ExportKind::Func, outside(index));
                }
                ExternalKind::Table => {
                    exports.export(name, ExportKind::Table, index);
                }
                ExternalKind::Memory => {
                    exports.export(name, ExportKind::Memory, index);
                }
                ExternalKind::Global => {
                    exports.export(name, ExportKind::Global, index);
                }
                ExternalKind::Tag => {}
            }
        }
        if let Some(start) = self.head.start {
            exports.export(&self.head.start_name, ExportKind::Func, outside(start));
        }
        exports.export(&self.head.left, ExportKind::Global, self.layout.left);
        if self.options.detail == Detail::Exact {
            exports.export(&self.head.place, ExportKind::Global, self.layout.place);
        }
        let had = self.head.exports.len();
        check_count("exports", had, had as u32 + 3, MOST_ITEMS)?;
        exports.append_to(&mut self.out);
        Ok(())
    }

    fn write_elements(&mut self) -> Result<(), MeterError> {
        let mut elements = ElementSection::new();
        let mut layout = &self.layout;
        if let Some(section) = self.head.elements.take() {
            utils::parse_element_section(&mut layout, &mut elements, section).map_err(invalid)?;
        }
        // An export lets code refer to a function; the wrapper's export does not.
        let declared: Vec<u32> = self
            .layout
            .outside
            .iter()
            .map(|&function| self.layout.function(function))
            .collect();
        if !declared.is_empty() {
            elements.declared(Elements::Functions(declared.into()));
            let had = elements.len() as usize - 1;
            check_count("element segments", had, elements.len(), MOST_SEGMENTS)?;
        }
        elements.append_to(&mut self.out);
        Ok(())
    }

    fn function<R: WasmModuleResources>(
        &mut self,
        validator: &mut FuncValidator<R>,
        body: &FunctionBody<'a>,
    ) -> Result<(), MeterError> {
        let Some(code) = &mut self.code else {
            return Ok(());
        };
        let function = code.next;
        code.next += 1;
        scan(validator, body, &mut code.scan)?;
        if code.scan.targets > MOST_TARGETS {
            return Err(MeterError::NoRoom {
                what: format!("function {function}"),
                found: format!("a `br_table` with {} labels", code.scan.targets),
                most: MOST_TARGETS,
            });
        }
        plan(&code.scan, self.options.detail, &mut code.plan);

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
        let mut emitter = Emitter::new(
            &self.layout,
            self.options.detail,
            self.wasm,
            function,
            std::mem::take(&mut code.instructions),
        );
        emitter.params = params.len() as u32;
        emitter.locals = count;
        emitter.results = self.layout.block_type(ty);
        emitter.cells = frame as u32;
        emitter.emit(&code.scan, &code.plan);
        locals.extend(emitter.own_locals().iter().map(|&ty| (1, ty)));
        if emitter.code.len() + 8 * locals.len() > MOST_CODE {
            let (had, now) = (body.range(), emitter.code.len() + 8 * locals.len());
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
        Ok(())
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

/// Whether engines accept so many of something, with what metering adds.
fn check_count(kind: &str, had: usize, now: u32, most: u32) -> Result<(), MeterError> {
    if now <= most {
        return Ok(());
    }
    Err(MeterError::NoRoom {
        what: "the module".to_owned(),
        found: format!("{had} {kind}, which become {now}"),
        most,
    })
}

/// Whether engines accept a function type with our parameters and result added.
fn check_room(index: usize, ty: &FuncType) -> Result<(), MeterError> {
    let (params, results) = (ty.params().len(), ty.results().len());
    let (found, most) = match (params > MOST_PARAMS, results > MOST_RESULTS) {
        (true, _) => (format!("{params} parameters"), MOST_PARAMS),
        (_, true) => (format!("{results} results"), MOST_RESULTS),
        _ => return Ok(()),
    };
    Err(MeterError::NoRoom {
        what: format!("type {index}"),
        found,
        most: most as u32,
    })
}
