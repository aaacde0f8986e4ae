//! Names of functions, as a module's name section has them; those that Rust made unreadable are made
//! readable again.

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
                    names.insert(naming.index, readable(naming.name));
                }
            }
        }
        names
    }
}

/// A symbol of Rust as it stood in the source, without the hash; any other name as it is.
fn readable(name: &str) -> String {
    match rustc_demangle::try_demangle(name) {
        Ok(symbol) => format!("{symbol:#}"),
        Err(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn symbols_of_rust_are_readable_and_other_names_stay() {
        for (name, shown) in [
            ("_ZN4tour4main17hee649962e42c29a4E", "tour::main"),
            (
                "_RNvCskwGfYPst2Cb_3foo16example_function",
                "foo::example_function",
            ),
            ("parse_header", "parse_header"),
            ("_ZN", "_ZN"),
            ("", ""),
        ] {
            assert_eq!(readable(name), shown);
        }
    }
}
