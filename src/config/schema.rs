//! JSON schemas (2020-12) of the files that people write, for editors that complete and check while one types.
//!
//! They say what each key is and takes. Rules between keys, between jobs and with other files are the loader's alone.
//! The tests keep them and the documentation as complete as the loader.

/// The schema of `jobs.toml`.
pub const JOBS: &str = include_str!("schema/jobs.json");
/// The schema of a catalogue.
pub const CATALOGUE: &str = include_str!("schema/catalogue.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::config::{ROOT_KEYS, catalogue, exports, format, job, notify, secret, sources, store};

    const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
    const FORMATS: &str = include_str!("../../docs/formats.md");
    const CATALOGUES: &str = include_str!("../../docs/catalogue.md");

    fn job_keys() -> Vec<&'static str> {
        job::OWN_KEYS.into_iter().chain(job::SHARED_KEYS).collect()
    }

    /// Each table: its schema, where that stands in it, the loader's keys, and the page that explains them.
    fn tables() -> Vec<(&'static str, &'static str, Vec<&'static str>, &'static str)> {
        vec![
            (JOBS, "", ROOT_KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/store", store::STORE_KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/state", store::STATE_KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/catalogue", sources::KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/notify", notify::KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/reference", secret::KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/job", job_keys(), CONFIGURATION),
            (JOBS, "/$defs/defaults", job::SHARED_KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/export", exports::KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/retry", job::RETRY_KEYS.to_vec(), CONFIGURATION),
            (JOBS, "/$defs/csv", format::CSV_KEYS.to_vec(), FORMATS),
            (CATALOGUE, "", vec!["export"], CATALOGUES),
            (CATALOGUE, "/$defs/export", catalogue::EXPORT_KEYS.to_vec(), CATALOGUES),
            (CATALOGUE, "/$defs/column", catalogue::COLUMN_KEYS.to_vec(), CATALOGUES),
        ]
    }

    #[test]
    fn the_schemas_know_exactly_the_keys_of_the_loader() {
        for (schema, place, keys, _) in tables() {
            let schema: Value = serde_json::from_str(schema).unwrap();
            let table = schema.pointer(place).unwrap_or_else(|| panic!("no {place}"));
            let known: BTreeSet<&str> = table["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(known, keys.into_iter().collect(), "{place}");
            assert_eq!(table["additionalProperties"], false, "{place}");
        }
    }

    #[test]
    fn every_key_has_a_description() {
        for (schema, place, keys, _) in tables() {
            let schema: Value = serde_json::from_str(schema).unwrap();
            for key in keys {
                let mut property = &schema.pointer(place).unwrap()["properties"][key];
                while property["description"].is_null() {
                    let target = property["$ref"].as_str().unwrap_or_else(|| panic!("{place}: {key} says nothing"));
                    property = schema.pointer(&target[1..]).unwrap();
                }
            }
        }
    }

    /// A key counts as explained where it stands in code marks, alone, assigned, or as a table's header.
    #[test]
    fn every_key_is_in_the_documentation() {
        for (_, place, keys, page) in tables() {
            for key in keys {
                let forms = [format!("`{key}`"), format!("{key} = "), format!("{key}]")];
                assert!(forms.iter().any(|form| page.contains(form.as_str())), "{place}: {key} is in no page");
            }
        }
    }
}
