//! What of a linked module is used, by the linker's own record of what refers to what (`--emit-relocs`; the tool conventions'
//! `Linking.md`).

use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmparser::{
    Data, DataKind, ExternalKind, KnownCustom, Linking, Name, NameSectionReader, Operator, Parser,
    Payload, RelocationEntry, RelocationType, SymbolInfo, TypeRef,
};

/// A function, by its index, or a piece of data, by its place among the symbols.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Node {
    Function(u32),
    Data(u32),
}

/// A linked module's functions and data, and who refers to what.
#[derive(Default)]
pub struct Linked {
    names: BTreeMap<u32, String>,
    exports: BTreeMap<String, u32>,
    /// Addresses of the pieces of data, by their place among the symbols.
    data: BTreeMap<u32, Range<u32>>,
    refers: BTreeMap<Node, BTreeSet<Node>>,
    /// The memory that nobody writes to.
    constant: Vec<Range<u32>>,
}

/// What can be reached.
pub struct Reached {
    /// Names of functions.
    pub functions: BTreeSet<String>,
    /// All names there are; what wasm-bindgen adds later is not among them.
    pub known: BTreeSet<String>,
    /// Addresses of constant data that can't be reached, in order.
    pub unused: Vec<Range<u32>>,
}

/// A segment of data: where it is in the file, and where in memory.
struct Segment {
    file: Range<u64>,
    address: u32,
}

impl Segment {
    fn of(data: &Data<'_>) -> Result<Self> {
        let DataKind::Active { offset_expr, .. } = &data.kind else {
            bail!("a passive segment is not split");
        };
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
            bail!("data whose place is not a constant");
        };
        let end = data.range.end;
        Ok(Self {
            file: end - data.data.len() as u64..end,
            address: value as u32,
        })
    }

    fn addresses(&self) -> Range<u32> {
        self.address..self.address + (self.file.end - self.file.start) as u32
    }
}

/// What of the file the links are found by.
#[derive(Default)]
struct Record<'a> {
    /// Where each section's contents begin: relocations count from there.
    sections: Vec<u64>,
    segments: Vec<Segment>,
    symbols: Vec<SymbolInfo<'a>>,
    /// With the section that each is in.
    relocations: Vec<(u32, RelocationEntry)>,
    /// Where functions and data are in the file.
    places: Vec<(Range<u64>, Node)>,
}

impl Linked {
    /// Reads a module that was linked with `--emit-relocs`.
    pub fn read(wasm: &[u8]) -> Result<Self> {
        let mut linked = Self::default();
        let mut record = Record::default();
        let mut functions = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            if let Some((_, range)) = payload.as_section() {
                record.sections.push(range.start);
            }
            match payload {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        functions += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            let name = without_hash(export.name).to_owned();
                            linked.exports.insert(name, export.index);
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    record
                        .places
                        .push((body.range(), Node::Function(functions)));
                    functions += 1;
                }
                Payload::DataSection(section) => {
                    for data in section {
                        record.segments.push(Segment::of(&data?)?);
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Name(names) => linked.read_names(names, &record.segments)?,
                    KnownCustom::Linking(reader) => {
                        for part in reader.subsections() {
                            if let Linking::SymbolTable(table) = part? {
                                record.symbols = table.into_iter().collect::<Result<_, _>>()?;
                            }
                        }
                    }
                    KnownCustom::Reloc(reader) => {
                        for entry in reader.entries() {
                            record.relocations.push((reader.section_index(), entry?));
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        ensure!(
            !record.relocations.is_empty(),
            "the module was not linked with --emit-relocs"
        );
        linked.place_data(&mut record)?;
        linked.link(record)?;
        Ok(linked)
    }

    fn read_names(&mut self, names: NameSectionReader<'_>, segments: &[Segment]) -> Result<()> {
        for name in names {
            match name? {
                Name::Function(functions) => {
                    for naming in functions {
                        let naming = naming?;
                        let name = rustc_demangle::demangle(naming.name).to_string();
                        let name = without_hash(&name).to_owned();
                        self.names.insert(naming.index, name);
                    }
                }
                Name::Data(named) => {
                    for naming in named {
                        let naming = naming?;
                        let segment = segments
                            .get(naming.index as usize)
                            .context("a name of no segment")?;
                        if naming.name.starts_with(".rodata") {
                            self.constant.push(segment.addresses());
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn place_data(&mut self, record: &mut Record<'_>) -> Result<()> {
        for (at, symbol) in (0..).zip(&record.symbols) {
            let SymbolInfo::Data {
                symbol: Some(data), ..
            } = symbol
            else {
                continue;
            };
            let segment = record
                .segments
                .get(data.index as usize)
                .context("a symbol of no segment")?;
            let start = segment.file.start + u64::from(data.offset);
            let address = segment.address + data.offset;
            record
                .places
                .push((start..start + u64::from(data.size), Node::Data(at)));
            self.data.insert(at, address..address + data.size);
        }
        Ok(())
    }

    fn link(&mut self, record: Record<'_>) -> Result<()> {
        let mut places = record.places;
        places.sort_by_key(|(range, _)| range.start);
        // How far the places up to here reach: a long one may have many in it.
        let mut furthest = 0;
        let reach: Vec<u64> = places
            .iter()
            .map(|(range, _)| {
                furthest = range.end.max(furthest);
                furthest
            })
            .collect();
        for (section, entry) in record.relocations {
            let target = match record.symbols.get(entry.index as usize) {
                _ if entry.ty == RelocationType::TypeIndexLeb => continue,
                Some(SymbolInfo::Func { index, .. }) => Node::Function(*index),
                Some(SymbolInfo::Data {
                    symbol: Some(_), ..
                }) => Node::Data(entry.index),
                _ => continue,
            };
            let start = record
                .sections
                .get(section as usize)
                .context("a relocation of no section")?;
            let place = start + u64::from(entry.offset);
            let before = places.partition_point(|(range, _)| range.start <= place);
            let mut found = false;
            for at in (0..before).rev().take_while(|&at| reach[at] > place) {
                let (range, node) = &places[at];
                if range.contains(&place) {
                    found = true;
                    self.refers.entry(*node).or_default().insert(target);
                }
            }
            ensure!(
                found,
                "what is at {place} of the linked module refers to something, and is nothing"
            );
        }
        Ok(())
    }

    /// The names of the exported functions.
    pub fn exports(&self) -> impl Iterator<Item = &str> {
        self.exports.keys().map(String::as_str)
    }

    /// The names of all functions.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.names.values().map(String::as_str)
    }

    /// What the exports `roots` need, without what is needed only by functions whose name `cut` knows.
    pub fn reach(&self, roots: &dyn Fn(&str) -> bool, cut: &dyn Fn(&str) -> bool) -> Reached {
        let name = |function: u32| self.names.get(&function).map_or("", String::as_str);
        let mut seen: BTreeSet<Node> = BTreeSet::new();
        let exported = self.exports.iter().filter(|(export, _)| roots(export));
        let mut todo: Vec<Node> = exported
            .map(|(_, &function)| Node::Function(function))
            .collect();
        while let Some(node) = todo.pop() {
            if matches!(node, Node::Function(function) if cut(name(function))) {
                continue;
            }
            if seen.insert(node) {
                todo.extend(self.refers.get(&node).into_iter().flatten());
            }
        }
        let functions = self
            .names
            .iter()
            .filter(|&(&function, _)| seen.contains(&Node::Function(function)));
        let constant = |data: &Range<u32>| {
            self.constant
                .iter()
                .any(|all| all.start <= data.start && data.end <= all.end)
        };
        let data = self.data.iter().map(|(&at, data)| {
            (
                data.clone(),
                seen.contains(&Node::Data(at)) || !constant(data),
            )
        });
        Reached {
            functions: functions.map(|(_, name)| name.clone()).collect(),
            known: self.names.values().cloned().collect(),
            unused: unused(data.collect()),
        }
    }
}

/// wasm-bindgen's macros add a hash to what they export, `_` and 16 digits, which wasm-bindgen itself takes off.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((plain, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            plain
        }
        _ => name,
    }
}

/// The addresses that only unused data has, of data and whether it is used; data may overlap.
fn unused(mut data: Vec<(Range<u32>, bool)>) -> Vec<Range<u32>> {
    data.sort_by_key(|(range, _)| range.start);
    let mut unused: Vec<Range<u32>> = Vec::new();
    // Where what is used ends, of all up to here.
    let mut needed = 0;
    for (range, used) in data {
        if used {
            needed = needed.max(range.end);
            // What is behind it stays too then.
            while let Some(last) = unused.pop_if(|last| last.end > range.start) {
                if last.start < range.start {
                    unused.push(last.start..range.start);
                }
            }
            continue;
        }
        let start = range
            .start
            .max(needed)
            .max(unused.last().map_or(0, |last| last.end));
        if start >= range.end {
            continue;
        }
        match unused.last_mut().filter(|last| last.end == start) {
            Some(last) => last.end = range.end,
            None => unused.push(start..range.end),
        }
    }
    unused
}

#[cfg(test)]
mod tests {
    use super::unused;

    #[test]
    fn data_goes_where_nobody_needs_it() {
        let some = vec![
            (0..8, false),
            (8..12, false),
            (12..20, true),
            (20..24, false),
            (30..34, false),
        ];
        assert_eq!(unused(some), [0..12, 20..24, 30..34]);
    }

    #[test]
    fn data_that_overlaps_used_data_stays() {
        let inside = vec![(0..100, false), (10..20, true), (40..44, false)];
        assert_eq!(unused(inside), [0..10, 40..44]);
        let around = vec![
            (0..100, true),
            (10..20, false),
            (90..110, false),
            (200..204, false),
        ];
        assert_eq!(unused(around), [100..110, 200..204]);
        let same = vec![(0..10, false), (0..10, true), (0..4, false)];
        assert_eq!(unused(same), []);
    }
}
