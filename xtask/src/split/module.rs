//! A module, read: what splitting needs to know of it.

use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::{
    Data, Element, ElementItems, ElementKind, Export, FunctionBody, Global, Import, KnownCustom,
    MemoryType, Name, Operator, Parser, Payload, RecGroup, Table, TypeRef,
};

/// A module's sections. All indices are the module's own.
#[derive(Default)]
pub struct Module<'a> {
    /// All of it.
    pub file: &'a [u8],
    pub types: Vec<RecGroup>,
    pub imports: Vec<Import<'a>>,
    /// How many of the functions are imported; these come first.
    pub imported_functions: u32,
    /// The type of each function.
    pub functions: Vec<u32>,
    pub tables: Vec<Table<'a>>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<Global<'a>>,
    pub exports: Vec<Export<'a>>,
    pub start: Option<u32>,
    pub elements: Vec<Element<'a>>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub data: Vec<Data<'a>>,
    /// The functions' names, without the compiler's mangling.
    pub names: BTreeMap<u32, String>,
}

/// What a function's code refers to.
#[derive(Default, Clone)]
pub struct References {
    pub functions: BTreeSet<u32>,
    pub globals: BTreeSet<u32>,
}

impl<'a> Module<'a> {
    /// Reads a module that wasm-bindgen wrote; refuses what such a module never has.
    pub fn read(wasm: &'a [u8]) -> Result<Self> {
        let mut module = Self {
            file: wasm,
            ..Self::default()
        };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        module.types.push(group?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let TypeRef::Func(of) = import.ty else {
                            bail!(
                                "{}.{}: only functions may be imported",
                                import.module,
                                import.name
                            );
                        };
                        module.functions.push(of);
                        module.imports.push(import);
                        module.imported_functions += 1;
                    }
                }
                Payload::FunctionSection(section) => {
                    for of in section {
                        module.functions.push(of?);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        module.tables.push(table?);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        module.memories.push(memory?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        module.globals.push(global?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        module.exports.push(export?);
                    }
                }
                Payload::StartSection { func, .. } => module.start = Some(func),
                Payload::ElementSection(section) => {
                    for element in section {
                        module.elements.push(element?);
                    }
                }
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                Payload::DataSection(section) => {
                    for data in section {
                        module.data.push(data?);
                    }
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        module.read_names(names)?;
                    }
                }
                Payload::TagSection(_) => bail!("tags are not split"),
                _ => {}
            }
        }
        Ok(module)
    }

    fn read_names(&mut self, names: wasmparser::NameSectionReader<'a>) -> Result<()> {
        for name in names {
            let Name::Function(functions) = name? else {
                continue;
            };
            for naming in functions {
                let naming = naming?;
                let name = rustc_demangle::demangle(naming.name);
                self.names.insert(naming.index, name.to_string());
            }
        }
        Ok(())
    }

    /// The name of a function, empty if it has none.
    pub fn name(&self, function: u32) -> &str {
        self.names.get(&function).map_or("", String::as_str)
    }

    /// What each defined function refers to.
    pub fn references(&self) -> Result<Vec<References>> {
        self.bodies.iter().map(references).collect()
    }

    /// The functions in the tables: table, slot and function.
    pub fn slots(&self) -> Result<Vec<Vec<u32>>> {
        let mut all = Vec::new();
        for element in &self.elements {
            let (ElementKind::Active { .. }, ElementItems::Functions(functions)) =
                (&element.kind, element.items.clone())
            else {
                bail!("only tables of functions that are there from the start are split");
            };
            all.push(functions.into_iter().collect::<Result<Vec<_>, _>>()?);
        }
        Ok(all)
    }
}

fn references(body: &FunctionBody<'_>) -> Result<References> {
    let mut found = References::default();
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        match operators.read().context("a function's code")? {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                found.functions.insert(function_index);
            }
            Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                found.globals.insert(global_index);
            }
            Operator::RefFunc { .. } => bail!("a reference to a function in code is not split"),
            Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. } => bail!("a passive segment is not split"),
            _ => {}
        }
    }
    Ok(found)
}
