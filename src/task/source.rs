//! Where in its source a module's code came from: by the text that it was assembled from, or by the
//! line table (DWARF's `.debug_line`) that a compiler left in it.

use super::Module;
use super::trapsite::trap_site;
use gimli::{
    DebugLine, DebugLineOffset, EndianSlice, LineProgramHeader, LittleEndian, Reader as _,
};
use serde::Serialize;
use wasmparser::{Parser, Payload};

/// A place in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourcePlace {
    /// The file, as the compiler names it; the module's own name if it was a text.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, if it is known.
    pub column: Option<u64>,
}

/// Where a run was when it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Whereabouts {
    /// The function's index.
    pub function: u32,
    /// Its name in the name section.
    pub name: Option<String>,
    /// The byte of the module where it trapped; where the basic block starts that trapped, if more than
    /// one of its operators can trap like that. `None` if only the function is known.
    pub offset: Option<u32>,
    /// Where that is in the source, if the module tells.
    pub source: Option<SourcePlace>,
}

impl std::fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match self.column {
            Some(column) => write!(f, ":{column}"),
            None => Ok(()),
        }
    }
}

impl Module {
    /// The byte of the operator that trapped, given where its basic block starts and the trap's name:
    /// the only one of the block that can trap like this, or the start if there are several.
    pub fn trap_site(&self, block: u32, trap: &str) -> u32 {
        trap_site(&self.wasm, block, trap)
    }

    /// Where in its source the code at a byte of the module came from.
    pub fn source_place(&self, offset: u32) -> Option<SourcePlace> {
        if let Some(text) = &self.text {
            let position = text.position(&self.wasm, offset.into())?;
            return Some(SourcePlace {
                file: self.info.name.clone(),
                line: position.line.into(),
                column: Some(position.column.into()),
            });
        }
        let tables = Tables::read(&self.wasm)?;
        tables.place(u64::from(offset).checked_sub(tables.code)?)
    }
}

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// The sections with line tables.
struct Tables<'a> {
    /// Where the code section's content starts: addresses count from there.
    code: u64,
    lines: Slice<'a>,
    line_texts: Slice<'a>,
    texts: Slice<'a>,
}

impl<'a> Tables<'a> {
    fn read(wasm: &'a [u8]) -> Option<Self> {
        let none = EndianSlice::new(&[], LittleEndian);
        let mut tables = Self {
            code: 0,
            lines: none,
            line_texts: none,
            texts: none,
        };
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            match payload {
                Payload::CodeSectionStart {
                    unchecked_range, ..
                } => tables.code = unchecked_range.start,
                Payload::CustomSection(section) => {
                    let data = EndianSlice::new(section.data(), LittleEndian);
                    match section.name() {
                        ".debug_line" => tables.lines = data,
                        ".debug_line_str" => tables.line_texts = data,
                        ".debug_str" => tables.texts = data,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        (!tables.lines.is_empty()).then_some(tables)
    }

    /// The place of an address. The tables stand one behind the other, each as long as it says.
    fn place(&self, address: u64) -> Option<SourcePlace> {
        let lines = DebugLine::from(self.lines);
        let mut at = 0;
        while at < self.lines.len() {
            let program = lines.program(DebugLineOffset(at), 4, None, None).ok()?;
            let header = program.header();
            // The length does not count itself: 4 bytes, as wasm's DWARF has 32 bits.
            at += header.unit_length() + 4;
            if let Some(place) = self.place_in(program.clone(), address) {
                return Some(place);
            }
        }
        None
    }

    fn place_in(
        &self,
        program: gimli::IncompleteLineProgram<Slice<'a>>,
        address: u64,
    ) -> Option<SourcePlace> {
        let mut rows = program.rows();
        // The row that holds for the address is the last one before it, within one sequence. What a
        // linker has dropped is told to be at 0, or below it.
        let mut last: Option<(u64, u64, u64, Option<u64>)> = None;
        while let Ok(Some((header, row))) = rows.next_row() {
            if let Some((start, file, line, column)) = last
                && (start..row.address()).contains(&address)
                && start != 0
            {
                return Some(SourcePlace {
                    file: self.file(header, file)?,
                    line,
                    column,
                });
            }
            last = match row.end_sequence() {
                true => None,
                false => Some((
                    row.address(),
                    row.file_index(),
                    row.line().map_or(0, |line| line.get()),
                    match row.column() {
                        gimli::ColumnType::LeftEdge => None,
                        gimli::ColumnType::Column(column) => Some(column.get()),
                    },
                )),
            };
        }
        None
    }

    fn file(&self, header: &LineProgramHeader<Slice<'a>>, index: u64) -> Option<String> {
        let file = header.file(index)?;
        let name = self.text(file.path_name())?;
        let folder = file.directory(header).and_then(|folder| self.text(folder));
        Some(match folder {
            Some(folder) if !name.starts_with('/') && !folder.is_empty() => {
                format!("{folder}/{name}")
            }
            _ => name,
        })
    }

    fn text(&self, value: gimli::AttributeValue<Slice<'a>>) -> Option<String> {
        use gimli::AttributeValue as V;
        let from = |mut section: Slice<'a>, offset: usize| {
            section.skip(offset).ok()?;
            section.read_null_terminated_slice().ok()
        };
        let text = match value {
            V::String(text) => text,
            V::DebugLineStrRef(offset) => from(self.line_texts, offset.0)?,
            V::DebugStrRef(offset) => from(self.texts, offset.0)?,
            _ => return None,
        };
        Some(text.to_string_lossy().into_owned())
    }
}
