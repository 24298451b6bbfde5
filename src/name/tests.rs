//! What every file name keeps to, whatever a job's label and template say.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn render(template: &str, label: &str, export: Option<&str>, extension: &str) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let due = date(2026, 7, 30).at(4, 5, 0, 0).to_zoned_datetime(zone.clone()).unwrap();
    let from = date(2026, 7, 29).to_zoned_datetime(zone.clone()).unwrap();
    let to = date(2026, 7, 30).to_zoned_datetime(zone).unwrap();
    let values = NameValues { label, export_name: export, due: &due, period: (&from, &to), run_id: "0abc" };
    NameTemplate::parse(template).unwrap().render(&values, extension)
}

#[test]
fn fills_every_variable_from_the_due_time() {
    assert_eq!(
        render("{{label}}_{{year}}_{{month}}_{{day}}_{{export_name}}", "nightly", Some("agents"), "csv"),
        "nightly_2026_07_30_agents.csv"
    );
    assert_eq!(
        render("{{period_start}}-{{period_end}} {{hour}}{{minute}} {{run_id}}", "x", None, "zip"),
        "2026-07-29-2026-07-29 0405 0abc.zip"
    );
}

#[test]
fn adds_the_extension_once() {
    assert_eq!(render("a.CSV", "x", None, "csv"), "a.CSV");
    assert_eq!(render("a.csv.gz", "x", None, "csv"), "a.csv.gz.csv");
    assert_eq!(render("a", "x", None, ""), "a");
    assert_eq!(render("a.", "x", None, "csv"), "a.csv");
    assert_eq!(render(".csv", "x", None, "csv"), "_.csv");
}

#[test]
fn makes_one_safe_component() {
    assert_eq!(render("{{label}}", "../../etc/passwd", None, ""), "___.._etc_passwd");
    assert_eq!(render("{{label}}", "a/b\\c:d\n\u{0}e", None, "csv"), "a_b_c_d__e.csv");
    assert_eq!(render("{{label}}", "Zürich & 東京", None, "csv"), "Zürich _ 東京.csv");
    assert_eq!(render("{{label}}", " . ", None, ""), "_");
}

#[test]
fn a_long_label_does_not_cost_the_date() {
    let name = render("{{label}}_{{year}}_{{month}}_{{day}}_{{export_name}}", &"東".repeat(100), Some("agents"), "csv");
    assert!(name.ends_with("東_2026_07_30_agents.csv"), "{name}");
    assert!(name.len() <= MAX_BYTES && name.len() > MAX_BYTES - 4, "{}", name.len());
    let due = date(2026, 7, 30).at(4, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap();
    assert!(manifest_name(&"é".repeat(100), &due).ends_with("é_2026-07-30.manifest.json"));
    assert_eq!(manifest_name("nightly", &due), "nightly_2026-07-30.manifest.json");
}

#[test]
fn refuses_what_is_no_variable() {
    let faults = |text: &str| NameTemplate::parse(text).unwrap_err().faults;
    assert_eq!(faults("{{label"), [NameFault::Syntax]);
    assert_eq!(faults("{{lable}}"), [NameFault::UnknownVariable { name: "lable".to_owned(), range: 2..7 }]);
    for text in
        ["{{#if label}}x{{/if}}", "{{log label}}", "{{> part}}", "{{eq label label}}", "{{label x=1}}", "{{*inline x}}"]
    {
        assert!(matches!(faults(text)[..], [NameFault::NotAVariable { .. }]), "{text}");
    }
    assert!(matches!(faults("{{../label}}")[..], [NameFault::UnknownVariable { .. }]));
    assert!(matches!(faults("{{@root.label}}")[..], [NameFault::UnknownVariable { .. }]));
}

#[test]
fn all_faults_of_a_template_are_told_each_at_its_place() {
    let text = "é{{date}}_{{label}}_{{ date }}{{log label}}{{export_name}}{{{x}}}";
    let NameFaults { faults, uses_export_name } = NameTemplate::parse(text).unwrap_err();
    let underlined: Vec<&str> = faults.iter().map(|fault| &text[fault.range().unwrap()]).collect();
    assert_eq!((underlined.as_slice(), uses_export_name), (["date", "date", "{{log label}}", "x"].as_slice(), true));
    assert_ne!(faults[0].range(), faults[1].range());
}

#[test]
fn characters_that_names_cannot_have_are_known() {
    let replaced = |text: &str| NameTemplate::parse(text).unwrap().replaced();
    assert_eq!((replaced("{{label}}_%Y-%m"), replaced("{label}")), (Some('%'), Some('{')));
    assert_eq!(replaced("{{label}} 1.é-{{day}}"), None);
}

#[test]
fn knows_whether_it_needs_the_export() {
    assert!(NameTemplate::parse("{{label}}{{ export_name }}").unwrap().uses_export_name());
    assert!(!NameTemplate::parse("export_name{{!-- export_name --}}").unwrap().uses_export_name());
}

#[test]
fn names_of_windows_devices_are_known() {
    for name in ["CON.csv", "con", "Aux.tar.gz", "nul .csv", "COM1.csv", "lpt0.zip", "COM².csv"] {
        assert!(is_windows_device(name), "{name}");
    }
    for name in ["CONTACTS.csv", "con_2026.csv", "COM.csv", "COM10.csv", "x.con", "_con.csv", "com١.csv"] {
        assert!(!is_windows_device(name), "{name}");
    }
}

proptest! {
    #[test]
    fn any_label_gives_a_safe_name(label in "\\PC{0,120}|[./\\\\ \u{0}\n.]{0,250}", extension in "(csv|zip|CSV|tar[.]gz|)") {
        for template in ["{{label}}", "{{label}}{{label}}.{{day}}", "x{{label}}.csv", "{{{label}}} "] {
            let name = render(template, &label, None, &extension);
            prop_assert!(!name.is_empty() && name.len() <= MAX_BYTES, "{name:?}");
            prop_assert!(!name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']), "{name:?}");
            prop_assert!(name.chars().all(|c| c.is_alphanumeric() || "._- ".contains(c)), "{name:?}");
            prop_assert!(name.to_lowercase().ends_with(&extension.to_lowercase()), "{name:?}");
        }
    }

    #[test]
    fn any_text_is_a_template_or_a_fault(text in "\\PC{0,60}|[{}a-z#/>!~ ]{0,40}") {
        if let Ok(template) = NameTemplate::parse(&text) {
            let due = date(2026, 7, 30).at(4, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap();
            let values = NameValues { label: "l", export_name: None, due: &due, period: (&due, &due), run_id: "r" };
            prop_assert!(!template.render(&values, "csv").is_empty());
        }
    }
}

#[test]
fn a_directory_keeps_its_text_and_takes_safe_components() {
    let render = |template: &str, label: &str| {
        let due = date(2026, 7, 30).at(4, 5, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap();
        let values = NameValues { label, export_name: None, due: &due, period: (&due, &due), run_id: "" };
        NameTemplate::parse(template).unwrap().render_directory(&values)
    };
    assert_eq!(render("/in box/{{year}}/{{month}}/{{day}}", "x"), "/in box/2026/07/30");
    assert_eq!(render("../{{label}}/{{hour}}{{minute}}", "a/b"), "../a_b/0405");
    for label in ["..", "../..", ".", "/", "~"] {
        let directory = render("in/{{label}}/x", label);
        let components: Vec<&str> = directory.split('/').collect();
        assert_eq!(components.len(), 3, "{label}: {directory}");
        assert!(!components[1].starts_with(['.', '~']) && !components[1].is_empty(), "{label}: {directory}");
    }
}
