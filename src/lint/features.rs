//! The proposals that a module may need, and those that run here.

use serde::Serialize;
use wasmparser::WasmFeatures;

macro_rules! features {
    ($($variant:ident, $name:literal, $supported:literal, $about:literal;)*) => {
        /// A WebAssembly proposal beyond the first version, under its usual name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Feature { $(#[doc = $about] #[serde(rename = $name)] $variant,)* }

        impl Feature {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The proposal's name, such as `bulk-memory`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether modules that need it run.
            pub fn is_supported(self) -> bool {
                match self { $(Self::$variant => $supported,)* }
            }

            /// What it is, in a few words.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

features! {
    SignExtension, "sign-extension", true, "operators that extend a sign";
    SaturatingFloatToInt, "saturating-float-to-int", true, "conversions to integers that never trap";
    MultiValue, "multi-value", true, "functions and blocks with several results";
    BulkMemory, "bulk-memory", true, "operators that copy and fill memory and tables";
    ReferenceTypes, "reference-types", true, "references as values, and several tables";
    Simd, "simd", true, "128-bit vectors";
    RelaxedSimd, "relaxed-simd", true, "vector operators whose result may depend on the machine";
    TailCall, "tail-call", true, "calls that replace their caller";
    ExtendedConst, "extended-const", true, "arithmetic in constant expressions";
    MultiMemory, "multi-memory", true, "several memories";
    Memory64, "memory64", true, "memories or tables with 64-bit addresses";
    Threads, "threads", false, "shared memory and atomic operators";
    SharedEverything, "shared-everything-threads", false, "shared functions, tables and globals";
    Exceptions, "exceptions", false, "exceptions";
    LegacyExceptions, "legacy-exceptions", false, "exceptions in their first form";
    FunctionReferences, "function-references", false, "typed references to functions";
    Gc, "gc", false, "structures and arrays with garbage collection";
    CustomPageSizes, "custom-page-sizes", false, "memories with pages of another size";
    WideArithmetic, "wide-arithmetic", false, "arithmetic on 128-bit integers";
    StackSwitching, "stack-switching", false, "continuations";
    MemoryControl, "memory-control", false, "discarding pages of memory";
    CustomDescriptors, "custom-descriptors", false, "descriptors of structures";
    AcquireRelease, "acquire-release-atomics", false, "atomic operators with weaker orders";
}

impl Feature {
    /// The proposal under the name that `wasmparser` tags operators with; `None` for the first
    /// version of WebAssembly.
    pub(super) const fn of_proposal(tag: &str) -> Option<Self> {
        Some(match tag.as_bytes() {
            b"sign_extension" => Self::SignExtension,
            b"saturating_float_to_int" => Self::SaturatingFloatToInt,
            b"bulk_memory" => Self::BulkMemory,
            b"reference_types" => Self::ReferenceTypes,
            b"simd" => Self::Simd,
            b"relaxed_simd" => Self::RelaxedSimd,
            b"tail_call" => Self::TailCall,
            b"threads" => Self::Threads,
            b"shared_everything_threads" => Self::SharedEverything,
            b"exceptions" => Self::Exceptions,
            b"legacy_exceptions" => Self::LegacyExceptions,
            b"function_references" => Self::FunctionReferences,
            b"gc" => Self::Gc,
            b"wide_arithmetic" => Self::WideArithmetic,
            b"stack_switching" => Self::StackSwitching,
            b"memory_control" => Self::MemoryControl,
            b"custom_descriptors" => Self::CustomDescriptors,
            b"acquire_release_atomics" => Self::AcquireRelease,
            _ => return None,
        })
    }
}

/// What the engines accept. It must be what wasmi accepts; `tests/lint.rs` compares them.
pub(super) const ACCEPTED: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD);
