//! Which operator of a basic block trapped: the block is known, and what kind of trap it was.

use wasmparser::{FunctionBody, Operator, Parser, Payload};

/// The operator that trapped, by its byte in the module, given where its basic block starts: the only
/// one of the block that can trap like this, or the start if there are several.
pub(super) fn trap_site(wasm: &[u8], block: u32, kind: &str) -> u32 {
    only_site(wasm, u64::from(block), kind).unwrap_or(block)
}

fn only_site(wasm: &[u8], block: u64, kind: &str) -> Option<u32> {
    let body = body_around(wasm, block)?;
    let operators = body.get_operators_reader().ok()?.into_iter_with_offsets();
    let mut found = None;
    for (operator, at) in operators.map_while(Result::ok) {
        if at < block {
            continue;
        }
        if can_trap(kind, &operator) && found.replace(at).is_some() {
            return None;
        }
        if ends_block(&operator) {
            break;
        }
    }
    u32::try_from(found?).ok()
}

fn body_around(wasm: &[u8], offset: u64) -> Option<FunctionBody<'_>> {
    let mut payloads = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    payloads.find_map(|payload| match payload {
        Payload::CodeSectionEntry(body) if body.range().contains(&offset) => Some(body),
        _ => None,
    })
}

fn ends_block(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::Unreachable
            | O::If { .. }
            | O::Else
            | O::Loop { .. }
            | O::End
            | O::Br { .. }
            | O::BrIf { .. }
            | O::BrTable { .. }
            | O::Return
            | O::Call { .. }
            | O::CallIndirect { .. }
            | O::ReturnCall { .. }
            | O::ReturnCallIndirect { .. }
    )
}

/// Whether an operator can trap in this way. Kinds that are not told apart here have no operator.
#[rustfmt::skip]
fn can_trap(kind: &str, operator: &Operator<'_>) -> bool {
    use Operator as O;
    match kind {
        "unreachable" => matches!(operator, O::Unreachable),
        "integer_divide_by_zero" => matches!(
            operator,
            O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU
            | O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU
        ),
        "integer_overflow" => matches!(operator, O::I32DivS | O::I64DivS) || truncates(operator),
        "invalid_conversion_to_integer" => truncates(operator),
        "indirect_call_to_null" | "indirect_call_type_mismatch" => {
            matches!(operator, O::CallIndirect { .. } | O::ReturnCallIndirect { .. })
        }
        "table_out_of_bounds" => matches!(
            operator,
            O::CallIndirect { .. } | O::ReturnCallIndirect { .. } | O::TableGet { .. }
            | O::TableSet { .. } | O::TableFill { .. } | O::TableCopy { .. } | O::TableInit { .. }
        ),
        "memory_out_of_bounds" => accesses_memory(operator),
        _ => false,
    }
}

#[rustfmt::skip]
fn truncates(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::I32TruncF32S | O::I32TruncF32U | O::I32TruncF64S | O::I32TruncF64U
        | O::I64TruncF32S | O::I64TruncF32U | O::I64TruncF64S | O::I64TruncF64U
    )
}

#[rustfmt::skip]
fn accesses_memory(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::I32Load { .. } | O::I64Load { .. } | O::F32Load { .. } | O::F64Load { .. }
        | O::I32Load8S { .. } | O::I32Load8U { .. } | O::I32Load16S { .. } | O::I32Load16U { .. }
        | O::I64Load8S { .. } | O::I64Load8U { .. } | O::I64Load16S { .. } | O::I64Load16U { .. }
        | O::I64Load32S { .. } | O::I64Load32U { .. }
        | O::I32Store { .. } | O::I64Store { .. } | O::F32Store { .. } | O::F64Store { .. }
        | O::I32Store8 { .. } | O::I32Store16 { .. } | O::I64Store8 { .. } | O::I64Store16 { .. }
        | O::I64Store32 { .. }
        | O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. }
        | O::V128Load { .. } | O::V128Load8x8S { .. } | O::V128Load8x8U { .. }
        | O::V128Load16x4S { .. } | O::V128Load16x4U { .. } | O::V128Load32x2S { .. }
        | O::V128Load32x2U { .. } | O::V128Load8Splat { .. } | O::V128Load16Splat { .. }
        | O::V128Load32Splat { .. } | O::V128Load64Splat { .. } | O::V128Load32Zero { .. }
        | O::V128Load64Zero { .. } | O::V128Store { .. } | O::V128Load8Lane { .. }
        | O::V128Load16Lane { .. } | O::V128Load32Lane { .. } | O::V128Load64Lane { .. }
        | O::V128Store8Lane { .. } | O::V128Store16Lane { .. } | O::V128Store32Lane { .. }
        | O::V128Store64Lane { .. }
    )
}
