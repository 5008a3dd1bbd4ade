//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Where a faulty value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Origin {
    /// A file, and the line when it is known (counted from 1).
    File {
        /// Path as it was given or named by another file.
        file: PathBuf,
        /// Line, counted from 1.
        line: Option<usize>,
    },
    /// An environment variable.
    Environment {
        /// Name of the variable.
        variable: String,
    },
}

/// One fault. Its text names settings and bounds; it never holds a secret value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where.
    #[serde(flatten)]
    pub origin: Origin,
    /// What, in lower case without a final period.
    pub message: String,
}

impl Fault {
    /// A fault in a file as a whole, or at a line of it.
    pub fn in_file(
        file: impl Into<PathBuf>,
        line: Option<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            origin: Origin::File {
                file: file.into(),
                line,
            },
            message: message.into(),
        }
    }

    /// A fault in an environment variable.
    pub fn in_variable(variable: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            origin: Origin::Environment {
                variable: variable.into(),
            },
            message: message.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File { file, line: None } => write!(f, "{}: ", file.display())?,
            Origin::File {
                file,
                line: Some(line),
            } => write!(f, "{}:{line}: ", file.display())?,
            Origin::Environment { variable } => write!(f, "{variable}: ")?,
        }
        f.write_str(&self.message)
    }
}

/// Every fault that was found; one a line when shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults, in the order in which they were found.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// Adds one.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn append(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    /// The value, when there was no fault.
    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
