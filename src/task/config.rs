//! `config.json` in Truebit's shape:
//! `{"run":{"limits":{"gas":"1099511627776","call":"65536","frame":"524288","memory":"2048"}}}`,
//! and in the same place our own `output` and `files`, in bytes.
//!
//! A limit is a string of decimal digits, or a JSON number that every reader of JSON reads alike:
//! whole and at most 2^53 - 1. A field under `run.limits` that is not known is refused, because a
//! limit that nobody applies is worse than none; elsewhere it is ignored with a warning. `null` is
//! no value: leave the field out. A name that comes twice is refused.

use super::limits::{LimitError, Limits, parse_limit};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The most bytes that a `config.json` may have.
pub const MAX_CONFIG: usize = 1 << 20;

/// The largest whole number that every JSON reader reads exactly: 2^53 - 1.
const MAX_JSON_NUMBER: u64 = (1 << 53) - 1;

/// What a `config.json` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The limits that it sets.
    pub limits: Limits,
    /// What was ignored, a sentence each.
    pub warnings: Vec<String>,
}

/// Why a `config.json` can't be used. Every message names the field.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is larger than [`MAX_CONFIG`].
    #[error("config.json has {0} bytes; a configuration has at most {MAX_CONFIG}")]
    TooLong(usize),
    /// It is no JSON, or a name comes twice.
    #[error("config.json is not right: {0}")]
    Json(#[source] serde_json::Error),
    /// A field has a value of the wrong type.
    #[error("config.json: {field} is {found}, but must be {wanted}")]
    Type {
        /// The field's full name.
        field: String,
        /// What stands there.
        found: &'static str,
        /// What must stand there.
        wanted: &'static str,
    },
    /// A limit is a JSON number that some readers would round.
    #[error(
        "config.json: {field} is the number {value}, which not every JSON reader keeps exactly"
    )]
    Inexact {
        /// The field's full name.
        field: String,
        /// The number.
        value: String,
    },
    /// A limit's value is no limit.
    #[error("config.json: {0}")]
    Limit(#[from] LimitError),
    /// A limit that does not exist.
    #[error("config.json: there is no limit `{field}`; the limits are {}", LIMITS.join(", "))]
    UnknownLimit {
        /// The field's full name.
        field: String,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "Keep only the limits in it.",
            Self::Json(_) => {
                r#"Write it as {"run":{"limits":{"gas":"1000000000"}}}, each name once."#
            }
            Self::Type { .. } => {
                r#"Write limits as strings of digits: {"run":{"limits":{"gas":"1000000000"}}}."#
            }
            Self::Inexact { .. } => "Put it in quotes.",
            Self::Limit(error) => error.hint(),
            Self::UnknownLimit { .. } => "Correct the name, or leave it out.",
        }
    }
}

/// The limits' names.
const LIMITS: [&str; 6] = ["gas", "call", "frame", "memory", "output", "files"];

impl Config {
    /// Reads a `config.json`. It may start with a byte order mark.
    ///
    /// # Errors
    /// A [`ConfigError`] with the full name of the field that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        if text.len() > MAX_CONFIG {
            return Err(ConfigError::TooLong(text.len()));
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let node: Node = serde_json::from_slice(text).map_err(ConfigError::Json)?;
        let mut config = Self::default();
        for (name, value) in node.object("the whole file")? {
            match name.as_str() {
                "run" => config.read_run(value)?,
                _ => config.ignore(&name),
            }
        }
        Ok(config)
    }

    fn read_run(&mut self, run: Node) -> Result<(), ConfigError> {
        for (name, value) in run.object("run")? {
            match name.as_str() {
                "limits" => self.read_limits(value)?,
                _ => self.ignore(&format!("run.{name}")),
            }
        }
        Ok(())
    }

    fn read_limits(&mut self, limits: Node) -> Result<(), ConfigError> {
        for (name, value) in limits.object("run.limits")? {
            let field = format!("run.limits.{name}");
            let slot = match name.as_str() {
                "gas" => &mut self.limits.gas,
                "call" => &mut self.limits.call,
                "frame" => &mut self.limits.frame,
                "memory" => &mut self.limits.memory_pages,
                "output" => &mut self.limits.output_bytes,
                "files" => &mut self.limits.file_bytes,
                _ => return Err(ConfigError::UnknownLimit { field }),
            };
            *slot = Some(value.limit(field)?);
        }
        Ok(())
    }

    fn ignore(&mut self, field: &str) {
        self.warnings.push(format!(
            "config.json: {field} is unknown here and was ignored"
        ));
    }
}

/// JSON as it stands: names in their order, none twice.
enum Node {
    Null,
    Bool,
    Number(serde_json::Number),
    Text(String),
    Array,
    Object(Vec<(String, Node)>),
}

impl Node {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array => "a list",
            Self::Object(_) => "an object",
        }
    }

    fn object(self, field: &str) -> Result<Vec<(String, Self)>, ConfigError> {
        match self {
            Self::Object(entries) => Ok(entries),
            other => Err(ConfigError::Type {
                field: field.to_owned(),
                found: other.kind(),
                wanted: "an object",
            }),
        }
    }

    fn limit(self, field: String) -> Result<u64, ConfigError> {
        let number = match self {
            Self::Text(text) => return Ok(parse_limit(&field, &text)?),
            Self::Number(number) => number,
            other => {
                return Err(ConfigError::Type {
                    field,
                    found: other.kind(),
                    wanted: "a string of decimal digits",
                });
            }
        };
        // A number beyond 64 bits is a float here, and its exact value is lost.
        let rounded = number.as_f64().unwrap_or(f64::INFINITY);
        let inexact = match number.as_u64() {
            Some(value) => value > MAX_JSON_NUMBER,
            None => rounded > MAX_JSON_NUMBER as f64,
        };
        if inexact {
            return Err(ConfigError::Inexact {
                field,
                value: number.to_string(),
            });
        }
        Ok(parse_limit(&field, &number.to_string())?)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Bool)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        serde_json::Number::from_f64(value)
            .map(Node::Number)
            .ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        while items.next_element::<Node>()?.is_some() {}
        Ok(Node::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        while let Some((name, value)) = map.next_entry::<String, Node>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!(
                    "the name `{name}` comes twice in one object"
                )));
            }
            entries.push((name, value));
        }
        Ok(Node::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truebits_own_example() {
        let text = br#"{"run":{"limits":{"call":"65536","frame":"524288","gas":"1099511627776","memory":"2048"}}}"#;
        let config = Config::parse(text).expect("it is right");
        assert_eq!(
            config.limits,
            Limits {
                gas: Some(1 << 40),
                call: Some(65_536),
                frame: Some(524_288),
                memory_pages: Some(2048),
                ..Limits::default()
            }
        );
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn our_limits_numbers_and_a_byte_order_mark() {
        let text = "\u{feff}{\"run\":{\"limits\":{\"output\":\"100\",\"files\":9007199254740991}}}";
        let limits = Config::parse(text.as_bytes()).expect("it is right").limits;
        assert_eq!(limits.output_bytes, Some(100));
        assert_eq!(limits.file_bytes, Some(MAX_JSON_NUMBER));
        for empty in ["{}", r#"{"run":{}}"#, r#"{"run":{"limits":{}}}"#] {
            assert_eq!(
                Config::parse(empty.as_bytes()).expect(empty),
                Config::default()
            );
        }
    }

    #[test]
    fn unknown_fields_outside_the_limits_are_ignored_with_a_warning() {
        let text = br#"{"name":"x","run":{"env":[1,{"a":null}],"limits":{"gas":"5"}}}"#;
        let config = Config::parse(text).expect("it is right");
        assert_eq!(config.limits.gas, Some(5));
        assert_eq!(config.warnings.len(), 2);
        assert!(
            config.warnings[0].contains(" name "),
            "{:?}",
            config.warnings
        );
        assert!(
            config.warnings[1].contains(" run.env "),
            "{:?}",
            config.warnings
        );
    }

    #[test]
    fn each_mistake_is_refused_with_the_fields_full_name() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let long = " ".repeat(MAX_CONFIG + 1);
        for (text, part) in [
            ("", "EOF"),
            ("{", "EOF"),
            ("gas: 5", "expected"),
            ("{} x", "trailing"),
            ("\u{0}", "expected"),
            (deep.as_str(), "recursion"),
            (long.as_str(), "has 1048577 bytes"),
            ("[]", "the whole file is a list"),
            (r#"{"run":5}"#, "run is a number"),
            (r#"{"run":null}"#, "run is null"),
            (r#"{"run":{"limits":"5"}}"#, "run.limits is a string"),
            (r#"{"run":{},"run":{}}"#, "`run` comes twice"),
            (
                r#"{"run":{"limits":{"gas":"1","gas":"2"}}}"#,
                "`gas` comes twice",
            ),
            (r#"{"run":{"limits":{"Gas":"1"}}}"#, "`run.limits.Gas`"),
            (r#"{"run":{"limits":{"gass":"1"}}}"#, "`run.limits.gass`"),
            (
                r#"{"run":{"limits":{"gas":null}}}"#,
                "run.limits.gas is null",
            ),
            (
                r#"{"run":{"limits":{"gas":true}}}"#,
                "run.limits.gas is true",
            ),
            (
                r#"{"run":{"limits":{"gas":[]}}}"#,
                "run.limits.gas is a list",
            ),
            (
                r#"{"run":{"limits":{"gas":{}}}}"#,
                "run.limits.gas is an object",
            ),
            (
                r#"{"run":{"limits":{"gas":""}}}"#,
                "run.limits.gas is empty",
            ),
            (
                r#"{"run":{"limits":{"gas":"-5"}}}"#,
                "run.limits.gas is -5, which is negative",
            ),
            (
                r#"{"run":{"limits":{"call":-5}}}"#,
                "run.limits.call is -5, which is negative",
            ),
            (
                r#"{"run":{"limits":{"frame":1.5}}}"#,
                "run.limits.frame is 1.5, which is not a whole",
            ),
            (
                r#"{"run":{"limits":{"frame":"1.5"}}}"#,
                "run.limits.frame is 1.5, which is not a whole",
            ),
            (
                r#"{"run":{"limits":{"memory":"many"}}}"#,
                "run.limits.memory is `many`",
            ),
            (
                r#"{"run":{"limits":{"gas":"9223372036854775808"}}}"#,
                "more than 2^63 - 1",
            ),
            (
                r#"{"run":{"limits":{"gas":9007199254740992}}}"#,
                "run.limits.gas is the number 9007199254740992",
            ),
            (
                r#"{"run":{"limits":{"gas":1e300}}}"#,
                "run.limits.gas is the number",
            ),
            (r#"{"run":{"limits":{"gas":1e999}}}"#, "out of range"),
        ] {
            let error = Config::parse(text.as_bytes()).expect_err(part);
            let message = error.to_string();
            assert!(message.contains(part), "{part}: {message}");
            assert!(message.contains("config.json"), "{message}");
            assert!(!error.hint().is_empty());
        }
    }
}
