//! Names of functions, as a module's name section has them.

use super::Module;
use std::collections::BTreeMap;
use wasmparser::{KnownCustom, Name, Parser, Payload};

impl Module {
    /// What the name section calls a function, by its index.
    pub fn function_name(&self, function: u32) -> Option<String> {
        self.function_names().remove(&function)
    }

    /// What the name section calls each function, by index. The section is only a hint, and may be
    /// wrong in any way: what can't be read is left out.
    pub fn function_names(&self) -> BTreeMap<u32, String> {
        let mut names = BTreeMap::new();
        for payload in Parser::new(0).parse_all(&self.wasm).map_while(Result::ok) {
            let Payload::CustomSection(section) = payload else {
                continue;
            };
            let KnownCustom::Name(section) = section.as_known() else {
                continue;
            };
            for subsection in section.into_iter().map_while(Result::ok) {
                let Name::Function(map) = subsection else {
                    continue;
                };
                for naming in map.into_iter().map_while(Result::ok) {
                    names.insert(naming.index, naming.name.to_owned());
                }
            }
        }
        names
    }
}
