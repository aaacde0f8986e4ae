//! The text format: assembling it, and telling where in the text a place of the binary came from.

use std::ops::Range;
use std::path::Path;
use wasmparser::{Parser, Payload};
use wast::Wat;
use wast::core::{FuncKind, ModuleField, ModuleKind};
use wast::parser::{self, ParseBuffer};

/// A place in a text, as people count: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    fn at(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line = before.matches('\n').count() + 1;
        let column = before
            .chars()
            .rev()
            .take_while(|&char| char != '\n')
            .count()
            + 1;
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

/// Why a text is no module.
pub(super) struct TextProblem {
    pub position: Position,
    /// What is wrong, in one line.
    pub message: String,
    /// The same with the place, and the line of the text.
    pub report: String,
}

/// Where the operators of an assembled module came from.
#[derive(Debug)]
pub(super) struct TextMap {
    text: String,
    /// For each function with code, in order: where in the text it is, and each of its operators.
    functions: Vec<(usize, Vec<u32>)>,
}

/// Assembles a module. Of a text with something wrong nothing is assembled.
pub(super) fn assemble(name: &str, text: &str) -> Result<(Vec<u8>, TextMap), TextProblem> {
    let problem = |mut error: wast::Error| {
        error.set_path(Path::new(name));
        error.set_text(text);
        TextProblem {
            position: Position::at(text, error.span().offset()),
            message: error.message(),
            report: error.to_string(),
        }
    };
    let mut buffer = ParseBuffer::new(text).map_err(problem)?;
    buffer.track_instr_spans(true);
    let mut wat = parser::parse::<Wat>(&buffer).map_err(problem)?;
    let wasm = wat.encode().map_err(problem)?;
    let mut functions = Vec::new();
    if let Wat::Module(module) = &wat
        && let ModuleKind::Text(fields) = &module.kind
    {
        for field in fields {
            if let ModuleField::Func(function) = field
                && let FuncKind::Inline { expression, .. } = &function.kind
            {
                let spans = expression.instr_spans.iter().flatten();
                let spans = spans.map(|span| span.offset() as u32).collect();
                functions.push((function.span.offset(), spans));
            }
        }
    }
    let text = text.to_owned();
    Ok((wasm, TextMap { text, functions }))
}

impl TextMap {
    /// Where in the text the operator at this byte of the binary came from. Behind a function's last
    /// operator that is where this one is: `end` may be written nowhere.
    pub fn position(&self, wasm: &[u8], offset: u64) -> Option<Position> {
        let mut bodies = Parser::new(0)
            .parse_all(wasm)
            .map_while(Result::ok)
            .filter_map(|payload| match payload {
                Payload::CodeSectionEntry(body) => Some(body),
                _ => None,
            });
        let (index, body) = bodies
            .by_ref()
            .enumerate()
            .find(|(_, body)| contains(&body.range(), offset))?;
        let (function, spans) = self.functions.get(index)?;
        let operators = body.get_operators_reader().ok()?.into_iter_with_offsets();
        let before = operators
            .map_while(Result::ok)
            .take_while(|&(_, at)| at <= offset)
            .count();
        let span = spans.get(before.saturating_sub(1)).or(spans.last());
        let at = span.map_or(*function, |&span| span as usize);
        Some(Position::at(&self.text, at))
    }
}

fn contains(range: &Range<u64>, offset: u64) -> bool {
    range.start <= offset && offset <= range.end
}
