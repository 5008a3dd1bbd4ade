//! The folder of product descriptions (shs-1.2, 3.5). One that is not there holds none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use shs_schemas::shs::ProductType;
use shs_schemas::shs::product::PRODUCT_BYTES_MAX;

use super::fault::{Fault, Faults};
use super::folder::read_folder;

/// Most product descriptions in the folder.
pub const PRODUCTS_MAX: usize = 1_000;

/// One product description, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductFile {
    /// Where it lies.
    pub file: PathBuf,
    /// What it says.
    pub product: ProductType,
}

/// Reads the folder. Two descriptions of one product would contradict each other.
pub(super) fn read_products(folder: &Path) -> Result<Vec<ProductFile>, Faults> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let read = read_folder(
        folder,
        "product descriptions",
        PRODUCTS_MAX,
        PRODUCT_BYTES_MAX,
        ProductType::read,
    )?;
    let mut faults = Faults::default();
    let mut seen = HashMap::new();
    for (file, product) in &read {
        if let Some(twin) = seen.insert(product.produkt(), file) {
            let message = format!("has the same uuid as {}", twin.display());
            faults.push(Fault::in_file(file, None, message));
        }
    }
    let files = read
        .into_iter()
        .map(|(file, product)| ProductFile { file, product });
    faults.or(files.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str = "<shs.product uuid='5a1e0000-1111-4222-8333-444455556666'>\n\
        <principal>urn:X-shs:0000000002</principal>\n\
        <data datapartType='fraga'><mime/></data></shs.product>";

    fn faults(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let faults = read_products(folder.path()).unwrap_err();
        let root = folder.path().display().to_string();
        faults.to_string().replace(&format!("{root}/"), "")
    }

    #[test]
    fn a_folder_that_is_not_there_holds_none() {
        assert_eq!(read_products(Path::new("missing")).unwrap(), []);
    }

    #[test]
    fn a_fault_names_file_and_line() {
        let broken = PRODUCT.replace("datapartType", "type");
        let text = faults(&[("a.xml", &broken)]);
        assert!(text.starts_with("a.xml:3: datapartType"), "{text}");
    }

    #[test]
    fn two_descriptions_of_one_product_are_a_fault() {
        let text = faults(&[("a.xml", PRODUCT), ("b.xml", PRODUCT)]);
        assert!(text.starts_with("b.xml: has the same uuid as"), "{text}");
    }
}
