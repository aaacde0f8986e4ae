//! Looks at every operator of a function body: which proposal it belongs to, whether it computes
//! with floats, and whether it calls something that the deterministic profile fixes.

use super::features::Feature;
use super::places::{Found, Place};
use wasmparser::{BlockType, BrTable, MemArg, MemArgTarget, VisitOperator, VisitSimdOperator};

/// What an operator does with floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Floats {
    /// Nothing, or it moves them as they are.
    None,
    /// It computes with them, and its result is defined to the bit.
    Exact,
    /// A NaN that it returns may have any payload, says the specification.
    AnyNan,
}

/// What is known of an operator from its name alone.
#[derive(Debug, Clone, Copy)]
struct Kind {
    feature: Option<Feature>,
    floats: Floats,
}

const fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let mut start = 0;
    while start + part.len() <= text.len() {
        let mut at = 0;
        while at < part.len() && text[start + at] == part[at] {
            at += 1;
        }
        if at == part.len() {
            return true;
        }
        start += 1;
    }
    false
}

const fn contains_any(text: &str, parts: &[&str]) -> bool {
    let mut at = 0;
    while at < parts.len() {
        if contains(text, parts[at]) {
            return true;
        }
        at += 1;
    }
    false
}

const MOVES: &[&str] = &["Load", "Store", "Const", "Reinterpret", "Splat", "Lane"];
/// `pmin` and `pmax` choose one of their operands, and conversions from or to integers make no NaN.
const MAKES_ITS_OWN_NAN: &[&str] = &[
    "Add", "Sub", "Mul", "Div", "Sqrt", "Min", "Max", "Ceil", "Floor", "Nearest", "Promote",
    "Demote", "Madd", "Nmadd",
];

const fn floats_of(name: &str) -> Floats {
    if !contains_any(name, &["F32", "F64"]) || contains_any(name, MOVES) {
        return Floats::None;
    }
    let starts_as_float = name.as_bytes()[0] == b'F';
    let chooses = contains_any(name, &["PMin", "PMax"]);
    let truncates = starts_as_float && contains(name, "Trunc");
    if truncates || (starts_as_float && !chooses && contains_any(name, MAKES_ITS_OWN_NAN)) {
        return Floats::AnyNan;
    }
    Floats::Exact
}

impl Kind {
    const fn of(proposal: &str, name: &str) -> Self {
        Self {
            feature: Feature::of_proposal(proposal),
            floats: floats_of(name),
        }
    }
}

/// What an imported function is to the profile; `None` for one that it leaves alone.
pub(super) type Callees = Vec<Option<usize>>;

/// What the code of a module uses.
#[derive(Debug)]
pub(super) struct Code {
    /// Each proposal, by [`Feature::ALL`].
    pub features: Vec<Found>,
    /// Operators that compute with floats.
    pub floats: u64,
    /// Those of them whose NaNs the profile fixes.
    pub nans: Found,
    /// Direct calls of what the profile fixes, by the number in `callees`.
    pub calls: Vec<Found>,
    /// Which imports those are.
    pub callees: Callees,
    /// Types with parameters or several results: a block that uses one needs multi-value.
    pub multi_value_types: Vec<bool>,
    place: Place,
}

impl Code {
    pub fn new(fixed: usize) -> Self {
        Self {
            features: vec![Found::default(); Feature::ALL.len()],
            floats: 0,
            nans: Found::default(),
            calls: vec![Found::default(); fixed],
            callees: Vec::new(),
            multi_value_types: Vec::new(),
            place: Place::default(),
        }
    }

    /// Where the next operator lies.
    pub fn at(&mut self, offset: u64, function: Option<u32>) {
        self.place = Place { offset, function };
    }

    /// Notes that a proposal is needed here.
    pub fn need(&mut self, feature: Feature) {
        self.features[feature as usize].note(self.place);
    }

    #[inline]
    fn note(&mut self, kind: Kind) {
        if let Some(feature) = kind.feature {
            self.need(feature);
        }
        match kind.floats {
            Floats::None => {}
            Floats::Exact => self.floats += 1,
            Floats::AnyNan => {
                self.floats += 1;
                self.nans.note(self.place);
            }
        }
    }
}

/// What an operator's argument shows beside the operator.
trait Argument {
    fn look(&self, _name: &'static str, _code: &mut Code) {}
}

macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(impl Argument for $type {})* };
}

plain! {
    u8, i32, i64, [u8; 16], wasmparser::Ieee32, wasmparser::Ieee64, wasmparser::V128,
    wasmparser::ValType, Vec<wasmparser::ValType>, wasmparser::HeapType, wasmparser::RefType,
    wasmparser::TryTable, wasmparser::Ordering, wasmparser::ContType, wasmparser::ResumeTable,
    BrTable<'_>,
}

impl Argument for u32 {
    fn look(&self, name: &'static str, code: &mut Code) {
        match name {
            "function_index" => {
                if let Some(&Some(fixed)) = code.callees.get(*self as usize) {
                    code.calls[fixed].note(code.place);
                }
            }
            "mem" | "dst_mem" | "src_mem" if *self > 0 => code.need(Feature::MultiMemory),
            "table" | "dst_table" | "src_table" | "table_index" if *self > 0 => {
                code.need(Feature::ReferenceTypes);
            }
            _ => {}
        }
    }
}

impl Argument for MemArg {
    fn look(&self, _name: &'static str, code: &mut Code) {
        match self.target {
            MemArgTarget::Memory(0) => {}
            MemArgTarget::Memory(_) => code.need(Feature::MultiMemory),
            _ => code.need(Feature::Gc),
        }
    }
}

impl Argument for BlockType {
    fn look(&self, _name: &'static str, code: &mut Code) {
        if let Self::FuncType(index) = self
            && code.multi_value_types.get(*index as usize) == Some(&true)
        {
            code.need(Feature::MultiValue);
        }
    }
}

macro_rules! visitors {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $type:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $type)*)?) {
                const KIND: Kind = Kind::of(stringify!($proposal), stringify!($op));
                self.note(KIND);
                $($($arg.look(stringify!($arg), self);)*)?
            }
        )*
    };
}

impl<'a> VisitOperator<'a> for Code {
    type Output = ();

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visitors);
}

impl VisitSimdOperator<'_> for Code {
    wasmparser::for_each_visit_simd_operator!(visitors);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_operators_are_told_apart() {
        for name in [
            "F32Add",
            "F64Div",
            "F64Sqrt",
            "F32Min",
            "F64Nearest",
            "F32Trunc",
            "F32DemoteF64",
            "F64PromoteF32",
            "F32x4Mul",
            "F64x2Max",
            "F64x2Trunc",
            "F32x4RelaxedMadd",
            "F32x4RelaxedMin",
            "F32x4DemoteF64x2Zero",
        ] {
            assert_eq!(floats_of(name), Floats::AnyNan, "{name}");
        }
        for name in [
            "F32Eq",
            "F64Copysign",
            "F32Neg",
            "F64Abs",
            "I32TruncF64S",
            "F32ConvertI64U",
            "F32x4PMin",
            "F64x2PMax",
            "I32x4TruncSatF32x4S",
            "F64x2ConvertLowI32x4S",
        ] {
            assert_eq!(floats_of(name), Floats::Exact, "{name}");
        }
        for name in [
            "I32Add",
            "F32Load",
            "F64Store",
            "F32Const",
            "I32ReinterpretF32",
            "F64x2Splat",
            "F32x4ExtractLane",
            "I32x4Add",
            "V128Load",
        ] {
            assert_eq!(floats_of(name), Floats::None, "{name}");
        }
    }
}
