//! What instrumenting made of a module's functions and loops, read from the code that it wrote: so that a
//! test can say what it reaches.

use verirun::meter::HostFunction;
use wasmparser::{CompositeInnerType, Operator, Parser, Payload, TypeRef};

/// What became of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// It takes the steps left and its caller's level.
    Metered,
    /// It is a leaf that takes the steps left.
    Leaf,
    /// It is a leaf that is left as it is.
    Plain,
}

/// What became of a module.
#[derive(Debug, Default)]
pub struct Shape {
    /// Its own functions, in order.
    pub functions: Vec<Form>,
    /// Calls of leaves that are left as they are, and of other leaves.
    pub calls: (u64, u64),
    /// For each loop that asks for steps behind its turns: in how many copies it is.
    pub turned: Vec<u32>,
}

/// Types, imported functions and own functions' types of a module.
fn facts(wasm: &[u8]) -> (u32, u32, Vec<u32>) {
    let (mut types, mut imports, mut own) = (0, 0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("it is valid") {
            Payload::TypeSection(section) => {
                for group in section {
                    let all = group.expect("types").into_types();
                    let is_function =
                        |inner: &CompositeInnerType| matches!(inner, CompositeInnerType::Func(_));
                    types += all
                        .filter(|ty| is_function(&ty.composite_type.inner))
                        .count() as u32;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports += u32::from(matches!(import.expect("an import").ty, TypeRef::Func(_)));
                }
            }
            Payload::FunctionSection(section) => {
                own.extend(section.into_iter().map(|ty| ty.expect("a type")));
            }
            _ => {}
        }
    }
    (types, imports, own)
}

impl Shape {
    /// What `metered` made of `original`.
    pub fn of(original: &[u8], metered: &[u8]) -> Self {
        let (types, imports, own) = facts(original);
        let (_, _, now) = facts(metered);
        let form = |&ty: &u32| match ty / types.max(1) {
            0 => Form::Plain,
            1 => Form::Metered,
            _ => Form::Leaf,
        };
        let mut shape = Self {
            functions: now[..own.len()].iter().map(form).collect(),
            ..Self::default()
        };
        let first = imports + HostFunction::ALL.len() as u32;
        let mut bodies = own.len();
        for payload in Parser::new(0).parse_all(metered) {
            let Payload::CodeSectionEntry(body) = payload.expect("it is valid") else {
                continue;
            };
            // Behind the module's own functions are ours.
            if bodies == 0 {
                break;
            }
            let form = shape.functions[own.len() - bodies];
            bodies -= 1;
            // It is copied with what no path reaches: there may be anything.
            if form == Form::Plain {
                continue;
            }
            let reader = body.get_operators_reader().expect("operators");
            let code: Vec<_> = reader
                .into_iter()
                .map(|operator| operator.expect("an operator"))
                .collect();
            for (at, operator) in code.iter().enumerate() {
                match operator {
                    Operator::Call { function_index } if *function_index >= first => {
                        match shape.functions.get((function_index - first) as usize) {
                            Some(Form::Plain) => shape.calls.0 += 1,
                            Some(Form::Leaf) => shape.calls.1 += 1,
                            _ => {}
                        }
                    }
                    Operator::Loop { .. } if !asks_first(&code[at + 1..]) => {
                        shape.turned.push(blocks(&code[at + 1..]));
                    }
                    _ => {}
                }
            }
        }
        shape
    }
}

/// Whether a loop with this body looks at its steps first: is `left` less than 0?
fn asks_first(body: &[Operator<'_>]) -> bool {
    matches!(
        body,
        [
            Operator::LocalGet { .. },
            Operator::I64Const { value: 0 },
            Operator::I64LtS,
            Operator::If { .. },
            ..
        ]
    )
}

/// How many blocks a loop with this body has that are in no other.
fn blocks(body: &[Operator<'_>]) -> u32 {
    let (mut depth, mut found) = (0u32, 0);
    for operator in body {
        match operator {
            Operator::Block { .. } => {
                found += u32::from(depth == 0);
                depth += 1;
            }
            Operator::Loop { .. } | Operator::If { .. } => depth += 1,
            Operator::End if depth == 0 => break,
            Operator::End => depth -= 1,
            _ => {}
        }
    }
    found
}
