//! Receipts, packages and links for JavaScript (`docs/receipt.md`).

use super::sign::{Checked, checked};
use super::{ARCHIVE_LIMIT, Run, Task, options, throw, to_js};
use crate::fs::{Filesystem, entries};
use crate::receipt::{
    Brought, Difference, Digest, Envelope, LinkError, NoReceipt, PackageError, Receipt, TaskPart,
    Unpacked, Verdict, compare, compare_tasks, from_link, pack, pack_linked, read_linked,
    read_package, to_link,
};
use crate::task::{Input, Module, Task as Inputs};
use js_sys::{Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wasm_bindgen::prelude::*;

/// The most bytes that a link may unpack to: it has at most 60 000 characters, and what people share
/// in one compresses to a tenth, not to a thousandth.
const LINK_LIMIT: u64 = 16 << 20;

impl From<PackageError> for JsValue {
    fn from(error: PackageError) -> Self {
        let code = match &error {
            PackageError::OtherTask { .. } => "other-task",
            PackageError::TooBig(_) => "package-too-big",
            _ => "bad-package",
        };
        throw(code, &error.to_string(), error.hint())
    }
}

impl From<NoReceipt> for JsValue {
    fn from(error: NoReceipt) -> Self {
        throw("no-receipt", &error.to_string(), "")
    }
}

impl From<LinkError> for JsValue {
    fn from(error: LinkError) -> Self {
        let code = match &error {
            LinkError::Version(_) => "link-version",
            LinkError::Empty => "link-empty",
            LinkError::TooLong(_) => "link-too-long",
            LinkError::Character { .. } => "link-character",
            LinkError::Cut => "link-cut",
            LinkError::Damaged => "link-damaged",
            LinkError::TooBig(_) => "link-bomb",
        };
        throw(code, &error.to_string(), error.hint())
    }
}

/// [`Verdict`] for JavaScript.
#[derive(Serialize)]
struct VerdictFields {
    verdict: &'static str,
    message: Option<String>,
    difference: Option<Difference>,
}

/// A verdict as JavaScript sees it: `{verdict: "verified" | "mismatch" | "cannot-tell", message,
/// difference}`.
pub(super) fn verdict_to_js(verdict: Verdict) -> Result<JsValue, JsValue> {
    let (verdict, message, difference) = match verdict {
        Verdict::Verified => ("verified", None, None),
        Verdict::Mismatch(difference) => {
            ("mismatch", Some(difference.to_string()), Some(difference))
        }
        Verdict::CannotTell(what) => ("cannot-tell", Some(what), None),
    };
    to_js(&VerdictFields {
        verdict,
        message,
        difference,
    })
}

#[derive(Serialize)]
struct ReceiptFields<'a> {
    #[serde(flatten)]
    envelope: &'a Envelope,
    /// The digest of the file.
    sha256: Digest,
    /// Whether the list of input files that stands beside it is the one in it.
    listed: bool,
    /// Who signed it.
    signers: Vec<Checked>,
}

/// Reads a receipt strictly: `{id, receipt, given, sha256, listed, signers}`, the last
/// `{key, valid}` each.
#[wasm_bindgen(js_name = readReceipt)]
pub fn read_receipt(text: &[u8]) -> Result<JsValue, JsValue> {
    let envelope = Envelope::parse(text)?;
    to_js(&ReceiptFields {
        sha256: Digest::of(text),
        listed: envelope.listed_files().is_some(),
        signers: checked(&envelope),
        envelope: &envelope,
    })
}

#[wasm_bindgen]
impl Run {
    /// The file of the receipt, as `verirun run --receipt` writes it. Throws why there is none.
    pub fn receipt(&self) -> Result<String, JsValue> {
        Ok(Envelope::of(&self.run, &self.streams.borrow())?.to_text())
    }

    /// What comparing this run, which has ended, with a receipt comes to.
    pub fn compare(&self, receipt: &[u8]) -> Result<JsValue, JsValue> {
        let said = Envelope::parse(receipt)?;
        verdict_to_js(self.verdict(&said))
    }
}

impl Run {
    pub(super) fn verdict(&self, said: &Envelope) -> Verdict {
        match Receipt::of(&self.run, &self.streams.borrow()) {
            Err(error) => Verdict::CannotTell(error.to_string()),
            Ok((found, _)) => match compare(&said.receipt, &found) {
                None => Verdict::Verified,
                Some(difference) => Verdict::Mismatch(difference),
            },
        }
    }
}

#[wasm_bindgen]
impl Task {
    /// The task as a package file, with its receipt if that is given. `options` are those of
    /// [`Task::start`]; live input is what was typed in the receipt's run, or still to be typed.
    pub fn pack(&self, options: &Object, receipt: Option<Vec<u8>>) -> Result<Uint8Array, JsValue> {
        let (module, task, receipt) = self.packed(options, receipt)?;
        let bytes = pack(module, &task, receipt.as_ref())?;
        Ok(Uint8Array::from(&bytes[..]))
    }

    /// The task as the fragment of a link, without `#`. With `url` the module is left out and is to
    /// be fetched from there. Throws `link-too-long` if it gets too long.
    pub fn link(
        &self,
        options: &Object,
        receipt: Option<Vec<u8>>,
        url: Option<String>,
    ) -> Result<String, JsValue> {
        let (module, task, receipt) = self.packed(options, receipt)?;
        let bytes = match url {
            Some(url) => pack_linked(module, &task, receipt.as_ref(), &url)?,
            None => pack(module, &task, receipt.as_ref())?,
        };
        Ok(to_link(&bytes)?)
    }

    /// Whether the task that is set up is the receipt's: `undefined`, or the first difference.
    #[wasm_bindgen(js_name = checkReceipt)]
    pub fn check_receipt(&self, options: &Object, receipt: &[u8]) -> Result<JsValue, JsValue> {
        let (module, task, said) = self.packed(options, Some(receipt.to_vec()))?;
        let found = TaskPart::of(module, &task)?;
        let difference = said.and_then(|said| compare_tasks(&said.receipt.task, &found));
        difference.map_or(Ok(JsValue::UNDEFINED), |difference| to_js(&difference))
    }

    /// Puts the input files of a package into the task, links and read-only files too; returns the
    /// number of paths. Nothing is put there from a bad one.
    #[wasm_bindgen(js_name = mountPackage)]
    pub fn mount_package(&mut self, bytes: &[u8]) -> Result<usize, JsValue> {
        let package = read_package(bytes, ARCHIVE_LIMIT)?;
        self.inputs.files = package.task.files;
        Ok(package.manifest.files.len())
    }
}

impl Task {
    /// What is put into a package.
    fn packed(
        &self,
        options: &Object,
        receipt: Option<Vec<u8>>,
    ) -> Result<(&Module, Inputs, Option<Envelope>), JsValue> {
        let module = self.loaded()?;
        let mut task = options::task(module, &self.inputs, options)?;
        let receipt = receipt.map(|text| Envelope::parse(&text)).transpose()?;
        if let Input::Live { terminal } = task.stdin {
            let brought = Brought {
                files: Some(task.files.clone()),
                ..Brought::default()
            };
            let again = receipt.as_ref().map(|envelope| envelope.task(brought));
            let typed = match again {
                Some(Ok(again)) => Some(again.stdin),
                _ => None,
            };
            // If it can't be had, packing tells that the receipt is of another task.
            task.stdin = typed.unwrap_or(Input::Script {
                terminal,
                pushed: Vec::new(),
            });
        }
        Ok((module, task, receipt))
    }
}

/// Sets a property of an object that is ours; that can't fail.
fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    let _ = Reflect::set(object, &name.into(), &value.into());
}

/// What is in a package or link, for JavaScript: see [`open_package`].
fn unpacked_to_js(unpacked: Unpacked) -> Result<Object, JsValue> {
    let object = Object::new();
    set(&object, "manifest", to_js(&unpacked.manifest)?);
    if let Some(module) = &unpacked.module {
        set(&object, "module", Uint8Array::from(&module[..]));
    }
    if let Some(url) = unpacked.url {
        set(&object, "url", url);
    }
    if let Input::Bytes(bytes) = &unpacked.task.stdin {
        set(&object, "stdin", Uint8Array::from(&bytes[..]));
    }
    let files = Array::new();
    let tree: &Filesystem = &unpacked.task.files;
    for entry in entries(tree) {
        let content = tree.find(&entry.path).and_then(|ino| tree.content(ino));
        let Ok(content) = content else { continue };
        let mut bytes = vec![0; content.len() as usize];
        content.read_at(0, &mut bytes);
        let file = Object::new();
        set(&file, "path", entry.path);
        set(&file, "bytes", Uint8Array::from(&bytes[..]));
        files.push(&file);
    }
    set(&object, "files", files);
    if let Some(receipt) = &unpacked.receipt {
        set(&object, "receipt", receipt.to_text());
    }
    Ok(object)
}

/// Reads a package; nothing of it is run. `{manifest, module, stdin?, files, receipt?}`: what its
/// `task.json` says, the module's bytes, standard input unless it is live, the regular files with
/// their bytes, and the receipt's text.
#[wasm_bindgen(js_name = openPackage)]
pub fn open_package(bytes: &[u8]) -> Result<Object, JsValue> {
    unpacked_to_js(read_package(bytes, ARCHIVE_LIMIT)?)
}

/// Reads the fragment of a link, as [`open_package`] does a package. It may have `url`, where the
/// module is to be fetched, in place of `module`.
#[wasm_bindgen(js_name = openLink)]
pub fn open_link(fragment: &str) -> Result<Object, JsValue> {
    let bytes = from_link(fragment, LINK_LIMIT)?;
    unpacked_to_js(read_linked(&bytes, LINK_LIMIT)?)
}

/// SHA-256 of bytes that come in pieces.
#[wasm_bindgen]
#[derive(Default)]
pub struct Hasher {
    hasher: Sha256,
}

#[wasm_bindgen]
impl Hasher {
    /// Of nothing so far.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The digest of what was added, in hex.
    pub fn digest(&self) -> String {
        Digest(self.hasher.clone().finalize().into()).to_string()
    }
}

/// What a module is, as [`Task::load_module`] tells, without loading it into a task.
#[wasm_bindgen(js_name = moduleInfo)]
pub fn module_info(name: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
    let module = Module::load(name, bytes).map_err(crate::StartError::from)?;
    to_js(&module.info)
}
