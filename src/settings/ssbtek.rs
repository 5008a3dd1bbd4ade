//! Products, checks and ways of SSBTEK: what the contract leaves to the node.

use std::fmt;

use garde::Validate;
use serde::{Deserialize, Deserializer};
use shs_schemas::shs::Produkt;
use shs_schemas::ssbtek::{LefiVag, SkvStandard};
use uuid::Uuid;

use super::node::check;

/// The SSBTEK product of the demo and of new installations: no official one is published.
const SSBTEK_PRODUCT: Uuid = uuid::uuid!("55b7e000-0010-4000-8000-000000000010");
/// Most years that Skatteverket is asked for by default.
const YEARS_MAX: u8 = 10;
/// Longest public address, in bytes.
const ADDRESS_BYTES_MAX: usize = 1024;

/// Products, checks and ways of SSBTEK.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Ssbtek {
    /// Product type of the question.
    #[serde(deserialize_with = "produkt")]
    #[garde(custom(ordinary))]
    pub product: Produkt,
    /// Product type of the connection test (shs-1.2, 7.11).
    #[serde(deserialize_with = "produkt")]
    #[garde(custom(ordinary))]
    pub ping_product: Produkt,
    /// How strictly a personidentitet is checked (ssbtek-10, 7.2).
    #[garde(skip)]
    pub person_check: PersonCheck,
    /// Who is asked for LEFI (ssbtek-10, 4.8).
    #[garde(skip)]
    pub lefi: Lefi,
    /// What Skatteverket is asked for when the question cannot say.
    #[garde(dive)]
    pub skv: Skv,
    /// Where the SOAP service is found from outside, for its WSDL. Without it the WSDL names what the
    /// caller used.
    #[garde(skip)]
    pub soap_address: Option<SoapAddress>,
}

impl Default for Ssbtek {
    fn default() -> Self {
        Self {
            product: Produkt::Uuid(SSBTEK_PRODUCT),
            ping_product: Produkt::Uuid(Uuid::nil()),
            person_check: PersonCheck::Strict,
            lefi: Lefi::Split,
            skv: Skv::default(),
            soap_address: None,
        }
    }
}

/// How strictly a personidentitet is checked (ssbtek-10, 7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersonCheck {
    /// Date and check digit must be right.
    #[default]
    Strict,
    /// Twelve digits are enough.
    Pattern,
}

/// Who is asked for LEFI (ssbtek-10, 4.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lefi {
    /// Försäkringskassan and Pensionsmyndigheten, each for its own codes.
    #[default]
    Split,
    /// Försäkringskassan alone, with the question as it is: it gathers from Pensionsmyndigheten
    /// itself.
    Unsplit,
}

impl From<Lefi> for LefiVag {
    fn from(lefi: Lefi) -> Self {
        match lefi {
            Lefi::Split => Self::Delad,
            Lefi::Unsplit => Self::Odelad,
        }
    }
}

/// What Skatteverket is asked for when it speaks version 11 only and the question is in version 10,
/// which has no room for it (ssbtek-10, 0.2). The flags have the contract's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "the contract's five flags")]
pub struct Skv {
    /// How many of the latest whole years.
    #[garde(range(min = 1, max = YEARS_MAX))]
    pub years: u8,
    /// Company information.
    #[garde(skip)]
    pub foretagsinformation: bool,
    /// Information about the person.
    #[garde(skip)]
    pub individuppgifter: bool,
    /// Tax account.
    #[garde(skip)]
    pub skattekonto: bool,
    /// Tax information.
    #[garde(skip)]
    pub skatteuppgifter: bool,
    /// Annexes on taxation.
    #[garde(skip)]
    pub beskattningsbilagor: bool,
}

impl Default for Skv {
    fn default() -> Self {
        let SkvStandard {
            antal_ar,
            foretagsinformation,
            individuppgifter,
            skattekonto,
            skatteuppgifter,
            beskattningsbilagor,
        } = SkvStandard::default();
        Self {
            years: antal_ar,
            foretagsinformation,
            individuppgifter,
            skattekonto,
            skatteuppgifter,
            beskattningsbilagor,
        }
    }
}

impl From<Skv> for SkvStandard {
    fn from(skv: Skv) -> Self {
        Self {
            antal_ar: skv.years,
            foretagsinformation: skv.foretagsinformation,
            individuppgifter: skv.individuppgifter,
            skattekonto: skv.skattekonto,
            skatteuppgifter: skv.skatteuppgifter,
            beskattningsbilagor: skv.beskattningsbilagor,
        }
    }
}

/// Scheme, host and port of a service as others find it: `https://ssbtek.example.se:8585`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SoapAddress(String);

impl SoapAddress {
    /// The address without a slash at its end: a path can be put after it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SoapAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SoapAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = "is not an address of scheme, host and port alone \
                     (https://ssbtek.example.se:8585; at most 1024 bytes)";
        let base = text.strip_suffix('/').unwrap_or(&text);
        let is_short = text.len() <= ADDRESS_BYTES_MAX;
        if !is_short || !(base.starts_with("https://") || base.starts_with("http://")) {
            return Err(wrong);
        }
        let url = reqwest::Url::parse(base).map_err(|_| wrong)?;
        // With nothing but an origin in it the text is what the parser makes of it, less the slash.
        let is_origin = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        let is_bare = url.query().is_none() && url.fragment().is_none() && !base.ends_with('/');
        if is_origin && is_bare && url.has_host() {
            Ok(Self(base.to_owned()))
        } else {
            Err(wrong)
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde's signature")]
fn ordinary(product: &Produkt, _: &()) -> garde::Result {
    check(
        matches!(product, Produkt::Uuid(_)),
        "is a special product of SHS",
    )
}

fn produkt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Produkt, D::Error> {
    let text = String::deserialize(deserializer)?;
    Produkt::parse(&text).map_err(|error| serde::de::Error::custom(error.fault))
}

#[cfg(test)]
#[path = "ssbtek_tests.rs"]
mod tests;
