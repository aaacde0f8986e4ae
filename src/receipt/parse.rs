//! The file that holds a receipt, and reading it strictly.

use super::digest::Digest;
use super::format::{
    FORMAT_VERSION, NoReceipt, OutcomeKind, RandomSource, Receipt, StdinKind, TaskPart,
};
use super::given::Given;
use super::signature::{MAX_SIGNATURES, Signature};
use super::strict::Strict;
use super::{Streams, shown};
use crate::Run;
use crate::checkpoint::Checkpoints;
use crate::fs::{Change, Kind, MAX_PATH};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most bytes that a receipt's file may have.
pub const MAX_RECEIPT: usize = 64 << 20;

/// A receipt with its id, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The receipt's id.
    pub id: Digest,
    /// The receipt.
    pub receipt: Receipt,
    /// What a second run needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// Who stands for it, sorted by key. Whether they are right, [`Envelope::signers`] tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Vec<Signature>>,
}

/// Why a file is no receipt that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// It is too long.
    #[error("the receipt has {0} bytes; one has at most {MAX_RECEIPT}")]
    TooLong(usize),
    /// It is no JSON, or a name comes twice in it.
    #[error("the receipt is no JSON as it should be: {0}")]
    Json(#[source] serde_json::Error),
    /// It has no version where one should be.
    #[error("this is no receipt or task of Verirun: it has no number at `{0}`")]
    NoVersion(&'static str),
    /// Made by another version.
    #[error("it has format version {found}; this Verirun reads version {known}")]
    Version {
        /// The version that stands there.
        found: String,
        /// The version that can be read.
        known: u64,
    },
    /// A field is wrong.
    #[error("the receipt's field `{field}` is wrong: {cause}")]
    Field {
        /// Its full name.
        field: String,
        /// What is wrong.
        cause: String,
    },
    /// The id is that of another receipt.
    #[error(
        "the receipt was changed after it was made: its id is {said}, but what it holds has the id {found}"
    )]
    Id {
        /// The id that stands there.
        said: Digest,
        /// The id that should.
        found: Digest,
    },
}

impl ParseError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLong(_) | Self::NoVersion(_) => {
                "Give the file that `verirun run --receipt` wrote."
            }
            Self::Json(_) => "It may be cut or edited: get it again from whoever made it.",
            Self::Version { .. } => "Use the version of Verirun that made it, or a newer one.",
            Self::Field { .. } | Self::Id { .. } => {
                "Do not edit receipts: get it again from whoever made it."
            }
        }
    }
}

impl Envelope {
    /// The receipt of a run that ended; see [`Receipt::of`].
    ///
    /// # Errors
    /// If there is none.
    pub fn of(run: &Run, streams: &Streams) -> Result<Self, NoReceipt> {
        let (receipt, given) = Receipt::of(run, streams)?;
        Ok(Self {
            id: receipt.id(),
            receipt,
            given: Some(given),
            signatures: None,
        })
    }

    /// The checkpoints that stand beside the receipt, if they are those that it commits to.
    pub fn checkpoints(&self) -> Option<Checkpoints> {
        let entries = self.given.as_ref()?.checkpoints.as_ref()?;
        super::checkpoints::read(self.receipt.checkpoints.as_ref()?, entries)
    }

    /// The text of the file: JSON for people, with a line end.
    pub fn to_text(&self) -> String {
        // Only strings, numbers and lists: it can't fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a receipt's file. It holds exactly what the format says, each name once, and its id
    /// is right; what stands in [`Envelope::given`] is not checked against the digests yet, nor are
    /// the signatures.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        if text.len() > MAX_RECEIPT {
            return Err(ParseError::TooLong(text.len()));
        }
        let envelope: Self = read_strictly(text, "/receipt/version", FORMAT_VERSION)?;
        envelope.receipt.check()?;
        check_signatures(envelope.signatures.as_deref())?;
        let found = envelope.receipt.id();
        match found == envelope.id {
            true => Ok(envelope),
            false => Err(ParseError::Id {
                said: envelope.id,
                found,
            }),
        }
    }
}

/// Refuses signatures that are not as a receipt lists them.
fn check_signatures(signatures: Option<&[Signature]>) -> Result<(), ParseError> {
    let Some(signatures) = signatures else {
        return Ok(());
    };
    if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
        let cause = format!("it has from 1 to {MAX_SIGNATURES} signatures, or is not there");
        return wrong("signatures", cause);
    }
    match signatures.is_sorted_by(|a, b| a.key < b.key) {
        true => Ok(()),
        false => wrong(
            "signatures",
            "they are not sorted by key, or a key comes twice",
        ),
    }
}

/// Reads JSON of which no object has a name twice, and which has `version` at `pointer`.
pub(super) fn read_strictly<T: DeserializeOwned>(
    text: &[u8],
    pointer: &'static str,
    version: u64,
) -> Result<T, ParseError> {
    let Strict(value) = serde_json::from_slice(text).map_err(ParseError::Json)?;
    match value.pointer(pointer) {
        Some(Value::Number(found)) if found.as_u64() == Some(version) => {}
        Some(Value::Number(found)) => {
            return Err(ParseError::Version {
                found: shown(&found.to_string()),
                known: version,
            });
        }
        _ => return Err(ParseError::NoVersion(pointer)),
    }
    serde_path_to_error::deserialize(value).map_err(|error| ParseError::Field {
        field: error.path().to_string(),
        cause: shown(&error.into_inner().to_string()),
    })
}

fn wrong<T>(field: impl Into<String>, cause: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::Field {
        field: field.into(),
        cause: cause.into(),
    })
}

/// Refuses a path that is not as a receipt writes it.
pub(super) fn check_path(field: &str, path: &str) -> Result<(), ParseError> {
    let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    match plain && !path.contains('\0') && path.len() <= MAX_PATH {
        true => Ok(()),
        false => wrong(
            field,
            format!("`{}` is no plain path from the root", shown(path)),
        ),
    }
}

impl TaskPart {
    /// What the types do not say: which fields belong together, and which paths are plain.
    pub(super) fn check(&self) -> Result<(), ParseError> {
        let profile = &self.profile;
        match (profile.random, profile.seed) {
            (RandomSource::Seeded, None) => {
                return wrong("receipt.task.profile.seed", "`seeded` needs one");
            }
            (RandomSource::TruebitV1, Some(_)) => {
                return wrong("receipt.task.profile.seed", "`truebit-v1` has none");
            }
            _ => {}
        }
        let stdin = &self.stdin;
        let live = (stdin.events.is_some(), stdin.terminal.is_some());
        match (stdin.kind, stdin.size.is_some(), live) {
            (StdinKind::Bytes, true, (false, false)) | (StdinKind::Live, false, (true, true)) => {}
            _ => {
                return wrong(
                    "receipt.task.stdin",
                    "`bytes` has `size` and `sha256`, `live` has `events`, `terminal` and `sha256`",
                );
            }
        }
        for (index, preopen) in self.preopens.iter().enumerate() {
            if !preopen.path.is_empty() {
                check_path(
                    &format!("receipt.task.preopens[{index}].path"),
                    &preopen.path,
                )?;
            }
        }
        Ok(())
    }
}

impl Receipt {
    /// What the types do not say: which fields belong together, and the order of the files.
    fn check(&self) -> Result<(), ParseError> {
        self.task.check()?;
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.check()?;
        }
        let outcome = &self.result.outcome;
        let is_name = |trap: &String| {
            let letter = |byte: u8| byte.is_ascii_lowercase() || b"_-0123456789".contains(&byte);
            !trap.is_empty() && trap.len() <= 64 && trap.bytes().all(letter)
        };
        match (outcome.kind, outcome.code, &outcome.trap) {
            (OutcomeKind::Exit, Some(_), None) => {}
            (OutcomeKind::Trap, None, Some(trap)) if is_name(trap) => {}
            (OutcomeKind::Exit | OutcomeKind::Trap, ..) | (_, Some(_), _) | (_, _, Some(_)) => {
                return wrong(
                    "receipt.result.outcome",
                    "`exit` has a `code`, `trap` has the name of a `trap`, no other kind has either",
                );
            }
            _ => {}
        }
        let files = &self.result.files;
        for (index, file) in files.iter().enumerate() {
            let field = |name: &str| format!("receipt.result.files[{index}]{name}");
            check_path(&field(".path"), &file.path)?;
            if index > 0 && files[index - 1].path >= file.path {
                return wrong(
                    field(".path"),
                    format!(
                        "`{}` must come before the path in front of it; files are sorted by path, each once",
                        shown(&file.path)
                    ),
                );
            }
            if file.change == Change::Same {
                return wrong(field(".change"), "what is the same is not listed");
            }
            let there = file.change != Change::Removed;
            let is = |kind| there && file.kind == kind;
            let content = (file.size.is_some(), file.sha256.is_some());
            if content != (is(Kind::File), is(Kind::File))
                || file.target.is_some() != is(Kind::Symlink)
            {
                return wrong(
                    field(""),
                    "a file that is there has `size` and `sha256`, a symbolic link that is there has a `target`, and nothing else has either",
                );
            }
        }
        Ok(())
    }
}
