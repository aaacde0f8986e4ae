//! What the lint reports.

use super::features::Feature;
use super::places::Location;
use crate::task::ModuleKind;
use serde::Serialize;

/// The version of [`Report`]'s JSON form. It changes when a field changes its meaning or goes.
pub const REPORT_VERSION: u32 = 1;

/// What the lint found. Its JSON form is stable (`docs/lint.md`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// What the user called the module.
    pub name: String,
    /// Size of the binary in bytes.
    pub size: u64,
    /// SHA-256 of the binary, in hex.
    pub sha256: String,
    /// Whether it runs: nothing is refused.
    pub runs: bool,
    /// Program or reactor, if it is one.
    pub kind: Option<ModuleKind>,
    /// What keeps it from running.
    pub refused: Vec<Refusal>,
    /// What the deterministic profile fixes for it.
    pub fixed: Vec<Fixed>,
    /// The proposals that it needs.
    pub features: Vec<FeatureUse>,
    /// Operators that compute with floats.
    pub float_operators: u64,
    /// Everything that it imports.
    pub imports: Vec<ImportUse>,
    /// Its memories, imported ones too.
    pub memories: Vec<MemorySize>,
    /// Its tables, imported ones too.
    pub tables: Vec<TableSize>,
    /// Functions with code.
    pub functions: u64,
    /// Bytes of code.
    pub code_bytes: u64,
    /// Bytes of data segments.
    pub data_bytes: u64,
    /// Whether it is made as Truebit's function tasks are.
    pub function_task: FunctionTask,
}

/// A reason why a module can't run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// A short name that does not change.
    pub code: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
    /// How often.
    pub count: u64,
    /// Where first, if it has a place.
    pub first: Vec<Location>,
}

/// Something whose result the profile fixes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fixed {
    /// `clock`, `sleep`, `random`, `network`, `floats` or `relaxed-simd`.
    pub what: &'static str,
    /// What it is fixed to.
    pub how: &'static str,
    /// How often the code does it: direct calls, or operators.
    pub count: u64,
    /// Where first.
    pub first: Vec<Location>,
}

/// A proposal that a module needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureUse {
    /// Which.
    pub name: Feature,
    /// Whether it runs here.
    pub supported: bool,
    /// How often it is used.
    pub count: u64,
    /// Where first.
    pub first: Vec<Location>,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportUse {
    /// The module it comes from.
    pub module: String,
    /// Its name there.
    pub name: String,
    /// `func`, `memory`, `table`, `global` or `tag`.
    pub kind: &'static str,
    /// Where it is declared, in bytes.
    pub offset: u64,
    /// Whether a task has it.
    pub known: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// How large a memory is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemorySize {
    /// Pages at the start.
    pub min: u64,
    /// The most pages it declares.
    pub max: Option<u64>,
    /// Bytes of a page, 65 536 usually.
    pub page_bytes: u64,
    /// Shared between threads.
    pub shared: bool,
    /// Addressed with 64 bits.
    pub memory64: bool,
    /// Imported.
    pub imported: bool,
}

/// How large a table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSize {
    /// Elements at the start.
    pub min: u64,
    /// The most elements it declares.
    pub max: Option<u64>,
    /// The type of its elements.
    pub element: String,
    /// Imported.
    pub imported: bool,
}

/// Signs of a Truebit function task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionTask {
    /// All of the others.
    pub likely: bool,
    /// It exports `_start`.
    pub command: bool,
    /// All its imports are preview1's.
    pub preview1_only: bool,
    /// `input.txt` stands in its data.
    pub names_input: bool,
    /// `output.txt` stands in its data.
    pub names_output: bool,
}
