//! Runs a Python program as a task: RustPython, with the part of Python's library that a task can use.
//!
//! The first argument is the program, `/task.py` if there is none; the rest are the program's own.

use rustpython_vm::compiler::core::frozen::FrozenLib;
use rustpython_vm::{InterpreterBuilder, PyResult, Settings, VirtualMachine};
use std::env;

/// The program that runs if no argument names one: a function task has no arguments of its own.
const DEFAULT_PROGRAM: &str = "/task.py";

/// What `build.rs` made of the library.
static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));

fn main() {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.is_empty() {
        arguments.push(DEFAULT_PROGRAM.to_owned());
    }
    let program = arguments[0].clone();
    let mut settings = Settings::default();
    settings.argv = arguments;
    // A program that imports its own modules would leave `__pycache__` among the files that it changed.
    settings.write_bytecode = false;
    settings.import_site = false;
    settings.install_signal_handlers = false;

    let builder = InterpreterBuilder::new().settings(settings);
    let modules = rustpython_stdlib::stdlib_module_defs(&builder.ctx);
    let library: &'static FrozenLib = FrozenLib::from_ref(LIBRARY);
    let interpreter = builder
        .add_native_modules(&modules)
        .add_frozen_modules(library)
        .interpreter();
    let code = interpreter.run(|vm| run(vm, &program));
    std::process::exit(code.cast_signed());
}

fn run(vm: &VirtualMachine, program: &str) -> PyResult<()> {
    let scope = vm.new_scope_with_main()?;
    vm.import("task_setup", 0)?;
    if let Err(error) = std::fs::metadata(program) {
        eprintln!("cannot read the program {program}: {error}");
        return Err(vm.new_system_exit(vec![vm.ctx.new_int(2).into()].into()));
    }
    // Modules beside the program are found as in any other Python.
    let folder = program.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = if folder.is_empty() { "/" } else { folder };
    vm.insert_sys_path(vm.ctx.new_str(folder).into())?;
    vm.run_any_file(scope, program)
}
