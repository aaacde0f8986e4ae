//! Where everything is in the new module.

use super::leaves::Leaf;
use super::{CellOf, HostFunction, StateExports};
use std::collections::HashMap;
use std::ops::Range;
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, ValType};
use wasmparser::FuncType;

/// A memory or table as far as growing goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growable {
    /// Its sizes are i64.
    pub wide: bool,
    /// The most it may have, by its type.
    pub max: Option<u64>,
    /// What it starts with.
    pub min: u64,
    /// For a table, the type of its elements.
    pub element: ValType,
}

/// What a cell of the guest's state is made of: [`super::StateExports`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    /// A global, and its type.
    Global(u32, ValType),
    /// The upper half of a global that is a vector.
    Upper(u32),
    /// The size of a table.
    Table(u32),
}

impl Cell {
    /// What others are told of it.
    pub fn of(self) -> CellOf {
        match self {
            Self::Global(index, ty) => CellOf::Global {
                index,
                first: 0,
                bits: match ty {
                    ValType::I32 | ValType::F32 => 32,
                    ValType::I64 | ValType::F64 | ValType::V128 => 64,
                    ValType::Ref(_) => 0,
                },
            },
            Self::Upper(index) => CellOf::Global {
                index,
                first: 64,
                bits: 64,
            },
            Self::Table(index) => CellOf::Table(index),
        }
    }
}

/// The most parameters that a function returns for its steps left to stay where they are.
const MOST_KEPT: usize = 6;

/// Where everything is in the new module.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The code is for wasmi.
    pub for_wasmi: bool,
    /// Functions may return parameters that nobody asks for ([`Layout::kept`]).
    pub keeps: bool,
    /// The task calls the host's functions where it calls them, not through wrappers.
    pub direct: bool,
    pub types: Vec<FuncType>,
    /// Types of all functions, imports first.
    pub functions: Vec<u32>,
    /// How many of these are imports.
    pub imported: u32,
    pub memories: Vec<Growable>,
    pub tables: Vec<Growable>,
    /// The mutable globals of the task, and their types.
    pub variables: Vec<(u32, ValType)>,
    /// What the host can look at, if the guest's state is shown.
    pub cells: Vec<Cell>,
    /// Our globals.
    pub left: u32,
    pub room: u32,
    pub place: u32,
    /// Block types for functions with several results.
    pub blocks: HashMap<u32, u32>,
    /// The type of the first host function; the others follow.
    pub host_type: u32,
    /// Functions that are called from outside, in the order of their wrappers.
    pub outside: Vec<u32>,
    /// The types of all that is behind the task's own functions.
    pub helper_types: Vec<u32>,
    /// Whether [`Layout::enter`] is there.
    pub enters: bool,
    /// By function: the leaves, if they are told apart. Then [`Layout::enter`] watches the peaks for them.
    pub leaves: Vec<Option<Leaf>>,
    /// The first type of [`Layout::leaf_type`].
    pub first_leaf_type: u32,
    /// How many functions at the end do nothing and are never called. V8 inlines more generously
    /// in a module half of whose functions are small, and metering makes functions larger: without
    /// these it inlines less than in the original (calls took 2.4 times as long, 1.3 with them).
    pub fillers: u32,
}

impl Layout {
    /// The type with which metered code calls functions of type `ty`.
    pub fn metered_type(&self, ty: u32) -> u32 {
        self.types.len() as u32 + ty
    }

    /// The parameters that a function of type `ty` also returns, between its results and the steps left.
    ///
    /// wasmi has a function's results in the slots that its parameters were in. So the steps left, which
    /// are a parameter too, need not be moved if so many results come before them as parameters do; and
    /// a parameter that is returned at its own place costs nothing. A tail call can't have it, since the
    /// function that is called would have to return the same.
    pub fn kept(&self, ty: u32) -> Range<usize> {
        let ty = &self.types[ty as usize];
        let (params, results) = (ty.params().len(), ty.results().len());
        match self.keeps && params > results && params - results <= MOST_KEPT {
            true => results..params,
            false => 0..0,
        }
    }

    /// Whether a function of type `ty` takes the steps left behind its caller's level, for the same reason.
    pub fn is_swapped(&self, ty: u32) -> bool {
        let ty = &self.types[ty as usize];
        self.for_wasmi && ty.params().len() + 1 == ty.results().len()
    }

    /// The local with the steps left, in a function of type `ty`.
    pub fn left_local(&self, ty: u32) -> u32 {
        let params = self.types[ty as usize].params().len() as u32;
        params + u32::from(self.is_swapped(ty))
    }

    /// The local with the caller's level, in a function of type `ty`.
    pub fn base_local(&self, ty: u32) -> u32 {
        let params = self.types[ty as usize].params().len() as u32;
        params + u32::from(!self.is_swapped(ty))
    }

    /// What is put behind the arguments of a call of type `ty`: the steps left and the level.
    pub fn behind<T>(&self, ty: u32, left: T, level: T) -> [T; 2] {
        match self.is_swapped(ty) {
            true => [level, left],
            false => [left, level],
        }
    }

    /// Whether a function is a leaf.
    pub fn leaf(&self, function: u32) -> Option<Leaf> {
        *self.leaves.get(function as usize)?
    }

    /// The type with which leaves of type `ty` that count are called.
    pub fn leaf_type(&self, ty: u32) -> u32 {
        self.first_leaf_type + ty
    }

    /// The new type of one of the task's own functions.
    pub fn own_type(&self, function: u32) -> u32 {
        let ty = self.functions[function as usize];
        match self.leaf(function) {
            Some(Leaf { cost: Some(_), .. }) => ty,
            Some(_) => self.leaf_type(ty),
            None => self.metered_type(ty),
        }
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

    pub fn first_helper(&self) -> u32 {
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

    /// The first function that returns a cell.
    pub fn first_cell(&self) -> u32 {
        self.first_outside() + self.outside.len() as u32
    }

    /// The helper that asks the host at a function's entry, or for a leaf.
    pub fn enter(&self) -> u32 {
        self.first_flip() + self.flips()
    }

    /// The first of the helpers that flip bits of cells.
    pub fn first_flip(&self) -> u32 {
        self.first_cell() + self.cells.len() as u32
    }

    /// How many of these there are: each has its share of the cells, so that none grows beyond what engines take.
    pub fn flips(&self) -> u32 {
        (self.cells.len() as u32).div_ceil(StateExports::SHARE)
    }

    /// Lists the cells.
    pub fn make_cells(&mut self) {
        for &(global, ty) in &self.variables {
            self.cells.push(Cell::Global(global, ty));
            if ty == ValType::V128 {
                self.cells.push(Cell::Upper(global));
            }
        }
        let tables = 0..self.tables.len() as u32;
        self.cells.extend(tables.map(Cell::Table));
    }

    pub fn type_of(&self, function: u32) -> &FuncType {
        &self.types[self.functions[function as usize] as usize]
    }

    pub fn block_type(&self, ty: u32) -> BlockType {
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

pub(super) fn val_type(ty: wasmparser::ValType) -> ValType {
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
pub(super) fn val_types(types: &[wasmparser::ValType], more: usize) -> Vec<ValType> {
    let i64s = std::iter::repeat_n(ValType::I64, more);
    types.iter().map(|&ty| val_type(ty)).chain(i64s).collect()
}

pub(super) fn wide(yes: bool) -> ValType {
    if yes { ValType::I64 } else { ValType::I32 }
}
