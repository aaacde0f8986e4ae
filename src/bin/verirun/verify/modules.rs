//! The modules that receipts are checked with, found by their digests.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use verirun::receipt::{Digest, Envelope, Refusal};
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
    /// Files in folders that may be modules, with their sizes. They are read when one is wanted.
    files: Vec<(PathBuf, u64)>,
    /// What was found in folders, by digest.
    loaded: Mutex<BTreeMap<Digest, Module>>,
    /// Whether one was named, rather than looked for.
    named: bool,
    any: bool,
}

impl Modules {
    /// Reads files, and looks through folders, however deep, but not through links to folders; what
    /// is no module there, or can't be read, is passed over.
    pub fn read(paths: &[PathBuf]) -> Result<Self, ModuleError> {
        let mut modules = Self::default();
        for path in paths {
            modules.any = true;
            let wrap = |cause| ModuleError::Read {
                path: path.clone(),
                cause,
            };
            if !path.is_dir() {
                let bytes = fs::read(path).map_err(wrap)?;
                modules.add(Module::load(&path.to_string_lossy(), &bytes)?);
                continue;
            }
            fs::read_dir(path).map_err(wrap)?;
            modules.look_through(path);
        }
        modules.files.sort();
        Ok(modules)
    }

    fn look_through(&mut self, folder: &Path) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    Ok(_) if may_be_module(&path) => match fs::metadata(&path) {
                        Ok(found) if found.is_file() => self.files.push((path, found.len())),
                        _ => {}
                    },
                    _ => {}
                }
            }
        }
    }

    /// The module with this digest among the files of the folders.
    fn look_up(&self, envelope: &Envelope) -> Option<Module> {
        let wanted = envelope.receipt.task.module;
        // A thread that panicked leaves whole modules behind.
        let lock = || self.loaded.lock().unwrap_or_else(|lock| lock.into_inner());
        if let Some(module) = lock().get(&wanted.sha256) {
            return Some(module.clone());
        }
        // Only a binary has the size that the receipt says; a text becomes one.
        let may_fit = |(path, size): &&(PathBuf, u64)| {
            *size == wanted.size.0 || path.extension().is_some_and(|extension| extension == "wat")
        };
        let mut loaded = self
            .files
            .iter()
            .filter(may_fit)
            .filter_map(|(path, _)| load(path));
        let module = loaded.find(|module| envelope.check_module(&module.info).is_ok())?;
        lock().insert(wanted.sha256, module.clone());
        Some(module)
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
        if let Some(module) = self.look_up(envelope) {
            return Ok(module);
        }
        if let ([module], true, true) = (&self.found[..], self.named, self.files.is_empty()) {
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

/// Whether a file is called as modules are.
fn may_be_module(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "wasm" || extension == "wat")
}

/// The module in a file that may be none.
fn load(path: &Path) -> Option<Module> {
    if !may_be_module(path) || !path.is_file() {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    Module::load(&path.to_string_lossy(), &bytes).ok()
}
