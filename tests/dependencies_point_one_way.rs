//! The edges of the architecture, without cargo-deny: who may name which library. `deny.toml` says
//! the same for the whole graph.

use std::fs;
use std::path::Path;

/// A library, and the only packages of this workspace that may depend on it.
const EDGES: [(&str, &[&str]); 9] = [
    ("lapin", &["samsvar", "samsvar-actors", "samsvar-load"]),
    ("ldap3", &["samsvar"]),
    ("hpke", &["samsvar-actors"]),
    ("actix-web", &["samsvar"]),
    ("quick-xml", &["shs-schemas"]),
    ("toml", &["samsvar"]),
    ("actix", &["samsvar", "samsvar-actors"]),
    ("mimalloc", &["samsvar", "samsvar-load"]),
    ("samsvar-wiping", &["samsvar", "samsvar-load"]),
];
/// What `shs-schemas`, pure by promise, may never reach for.
const IMPURE: [&str; 5] = ["tokio", "actix", "futures-util", "tracing", "reqwest"];

/// The packages of the workspace: name, and what each depends on outside its tests.
fn packages() -> Vec<(String, Vec<String>)> {
    let manifests = [
        "Cargo.toml",
        "actors/Cargo.toml",
        "load/Cargo.toml",
        "shs-schemas/Cargo.toml",
        "wiping/Cargo.toml",
    ];
    manifests
        .into_iter()
        .map(|file| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = fs::read_to_string(path).expect("a manifest of the workspace");
            let manifest: toml::Table = text.parse().expect("a manifest is TOML");
            let name = manifest["package"]["name"].as_str().expect("a name");
            let dependencies = manifest["dependencies"].as_table().expect("a table");
            (name.to_owned(), dependencies.keys().cloned().collect())
        })
        .collect()
}

#[test]
fn only_the_crate_whose_job_it_is_knows_a_library() {
    for (name, dependencies) in packages() {
        for (library, allowed) in EDGES {
            let depends = dependencies.iter().any(|one| one == library);
            assert!(
                !depends || allowed.contains(&name.as_str()),
                "{name} may not depend on {library}"
            );
        }
    }
}

#[test]
fn the_wire_formats_are_pure_and_nobody_below_names_somebody_above() {
    for (name, dependencies) in packages() {
        let forbidden: &[&str] = match name.as_str() {
            "shs-schemas" => &["samsvar", "samsvar-actors", "samsvar-load"],
            "samsvar-actors" => &["samsvar", "samsvar-load"],
            "samsvar" => &["samsvar-load"],
            "samsvar-wiping" => {
                assert!(dependencies.is_empty(), "{dependencies:?}");
                &[]
            }
            _ => &[],
        };
        for dependency in &dependencies {
            assert!(
                !forbidden.contains(&dependency.as_str()),
                "{name} → {dependency}"
            );
            let impure = name == "shs-schemas" && IMPURE.contains(&dependency.as_str());
            assert!(!impure, "{name} → {dependency}");
        }
    }
}
