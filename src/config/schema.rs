//! JSON schemas (2020-12) of the files that people write, for editors that complete and check while one types.
//!
//! They say what each key is and takes. Rules between jobs and with other files are the loader's alone.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::keys::{Absent, CATALOGUE_FILE, Choice, JOB, Key, REFERENCE, ROOT, Section};

/// The schema of `jobs.toml`.
pub fn jobs() -> String {
    document("exportd configuration (jobs.toml)", &ROOT)
}

/// The schema of a catalogue.
pub fn catalogue() -> String {
    document("exportd catalogue", &CATALOGUE_FILE)
}

fn document(title: &str, root: &'static Section) -> String {
    let mut schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema" });
    let mut definitions = Map::new();
    let mut pending: VecDeque<&Section> = root.sections().collect();
    while let Some(section) = pending.pop_front() {
        if !definitions.contains_key(section.name) {
            definitions.insert(section.name.to_owned(), table(section));
            pending.extend(section.sections());
        }
    }
    if definitions.contains_key(REFERENCE.name) {
        definitions.insert("secret".to_owned(), secret());
    }
    merge(&mut schema, table(root));
    schema["title"] = title.into();
    merge(&mut schema, json!({ "$defs": definitions }));
    format!("{schema:#}\n")
}

/// What the key of a secret takes; the reference itself is a section.
fn secret() -> Value {
    json!({
        "description": "A text, or better a reference to one.",
        "anyOf": [{ "type": "string", "minLength": 1 }, { "$ref": "#/$defs/reference" }]
    })
}

fn table(section: &Section) -> Value {
    let mut schema = json!({
        "title": section.header, "description": section.says, "type": "object", "additionalProperties": false
    });
    let properties: Map<String, Value> = match section.name {
        // A default is what the job's own key is.
        "defaults" => {
            JOB.keys.iter().filter(|key| key.is_shared).map(|key| (key.name.to_owned(), inherited(key))).collect()
        }
        _ => section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect(),
    };
    schema["properties"] = properties.into();
    let required: Vec<&str> = section.keys.iter().filter(|key| is_required(section, key)).map(|key| key.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    let each = |keys: &[&str]| keys.iter().map(|key| json!({ "required": [key] })).collect::<Vec<_>>();
    merge(
        &mut schema,
        match section.choice {
            Choice::Free => json!({}),
            Choice::AtLeastOne(keys) => json!({ "anyOf": each(keys) }),
            Choice::ExactlyOne(keys) => json!({ "oneOf": each(keys) }),
            Choice::AtMostOne(keys) => json!({ "not": { "required": keys } }),
        },
    );
    schema
}

/// A key that `[defaults]` can hold is never missing from a job for certain.
fn is_required(section: &Section, key: &Key) -> bool {
    matches!(key.absent, Absent::Required) && (section.name != JOB.name || !key.is_shared)
}

fn property(key: &Key) -> Value {
    let mut schema = json!({ "description": key.says });
    merge(&mut schema, key.takes.schema());
    match key.absent {
        Absent::Required | Absent::Otherwise("none") => {}
        Absent::Default(value) => schema["default"] = to_json(value),
        Absent::Otherwise(words) => schema["description"] = format!("{} Default: {words}.", key.says).into(),
    }
    if let Some(value) = key.example {
        schema["examples"] = json!([to_json(value)]);
    }
    schema
}

fn inherited(key: &Key) -> Value {
    json!({ "$ref": format!("#/$defs/{}/properties/{}", JOB.name, key.name) })
}

/// A value of TOML as JSON.
fn to_json(value: &str) -> Value {
    let table: Value = toml::from_str(&format!("value = {value}")).expect("the table holds TOML; a test reads it");
    table["value"].clone()
}

fn merge(schema: &mut Value, more: Value) {
    if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
        schema.extend(more);
    }
}
