//! The functions that are added behind the task's own.
//!
//! - For each imported function, a wrapper with the metered type: it settles the count for the host.
//! - For each memory and table, one that grows it within the limits.
//! - For each function that is called from outside (exports, the start function), one with the
//!   original type: it takes the count from the host, and gives it back.
//! - For each cell of the guest's state, one that returns it, if the host is to look at it; and some that
//!   flip bits of globals, for faults that are made on purpose.
//! - For compilers, one that asks the host at a function's entry; for wasmi, one that does so for leaves.
//! - Fillers ([`Layout::fillers`]), which do nothing.
//!
//! They cost no steps and are no calls: what is counted is the task's own code.

use super::function::emit_host_check;
use super::layout::{Cell, Growable, Layout, wide};
use super::module::append_body;
use super::{HostFunction, Level, MAX_TABLE_ELEMENTS, StateExports};
use wasm_encoder::{BlockType, Encode, Instruction as I, ValType};

/// Writes all of them, in the order of [`Layout`].
pub(super) fn write(layout: &Layout, out: &mut Vec<u8>) {
    for function in 0..layout.imported {
        import(layout, function, out);
    }
    for (memory, growable) in (0..).zip(&layout.memories) {
        grow(layout, growable, Some(memory), 0, out);
    }
    for (table, growable) in (0..).zip(&layout.tables) {
        grow(layout, growable, None, table, out);
    }
    for &function in &layout.outside {
        outside(layout, function, out);
    }
    for &what in &layout.cells {
        cell(layout, what, out);
    }
    for (share, first) in layout
        .cells
        .chunks(StateExports::SHARE as usize)
        .zip((0..).step_by(StateExports::SHARE as usize))
    {
        flip(share, first, out);
    }
    if layout.enters {
        match layout.for_wasmi {
            true => leaf(layout, out),
            false => enter(layout, out),
        }
    }
    for _ in 0..layout.fillers {
        body(out, &[], &[], &[I::End]);
    }
}

fn cell(layout: &Layout, what: Cell, out: &mut Vec<u8>) {
    let code = match what {
        Cell::Global(global, ty) => {
            let get = I::GlobalGet(global);
            match ty {
                ValType::I32 => vec![get, I::I64ExtendI32U],
                ValType::I64 => vec![get],
                ValType::F32 => vec![get, I::I32ReinterpretF32, I::I64ExtendI32U],
                ValType::F64 => vec![get, I::I64ReinterpretF64],
                ValType::V128 => vec![get, I::I64x2ExtractLane(0)],
                ValType::Ref(_) => vec![get, I::RefIsNull, I::I32Eqz, I::I64ExtendI32U],
            }
        }
        Cell::Upper(global) => vec![I::GlobalGet(global), I::I64x2ExtractLane(1)],
        Cell::Table(table) => {
            let size = I::TableSize(table);
            match layout.table64(table) {
                true => vec![size],
                false => vec![size, I::I64ExtendI32U],
            }
        }
    };
    body(out, &[], &[], &[&code[..], &[I::End]].concat());
}

/// `(cell, bits)`: flips these bits of one of these cells, the first of which has the number `first`, if it is a number's.
fn flip(cells: &[Cell], first: i32, out: &mut Vec<u8>) {
    let mut code = Vec::new();
    let narrow = [I::LocalGet(1), I::I32WrapI64, I::I32Xor];
    let wide = [I::LocalGet(1), I::I64Xor];
    let lane = |lane| {
        let bits = [I::V128Const(0), I::LocalGet(1)];
        [&bits[..], &[I::I64x2ReplaceLane(lane), I::V128Xor]].concat()
    };
    for (number, &what) in (first..).zip(cells) {
        let (global, change) = match what {
            Cell::Global(global, ValType::I32) => (global, narrow.to_vec()),
            Cell::Global(global, ValType::I64) => (global, wide.to_vec()),
            Cell::Global(global, ValType::F32) => {
                let (to, back) = ([I::I32ReinterpretF32], [I::F32ReinterpretI32]);
                (global, [&to[..], &narrow, &back].concat())
            }
            Cell::Global(global, ValType::F64) => {
                let (to, back) = ([I::I64ReinterpretF64], [I::F64ReinterpretI64]);
                (global, [&to[..], &wide, &back].concat())
            }
            Cell::Global(global, ValType::V128) => (global, lane(0)),
            Cell::Upper(global) => (global, lane(1)),
            Cell::Global(_, ValType::Ref(_)) | Cell::Table(_) => continue,
        };
        code.extend([I::LocalGet(0), I::I32Const(number), I::I32Eq]);
        code.extend([I::If(BlockType::Empty), I::GlobalGet(global)]);
        code.extend(change);
        code.extend([I::GlobalSet(global), I::End]);
    }
    code.push(I::End);
    body(out, &[], &[], &code);
}

fn body(out: &mut Vec<u8>, locals: &[(u32, ValType)], code: &[u8], rest: &[I<'_>]) {
    let mut code = code.to_vec();
    for instruction in rest {
        instruction.encode(&mut code);
    }
    append_body(out, locals, &code);
}

fn import(layout: &Layout, function: u32, out: &mut Vec<u8>) {
    let ty = layout.functions[function as usize];
    let params = layout.type_of(function).params().len() as u32;
    let left = layout.left_local(ty);
    let mut code = Vec::new();
    // A host function may show what it sees to the world: nothing may be left over.
    emit_host_check(&mut code, layout, left, Some(function), false);
    let mut rest = vec![I::LocalGet(left), I::GlobalSet(layout.left)];
    rest.extend((0..params).map(I::LocalGet));
    rest.push(I::Call(function));
    rest.extend(layout.kept(ty).map(|param| I::LocalGet(param as u32)));
    rest.extend([I::LocalGet(left), I::End]);
    body(out, &[], &code, &rest);
}

/// `(reference for a table, delta, left, function) -> (size before or -1, left)`.
fn grow(layout: &Layout, what: &Growable, memory: Option<u32>, table: u32, out: &mut Vec<u8>) {
    let first = u32::from(memory.is_none());
    let (delta, left, function, result) = (first, first + 1, first + 2, first + 3);
    let (size, act, kind) = match memory {
        Some(memory) => (I::MemorySize(memory), I::MemoryGrow(memory), 0),
        None => (I::TableSize(table), I::TableGrow(table), 1),
    };
    let most = match memory {
        // What the type allows by itself is what the engine answers -1 to.
        Some(_) => what.max.unwrap_or(match what.wide {
            true => 1 << 48,
            false => 1 << 16,
        }),
        None => what.max.unwrap_or(u64::MAX).min(MAX_TABLE_ELEMENTS),
    };
    let extend = |code: &mut Vec<I<'_>>| {
        if !what.wide {
            code.push(I::I64ExtendI32U);
        }
    };
    let minus_one = match what.wide {
        true => I::I64Const(-1),
        false => I::I32Const(-1),
    };
    let equal = match what.wide {
        true => I::I64Eq,
        false => I::I32Eq,
    };
    let mut checked = Vec::new();
    emit_host_check(&mut checked, layout, left, None, false);
    let mut code = vec![I::LocalGet(left), I::GlobalSet(layout.left)];
    code.extend([I::I32Const(kind), size]);
    extend(&mut code);
    code.push(I::LocalGet(delta));
    extend(&mut code);
    code.extend([
        I::I64Const(most as i64),
        I::LocalGet(left),
        I::LocalGet(function),
        I::Call(layout.host(HostFunction::Grow)),
        I::If(BlockType::Result(wide(what.wide))),
    ]);
    if memory.is_none() {
        code.push(I::LocalGet(0));
    }
    code.extend([
        I::LocalGet(delta),
        act,
        I::LocalTee(result),
        minus_one.clone(),
        equal,
        I::If(BlockType::Empty),
        I::Call(layout.host(HostFunction::Lack)),
        I::End,
        I::LocalGet(result),
        I::Else,
        minus_one,
        I::End,
        I::LocalGet(left),
        I::End,
    ]);
    body(out, &[(1, wide(what.wide))], &checked, &code);
}

/// `(level, left, function) -> left`: no steps are left, or the call is deeper than any before, or
/// neither.
fn enter(layout: &Layout, out: &mut Vec<u8>) {
    let (level, left, function) = (0, 1, 2);
    let mut checked = Vec::new();
    emit_host_check(&mut checked, layout, left, None, false);
    let code = [
        I::GlobalGet(layout.room),
        I::LocalGet(level),
        I::I64Add,
        I::I64Const(Level::PAST),
        I::I64And,
        I::I64Const(0),
        I::I64Ne,
        I::If(BlockType::Empty),
        I::LocalGet(level),
        I::LocalGet(left),
        I::LocalGet(function),
        I::Call(layout.host(HostFunction::Deeper)),
        I::GlobalSet(layout.room),
        I::End,
        I::LocalGet(left),
        I::End,
    ];
    body(out, &[], &checked, &code);
}

/// `(level, more, left, function) -> deep`: a leaf is called at this level, in a function whose leaves may
/// need as much more. Returns whether they may be deeper than any call before.
fn leaf(layout: &Layout, out: &mut Vec<u8>) {
    let (level, more, left, function) = (0, 1, 2, 3);
    let code = [
        I::GlobalGet(layout.room),
        I::LocalGet(level),
        I::I64Add,
        I::I64Const(Level::PAST),
        I::I64And,
        I::I64Const(0),
        I::I64Ne,
        I::If(BlockType::Empty),
        I::LocalGet(level),
        I::LocalGet(left),
        I::LocalGet(function),
        I::Call(layout.host(HostFunction::Deeper)),
        I::GlobalSet(layout.room),
        I::End,
        I::GlobalGet(layout.room),
        I::LocalGet(level),
        I::I64Add,
        I::LocalGet(more),
        I::I64Add,
        I::I64Const(Level::PAST),
        I::I64And,
        I::I64Const(0),
        I::I64Ne,
        I::End,
    ];
    body(out, &[], &[], &code);
}

fn outside(layout: &Layout, function: u32, out: &mut Vec<u8>) {
    let ty = layout.functions[function as usize];
    let params = layout.type_of(function).params().len() as u32;
    let mut code: Vec<I<'_>> = (0..params).map(I::LocalGet).collect();
    code.extend(layout.behind(ty, I::GlobalGet(layout.left), I::I64Const(0)));
    code.extend([
        I::Call(layout.function(function)),
        I::GlobalSet(layout.left),
    ]);
    code.extend(layout.kept(ty).map(|_| I::Drop));
    code.push(I::End);
    body(out, &[], &[], &code);
}
