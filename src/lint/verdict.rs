//! From what was read to what is reported.

use super::Lint;
use super::features::Feature;
use super::places::{Names, Place};
use super::report::{FeatureUse, Fixed, FunctionTask, REPORT_VERSION, Refusal, Report};
use crate::task::{ModuleKind, hex};
use crate::wasi::{Abi, Function};
use sha2::{Digest, Sha256};

/// The most pages that memories may start with together where the limits say nothing: 4 GiB.
const MAX_PAGES: u64 = 65_536;

/// What the profile fixes by an import: name, what it is fixed to.
pub(super) const FIXED: [(&str, &str); 4] = [
    (
        "clock",
        "every clock reads 1970-01-01T00:01:40Z; the virtual clock advances with the steps",
    ),
    ("sleep", "sleeping returns at once"),
    (
        "random",
        "random bytes follow from the seed; with truebit-v1 they are all 42",
    ),
    ("network", "there are no sockets, and the calls say so"),
];

/// The place in [`FIXED`] of what a function does, if the profile fixes it.
pub(super) fn fixed_by(function: Function) -> Option<usize> {
    Some(match function {
        Function::ClockTimeGet | Function::ClockResGet => 0,
        Function::PollOneoff => 1,
        Function::RandomGet => 2,
        Function::SockAccept | Function::SockRecv | Function::SockSend | Function::SockShutdown => {
            3
        }
        _ => return None,
    })
}

impl Lint<'_> {
    pub(super) fn report(
        mut self,
        name: &str,
        wasm: &[u8],
        invalid: Option<wasmparser::BinaryReaderError>,
    ) -> Report {
        let mut names = Names::default();
        names.want(&self.code.nans.first);
        for found in self.code.features.iter().chain(&self.code.calls) {
            names.want(&found.first);
        }
        if let Some(section) = self.name_section.take() {
            names.read(section);
        }
        let refused = self.refusals(&names, invalid.as_ref());
        let features = Feature::ALL
            .iter()
            .map(|&feature| (feature, &self.code.features[feature as usize]))
            .filter(|(_, found)| found.count > 0)
            .map(|(feature, found)| FeatureUse {
                name: feature,
                supported: feature.is_supported(),
                count: found.count,
                first: names.locate(&found.first),
            })
            .collect();
        let command = matches!(self.start, Some((ModuleKind::Command, _)));
        let preview1_only = !self.imports.is_empty()
            && self
                .imports
                .iter()
                .all(|import| import.known && import.module == Abi::Preview1.module());
        Report {
            version: REPORT_VERSION,
            name: name.to_owned(),
            size: wasm.len() as u64,
            sha256: hex(&Sha256::digest(wasm)),
            runs: refused.is_empty(),
            kind: self.start.map(|(kind, _)| kind),
            refused,
            fixed: self.fixed(&names),
            features,
            float_operators: self.code.floats,
            functions: self.defined,
            code_bytes: self.code_bytes,
            data_bytes: self.data_bytes,
            function_task: FunctionTask {
                likely: command && preview1_only && self.names_input && self.names_output,
                command,
                preview1_only,
                names_input: self.names_input,
                names_output: self.names_output,
            },
            imports: self.imports,
            memories: self.memories,
            tables: self.tables,
        }
    }

    fn fixed(&self, names: &Names) -> Vec<Fixed> {
        let mut fixed = Vec::new();
        for (number, (what, how)) in FIXED.into_iter().enumerate() {
            if self.code.callees.contains(&Some(number)) {
                let calls = &self.code.calls[number];
                fixed.push(Fixed {
                    what,
                    how,
                    count: calls.count,
                    first: names.locate(&calls.first),
                });
            }
        }
        let relaxed = &self.code.features[Feature::RelaxedSimd as usize];
        for (what, how, found) in [
            (
                "floats",
                "every NaN that is computed gets the canonical bits",
                &self.code.nans,
            ),
            (
                "relaxed-simd",
                "of the results that the specification allows, always the same one",
                relaxed,
            ),
        ] {
            if found.count > 0 {
                fixed.push(Fixed {
                    what,
                    how,
                    count: found.count,
                    first: names.locate(&found.first),
                });
            }
        }
        fixed
    }

    fn refusals(
        &self,
        names: &Names,
        invalid: Option<&wasmparser::BinaryReaderError>,
    ) -> Vec<Refusal> {
        let mut refused = Vec::new();
        let mut refuse = |code, message: String, count, first| {
            refused.push(Refusal {
                code,
                message,
                count,
                first,
            });
        };
        let at = |offset| {
            names.locate(&[Place {
                offset,
                function: None,
            }])
        };
        if self.component {
            let message = "it is a WebAssembly component, and tasks are core modules: build for wasm32-wasip1, not wasip2";
            refuse("component", message.to_owned(), 1, at(0));
            return refused;
        }
        for import in self.imports.iter().filter(|import| !import.known) {
            let Some(reason) = import.reason else {
                continue;
            };
            let (module, name) = (&import.module, &import.name);
            let message =
                format!("it imports {module}.{name}, which a task does not have: {reason}");
            refuse("missing-imports", message, 1, at(import.offset));
        }
        let mut unsupported = false;
        for &feature in Feature::ALL
            .iter()
            .filter(|feature| !feature.is_supported())
        {
            let found = &self.code.features[feature as usize];
            if found.count > 0 {
                unsupported = true;
                let code = match feature {
                    Feature::Threads => "threads",
                    _ => "feature",
                };
                let message = format!(
                    "it needs {} ({}), which is not supported: build it without",
                    feature.name(),
                    feature.about()
                );
                refuse(code, message, found.count, names.locate(&found.first));
            }
        }
        match (self.start, invalid) {
            // The mistake is the feature that is named already.
            (_, Some(_)) if unsupported => {}
            (_, Some(error)) => {
                let message = format!("it is not a valid module: {}", error.message());
                refuse("invalid", message, 1, at(error.offset()));
            }
            (Some((kind, index)), None) if !self.takes_nothing(index) => {
                let name = match kind {
                    ModuleKind::Command => "_start",
                    ModuleKind::Reactor => "_initialize",
                };
                let message = format!("its `{name}` must take and return nothing");
                refuse("bad-start", message, 1, Vec::new());
            }
            _ => {}
        }
        if self.start.is_none() {
            let message = "it exports neither `_start` nor `_initialize`, so there is nothing to run: build a program, not a library";
            refuse("no-start", message.to_owned(), 1, Vec::new());
        }
        if !self.imports.is_empty() && !self.exports_memory {
            let message = "it imports functions but exports no memory called `memory`";
            refuse("no-memory", message.to_owned(), 1, Vec::new());
        }
        let ordinary = self
            .memories
            .iter()
            .filter(|memory| memory.page_bytes == 1 << 16);
        let pages = ordinary.fold(0u64, |sum, memory| sum.saturating_add(memory.min));
        if pages > MAX_PAGES {
            let message =
                format!("it asks for {pages} pages of memory at the start; {MAX_PAGES} can be had");
            refuse("memory-too-big", message, 1, Vec::new());
        }
        refused
    }

    fn takes_nothing(&self, function: u32) -> bool {
        let ty = self.functions.get(function as usize);
        let signature = ty.and_then(|&ty| self.types.get(ty as usize));
        matches!(signature, Some(Some((params, results))) if params.is_empty() && results.is_empty())
    }
}
