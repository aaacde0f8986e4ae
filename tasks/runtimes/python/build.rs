//! Compiles the part of Python's library that a task can use to bytecode, which `main.rs` includes.
//!
//! RustPython's own way freezes all of it, twice as much: what opens windows or sockets, starts processes, or teaches.

use rustpython_compiler::{CompileOpts, Mode, compile};
use rustpython_compiler_core::frozen::{FrozenCodeObject, FrozenLib, FrozenModule};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What is left out at the top of the library.
const LEFT_OUT: &[&str] = &[
    "__hello__",
    "__phello__",
    "_aix_support",
    "_android_support",
    "_apple_support",
    "_ios_support",
    "_osx_support",
    "_pyio",
    "_pyrepl",
    "antigravity",
    "bdb",
    "compileall",
    "ctypes",
    "dbm",
    "doctest",
    "ensurepip",
    "ftplib",
    "http",
    "idlelib",
    "imaplib",
    "mailbox",
    "modulefinder",
    "multiprocessing",
    "netrc",
    "nturl2path",
    "pdb",
    "pickletools",
    "poplib",
    "profile",
    "pstats",
    "pty",
    "pyclbr",
    "pydoc",
    "pydoc_data",
    "smtplib",
    "socketserver",
    "sqlite3",
    "ssl",
    "tabnanny",
    "this",
    "tkinter",
    "trace",
    "tty",
    "turtle",
    "turtledemo",
    "venv",
    "webbrowser",
    "wsgiref",
    "xmlrpc",
    "zipapp",
];

/// Of `encodings`, only these: the rest are tables for other alphabets.
const ENCODINGS: &[&str] = &[
    "__init__",
    "aliases",
    "ascii",
    "base64_codec",
    "cp1252",
    "cp437",
    "hex_codec",
    "idna",
    "latin_1",
    "punycode",
    "raw_unicode_escape",
    "rot_13",
    "unicode_escape",
    "utf_16",
    "utf_16_be",
    "utf_16_le",
    "utf_32",
    "utf_32_be",
    "utf_32_le",
    "utf_7",
    "utf_8",
    "utf_8_sig",
];

/// By name of the module.
type Modules = BTreeMap<String, FrozenModule<Vec<u8>>>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=task_setup.py");
    let mut modules = Modules::new();
    add_folder(&mut modules, Path::new(rustpython_pylib::LIB_PATH), "")?;
    add_file(
        &mut modules,
        Path::new("task_setup.py"),
        "task_setup",
        false,
    )?;
    let modules: Vec<_> = modules
        .iter()
        .map(|(name, module)| (name.as_str(), borrowed(module)))
        .collect();
    let library = FrozenLib::encode(modules);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    fs::write(out.join("library.bin"), library.bytes)?;
    Ok(())
}

fn borrowed(module: &FrozenModule<Vec<u8>>) -> FrozenModule<&[u8]> {
    FrozenModule {
        code: FrozenCodeObject {
            bytes: &module.code.bytes,
        },
        package: module.package,
    }
}

fn add_folder(modules: &mut Modules, folder: &Path, package: &str) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .ok_or("an odd file name")?
            .to_owned();
        let wanted = match package {
            "" => !LEFT_OUT.contains(&stem.as_str()),
            "encodings" => ENCODINGS.contains(&stem.as_str()),
            _ => stem != "test" && stem != "tests",
        };
        if !wanted {
            continue;
        }
        let name = if package.is_empty() {
            stem.clone()
        } else {
            format!("{package}.{stem}")
        };
        if path.is_dir() {
            add_folder(modules, &path, &name)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            match stem.as_str() {
                "__init__" => add_file(modules, &path, package, true)?,
                _ => add_file(modules, &path, &name, false)?,
            }
        }
    }
    Ok(())
}

fn add_file(
    modules: &mut Modules,
    path: &Path,
    name: &str,
    package: bool,
) -> Result<(), Box<dyn Error>> {
    let source =
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let code = compile(&source, Mode::Exec, name, CompileOpts::default())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    modules.insert(
        name.to_owned(),
        FrozenModule {
            code: FrozenCodeObject::encode(&code),
            package,
        },
    );
    Ok(())
}
