//! The shapes of modules that mean harm: each is a family, with something that grows.

use crate::build::{many, put, with_code, with_functions, with_host, with_leaf};
use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, Instruction as I,
    TypeSection, ValType,
};

/// A family of modules: one for each size.
type Shape = (&'static str, fn(usize) -> Vec<u8>);

/// What grows in a module that means harm.
pub const SHAPES: &[Shape] = &[
    ("nested blocks", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Block(BlockType::Empty)]);
            put(out, n, &[I::End]);
        })
    }),
    ("nested loops", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Loop(BlockType::Empty)]);
            put(out, n, &[I::End]);
        })
    }),
    ("nested ifs with else", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::I32Const(1), I::If(BlockType::Empty)]);
            put(out, n, &[I::Else, I::Nop, I::End]);
        })
    }),
    ("branches out of all blocks", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Block(BlockType::Empty)]);
            for _ in 0..n {
                put(out, 1, &[I::I32Const(0), I::BrIf(n as u32 - 1), I::End]);
                put(out, 1, &[I::Block(BlockType::Empty), I::End]);
                put(out, 1, &[I::Block(BlockType::Empty)]);
            }
            put(out, n, &[I::End]);
        })
    }),
    ("dear branches out of loops", |n| {
        with_code(Vec::new(), |out| {
            put(
                out,
                1,
                &[I::Block(BlockType::Empty), I::Loop(BlockType::Empty)],
            );
            put(
                out,
                n,
                &[I::I32Const(0), I::BrIf(1), I::I32Const(0), I::Drop],
            );
            put(out, 1, &[I::Br(0), I::End, I::End]);
            put(out, 40, &[I::I32Const(0), I::Drop]);
        })
    }),
    ("one br_table with many targets", |n| {
        with_code(Vec::new(), |out| {
            put(out, 1, &[I::Block(BlockType::Empty), I::I32Const(0)]);
            put(out, 1, &[I::BrTable(vec![0; n].into(), 1)]);
            put(out, 1, &[I::End]);
        })
    }),
    ("many br_tables in many blocks", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Block(BlockType::Empty)]);
            let some: Vec<u32> = (0..8).map(|step| step * (n as u32 / 8)).collect();
            put(
                out,
                n,
                &[
                    I::I32Const(0),
                    I::BrTable(some.into(), 0),
                    I::End,
                    I::Block(BlockType::Empty),
                ],
            );
            put(out, n, &[I::End]);
        })
    }),
    ("dead code", |n| {
        with_code(Vec::new(), |out| {
            put(out, 1, &[I::Return]);
            put(
                out,
                n,
                &[I::Block(BlockType::Empty), I::Br(0), I::End, I::Unreachable],
            );
        })
    }),
    ("calls", |n| {
        with_code(Vec::new(), |out| put(out, n, &[I::Call(0)]))
    }),
    ("indirect calls", |n| {
        with_code(Vec::new(), |out| {
            let call = I::CallIndirect {
                type_index: 0,
                table_index: 0,
            };
            put(out, n, &[I::I32Const(0), call]);
        })
    }),
    ("bulk operators", |n| {
        with_code(Vec::new(), |out| {
            put(
                out,
                n,
                &[
                    I::I32Const(0),
                    I::I32Const(0),
                    I::I32Const(0),
                    I::MemoryFill(0),
                ],
            );
        })
    }),
    ("growing", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::I32Const(0), I::MemoryGrow(0), I::Drop])
        })
    }),
    ("relaxed operators", |n| {
        with_code(vec![(1, ValType::V128)], |out| {
            put(out, 1, &[I::LocalGet(0)]);
            put(
                out,
                n,
                &[
                    I::LocalGet(0),
                    I::LocalGet(0),
                    I::I32x4RelaxedDotI8x16I7x16AddS,
                ],
            );
            put(out, 1, &[I::Drop]);
        })
    }),
    ("operands", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::I32Const(0)]);
            put(out, n, &[I::Drop]);
        })
    }),
    // For compilers these are written in copies, up to some number.
    ("small loops", |n| {
        with_code(Vec::new(), |out| put(out, n, SMALL_LOOP))
    }),
    ("functions with a small loop", |n| {
        with_functions(n, |out| put(out, 1, SMALL_LOOP))
    }),
    ("functions with dear ways out of a small loop", |n| {
        with_functions(n / 20, |out| {
            put(out, 1, &[I::Block(BlockType::Empty)]);
            put(out, 1, &[I::Loop(BlockType::Empty)]);
            put(out, 19, &[I::I32Const(0), I::BrIf(1)]);
            put(out, 1, &[I::Br(0), I::End, I::End]);
            put(out, 40, &[I::I32Const(0), I::Drop]);
        })
    }),
    ("functions with relaxed operators in a small loop", |n| {
        with_functions(n / 10, |out| {
            put(
                out,
                1,
                &[I::Loop(BlockType::Empty), I::V128Const(0), I::V128Const(0)],
            );
            put(out, 1, &[I::I16x8RelaxedDotI8x16I7x16S, I::Drop, I::Br(0)]);
            put(out, 1, &[I::End]);
        })
    }),
    ("locals, and a small loop", |n| {
        with_code(vec![(1, ValType::I32)], |out| {
            put(out, n, &[I::LocalGet(0), I::Drop]);
            put(out, 1, SMALL_LOOP);
        })
    }),
    // For wasmi their callers watch the peaks for them.
    ("calls of a leaf", |n| {
        with_leaf(&[], |out| put(out, n, &[I::Call(1)]))
    }),
    ("calls of a leaf that is counted", |n| {
        with_leaf(
            &[
                I::Loop(BlockType::Empty),
                I::I32Const(0),
                I::BrIf(0),
                I::End,
            ],
            |out| put(out, n, &[I::Call(1)]),
        )
    }),
    ("calls of the host", |n| {
        with_host(|out| put(out, n, &[I::Call(0), I::Drop]))
    }),
    ("functions", |n| many(n, 0, 0)),
    ("exported functions", |n| many(n, n, 0)),
    ("exports of one function", |n| {
        let mut module = wasm_encoder::Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut exports = ExportSection::new();
        exports.export("_start", ExportKind::Func, 0);
        for index in 0..n {
            exports.export(&format!("verirun:left{index}"), ExportKind::Func, 0);
        }
        let mut code = CodeSection::new();
        let mut function = Function::new([]);
        function.instruction(&I::End);
        code.function(&function);
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        module.finish()
    }),
    ("imports", |n| many(1, 0, n)),
    ("types", |n| {
        let mut module = wasm_encoder::Module::new();
        let mut types = TypeSection::new();
        for _ in 0..n {
            types.ty().function([], [ValType::I32, ValType::I32]);
        }
        module.section(&types);
        module.finish()
    }),
];

/// A loop that is left at once.
pub const SMALL_LOOP: &[I<'_>] = &[
    I::Loop(BlockType::Empty),
    I::I32Const(0),
    I::BrIf(0),
    I::End,
];
