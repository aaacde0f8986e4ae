//! Writes the two modules.

use super::module::{Module, References};
use super::parts::Parts;
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    MemorySection, RefType, StartSection, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{DataKind, ElementKind, ExternalKind, Operator};

/// The module that the second part imports from: the first part's exports.
pub const FIRST: &str = "first";

/// Less data than this is not worth a segment of its own.
const SHORT: usize = 12;

/// New indices for old ones.
struct Renumber {
    functions: BTreeMap<u32, u32>,
    /// `None`: the same as before.
    globals: Option<BTreeMap<u32, u32>>,
}

#[derive(Debug)]
struct Unknown(u32);

impl std::fmt::Display for Unknown {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "function or global {} is in neither part", self.0)
    }
}
impl std::error::Error for Unknown {}

impl Reencode for Renumber {
    type Error = Unknown;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Unknown>> {
        let new = self.functions.get(&function).copied();
        new.ok_or(reencode::Error::UserError(Unknown(function)))
    }

    fn global_index(&mut self, global: u32) -> Result<u32, reencode::Error<Unknown>> {
        let Some(globals) = &self.globals else {
            return Ok(global);
        };
        let new = globals.get(&global).copied();
        new.ok_or(reencode::Error::UserError(Unknown(global)))
    }
}

/// What is written, and what both parts have to agree on.
pub struct Writer<'m, 'a> {
    module: &'m Module<'a>,
    references: &'m [References],
    parts: &'m Parts,
    /// The export that brings the second part, and returns when it is there.
    loader: u32,
    /// What stays and is called by what goes.
    needed: BTreeSet<u32>,
    /// The globals that what goes uses.
    globals: BTreeSet<u32>,
    /// The data that goes: addresses, in order.
    moved: &'m [Range<u32>],
}

fn function_export(function: u32) -> String {
    format!("f{function}")
}
fn global_export(global: u32) -> String {
    format!("g{global}")
}
fn table_export(table: u32) -> String {
    format!("t{table}")
}

impl<'m, 'a> Writer<'m, 'a> {
    pub fn new(
        module: &'m Module<'a>,
        references: &'m [References],
        parts: &'m Parts,
        moved: &'m [Range<u32>],
        loader: &str,
    ) -> Result<Self> {
        let export = module
            .exports
            .iter()
            .find(|export| export.name == loader && export.kind == ExternalKind::Func);
        let loader = export
            .with_context(|| format!("there is no function `{loader}` that loads the second part"))?
            .index;
        ensure!(
            parts.stays[loader as usize],
            "what loads the second part must not be in it"
        );
        ensure!(
            module.memories.len() == 1,
            "a module of one memory was expected"
        );
        let mut writer = Self {
            module,
            references,
            parts,
            loader,
            needed: BTreeSet::new(),
            globals: BTreeSet::new(),
            moved,
        };
        for function in writer.defined(false) {
            let references = writer.references_of(function);
            writer.needed.extend(
                references
                    .functions
                    .iter()
                    .filter(|&&other| parts.stays[other as usize]),
            );
            writer.globals.extend(&references.globals);
        }
        Ok(writer)
    }

    /// The functions with code that stay, or that go.
    fn defined(&self, stay: bool) -> impl Iterator<Item = u32> + use<'m, 'a> {
        let (parts, imported) = (self.parts, self.module.imported_functions);
        (imported..self.module.functions.len() as u32)
            .filter(move |&function| parts.stays[function as usize] == stay)
    }

    fn references_of(&self, function: u32) -> &'m References {
        &self.references[(function - self.module.imported_functions) as usize]
    }

    fn types(&self) -> Result<TypeSection> {
        let mut types = TypeSection::new();
        let mut same = reencode::RoundtripReencoder;
        for group in &self.module.types {
            same.parse_recursive_type_group(types.ty(), group.clone())?;
        }
        Ok(types)
    }

    /// The flag that the second part is there. Its name is that of the module that was split, so that parts of different
    /// builds do not fit: everything else might.
    fn flag_export(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.module.file.hash(&mut hasher);
        format!("there-{:016x}", hasher.finish())
    }

    /// How many stand-ins there are, each with a slot in a table of its own.
    fn stand_ins(&self) -> TableType {
        let slots = self.parts.called.len() as u64;
        TableType {
            element_type: RefType::FUNCREF,
            minimum: slots,
            maximum: Some(slots),
            table64: false,
            shared: false,
        }
    }

    const FLAG: GlobalType = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };

    /// All that stays, with a stand-in for each function that is called and went: it brings the second part if it is not
    /// there yet, and passes the call on.
    pub fn first(&self) -> Result<Vec<u8>> {
        let module = self.module;
        let mut same = reencode::RoundtripReencoder;
        let kept = (0..module.imported_functions)
            .chain(self.defined(true))
            .chain(self.parts.called.iter().copied());
        let mut new = Renumber {
            functions: kept.zip(0..).collect(),
            globals: None,
        };

        let mut imports = ImportSection::new();
        for import in &module.imports {
            same.parse_import(&mut imports, *import)?;
        }
        let mut functions = FunctionSection::new();
        for function in self.defined(true).chain(self.parts.called.iter().copied()) {
            functions.function(module.functions[function as usize]);
        }
        let mut tables = TableSection::new();
        for table in &module.tables {
            same.parse_table(&mut tables, table.clone())?;
        }
        let own_table = module.tables.len() as u32;
        tables.table(self.stand_ins());
        let mut memories = MemorySection::new();
        for &memory in &module.memories {
            memories.memory(same.memory_type(memory)?);
        }
        let mut globals = GlobalSection::new();
        for global in &module.globals {
            same.parse_global(&mut globals, global.clone())?;
        }
        let flag = module.globals.len() as u32;
        globals.global(Self::FLAG, &ConstExpr::i32_const(0));

        let mut exports = ExportSection::new();
        for export in &module.exports {
            let index = match export.kind {
                ExternalKind::Func => new.functions[&export.index],
                _ => export.index,
            };
            exports.export(export.name, same.export_kind(export.kind)?, index);
        }
        for &function in &self.needed {
            exports.export(
                &function_export(function),
                ExportKind::Func,
                new.functions[&function],
            );
        }
        for table in 0..=own_table {
            exports.export(&table_export(table), ExportKind::Table, table);
        }
        for &global in &self.globals {
            exports.export(&global_export(global), ExportKind::Global, global);
        }
        exports.export(&self.flag_export(), ExportKind::Global, flag);

        let mut elements = ElementSection::new();
        for element in &module.elements {
            new.parse_element(&mut elements, element.clone())?;
        }
        let mut code = CodeSection::new();
        for function in self.defined(true) {
            new.parse_function_body(&mut code, self.body(function))?;
        }
        for (slot, &function) in self.parts.called.iter().enumerate() {
            code.function(&self.stand_in(
                function,
                slot as i32,
                new.functions[&self.loader],
                flag,
                own_table,
            )?);
        }
        let data = self.data(true)?;

        let mut out = wasm_encoder::Module::new();
        out.section(&self.types()?)
            .section(&imports)
            .section(&functions)
            .section(&tables)
            .section(&memories);
        out.section(&globals).section(&exports);
        if let Some(start) = module.start {
            out.section(&StartSection {
                function_index: new.functions[&start],
            });
        }
        out.section(&elements).section(&code).section(&data);
        Ok(out.finish())
    }

    /// All that goes. Its start function says that it is there, after its functions have taken their slots.
    pub fn second(&self) -> Result<Vec<u8>> {
        let module = self.module;
        let mut same = reencode::RoundtripReencoder;
        let needed = self.needed.iter().copied();
        let mut new = Renumber {
            functions: needed.chain(self.defined(false)).zip(0..).collect(),
            globals: Some(self.globals.iter().copied().zip(0..).collect()),
        };
        let flag = self.globals.len() as u32;

        let mut imports = ImportSection::new();
        for &function in &self.needed {
            let of = EntityType::Function(module.functions[function as usize]);
            imports.import(FIRST, &function_export(function), of);
        }
        let tables = module
            .tables
            .iter()
            .map(|table| same.table_type(table.ty))
            .collect::<Result<Vec<_>, _>>()?;
        for (table, of) in (0..).zip(tables.into_iter().chain([self.stand_ins()])) {
            imports.import(FIRST, &table_export(table), of);
        }
        let memory = module
            .exports
            .iter()
            .find(|export| export.kind == ExternalKind::Memory);
        let memory = memory.context("the memory is not exported")?;
        imports.import(FIRST, memory.name, same.memory_type(module.memories[0])?);
        for &global in &self.globals {
            let of = same.global_type(module.globals[global as usize].ty)?;
            imports.import(FIRST, &global_export(global), of);
        }
        imports.import(FIRST, &self.flag_export(), Self::FLAG);

        let mut types = self.types()?;
        let nothing = types.len();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for function in self.defined(false) {
            functions.function(module.functions[function as usize]);
            new.parse_function_body(&mut code, self.body(function))?;
        }
        let start = self.needed.len() as u32 + functions.len();
        functions.function(nothing);
        let mut there = Function::new([]);
        there.instructions().i32_const(1).global_set(flag).end();
        code.function(&there);

        let mut elements = ElementSection::new();
        let own: Vec<u32> = self
            .parts
            .called
            .iter()
            .map(|function| new.functions[function])
            .collect();
        let own_table = module.tables.len() as u32;
        elements.active(
            Some(own_table),
            &ConstExpr::i32_const(0),
            Elements::Functions(own.into()),
        );
        for (element, slots) in module.elements.iter().zip(module.slots()?) {
            self.take_slots(&mut elements, &new, element, &slots)?;
        }

        let mut out = wasm_encoder::Module::new();
        out.section(&types).section(&imports).section(&functions);
        out.section(&StartSection {
            function_index: start,
        })
        .section(&elements)
        .section(&code);
        out.section(&self.data(false)?);
        Ok(out.finish())
    }

    /// The data that stays, or that goes.
    fn data(&self, stays: bool) -> Result<DataSection> {
        let mut section = DataSection::new();
        for data in &self.module.data {
            let DataKind::Active { offset_expr, .. } = &data.kind else {
                bail!("a passive segment is not split");
            };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
                bail!("data whose place is not a constant");
            };
            let base = value as u32;
            let end = base + data.data.len() as u32;
            let first = self.moved.partition_point(|range| range.end <= base);
            let moved = self.moved[first..]
                .iter()
                .take_while(|range| range.start < end);
            let moved = moved
                .map(|range| range.start.max(base)..range.end.min(end))
                .filter(|range| range.len() >= SHORT);
            let mut pieces: Vec<Range<u32>> = Vec::new();
            let mut from = base;
            for range in moved {
                match stays {
                    true => pieces.push(from..range.start),
                    false => pieces.push(range.clone()),
                }
                from = range.end;
            }
            if stays {
                pieces.push(from..end);
            }
            for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
                let bytes = &data.data[(piece.start - base) as usize..(piece.end - base) as usize];
                section.active(
                    0,
                    &ConstExpr::i32_const(piece.start as i32),
                    bytes.iter().copied(),
                );
            }
        }
        Ok(section)
    }

    /// Calls through the module's own tables need no stand-in any more when the second part is there.
    fn take_slots(
        &self,
        to: &mut ElementSection,
        new: &Renumber,
        element: &wasmparser::Element<'_>,
        slots: &[u32],
    ) -> Result<()> {
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = &element.kind
        else {
            return Ok(());
        };
        let mut offset = offset_expr.get_operators_reader();
        let Operator::I32Const { value: base } = offset.read()? else {
            bail!("a table's place is not a constant");
        };
        // Slots that are next to each other are written as one segment.
        let gone = |function: &u32| !self.parts.stays[*function as usize];
        let mut slot = 0;
        for run in slots.chunk_by(|a, b| gone(a) == gone(b)) {
            if gone(&run[0]) {
                let run_of: Vec<u32> = run.iter().map(|function| new.functions[function]).collect();
                to.active(
                    Some(table_index.unwrap_or(0)),
                    &ConstExpr::i32_const(base + slot),
                    Elements::Functions(run_of.into()),
                );
            }
            slot += run.len() as i32;
        }
        Ok(())
    }

    fn body(&self, function: u32) -> wasmparser::FunctionBody<'a> {
        self.module.bodies[(function - self.module.imported_functions) as usize].clone()
    }

    fn stand_in(
        &self,
        function: u32,
        slot: i32,
        loader: u32,
        flag: u32,
        table: u32,
    ) -> Result<Function> {
        let of = self.module.functions[function as usize];
        let mut groups = self.module.types.iter().flat_map(|group| group.types());
        let of_type = groups
            .nth(of as usize)
            .context("a function without a type")?;
        let parameters = of_type.unwrap_func().params().len() as u32;
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.global_get(flag)
            .i32_eqz()
            .if_(wasm_encoder::BlockType::Empty)
            .call(loader)
            .end();
        for parameter in 0..parameters {
            code.local_get(parameter);
        }
        code.i32_const(slot).call_indirect(table, of).end();
        Ok(body)
    }
}

#[cfg(test)]
mod tests;
