//! Builds modules whose size is a number, from a function's code or from how much there is of what.

use wasm_encoder::{
    CodeSection, Encode, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, Instruction as I, MemorySection, MemoryType, RefType, TableSection, TableType,
    TypeSection, ValType,
};

/// A module with one function with this code; `end` is added.
pub fn with_code(locals: Vec<(u32, ValType)>, code: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 1,
        maximum: None,
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 0);
    let mut section = CodeSection::new();
    let mut bytes = Vec::new();
    code(&mut bytes);
    let mut function = Function::new(locals);
    function.raw(bytes);
    function.instruction(&I::End);
    section.function(&function);
    module
        .section(&types)
        .section(&functions)
        .section(&tables)
        .section(&memories)
        .section(&exports)
        .section(&section);
    module.finish()
}

pub fn put(out: &mut Vec<u8>, times: usize, instructions: &[I<'_>]) {
    for _ in 0..times {
        for instruction in instructions {
            instruction.encode(out);
        }
    }
}

/// A module of functions without parameters and results that have this code each; the first is exported.
fn of_functions(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    let mut section = CodeSection::new();
    for body in bodies {
        functions.function(0);
        let mut function = Function::new([]);
        function.raw(body.iter().copied());
        function.instruction(&I::End);
        section.function(&function);
    }
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 0);
    module
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&section);
    module.finish()
}

/// So many functions with this code.
pub fn with_functions(count: usize, code: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = Vec::new();
    code(&mut body);
    of_functions(&vec![body; count])
}

/// A function with this code, and one, whose number is 1, that calls nothing.
pub fn with_leaf(leaf: &[I<'_>], code: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (mut start, mut other) = (Vec::new(), Vec::new());
    code(&mut start);
    put(&mut other, 1, leaf);
    of_functions(&[start, other])
}

/// A function with this code, and one of the host, whose number is 0 and which returns a number.
pub fn with_host(code: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import(
        "wasi_snapshot_preview1",
        "sched_yield",
        EntityType::Function(0),
    );
    let mut functions = FunctionSection::new();
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 1);
    let mut body = Vec::new();
    code(&mut body);
    let mut function = Function::new([]);
    function.raw(body);
    function.instruction(&I::End);
    let mut section = CodeSection::new();
    section.function(&function);
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&section);
    module.finish()
}

/// Functions, some of them exported, and imports.
pub fn many(functions: usize, exported: usize, imports: usize) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([], [ValType::I32]);
    let mut section = ImportSection::new();
    for _ in 0..imports {
        section.import(
            "wasi_snapshot_preview1",
            "sched_yield",
            EntityType::Function(1),
        );
    }
    let mut own = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for index in 0..functions {
        own.function(0);
        if index < exported {
            exports.export(
                &format!("f{index}"),
                ExportKind::Func,
                (imports + index) as u32,
            );
        }
        let mut function = Function::new([]);
        function.instruction(&I::End);
        code.function(&function);
    }
    exports.export("_start", ExportKind::Func, imports as u32);
    module
        .section(&types)
        .section(&section)
        .section(&own)
        .section(&exports)
        .section(&code);
    module.finish()
}
