//! The library's error type. User input never panics: it ends here, with a message that names the input and what is allowed.

use std::fmt;

/// Anything that can go wrong with a link, a file, a device or a run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A link, key or parameter value is not allowed.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A file cannot be used; the message names file, line and cell.
    #[error("{file}: {message}")]
    File {
        /// The file's name as the user gave it.
        file: String,
        /// What is wrong, with line and column where known.
        message: String,
    },
    /// The requested backend does not exist on this machine, or was lost on the way.
    #[error("no such device: {0}")]
    NoDevice(String),
    /// The run does not fit on the device; the message names the largest n that does.
    #[error("n: {0}")]
    TooLarge(String),
    /// The run produced a NaN or an infinity; the last good state is kept.
    #[error("{0}")]
    Diverged(Divergence),
}

/// Why a run stopped, and how far it got.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The last step whose state was finite.
    pub last_good_step: u32,
    /// The likely cause, in the user's terms.
    pub cause: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "diverged after step {}: {}",
            self.last_good_step, self.cause
        )
    }
}

/// One thing wrong with a link or a parameter: what, and what is allowed instead.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The offending key (`n`, `target`, …), or `link` for the string as a whole.
    pub key: String,
    /// One sentence naming the value and what is allowed.
    pub message: String,
}

impl Problem {
    /// A problem with `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

impl std::error::Error for Problem {}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
