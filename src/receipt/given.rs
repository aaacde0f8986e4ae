//! What stands beside a receipt, outside of its id: the values that a second run needs and that the
//! receipt only has digests of. A reader trusts none of it before the digests match.

use super::checkpoints::{self, CheckpointEntry};
use super::digest::{joined, unhex};
use super::tree::InputFile;
use crate::task::{Input, hex};
use crate::wasi::Pushed;
use crate::{Module, Run, Task};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Standard input of more bytes than this is not copied beside the receipt.
pub const MAX_STDIN: usize = 64 << 10;

/// More input files than this are not listed beside the receipt.
pub const MAX_LISTED: usize = 1000;

/// What a second run needs beside the module and the files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Given {
    /// What the module's file was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<Text>>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<Text>>,
    /// Standard input that was there from the start, if it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Text>,
    /// What was given to live standard input, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<Vec<Event>>,
    /// The input files by name and digest, if they are few: with them a verifier can tell which one
    /// is different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<InputFile>>,
    /// The checkpoints, each without what is as in the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Vec<CheckpointEntry>>,
    /// The fault that was made on purpose in the run, as `--inject-fault` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What made the receipt, such as `verirun 0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Bytes: in JSON a string if they are UTF-8, else `{"hex": "..."}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hex {
    hex: String,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a string, or an object with `hex`")]
enum TextForm {
    Text(String),
    Hex(Hex),
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Hex { hex: hex(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TextForm::deserialize(deserializer)? {
            TextForm::Text(text) => Ok(Self(text.into_bytes())),
            TextForm::Hex(Hex { hex }) => unhex(&hex).map(Self).ok_or_else(|| {
                de::Error::custom("`hex` must be lower-case hexadecimal digits, two a byte")
            }),
        }
    }
}

/// Something that happened to live input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// How many calls the guest had completed.
    pub calls: super::Quantity,
    /// What was given; nothing for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Text>,
}

impl Given {
    pub(super) fn of(run: &Run, files: Vec<InputFile>) -> Self {
        let Task {
            args, env, stdin, ..
        } = run.task();
        let texts = |items: &[Vec<u8>]| Some(items.iter().cloned().map(Text).collect());
        let events = |log: &[Pushed]| Some(joined(log).into_iter().map(Event::from).collect());
        Self {
            module: Self::name_of(run.module()),
            args: texts(args),
            env: texts(env),
            stdin: match stdin {
                Input::Bytes(bytes) if bytes.len() <= MAX_STDIN => Some(Text(bytes.clone())),
                _ => None,
            },
            pushed: match stdin {
                Input::Bytes(_) => None,
                Input::Live { .. } => events(run.pushed()),
                Input::Script { pushed, .. } => events(pushed),
            },
            files: (1..=MAX_LISTED).contains(&files.len()).then_some(files),
            checkpoints: run.checkpoints().as_ref().map(checkpoints::list),
            fault: run.fault().map(|fault| fault.to_string()),
            by: Some(concat!("verirun ", env!("CARGO_PKG_VERSION")).to_owned()),
        }
    }
}

impl Given {
    /// What the module's file is called: where its folder lies is nobody's business.
    pub(super) fn name_of(module: &Module) -> Option<String> {
        let name = module.info.name.rsplit(['/', '\\']).next()?;
        (!name.is_empty()).then(|| name.to_owned())
    }
}

impl From<Pushed> for Event {
    fn from(pushed: Pushed) -> Self {
        Self {
            calls: super::Quantity(pushed.calls),
            bytes: pushed.bytes.map(Text),
        }
    }
}

impl From<&Event> for Pushed {
    fn from(event: &Event) -> Self {
        Self {
            calls: event.calls.0,
            bytes: event.bytes.as_ref().map(|text| text.0.clone()),
        }
    }
}
