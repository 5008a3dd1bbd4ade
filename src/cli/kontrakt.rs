//! Versions of the contract as arguments.

use shs_schemas::ssbtek::Kontrakt;

/// Reads the number of a version that is served.
pub(super) fn kontrakt(text: &str) -> Result<Kontrakt, String> {
    let version = text.trim().parse().ok().and_then(Kontrakt::from_version);
    version.ok_or_else(|| {
        let known: Vec<_> = Kontrakt::all()
            .map(|kontrakt| kontrakt.version().to_string())
            .collect();
        format!(
            "no such version of the contract; known are {}",
            known.join(", ")
        )
    })
}

/// The newest version that is served.
pub(super) fn newest() -> Kontrakt {
    Kontrakt::all().last().unwrap_or(Kontrakt::V10)
}
