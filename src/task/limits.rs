//! The limits of a run, and the one reader of a limit's text: the command line, the page and
//! `config.json` all use it, so a number means the same wherever it is written.

/// The limits of a run. `None` is no limit but that of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The most steps (see `docs/profile.md` for what a step is).
    pub gas: Option<u64>,
    /// The most calls nested in each other.
    pub call: Option<u64>,
    /// The most bytes of the guest's value stack.
    pub frame: Option<u64>,
    /// The most 64 KiB pages that each linear memory may have.
    pub memory_pages: Option<u64>,
    /// The most bytes written to standard output and standard error together.
    pub output_bytes: Option<u64>,
    /// The most bytes stored in files.
    pub file_bytes: Option<u64>,
}

impl Limits {
    /// These limits, and those of `others` where these have none.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            gas: self.gas.or(others.gas),
            call: self.call.or(others.call),
            frame: self.frame.or(others.frame),
            memory_pages: self.memory_pages.or(others.memory_pages),
            output_bytes: self.output_bytes.or(others.output_bytes),
            file_bytes: self.file_bytes.or(others.file_bytes),
        }
    }
}

/// The largest limit: 2^63 - 1, so that a counter that starts at a limit can go below zero.
pub const MAX_LIMIT: u64 = i64::MAX as u64;

/// What is wrong with the text of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitProblem {
    /// There is none.
    Empty,
    /// It is below zero.
    Negative,
    /// It has a fraction or an exponent.
    Fraction,
    /// It is not a number in decimal digits.
    NotANumber,
    /// It is over [`MAX_LIMIT`].
    TooLarge,
}

/// A limit that can't be one. The message has the field's full name; [`LimitError::hint`] says what
/// to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {}", self.what())]
pub struct LimitError {
    /// The field's full name, as its writer knows it: `--gas`, `run.limits.gas`.
    pub field: String,
    /// What stands there, cut if it is long.
    pub value: String,
    /// What is wrong with it.
    pub problem: LimitProblem,
}

impl LimitError {
    fn what(&self) -> String {
        let value = &self.value;
        match self.problem {
            LimitProblem::Empty => "empty".to_owned(),
            LimitProblem::Negative => format!("{value}, which is negative"),
            LimitProblem::Fraction => format!("{value}, which is not a whole number in digits"),
            LimitProblem::NotANumber => format!("`{value}`, which is not a number in digits"),
            LimitProblem::TooLarge => format!("{value}, which is more than 2^63 - 1"),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.problem {
            LimitProblem::Empty => {
                "Write a whole number in digits, such as 1000000, or leave the limit out to have none."
            }
            LimitProblem::Negative => {
                "Write a whole number of at least 0, or leave the limit out to have none."
            }
            LimitProblem::Fraction | LimitProblem::NotANumber => {
                "Write a whole number in decimal digits only, such as 1000000."
            }
            LimitProblem::TooLarge => {
                "Write at most 9223372036854775807, or leave the limit out to have none."
            }
        }
    }
}

/// Reads a limit: decimal digits and nothing else, at most [`MAX_LIMIT`].
///
/// # Errors
/// A [`LimitError`] about `field`.
pub fn parse_limit(field: &str, text: &str) -> Result<u64, LimitError> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let problem = if text.is_empty() {
        LimitProblem::Empty
    } else if is_digits(text) {
        match text.parse::<u64>() {
            Ok(number) if number <= MAX_LIMIT => return Ok(number),
            // Only digits: what does not fit is too large.
            _ => LimitProblem::TooLarge,
        }
    } else if text.strip_prefix('-').is_some_and(is_digits) {
        LimitProblem::Negative
    } else if text.parse::<f64>().is_ok_and(f64::is_finite) && !text.starts_with('+') {
        LimitProblem::Fraction
    } else {
        LimitProblem::NotANumber
    };
    const SHOWN: usize = 40;
    let value = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    Err(LimitError {
        field: field.to_owned(),
        value,
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_up_to_the_largest_signed_number() {
        for (text, number) in [
            ("0", 0),
            ("65536", 65_536),
            ("007", 7),
            ("1099511627776", 1 << 40),
            ("9223372036854775807", MAX_LIMIT),
        ] {
            assert_eq!(parse_limit("gas", text), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused_with_the_field_and_the_reason() {
        use LimitProblem as P;
        let long = "9".repeat(5000);
        for (text, problem) in [
            ("", P::Empty),
            ("-1", P::Negative),
            ("-0", P::Negative),
            ("1.5", P::Fraction),
            ("1.0", P::Fraction),
            ("1e6", P::Fraction),
            ("-1.5", P::Fraction),
            ("9223372036854775808", P::TooLarge),
            ("18446744073709551616", P::TooLarge),
            (long.as_str(), P::TooLarge),
            ("+5", P::NotANumber),
            (" 5", P::NotANumber),
            ("5 ", P::NotANumber),
            ("1_000", P::NotANumber),
            ("0x10", P::NotANumber),
            ("ten", P::NotANumber),
            ("inf", P::NotANumber),
            ("NaN", P::NotANumber),
            ("-", P::NotANumber),
            ("٣", P::NotANumber),
        ] {
            let error = parse_limit("run.limits.gas", text).expect_err(text);
            assert_eq!(error.problem, problem, "{text}");
            let message = error.to_string();
            assert!(message.starts_with("run.limits.gas is "), "{message}");
            assert!(message.len() < 200 && !error.hint().is_empty(), "{message}");
        }
    }

    #[test]
    fn limits_given_come_before_others() {
        let given = Limits {
            gas: Some(1),
            ..Limits::default()
        };
        let others = Limits {
            gas: Some(2),
            call: Some(3),
            ..Limits::default()
        };
        let both = given.or(others);
        assert_eq!((both.gas, both.call, both.frame), (Some(1), Some(3), None));
    }
}
