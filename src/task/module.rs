//! Loading a module: text or binary, checked before anything runs, each refusal specific.

use super::recent::{self, Forms};
use super::text::{Position, TextMap, assemble};
use crate::meter::{MeterError, Metered, Options, instrument};
use crate::wasi::{Abi, Function, Parameter};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use wasmparser::{
    CompositeInnerType, Encoding, ExternalKind, Parser, Payload, TypeRef, ValType, Validator,
};

/// Why a module can't run. Every message says what is wrong; [`LoadError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither the binary nor the text format.
    #[error("`{name}` is not a WebAssembly module: {found}")]
    NotWasm {
        /// What the user called it.
        name: String,
        /// What it starts with.
        found: String,
    },
    /// The text format, with a mistake.
    #[error("`{name}` is not valid WebAssembly text: {cause}")]
    Text {
        /// What the user called it.
        name: String,
        /// What is wrong, with line, column and the text there.
        cause: String,
        /// Where.
        position: Position,
        /// What is wrong, in one line.
        brief: String,
    },
    /// The text format, of a module that breaks a rule of the specification.
    #[error("`{name}` is not a valid module: {cause} (line {}, column {})", .position.line, .position.column)]
    InvalidText {
        /// What the user called it.
        name: String,
        /// What is wrong.
        cause: String,
        /// Where.
        position: Position,
    },
    /// A component, not a core module.
    #[error("`{name}` is a WebAssembly component; Verirun runs core modules with WASI preview1")]
    Component {
        /// What the user called it.
        name: String,
    },
    /// It ends in the middle.
    #[error("`{name}` is truncated: it ends at byte {offset}, in the middle of a section")]
    Truncated {
        /// What the user called it.
        name: String,
        /// Where it ends, in bytes.
        offset: u64,
    },
    /// It breaks a rule of the specification, or needs a feature that is not supported.
    #[error("`{name}` is not a valid module: {cause}")]
    Invalid {
        /// What the user called it.
        name: String,
        /// What is wrong, and at which offset.
        cause: String,
    },
    /// It imports what a task does not have.
    #[error("`{name}` imports what a task does not have: {}", list(.missing))]
    MissingImports {
        /// What the user called it.
        name: String,
        /// Each missing import with the reason.
        missing: Vec<String>,
    },
    /// It exports neither `_start` nor `_initialize`, and has no start function either.
    #[error("`{name}` exports no `_start` function, so there is nothing to run; it exports {}", list(.exports))]
    NoStart {
        /// What the user called it.
        name: String,
        /// What it does export.
        exports: Vec<String>,
    },
    /// WASI needs a memory to pass data through.
    #[error("`{name}` uses WASI but exports no memory called `memory`")]
    NoMemory {
        /// What the user called it.
        name: String,
    },
    /// It is valid, but at a bound that leaves no room for metering.
    #[error("`{name}` can't be metered: {cause}")]
    Unmeterable {
        /// What the user called it.
        name: String,
        /// Which bound.
        #[source]
        cause: MeterError,
    },
    /// Its memory starts larger than may be had.
    #[error("`{name}` asks for {pages} pages of memory ({} MiB) at the start; {limit} pages are allowed", .pages / 16)]
    MemoryTooBig {
        /// What the user called it.
        name: String,
        /// Pages asked for.
        pages: u64,
        /// Pages allowed.
        limit: u64,
    },
}

fn list(items: &[String]) -> String {
    const SHOWN: usize = 8;
    match items {
        [] => "nothing".to_owned(),
        _ if items.len() > SHOWN => {
            format!(
                "{}, and {} more",
                items[..SHOWN].join(", "),
                items.len() - SHOWN
            )
        }
        _ => items.join(", "),
    }
}

impl LoadError {
    /// An error of the binary's reader.
    pub(crate) fn of_reader(
        name: &str,
        wasm: &[u8],
        error: &wasmparser::BinaryReaderError,
    ) -> Self {
        let name = name.to_owned();
        match error.message().contains("unexpected end") {
            true => Self::Truncated {
                name,
                offset: wasm.len() as u64,
            },
            false => Self::Invalid {
                name,
                cause: error.to_string(),
            },
        }
    }

    /// Where in the text the mistake is, and what it is in one line, if it is one of a text.
    pub fn in_text(&self) -> Option<(Position, &str)> {
        match self {
            Self::Text {
                position, brief, ..
            } => Some((*position, brief)),
            Self::InvalidText {
                position, cause, ..
            } => Some((*position, cause)),
            _ => None,
        }
    }

    /// A short name that does not change, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotWasm { .. } => "not-wasm",
            Self::Text { .. } => "bad-text",
            Self::Component { .. } => "component",
            Self::Truncated { .. } => "truncated",
            Self::Invalid { .. } | Self::InvalidText { .. } => "invalid",
            Self::MissingImports { .. } => "missing-imports",
            Self::NoStart { .. } => "no-start",
            Self::NoMemory { .. } => "no-memory",
            Self::Unmeterable { .. } => "unmeterable",
            Self::MemoryTooBig { .. } => "memory-too-big",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotWasm { .. } => {
                "Choose a .wasm file that a compiler made for wasm32-wasip1, or a .wat text."
            }
            Self::Text { .. } | Self::InvalidText { .. } => "Correct the text at that place.",
            Self::Component { .. } => {
                "Build for wasm32-wasip1 instead of wasip2, or take the core module out with `wasm-tools component unbundle`."
            }
            Self::Truncated { .. } => "The file was cut, perhaps in a download: get it again.",
            Self::Invalid { .. } => {
                "Build it again; if it uses a new WebAssembly feature, build without that feature."
            }
            Self::MissingImports { .. } => {
                "Build for wasm32-wasip1 without JavaScript glue (not for wasm32-unknown-unknown with wasm-bindgen, not Emscripten's default) and without threads."
            }
            Self::NoStart { .. } => "Build a program (with a main function), not a library.",
            Self::NoMemory { .. } => "Export the memory as `memory`.",
            Self::Unmeterable { .. } => {
                "Make what it names smaller: split a function or its parameters, export less, start with smaller tables."
            }
            Self::MemoryTooBig { .. } => {
                "Link it with less initial memory, or raise the memory limit."
            }
        }
    }
}

/// A program runs once (`_start`); a reactor is set up once (`_initialize`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ModuleKind {
    /// It exports `_start`, or has a start function only.
    Command,
    /// It exports `_initialize`.
    Reactor,
}

/// An import of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The module it comes from.
    pub module: String,
    /// Its name there.
    pub name: String,
}

/// How large a memory is, in 64 KiB pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryPages {
    /// At the start.
    pub min: u64,
    /// The most it declares.
    pub max: Option<u64>,
}

/// What a module is, before it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleInfo {
    /// What the user called it.
    pub name: String,
    /// Size of the binary in bytes.
    pub size: u64,
    /// SHA-256 of the binary, in hex.
    pub sha256: String,
    /// Its imports.
    pub imports: Vec<Import>,
    /// The names of its exports.
    pub exports: Vec<String>,
    /// Its first memory.
    pub memory_pages: Option<MemoryPages>,
    /// Program or reactor.
    pub kind: ModuleKind,
}

/// A module that was checked and can run. A clone shares all that is large.
#[derive(Debug, Clone)]
pub struct Module {
    /// The binary.
    pub wasm: Arc<[u8]>,
    /// Where its operators came from, if it was a text.
    pub(super) text: Option<Arc<TextMap>>,
    /// What it is.
    pub info: ModuleInfo,
    /// The instrumented module, made when it is first needed.
    metered: Forms,
}

impl Module {
    /// Loads a module from its binary or text form.
    ///
    /// # Errors
    /// A [`LoadError`] that names what is wrong; nothing of the module has run.
    pub fn load(name: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let (wasm, text) = read(name, bytes)?;
        let info = inspect(name, &wasm)?;
        if let Some(text) = &text {
            validate_text(name, &wasm, text)?;
        }
        Ok(Self {
            wasm: Arc::from(&*wasm),
            text: text.map(Arc::new),
            metered: recent::forms(&info.sha256),
            info,
        })
    }

    /// The module with metering; made once for each way to do it, and remembered for when the module is loaded
    /// again soon.
    ///
    /// # Errors
    /// If it is not valid, or leaves no room for what metering adds.
    pub fn metered(&self, options: Options) -> Result<Arc<Metered>, LoadError> {
        let slot = self.slot(options);
        if let Some(made) = slot.get() {
            return Ok(Arc::clone(made));
        }
        let made = instrument(&self.wasm, &options).map_err(|error| {
            let name = self.info.name.clone();
            match error {
                MeterError::Invalid(cause) => LoadError::Invalid {
                    name,
                    cause: cause.to_string(),
                },
                cause => LoadError::Unmeterable { name, cause },
            }
        })?;
        Ok(Arc::clone(slot.get_or_init(|| Arc::new(made))))
    }

    fn slot(&self, options: Options) -> &OnceLock<Arc<Metered>> {
        let state = 4 * usize::from(options.state);
        &self.metered[state + 2 * options.target as usize + options.detail as usize]
    }

    /// The module with metering, if it was made.
    pub fn made(&self, options: Options) -> Option<Arc<Metered>> {
        self.slot(options).get().cloned()
    }

    /// Takes a module with metering that was made before, of this module in this way, instead of making
    /// it. One that was made is kept.
    pub fn restore(&self, options: Options, metered: Metered) {
        self.slot(options).get_or_init(|| Arc::new(metered));
    }
}

/// A module's binary form, from either form.
pub(crate) fn to_binary<'a>(name: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, LoadError> {
    read(name, bytes).map(|(wasm, _)| wasm)
}

/// That, and where its operators came from if it was a text.
type Read<'a> = (Cow<'a, [u8]>, Option<TextMap>);

fn read<'a>(name: &str, bytes: &'a [u8]) -> Result<Read<'a>, LoadError> {
    if bytes.starts_with(b"\0asm") {
        return Ok((Cow::Borrowed(bytes), None));
    }
    let not_wasm = |found: &str| LoadError::NotWasm {
        name: name.to_owned(),
        found: found.to_owned(),
    };
    if bytes.is_empty() {
        return Err(not_wasm("it is empty"));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        let start: Vec<_> = bytes
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        return Err(not_wasm(&format!(
            "it starts with the bytes {}",
            start.join(" ")
        )));
    };
    // Any text is tried if it is named as one or looks like one; a README gets a better answer.
    let start = text.trim_start();
    if !name.ends_with(".wat") && !start.starts_with(['(', ';']) {
        return Err(not_wasm("it is text, but not the WebAssembly text format"));
    }
    match assemble(name, text) {
        Ok((wasm, map)) => Ok((Cow::Owned(wasm), Some(map))),
        Err(problem) => Err(LoadError::Text {
            name: name.to_owned(),
            cause: problem.report,
            position: problem.position,
            brief: problem.message,
        }),
    }
}

/// Checks an assembled module at once, so that a mistake is shown where it was written. A binary one
/// is checked when it is instrumented.
fn validate_text(name: &str, wasm: &[u8], text: &TextMap) -> Result<(), LoadError> {
    let mut validator = Validator::new_with_features(crate::meter::features());
    let Err(error) = validator.validate_all(wasm) else {
        return Ok(());
    };
    let name = name.to_owned();
    Err(match text.position(wasm, error.offset()) {
        Some(position) => LoadError::InvalidText {
            name,
            cause: error.message().to_owned(),
            position,
        },
        None => LoadError::Invalid {
            name,
            cause: error.to_string(),
        },
    })
}

fn inspect(name: &str, wasm: &[u8]) -> Result<ModuleInfo, LoadError> {
    let fail = |error| LoadError::of_reader(name, wasm, &error);
    let mut types = Signatures::new();
    let mut imports = Vec::new();
    let mut missing = Vec::new();
    let mut exports = Vec::new();
    let mut memories = Vec::new();
    let mut start = None;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(fail)? {
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => {
                return Err(LoadError::Component {
                    name: name.to_owned(),
                });
            }
            Payload::TypeSection(section) => {
                for group in section {
                    for sub in group.map_err(fail)?.into_types() {
                        types.push(match sub.composite_type.inner {
                            CompositeInnerType::Func(ty) => {
                                Some((ty.params().to_vec(), ty.results().to_vec()))
                            }
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(fail)?;
                    if let Some(problem) =
                        check_import(import.module, import.name, import.ty, &types)
                    {
                        missing.push(problem);
                    }
                    imports.push(Import {
                        module: import.module.to_owned(),
                        name: import.name.to_owned(),
                    });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory.map_err(fail)?;
                    memories.push(MemoryPages {
                        min: memory.initial,
                        max: memory.maximum,
                    });
                }
            }
            // Behind the exports: what has neither still has this to run.
            Payload::StartSection { .. } => start = start.or(Some(ModuleKind::Command)),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(fail)?;
                    match (export.name, export.kind) {
                        ("_start", ExternalKind::Func) => start = Some(ModuleKind::Command),
                        ("_initialize", ExternalKind::Func) if start.is_none() => {
                            start = Some(ModuleKind::Reactor);
                        }
                        _ => {}
                    }
                    exports.push((export.name.to_owned(), export.kind));
                }
            }
            _ => {}
        }
    }
    if !missing.is_empty() {
        return Err(LoadError::MissingImports {
            name: name.to_owned(),
            missing,
        });
    }
    let has_memory = exports.contains(&("memory".to_owned(), ExternalKind::Memory));
    let exports: Vec<_> = exports.into_iter().map(|(name, _)| name).collect();
    let kind = start.ok_or_else(|| LoadError::NoStart {
        name: name.to_owned(),
        exports: exports.clone(),
    })?;
    if !imports.is_empty() && !has_memory {
        return Err(LoadError::NoMemory {
            name: name.to_owned(),
        });
    }
    Ok(ModuleInfo {
        name: name.to_owned(),
        size: wasm.len() as u64,
        sha256: hex(&Sha256::digest(wasm)),
        imports,
        exports,
        memory_pages: memories.first().copied(),
        kind,
    })
}

/// Parameters and results of a function.
pub(crate) type Signature = (Vec<ValType>, Vec<ValType>);
/// A module's types; `None` for one that is no function's.
pub(crate) type Signatures = Vec<Option<Signature>>;

/// What is wrong with an import, if anything.
pub(crate) fn check_import(
    module: &str,
    name: &str,
    ty: TypeRef,
    types: &[Option<Signature>],
) -> Option<String> {
    let known = Abi::from_module(module).and_then(|abi| Function::find(abi, name));
    let (Some(function), TypeRef::Func(index)) = (known, ty) else {
        let what = match ty {
            TypeRef::Func(_) => "",
            TypeRef::Memory(memory) if memory.shared => {
                " (a shared memory: threads are not supported)"
            }
            TypeRef::Memory(_) => " (a memory)",
            TypeRef::Table(_) => " (a table)",
            TypeRef::Global(_) => " (a global)",
            _ => " (a tag)",
        };
        return Some(format!("{module}.{name}{what}"));
    };
    let wanted: Vec<_> = function
        .parameters()
        .iter()
        .map(|parameter| match parameter {
            Parameter::I32 => ValType::I32,
            Parameter::I64 => ValType::I64,
        })
        .collect();
    let results: &[ValType] = if function.returns() {
        &[ValType::I32]
    } else {
        &[]
    };
    let found = types.get(index as usize).and_then(Option::as_ref);
    match found {
        Some((params, returned)) if *params == wanted && returned == results => None,
        _ => Some(format!(
            "{module}.{name} (with other parameters than preview1 defines)"
        )),
    }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
