//! Templates of file names that nobody would write.

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::fuzz::attack;

/// What is accepted makes a name that any server takes.
#[test]
fn name_templates() {
    let words = [
        "{{",
        "}}",
        "{{{",
        "}}}",
        "{{label}}",
        "{{!",
        "{{!--",
        "--}}",
        "{{~",
        "~}}",
        "\\{{",
        "{{{{raw}}}}",
        "#if ",
        "é",
        "../",
        "\0",
    ];
    let due = date(2026, 7, 30).at(4, 5, 0, 0).to_zoned_datetime(TimeZone::UTC).unwrap();
    let values = NameValues { label: "a/b", export_name: Some("x"), due: &due, period: (&due, &due), run_id: "0abc" };
    attack("name_templates", &words, |input| {
        let text = String::from_utf8_lossy(input);
        let template = NameTemplate::parse(&text).map_err(|refused| -> Vec<_> {
            for range in refused.faults.iter().filter_map(NameFault::range) {
                assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}");
            }
            refused.faults.iter().map(std::mem::discriminant).collect()
        })?;
        let name = template.render(&values, "csv");
        assert!(name.len() <= MAX_BYTES && name.ends_with(".csv") && !name.contains(['/', '\\', '\0']), "{name:?}");
        let directory = template.render_directory(&values);
        Ok::<_, Vec<_>>((
            template.uses_export_name(),
            template.uses_run_id(),
            template.replaced().is_some(),
            directory.len(),
        ))
    });
}
