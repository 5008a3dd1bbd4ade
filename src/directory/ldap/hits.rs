//! What to make of several entries for one thing: version 1.2 tools write addresses twice, below the
//! actor and in a branch of version 1.1 (shs-1.2, 8.1).

use super::entry::DirectoryEntry;

/// The branches of version 1.1, directly below the base.
const BRANCHES: [&str; 2] = ["o=myndighetsadresser", "o=myndighetsprodukter"];

/// The entries of a search, those below actors first.
pub(super) struct Hits(Vec<DirectoryEntry>);

/// What the entries say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    /// Whether another entry says otherwise.
    pub(super) contradicted: bool,
}

impl Hits {
    /// Puts the entries in an order that does not depend on the server.
    pub(super) fn new(mut entries: Vec<DirectoryEntry>, base: &str) -> Self {
        let base = plain(base);
        entries.sort_by_cached_key(|entry| {
            let dn = plain(entry.dn());
            (is_in_branch(&dn, &base), dn)
        });
        Self(entries)
    }

    /// The one value that they hold; entries without one do not count.
    pub(super) fn one<T: PartialEq>(
        &self,
        read: impl Fn(&DirectoryEntry) -> Option<T>,
    ) -> Said<Option<T>> {
        let mut values = self.0.iter().filter_map(read);
        let value = values.next();
        let contradicted = values.any(|other| Some(&other) != value.as_ref());
        Said {
            value,
            contradicted,
        }
    }

    /// Every value that they hold, each once; of two with the same identity the first.
    pub(super) fn each<T: PartialEq, I: PartialEq>(
        &self,
        read: impl Fn(&DirectoryEntry) -> Option<T>,
        identity: impl Fn(&T) -> Option<I>,
    ) -> Said<Vec<T>> {
        let mut said = Said {
            value: Vec::new(),
            contradicted: false,
        };
        for value in self.0.iter().filter_map(read) {
            let is_same = |one: &T| identity(one).is_some() && identity(one) == identity(&value);
            if said.value.contains(&value) {
                continue;
            }
            if said.value.iter().any(is_same) {
                said.contradicted = true;
            } else {
                said.value.push(value);
            }
        }
        said
    }
}

/// A DN without letter case and without blanks around its commas.
fn plain(dn: &str) -> String {
    let parts: Vec<&str> = dn.split(',').map(str::trim).collect();
    parts.join(",").to_lowercase()
}

fn is_in_branch(dn: &str, base: &str) -> bool {
    let above = dn.strip_suffix(base).and_then(|dn| dn.strip_suffix(','));
    let branch = above.map(|dn| dn.rsplit(',').next().unwrap_or(dn));
    branch.is_some_and(|branch| BRANCHES.contains(&branch))
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;

    fn address(dn: &str, url: &str) -> DirectoryEntry {
        entry(dn, &[("shsDeliveryMethods", url)])
    }

    fn url(entry: &DirectoryEntry) -> Option<String> {
        entry.first("shsDeliveryMethods").map(ToOwned::to_owned)
    }

    const BELOW_ACTOR: &str = "organizationNumber=1+serialNumber=error,ou=Addresses,o=Prov,l=SHS";
    const IN_BRANCH: &str = "organizationNumber=1+serialNumber=error, O=Myndighetsadresser, L=shs";

    #[test]
    fn an_entry_that_stands_twice_counts_once() {
        let hits = vec![address(IN_BRANCH, "a"), address(BELOW_ACTOR, "a")];
        let said = Hits::new(hits, "l=SHS").one(url);
        assert_eq!(said.value.as_deref(), Some("a"));
        assert!(!said.contradicted);
    }

    #[test]
    fn of_two_that_differ_the_one_below_the_actor_counts() {
        for hits in [
            vec![address(IN_BRANCH, "a"), address(BELOW_ACTOR, "b")],
            vec![address(BELOW_ACTOR, "b"), address(IN_BRANCH, "a")],
        ] {
            let said = Hits::new(hits, "L=SHS").one(url);
            assert_eq!(said.value.as_deref(), Some("b"));
            assert!(said.contradicted);
        }
    }

    #[test]
    fn an_entry_without_a_value_contradicts_nobody() {
        let empty = entry(BELOW_ACTOR, &[("o", "x")]);
        let said = Hits::new(vec![empty, address(IN_BRANCH, "a")], "l=SHS").one(url);
        assert_eq!(said.value.as_deref(), Some("a"));
        assert!(!said.contradicted);
        let nothing = Hits::new(Vec::new(), "l=SHS").one(url);
        assert_eq!(nothing.value, None);
    }

    #[test]
    fn of_values_with_the_same_identity_the_first_counts() {
        let hits = ["a1", "a2", "b1", "a1"].map(|text| address(&format!("o={text},l=SHS"), text));
        let hits = Hits::new(hits.to_vec(), "l=SHS");
        let said = hits.each(url, |text| text.chars().next());
        assert_eq!(said.value, ["a1", "b1"]);
        assert!(said.contradicted);
        let said = hits.each(url, |_| None::<char>);
        assert_eq!(said.value, ["a1", "a2", "b1"]);
        assert!(!said.contradicted);
    }
}
