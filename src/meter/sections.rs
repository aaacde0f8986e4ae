//! The sections before the code: types, imports, globals, exports and elements, each with ours.

use super::bounds::{MOST_ITEMS, MOST_SEGMENTS, check_count};
use super::layout::{val_types, wide};
use super::module::{Builder, HOST_MODULE};
use super::{Detail, HostFunction, MeterError, StateExports};
use std::collections::BTreeSet;
use wasm_encoder::reencode::utils;
use wasm_encoder::{
    ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, GlobalSection,
    GlobalType, ImportSection, Section, TypeSection, ValType,
};
use wasmparser::ExternalKind;

impl Builder<'_> {
    /// Names for what we export that the task does not use.
    pub(super) fn name_exports(&mut self) {
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
        let mut prefix = "verirun:state:".to_owned();
        while taken.iter().any(|name| name.starts_with(&prefix)) {
            prefix.push('\'');
        }
        self.head.state = prefix;
    }

    pub(super) fn write_types(&mut self) -> Result<(), MeterError> {
        self.drop_leaves_without_room();
        let layout = &mut self.layout;
        let mut types = TypeSection::new();
        for ty in &layout.types {
            types
                .ty()
                .function(val_types(ty.params(), 0), val_types(ty.results(), 0));
        }
        for (index, ty) in (0..).zip(&layout.types) {
            let mut results = val_types(ty.results(), 0);
            results.extend(val_types(&ty.params()[layout.kept(index)], 1));
            types.ty().function(val_types(ty.params(), 2), results);
        }
        layout.first_leaf_type = types.len();
        if layout
            .leaves
            .iter()
            .flatten()
            .any(|leaf| leaf.cost.is_none())
        {
            for (index, ty) in (0..).zip(&layout.types) {
                let mut results = val_types(ty.results(), 0);
                results.extend(val_types(&ty.params()[layout.kept(index)], 1));
                types.ty().function(val_types(ty.params(), 1), results);
            }
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
        if self.options.state {
            layout.make_cells();
            helpers.extend(layout.cells.iter().map(|_| types.len()));
            types.ty().function([], [ValType::I64]);
            helpers.extend((0..layout.flips()).map(|_| types.len()));
            types.ty().function([ValType::I32, ValType::I64], []);
        }
        if !layout.leaves.is_empty() {
            layout.enters = true;
            helpers.push(types.len());
            types.ty().function(
                [ValType::I64, ValType::I64, ValType::I64, ValType::I32],
                [ValType::I32],
            );
        }
        layout.helper_types = helpers;
        check_count("types", layout.types.len(), types.len(), MOST_ITEMS)?;
        let functions = layout.functions.len();
        let mut all = functions + HostFunction::ALL.len() + layout.helper_types.len();
        check_count("functions", functions, all as u32, MOST_ITEMS)?;
        if self.options.is_for_speed() {
            // Both are left out where there is no room: whether a module is refused does not depend on
            // the engine.
            layout.enters = all < MOST_ITEMS as usize;
            if layout.enters {
                let deeper = layout.host_type + HostFunction::Deeper as u32;
                layout.helper_types.push(deeper);
                all += 1;
            }
            let own = functions - imported;
            let fillers = own.min(MOST_ITEMS as usize - all);
            let lack = layout.host_type + HostFunction::Lack as u32;
            layout.fillers = fillers as u32;
            layout
                .helper_types
                .resize(layout.helper_types.len() + fillers, lack);
        }
        types.append_to(&mut self.out);
        Ok(())
    }

    /// Whether a module is refused does not depend on the engine: what compilers do without must fit.
    fn drop_leaves_without_room(&mut self) {
        let layout = &self.layout;
        let growable = layout.memories.len() + layout.tables.len();
        let cells = 2 * layout.variables.len() + layout.tables.len();
        let outside = self.head.exports.len() + layout.imported as usize;
        let flips = cells / StateExports::SHARE as usize;
        let functions = layout.functions.len() + outside + growable + cells + flips + 16;
        let types = 4 * layout.types.len() + growable + 16;
        if functions.max(types) > MOST_ITEMS as usize {
            self.layout.leaves.clear();
        }
    }

    pub(super) fn write_imports(&mut self) -> Result<(), MeterError> {
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

    pub(super) fn write_globals(&mut self) -> Result<(), MeterError> {
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

    pub(super) fn write_exports(&mut self) -> Result<(), MeterError> {
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
        if let Some(state) = self.state_exports() {
            for index in 0..state.cells.len() as u32 {
                let function = self.layout.first_cell() + index;
                exports.export(&state.cell(index), ExportKind::Func, function);
            }
            for share in 0..self.layout.flips() {
                let name = state.flip(share * StateExports::SHARE);
                exports.export(&name, ExportKind::Func, self.layout.first_flip() + share);
            }
            for index in 0..state.memories {
                exports.export(&state.memory(index), ExportKind::Memory, index);
            }
        }
        let had = self.head.exports.len();
        check_count(
            "exports",
            had,
            exports.len().max(had as u32 + 3),
            MOST_ITEMS,
        )?;
        exports.append_to(&mut self.out);
        Ok(())
    }

    pub(super) fn write_elements(&mut self) -> Result<(), MeterError> {
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
}

/// An error of the re-encoder is one of the parser here: nothing else is asked of it.
pub(super) fn invalid(error: wasm_encoder::reencode::Error) -> MeterError {
    match error {
        wasm_encoder::reencode::Error::ParseError(error) => MeterError::Invalid(error),
        other => MeterError::Unexpected(other.to_string()),
    }
}
