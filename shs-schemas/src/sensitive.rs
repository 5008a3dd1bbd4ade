//! [`Sensitive`]: content about a person that must not be printed.

use std::fmt;

/// Content about a person. It prints `[redacted]` and cannot be serialised; [`Sensitive::expose`]
/// is the only way to it, and easy to search for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Marks a value as content about a person.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The content itself. Never log, format or store what comes out of here.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the content out, to hand it on.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_display_shows_the_content() {
        let person = Sensitive::new("199503142383");
        assert_eq!(format!("{person:?} {person}"), "[redacted] [redacted]");
        assert_eq!(*person.expose(), "199503142383");
    }
}
