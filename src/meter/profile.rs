//! Which functions a run's steps are made in: a metered module that tells when its functions begin
//! and end, and the host's side of that.
//!
//! The count is settled at every function entry, call and return, so telling it there attributes each
//! step to exactly one function, with the calls that led to it. It is a pass over the *metered*
//! module: every function of the task gets a wrapper of the same type, which tells the host, calls it,
//! and tells the host again; whatever referred to the function refers to its wrapper. A tail call tells
//! that one function takes the place of another, and stays one: a direct one leaves the wrapper around
//! both, and of an indirect one the wrapper that it comes to makes way for its function.

use super::layout::{val_types, wide};
use super::module::instrument_with;
use super::{HOST_MODULE, HostFunction, MeterError, Metered, MeteredId, Options};
use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, EntityType, Function, FunctionSection, ImportSection, Instruction as I,
    Module, TypeSection, ValType,
};
use wasmparser::{CompositeInnerType, Operator, Parser, Payload, TypeRef};

/// The functions that a module with a profile imports beside the metered one's, in this order. The
/// numbers are the task's function and the steps left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileFunction {
    /// `enter(function: i32, left: i64) -> i32`: it begins. The host returns 1 if it takes the place of
    /// the one that began last, which has made a tail call ([`Self::Tail`]), else 0.
    Enter,
    /// `leave(left: i64)`: the one that began last has returned.
    Leave,
    /// `replace(function: i32, left: i64)`: it takes the place of the one that began last.
    Replace,
    /// `tail(left: i64)`: the one that began last makes an indirect tail call. What it calls need not be
    /// a function of the task.
    Tail,
}

impl ProfileFunction {
    /// All of them, in the order of their imports.
    pub const ALL: [Self; 4] = [Self::Enter, Self::Leave, Self::Replace, Self::Tail];

    /// Its name in the import section.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Leave => "leave",
            Self::Replace => "replace",
            Self::Tail => "tail",
        }
    }

    /// Its parameters, `true` for i64 and `false` for i32.
    pub fn parameters(self) -> &'static [bool] {
        match self {
            Self::Enter | Self::Replace => &[false, true],
            Self::Leave | Self::Tail => &[true],
        }
    }

    /// Its result, if it has one: `true` for i64 and `false` for i32.
    pub fn result(self) -> Option<bool> {
        match self {
            Self::Enter => Some(false),
            Self::Leave | Self::Replace | Self::Tail => None,
        }
    }
}

const ADDED: u32 = ProfileFunction::ALL.len() as u32;

/// The metered form of `original` with a profile.
///
/// # Errors
/// If it is not valid, or leaves no room for what metering adds.
pub fn profiled(original: &[u8], options: &Options) -> Result<Metered, MeterError> {
    // All functions tell how many steps are left.
    let metered = &instrument_with(original, options, false)?;
    let shape = Shape::read(original, &metered.wasm)?;
    let mut module = Module::new();
    let mut pass = Pass {
        function: shape.imports,
        shape,
    };
    let mut parser = Parser::new(0);
    parser.set_features(super::features());
    pass.parse_core_module(&mut module, parser, &metered.wasm)
        .map_err(unexpected)?;
    Ok(Metered {
        id: MeteredId::fresh(),
        wasm: module.finish(),
        profiled: true,
        ..metered.clone()
    })
}

fn unexpected(error: impl std::fmt::Display) -> MeterError {
    MeterError::Unexpected(error.to_string())
}

/// What of the metered module the pass needs to know.
#[derive(Default)]
struct Shape {
    /// Parameters and results of each type.
    types: Vec<(u32, Vec<ValType>)>,
    /// Functions that are imported.
    imports: u32,
    /// Types of the functions that are defined: the task's, then our helpers.
    defined: Vec<u32>,
    /// How many of these are the task's.
    own: u32,
}

impl Shape {
    fn read(original: &[u8], metered: &[u8]) -> Result<Self, MeterError> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(original) {
            match payload? {
                Payload::FunctionSection(section) => shape.own = section.count(),
                Payload::CodeSectionStart { .. } => break,
                _ => {}
            }
        }
        for payload in Parser::new(0).parse_all(metered) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group?.into_types() {
                            let CompositeInnerType::Func(ty) = ty.composite_type.inner else {
                                return Err(unexpected("a type that is no function's"));
                            };
                            let params = ty.params().len() as u32;
                            shape.types.push((params, val_types(ty.results(), 0)));
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                            shape.imports += 1;
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        shape.defined.push(ty?);
                    }
                }
                Payload::CodeSectionStart { .. } => break,
                _ => {}
            }
        }
        Ok(shape)
    }

    /// Whether a function of the metered module is one of the task's.
    fn is_own(&self, function: u32) -> bool {
        (self.imports..self.imports + self.own).contains(&function)
    }

    /// The index that a task's function has in the task's module.
    fn original(&self, function: u32) -> i32 {
        (function - HostFunction::ALL.len() as u32) as i32
    }

    /// Where a function of the metered module is now.
    fn moved(&self, function: u32) -> u32 {
        match function < self.imports {
            true => function,
            false => function + ADDED,
        }
    }

    /// The wrapper of one of the task's functions.
    fn wrapper(&self, function: u32) -> u32 {
        let first = self.imports + ADDED + self.defined.len() as u32;
        first + (function - self.imports)
    }

    fn host(&self, function: ProfileFunction) -> u32 {
        self.imports + function as u32
    }

    /// The wrappers' code: enter, call, leave; or enter, and make way.
    fn wrap(&self, function: u32) -> Function {
        let ty = self.defined[(function - self.imports) as usize];
        let (params, results) = &self.types[ty as usize];
        // The last result is what is left.
        let left = left_local(*params, results.len());
        let mut wrapper = Function::new([(1, ValType::I64)]);
        let number = self.original(function);
        let arguments = |wrapper: &mut Function| {
            for param in 0..*params {
                wrapper.instruction(&I::LocalGet(param));
            }
        };
        wrapper
            .instruction(&I::I32Const(number))
            .instruction(&I::LocalGet(left))
            .instruction(&I::Call(self.host(ProfileFunction::Enter)))
            .instruction(&I::If(BlockType::Empty));
        arguments(&mut wrapper);
        wrapper
            .instruction(&I::ReturnCall(self.moved(function)))
            .instruction(&I::End);
        arguments(&mut wrapper);
        wrapper.instruction(&I::Call(self.moved(function)));
        if !results.is_empty() {
            wrapper
                .instruction(&I::LocalTee(*params))
                .instruction(&I::LocalGet(*params))
                .instruction(&I::Call(self.host(ProfileFunction::Leave)));
        }
        wrapper.instruction(&I::End);
        wrapper
    }
}

/// The local with the steps left, in a metered function with so many parameters and results: the
/// parameter before the last, or the last one ([`Layout::is_swapped`](super::layout::Layout::is_swapped)).
fn left_local(params: u32, results: usize) -> u32 {
    let behind = if results == params as usize { 1 } else { 2 };
    params.saturating_sub(behind)
}

struct Pass {
    shape: Shape,
    /// The function whose code is read, by its index in the metered module.
    function: u32,
}

type Encoded<T> = Result<T, Error<Infallible>>;

impl Reencode for Pass {
    type Error = Infallible;

    /// Whoever refers to a function of the task gets its wrapper.
    fn function_index(&mut self, function: u32) -> Encoded<u32> {
        Ok(match self.shape.is_own(function) {
            true => self.shape.wrapper(function),
            false => self.shape.moved(function),
        })
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Encoded<()> {
        utils::parse_type_section(self, types, section)?;
        for function in ProfileFunction::ALL {
            let parameters = function.parameters().iter().map(|&is| wide(is));
            types.ty().function(parameters, function.result().map(wide));
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Encoded<()> {
        utils::parse_import_section(self, imports, section)?;
        for (ty, function) in (self.shape.types.len() as u32..).zip(ProfileFunction::ALL) {
            imports.import(HOST_MODULE, function.name(), EntityType::Function(ty));
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Encoded<()> {
        utils::parse_function_section(self, functions, section)?;
        for &ty in &self.shape.defined[..self.shape.own as usize] {
            functions.function(ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Encoded<()> {
        utils::parse_code_section(self, code, section)?;
        for function in self.shape.imports..self.shape.imports + self.shape.own {
            code.function(&self.shape.wrap(function));
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Encoded<()> {
        let ty = self.shape.defined[(self.function - self.shape.imports) as usize];
        let (params, results) = &self.shape.types[ty as usize];
        let left = left_local(*params, results.len());
        self.function += 1;
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            match reader.read()? {
                Operator::ReturnCall { function_index } if self.shape.is_own(function_index) => {
                    // The frame is replaced, so the wrapper around this function stands for the
                    // other one from here on.
                    let number = self.shape.original(function_index);
                    function
                        .instruction(&I::I32Const(number))
                        .instruction(&I::LocalGet(left))
                        .instruction(&I::Call(self.shape.host(ProfileFunction::Replace)))
                        .instruction(&I::ReturnCall(self.shape.moved(function_index)));
                }
                operator => {
                    if matches!(operator, Operator::ReturnCallIndirect { .. }) {
                        function
                            .instruction(&I::LocalGet(left))
                            .instruction(&I::Call(self.shape.host(ProfileFunction::Tail)));
                    }
                    function.instruction(&self.instruction(operator)?);
                }
            }
        }
        code.function(&function);
        Ok(())
    }

    /// Custom sections tell of code that has moved.
    fn parse_custom_section(
        &mut self,
        _: &mut Module,
        _: wasmparser::CustomSectionReader<'_>,
    ) -> Encoded<()> {
        Ok(())
    }
}
