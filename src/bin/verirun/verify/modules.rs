//! The modules that receipts are checked with, found by their digests.

use std::io;
use std::path::{Path, PathBuf};
use verirun::receipt::{Envelope, Refusal};
use verirun::{LoadError, Module};

/// A module that was given can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// It can't be read.
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It can't run.
    #[error("{0}\n{hint}", hint = .0.hint())]
    Load(#[from] LoadError),
}

/// Modules, by digest.
#[derive(Default)]
pub struct Modules {
    found: Vec<Module>,
    /// Whether one was named, rather than looked for.
    named: bool,
    any: bool,
}

impl Modules {
    /// Reads files, and all modules in folders; what is no module in a folder is passed over.
    pub fn read(paths: &[PathBuf]) -> Result<Self, ModuleError> {
        let mut modules = Self::default();
        for path in paths {
            modules.any = true;
            let wrap = |cause| ModuleError::Read {
                path: path.clone(),
                cause,
            };
            if !path.is_dir() {
                let bytes = std::fs::read(path).map_err(wrap)?;
                modules.add(Module::load(&path.to_string_lossy(), &bytes)?);
                continue;
            }
            for entry in std::fs::read_dir(path).map_err(wrap)? {
                let file = entry.map_err(wrap)?.path();
                modules.found.extend(load(&file));
            }
        }
        Ok(modules)
    }

    /// Adds one that was named.
    pub fn add(&mut self, module: Module) {
        self.any = true;
        self.named = true;
        self.found.push(module);
    }

    /// The module of a receipt that lies at `path`.
    pub fn of(&self, envelope: &Envelope, path: &Path) -> Result<Module, Refusal> {
        let fits = |module: &&Module| envelope.check_module(&module.info).is_ok();
        if let Some(module) = self.found.iter().find(fits) {
            return Ok(module.clone());
        }
        if let ([module], true) = (&self.found[..], self.named) {
            envelope.check_module(&module.info)?;
        }
        let name = envelope
            .given
            .as_ref()
            .and_then(|given| given.module.as_deref());
        // Only a name: a receipt must not say where on this machine to look.
        let name = name.and_then(|name| Path::new(name).file_name());
        if let (Some(name), false) = (name, self.any) {
            let beside = path.parent().unwrap_or(Path::new("")).join(name);
            let places = [beside, PathBuf::from(name)];
            let mut loaded = places.iter().filter_map(|path| load(path));
            if let Some(module) = loaded.find(|module| fits(&module)) {
                return Ok(module);
            }
        }
        let wanted = envelope.receipt.task.module;
        Err(Refusal::Missing(format!(
            "the module is missing ({wanted}); give it with --module"
        )))
    }
}

/// The module in a file that may be none.
fn load(path: &Path) -> Option<Module> {
    let is_module = path
        .extension()
        .is_some_and(|extension| extension == "wasm" || extension == "wat");
    if !is_module || !path.is_file() {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    Module::load(&path.to_string_lossy(), &bytes).ok()
}
