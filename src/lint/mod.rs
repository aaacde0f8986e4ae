//! The determinism lint: what a module needs, what the deterministic profile fixes for it, and what
//! keeps it from running, each with its place. One pass over the module; nothing is executed.
//!
//! It knows `wasmparser` and WASI's function table, and no engine: what engines accept is stated in
//! `features.rs`, and a test compares that with the engine.

mod features;
mod imports;
mod operators;
mod places;
mod report;
mod text;
mod verdict;

use crate::task::{LoadError, ModuleKind, Signature, Signatures, check_import, to_binary};
use crate::wasi::{Abi, Function};
pub use features::Feature;
use operators::Code;
pub use places::{FunctionName, Location};
pub use report::*;
use verdict::{FIXED, fixed_by};
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, Encoding, ExternalKind,
    FuncValidatorAllocations, KnownCustom, MemoryType, Parser, Payload, RefType, TableInit,
    TableType, TypeRef, ValType, ValidPayload, Validator,
};

/// Lints a module, binary or text.
///
/// # Errors
/// If it can't be read: it is no WebAssembly, or it is damaged. A module that can be read but can't
/// run is no error; [`Report::refused`] says why.
pub fn lint(name: &str, bytes: &[u8]) -> Result<Report, LoadError> {
    let wasm = to_binary(name, bytes)?;
    let mut lint = Lint::new();
    let mut invalid = None;
    match lint.read(&wasm, &mut invalid) {
        Ok(()) => Ok(lint.report(name, &wasm, invalid)),
        Err(error) => Err(LoadError::of_reader(name, &wasm, &error)),
    }
}

struct Lint<'a> {
    code: Code,
    types: Signatures,
    functions: Vec<u32>,
    imports: Vec<ImportUse>,
    memories: Vec<MemorySize>,
    tables: Vec<TableSize>,
    component: bool,
    /// What `_start` or `_initialize` is: its function.
    start: Option<(ModuleKind, u32)>,
    exports_memory: bool,
    defined: u64,
    code_bytes: u64,
    data_bytes: u64,
    names_input: bool,
    names_output: bool,
    name_section: Option<wasmparser::NameSectionReader<'a>>,
}

type Read<T> = Result<T, wasmparser::BinaryReaderError>;

impl<'a> Lint<'a> {
    fn new() -> Self {
        Self {
            code: Code::new(FIXED.len()),
            types: Vec::new(),
            functions: Vec::new(),
            imports: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            component: false,
            start: None,
            exports_memory: false,
            defined: 0,
            code_bytes: 0,
            data_bytes: 0,
            names_input: false,
            names_output: false,
            name_section: None,
        }
    }

    /// Reads the whole module. What the engine would not accept goes to `invalid`, the first of it;
    /// the rest is then read unchecked.
    fn read(
        &mut self,
        wasm: &'a [u8],
        invalid: &mut Option<wasmparser::BinaryReaderError>,
    ) -> Read<()> {
        let mut validator = Some(Validator::new_with_features(features::ACCEPTED));
        let mut allocations = FuncValidatorAllocations::default();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            if let Payload::Version {
                encoding: Encoding::Component,
                ..
            } = payload
            {
                self.component = true;
                return Ok(());
            }
            match validator.as_mut().map(|valid| valid.payload(&payload)) {
                Some(Ok(ValidPayload::Func(function, body))) => {
                    let mut function = function.into_validator(allocations);
                    if let Err(error) = function.validate(&body) {
                        *invalid = Some(error);
                        validator = None;
                    }
                    allocations = function.into_allocations();
                }
                Some(Err(error)) => {
                    *invalid = Some(error);
                    validator = None;
                }
                _ => {}
            }
            self.payload(payload)?;
        }
        Ok(())
    }

    fn payload(&mut self, payload: Payload<'a>) -> Read<()> {
        match payload {
            Payload::TypeSection(section) => self.read_types(section),
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(offset, import);
                }
                Ok(())
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
                Ok(())
            }
            Payload::TableSection(section) => {
                for entry in section.into_iter_with_offsets() {
                    let (offset, table) = entry?;
                    self.code.at(offset, None);
                    self.table(&table.ty, false);
                    if let TableInit::Expr(init) = table.init {
                        self.constant(init)?;
                    }
                }
                Ok(())
            }
            Payload::MemorySection(section) => {
                for entry in section.into_iter_with_offsets() {
                    let (offset, memory) = entry?;
                    self.code.at(offset, None);
                    self.memory(&memory, false);
                }
                Ok(())
            }
            Payload::TagSection(section) => {
                self.code.at(section.range().start, None);
                self.code.need(Feature::Exceptions);
                Ok(())
            }
            Payload::GlobalSection(section) => {
                for entry in section.into_iter_with_offsets() {
                    let (offset, global) = entry?;
                    self.code.at(offset, None);
                    self.value_type(global.ty.content_type);
                    if global.ty.shared {
                        self.code.need(Feature::SharedEverything);
                    }
                    self.constant(global.init_expr)?;
                }
                Ok(())
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.export(&export?);
                }
                Ok(())
            }
            Payload::ElementSection(section) => self.read_elements(section),
            Payload::DataCountSection { range, .. } => {
                self.code.at(range.start, None);
                self.code.need(Feature::BulkMemory);
                Ok(())
            }
            Payload::CodeSectionStart { size, .. } => {
                self.code_bytes = u64::from(size);
                Ok(())
            }
            Payload::CodeSectionEntry(body) => self.body(&body),
            Payload::DataSection(section) => self.read_data(section),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.name_section = Some(names);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn read_types(&mut self, section: wasmparser::TypeSectionReader<'a>) -> Read<()> {
        for entry in section.into_iter_with_offsets() {
            let (offset, group) = entry?;
            self.code.at(offset, None);
            if group.is_explicit_rec_group() {
                self.code.need(Feature::Gc);
            }
            for sub in group.into_types() {
                let ty = sub.composite_type;
                if ty.shared {
                    self.code.need(Feature::SharedEverything);
                }
                if !sub.is_final || !sub.supertype_idxs.is_empty() {
                    self.code.need(Feature::Gc);
                }
                let signature = match ty.inner {
                    CompositeInnerType::Func(ty) => {
                        for &value in ty.params().iter().chain(ty.results()) {
                            self.value_type(value);
                        }
                        if ty.results().len() > 1 {
                            self.code.need(Feature::MultiValue);
                        }
                        Some((ty.params().to_vec(), ty.results().to_vec()))
                    }
                    CompositeInnerType::Cont(_) => {
                        self.code.need(Feature::StackSwitching);
                        None
                    }
                    CompositeInnerType::Array(_) | CompositeInnerType::Struct(_) => {
                        self.code.need(Feature::Gc);
                        None
                    }
                };
                let multi = |(params, results): &Signature| !params.is_empty() || results.len() > 1;
                self.code
                    .multi_value_types
                    .push(signature.as_ref().is_some_and(multi));
                self.types.push(signature);
            }
        }
        Ok(())
    }

    fn value_type(&mut self, ty: ValType) {
        match ty {
            ValType::V128 => self.code.need(Feature::Simd),
            ValType::Ref(ty) => self.reference_type(ty),
            _ => {}
        }
    }

    fn reference_type(&mut self, ty: RefType) {
        self.code.need(match ty {
            RefType::FUNCREF | RefType::EXTERNREF => Feature::ReferenceTypes,
            RefType::EXNREF => Feature::Exceptions,
            _ if ty.is_concrete_type_ref() || ty.is_func_ref() || ty.is_extern_ref() => {
                Feature::FunctionReferences
            }
            _ => Feature::Gc,
        });
    }

    fn import(&mut self, offset: u64, import: wasmparser::Import<'_>) {
        self.code.at(offset, None);
        let problem = check_import(import.module, import.name, import.ty, &self.types);
        let known = problem.is_none();
        let kind = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.functions.push(ty);
                let function = Abi::from_module(import.module)
                    .and_then(|abi| Function::find(abi, import.name))
                    .filter(|_| known);
                self.code.callees.push(function.and_then(fixed_by));
                "func"
            }
            TypeRef::Table(ty) => {
                self.table(&ty, true);
                "table"
            }
            TypeRef::Memory(ty) => {
                self.memory(&ty, true);
                "memory"
            }
            TypeRef::Global(ty) => {
                self.value_type(ty.content_type);
                "global"
            }
            TypeRef::Tag(_) => {
                self.code.need(Feature::Exceptions);
                "tag"
            }
        };
        self.imports.push(ImportUse {
            module: import.module.to_owned(),
            name: import.name.to_owned(),
            kind,
            offset,
            known,
            reason: (!known).then(|| match kind {
                "func" => imports::reason(import.module, import.name),
                "memory" => "a task's memory is its own: link it without --import-memory",
                "table" => "a task's table is its own: link it without --import-table",
                _ => "a task has no globals or tags of the host: link it into the module",
            }),
        });
    }

    fn memory(&mut self, ty: &MemoryType, imported: bool) {
        if !self.memories.is_empty() {
            self.code.need(Feature::MultiMemory);
        }
        if ty.memory64 {
            self.code.need(Feature::Memory64);
        }
        if ty.shared {
            self.code.need(Feature::Threads);
        }
        if ty.page_size_log2.is_some() {
            self.code.need(Feature::CustomPageSizes);
        }
        self.memories.push(MemorySize {
            min: ty.initial,
            max: ty.maximum,
            page_bytes: 1u64
                .checked_shl(ty.page_size_log2.unwrap_or(16))
                .unwrap_or(0),
            shared: ty.shared,
            memory64: ty.memory64,
            imported,
        });
    }

    fn table(&mut self, ty: &TableType, imported: bool) {
        if !self.tables.is_empty() {
            self.code.need(Feature::ReferenceTypes);
        }
        if ty.table64 {
            self.code.need(Feature::Memory64);
        }
        if ty.shared {
            self.code.need(Feature::SharedEverything);
        }
        // Tables of functions are as old as WebAssembly.
        if ty.element_type != RefType::FUNCREF {
            self.reference_type(ty.element_type);
        }
        self.tables.push(TableSize {
            min: ty.initial,
            max: ty.maximum,
            element: ty.element_type.to_string(),
            imported,
        });
    }

    fn export(&mut self, export: &wasmparser::Export<'_>) {
        match (export.name, export.kind) {
            ("_start", ExternalKind::Func) => {
                self.start = Some((ModuleKind::Command, export.index));
            }
            ("_initialize", ExternalKind::Func) if self.start.is_none() => {
                self.start = Some((ModuleKind::Reactor, export.index));
            }
            ("memory", ExternalKind::Memory) => self.exports_memory = true,
            _ => {}
        }
    }

    fn read_elements(&mut self, section: wasmparser::ElementSectionReader<'a>) -> Read<()> {
        for entry in section.into_iter_with_offsets() {
            let (offset, element) = entry?;
            self.code.at(offset, None);
            match element.kind {
                ElementKind::Active {
                    offset_expr,
                    table_index,
                } => {
                    if table_index.is_some_and(|index| index > 0) {
                        self.code.need(Feature::ReferenceTypes);
                    }
                    self.constant(offset_expr)?;
                }
                ElementKind::Passive => self.code.need(Feature::BulkMemory),
                ElementKind::Declared => self.code.need(Feature::ReferenceTypes),
            }
            if let ElementItems::Expressions(_, items) = element.items {
                for item in items {
                    self.constant(item?)?;
                }
            }
        }
        Ok(())
    }

    fn read_data(&mut self, section: wasmparser::DataSectionReader<'a>) -> Read<()> {
        for entry in section.into_iter_with_offsets() {
            let (offset, data) = entry?;
            self.code.at(offset, None);
            match data.kind {
                DataKind::Passive => self.code.need(Feature::BulkMemory),
                DataKind::Active {
                    memory_index,
                    offset_expr,
                } => {
                    if memory_index > 0 {
                        self.code.need(Feature::MultiMemory);
                    }
                    self.constant(offset_expr)?;
                }
            }
            self.data_bytes += data.data.len() as u64;
            self.names_input |= contains(data.data, b"input.txt");
            self.names_output |= contains(data.data, b"output.txt");
        }
        Ok(())
    }

    /// A constant expression; arithmetic in it is a proposal of its own.
    fn constant(&mut self, expression: ConstExpr<'_>) -> Read<()> {
        let mut operators = expression.get_operators_reader();
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            self.code.at(offset, None);
            match operator {
                wasmparser::Operator::I32Add
                | wasmparser::Operator::I32Sub
                | wasmparser::Operator::I32Mul
                | wasmparser::Operator::I64Add
                | wasmparser::Operator::I64Sub
                | wasmparser::Operator::I64Mul => self.code.need(Feature::ExtendedConst),
                // In a segment of a first-version table these are how newer tools write it.
                wasmparser::Operator::RefFunc { .. } | wasmparser::Operator::RefNull { .. } => {
                    self.code.need(Feature::ReferenceTypes);
                }
                other => wasmparser::VisitOperator::visit_operator(&mut self.code, &other),
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &wasmparser::FunctionBody<'_>) -> Read<()> {
        let imported = self.code.callees.len() as u64;
        // Over 2^32 functions do not fit into 4 GiB, and the validator has refused more.
        let index = u32::try_from(imported + self.defined).ok();
        self.defined += 1;
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let offset = locals.original_position();
            self.code.at(offset, index);
            let (_, ty) = locals.read()?;
            self.value_type(ty);
        }
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            self.code.at(operators.original_position(), index);
            operators.visit_operator(&mut self.code)?;
        }
        Ok(())
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle)
}
