//! Traps: their names, which every engine gives them, and what they mean.

use super::End;

/// What WebAssembly does not allow. The names follow the specification's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// `unreachable` was executed.
    Unreachable,
    /// Memory was accessed out of bounds.
    MemoryOutOfBounds,
    /// A table was accessed out of bounds.
    TableOutOfBounds,
    /// A null function reference was called.
    IndirectCallToNull,
    /// A function was called as one of another type.
    IndirectCallTypeMismatch,
    /// An integer was divided by zero.
    IntegerDivideByZero,
    /// The result of a division or conversion does not fit.
    IntegerOverflow,
    /// NaN was converted to an integer.
    InvalidConversionToInteger,
}

impl Trap {
    /// A short name that does not change.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::MemoryOutOfBounds => "memory_out_of_bounds",
            Self::TableOutOfBounds => "table_out_of_bounds",
            Self::IndirectCallToNull => "indirect_call_to_null",
            Self::IndirectCallTypeMismatch => "indirect_call_type_mismatch",
            Self::IntegerDivideByZero => "integer_divide_by_zero",
            Self::IntegerOverflow => "integer_overflow",
            Self::InvalidConversionToInteger => "invalid_conversion_to_integer",
        }
    }

    /// What happened, for people.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unreachable => "it executed `unreachable` (a panic or an abort, often)",
            Self::MemoryOutOfBounds => "it accessed memory out of bounds",
            Self::TableOutOfBounds => "it accessed a table out of bounds",
            Self::IndirectCallToNull => "it called through a null function reference",
            Self::IndirectCallTypeMismatch => {
                "it called a function through a pointer of another type"
            }
            Self::IntegerDivideByZero => "it divided an integer by zero",
            Self::IntegerOverflow => "an integer operation overflowed",
            Self::InvalidConversionToInteger => "it converted a float that no integer can hold",
        }
    }

    /// The trap that a browser's `WebAssembly.RuntimeError` tells by its message, of V8 or of
    /// SpiderMonkey; nothing if the message stands for several, or is not known. Neither standard
    /// nor browsers promise these messages, so one that is not known is never guessed at.
    pub fn of_browser(message: &str) -> Option<Self> {
        Some(match message {
            "unreachable" | "unreachable executed" => Self::Unreachable,
            "memory access out of bounds" => Self::MemoryOutOfBounds,
            "table index is out of bounds"
            | "table access out of bounds"
            | "table index out of bounds"
            | "element segment out of bounds" => Self::TableOutOfBounds,
            "indirect call to null" => Self::IndirectCallToNull,
            "indirect call signature mismatch" => Self::IndirectCallTypeMismatch,
            "divide by zero" | "remainder by zero" | "integer divide by zero" => {
                Self::IntegerDivideByZero
            }
            "divide result unrepresentable" | "integer overflow" => Self::IntegerOverflow,
            "invalid conversion to integer" => Self::InvalidConversionToInteger,
            // V8's `float unrepresentable in integer range` and `null function or function
            // signature mismatch`, SpiderMonkey's `index out of bounds`: two traps each.
            _ => return None,
        })
    }
}

impl From<Trap> for End {
    fn from(trap: Trap) -> Self {
        Self::Trap {
            kind: trap.kind(),
            message: trap.message().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_message_that_stands_for_two_traps_is_not_guessed_at() {
        for message in [
            "float unrepresentable in integer range",
            "null function or function signature mismatch",
            "index out of bounds",
            "",
        ] {
            assert_eq!(Trap::of_browser(message), None, "{message}");
        }
        assert_eq!(
            Trap::of_browser("divide result unrepresentable"),
            Some(Trap::IntegerOverflow)
        );
    }
}
