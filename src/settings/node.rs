//! Who the node is, and where its registers lie.

use std::path::PathBuf;

use garde::Validate;
use serde::Deserialize;

/// Longest name, in characters.
pub(super) const NAMN_CHARS_MAX: usize = 200;
/// Longest node id, in characters.
pub(super) const NODE_ID_CHARS_MAX: usize = 64;
/// Digits of an organisation number.
const ORGANISATIONSNUMMER_DIGITS: usize = 10;

/// This node and the actor it belongs to.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Organisation number of the node's own actor: ten digits.
    #[garde(custom(ten_digits))]
    pub organisationsnummer: String,
    /// Name of that actor.
    #[garde(length(chars, min = 1, max = NAMN_CHARS_MAX))]
    pub namn: String,
    /// Name of this node in history entries and headers (`node.id`, shs-1.2, 1.4).
    #[garde(custom(short_name))]
    pub node_id: String,
    /// Which label status is taken: production and test are kept apart, so both only when the node is
    /// told so.
    #[serde(default = "production")]
    #[garde(length(min = 1, max = 2))]
    pub status: Vec<Status>,
}

fn production() -> Vec<Status> {
    vec![Status::Production]
}

/// Status of a label (shs-1.2, 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Real traffic.
    Production,
    /// Test traffic: goes to the queues `samsvar.fraga.test.<kod>`.
    Test,
}

/// Where the registers lie, relative to the file that names them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Registers {
    /// The party register.
    pub uppgiftslamnare: PathBuf,
    /// Folder of agreements.
    pub agreements: PathBuf,
    /// Folder of product descriptions. One that is not there holds none.
    pub products: PathBuf,
}

impl Default for Registers {
    fn default() -> Self {
        Self {
            uppgiftslamnare: "uppgiftslamnare.toml".into(),
            agreements: "agreements".into(),
            products: "products".into(),
        }
    }
}

// The signatures are garde's: a context, and a reference to the field's type.

#[expect(clippy::trivially_copy_pass_by_ref)]
pub(super) fn ten_digits(text: &str, _: &()) -> garde::Result {
    let right =
        text.len() == ORGANISATIONSNUMMER_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    check(right, "is not ten digits")
}

#[expect(clippy::trivially_copy_pass_by_ref)]
fn short_name(text: &str, _: &()) -> garde::Result {
    let right = !text.is_empty()
        && text.len() <= NODE_ID_CHARS_MAX
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    check(right, "is not 1 to 64 letters, digits and . - _")
}

pub(super) fn check(right: bool, rule: &str) -> garde::Result {
    if right {
        Ok(())
    } else {
        Err(garde::Error::new(rule))
    }
}
