mod bounds;
mod dispatch;
mod hints;
mod registers;
mod zeroing;

use super::{rewrite, shape};
use wasmi::{Engine, Linker, Module, Store, TypedFunc};

/// An instance of a module, and what it has in memory.
struct Instance {
    store: Store<()>,
    instance: wasmi::Instance,
}

impl Instance {
    fn new(wasm: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine)
            .instantiate_and_start(&mut store, &module)
            .unwrap();
        Self { store, instance }
    }

    fn call<P: wasmi::WasmParams, R: wasmi::WasmResults>(&mut self, params: P) -> R {
        let run: TypedFunc<P, R> = self.instance.get_typed_func(&self.store, "run").unwrap();
        run.call(&mut self.store, params).unwrap()
    }

    fn memory(&mut self) -> &mut [u8] {
        let memory = self.instance.get_memory(&self.store, "memory").unwrap();
        memory.data_mut(&mut self.store)
    }
}

#[test]
fn a_module_without_an_interpreter_is_refused() {
    let error = shape(&wat::parse_str("(module (func))").unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0 functions look like the interpreter's loop, instead of one (xtask/src/shape)"
    );
}

#[test]
fn what_tells_places_in_code_is_refused() {
    let with = |section: &str| {
        let text = format!("(module (func) (@custom \"{section}\" \"\"))");
        rewrite(&wat::parse_str(text).unwrap(), |_| Ok(()))
    };
    for section in [
        "metadata.code.branch_hint",
        "reloc.CODE",
        "reloc.DATA",
        "linking",
        ".debug_info",
        ".debug_line",
        "sourceMappingURL",
        "external_debug_info",
    ] {
        let error = with(section).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{section}` would no longer fit")
        );
    }
    for section in ["name", "producers", "target_features", "linked"] {
        assert!(with(section).is_ok(), "{section}");
    }
}
