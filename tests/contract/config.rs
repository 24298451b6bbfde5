//! Configurations: the example loads, the built-in catalogue has the documented size, secrets stay where they are.

use std::collections::BTreeSet;
use std::path::Path;

use exportd::catalogue::{Catalogue, Export, Mode, Source};
use exportd::config::{Config, Overrides, Surroundings, digest_of, find_config};
use exportd::job::{Destination, Format, Job, PeriodRule, SftpDestination, Trust};
use exportd::secret::Secret;

const EXAMPLE: &str = include_str!("../../jobs.example.toml");

/// Export, all columns, default ones, sensitive ones, additional ones; a group of columns counts once.
const SIZES: [(&str, usize, usize, usize, usize); 20] = [
    ("agents", 23, 13, 10, 0),
    ("agents_notifications", 12, 11, 1, 0),
    ("agents_permissions", 11, 10, 1, 0),
    ("attachments", 15, 13, 2, 0),
    ("journal", 19, 11, 8, 0),
    ("interventions_comments", 13, 10, 3, 0),
    ("interventions", 44, 41, 3, 0),
    ("categories", 13, 13, 0, 0),
    ("sources", 42, 23, 0, 19),
    ("responses", 24, 21, 3, 0),
    ("identities", 37, 8, 20, 13),
    ("identity_groups", 13, 5, 8, 0),
    ("task_selection_activities", 11, 10, 1, 0),
    ("reply_assistant-knowledge_base", 11, 11, 0, 0),
    ("messages", 46, 36, 10, 0),
    ("presence_status", 4, 4, 0, 0),
    ("presence_time", 14, 13, 1, 0),
    ("reply_assistant-entry_groups", 8, 8, 0, 0),
    ("roles", 39, 39, 0, 0),
    ("threads", 35, 21, 14, 11),
];

/// How many columns of an export fit, the members of one group counted once.
fn count(export: &Export, fits: impl Fn(&exportd::catalogue::Column) -> bool) -> usize {
    let fitting = export.columns.iter().filter(|column| fits(column));
    fitting.map(|column| column.group.as_ref().unwrap_or(&column.name)).collect::<BTreeSet<_>>().len()
}

fn sftp(job: &Job) -> &SftpDestination {
    match &*job.destination {
        Destination::Sftp(sftp) => sftp,
        Destination::Folder(folder) => panic!("it delivers to the folder {}", folder.path.display()),
    }
}

#[test]
fn the_built_in_catalogue_has_the_documented_exports_and_columns() {
    let catalogue = Catalogue::contact_centre();
    assert_eq!(catalogue.exports.len(), 20);
    let mut totals = (0, 0, 0, 0);
    for (name, all, default, sensitive, additional) in SIZES {
        let export = catalogue.export(name).unwrap_or_else(|| panic!("no export {name}"));
        let found = (
            count(export, |_| true),
            count(export, |column| column.is_default()),
            count(export, |column| column.sensitive),
            count(export, |column| column.additional),
        );
        assert_eq!(found, (all, default, sensitive, additional), "{name}");
        assert_eq!(export.source, Source::Table(format!("export_{}", name.replace('-', "_"))));
        assert!(!export.order.is_empty(), "{name} has no order, so its files are not stable");
        totals = (totals.0 + all, totals.1 + default, totals.2 + sensitive, totals.3 + additional);
    }
    assert_eq!(totals, (434, 321, 85, 43));
}

#[test]
fn the_built_in_catalogue_knows_its_times() {
    let catalogue = Catalogue::contact_centre();
    let column = |export: &str, time: &str| Some(catalogue.export(export).unwrap().time(time)?.column.name.clone());
    assert_eq!(column("messages", "stored").as_deref(), Some("stored_at"));
    assert_eq!(column("threads", "last_message").as_deref(), Some("last_message_at"));
    assert_eq!(column("presence_time", "created").as_deref(), Some("date"));
    assert_eq!(column("journal", "updated"), None);
    let full = catalogue.exports.iter().filter(|export| export.mode == Mode::Full).count();
    assert_eq!(full, 8);
    assert_eq!(catalogue.export("agents").unwrap().mode, Mode::Full);
}

#[test]
fn the_example_loads_as_it_is() {
    let config =
        Config::parse(EXAMPLE, Path::new("jobs.example.toml"), Path::new("/srv")).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(config.store.url.expose(), "sqlite:/srv/contact_centre.db");
    let [nightly, weekly, monthly] = &config.jobs[..] else { panic!("three jobs") };
    let identities = &nightly.exports[2];
    let names: Vec<&str> = identities.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names.len(), 8 + 2);
    assert!(names.contains(&"first_name") && !names.contains(&"last_name"));
    assert!(
        names.iter().position(|name| *name == "first_name") < names.iter().position(|n| *n == "tw_followers_count")
    );
    assert_eq!((nightly.exports[0].period, nightly.exports[0].filter.is_none()), (PeriodRule::All, true));
    assert_eq!(nightly.exports[3].filter.as_ref().unwrap().name, "updated");
    assert_eq!((weekly.zip, weekly.extension.as_str(), weekly.exports[0].period), (true, "zip", PeriodRule::Week));
    let fields: Vec<&str> = monthly.exports[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(fields, ["id", "created_at", "last_name", "first_name", "email", "city"]);
    let Format::Csv(csv) = &monthly.format else { panic!("the monthly job writes csv") };
    assert_eq!((csv.delimiter, csv.bom, csv.boolean.1.as_str()), (b';', true, "no"));
    assert_eq!(sftp(monthly).key, Path::new("/srv/id_ed25519"));
}

#[test]
fn overrides_take_the_place_of_what_the_file_says() {
    let overrides = Overrides {
        store_url: Some("sqlite:/tmp/sample.db".to_owned()),
        state_dir: Some("/tmp/state".into()),
        host: Some("127.0.0.1".to_owned()),
        port: Some(2222),
        user: Some("demo".to_owned()),
        directory: None,
        key: Some("/tmp/key".into()),
        host_keys: Some(vec!["SHA256:x".to_owned()]),
    };
    let surroundings = Surroundings { overrides, ..Surroundings::new(Path::new("/srv")) };
    let config = Config::parse_with(EXAMPLE, Path::new("jobs.example.toml"), &surroundings).unwrap();
    assert_eq!(
        (config.store.url.expose(), config.state_dir.as_path()),
        ("sqlite:/tmp/sample.db", Path::new("/tmp/state"))
    );
    for job in &config.jobs {
        let to = sftp(job);
        assert_eq!((to.host.as_str(), to.port, to.user.as_str()), ("127.0.0.1", 2222, "demo"));
        assert_eq!(to.trust, Trust::Pinned(vec!["SHA256:x".to_owned()]));
    }
    assert_eq!(sftp(&config.jobs[0]).directory, "incoming/bi");
}

#[test]
fn secrets_come_from_where_the_reference_points() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("url"), "postgres://u:from-file@h/d\n").unwrap();
    let url = |reference: &str| {
        let text = format!("[store]\nurl = {reference}");
        let surroundings = Surroundings {
            variable: |name| match name {
                "STORE_URL" => Some("mysql://u:from-env@h/d".to_owned()),
                "CREDENTIALS_DIRECTORY" => Some(".".to_owned()),
                _ => None,
            },
            ..Surroundings::new(folder.path())
        };
        let config =
            Config::parse_with(&text, Path::new("jobs.toml"), &surroundings).map_err(|faults| faults.to_string())?;
        assert!(!format!("{config:?}").contains("from-"), "a debug print shows the secret");
        Ok::<Secret, String>(config.store.url)
    };
    assert_eq!(url("{ file = \"url\" }").unwrap().expose(), "postgres://u:from-file@h/d");
    assert_eq!(url("{ env = \"STORE_URL\" }").unwrap().expose(), "mysql://u:from-env@h/d");
    assert_eq!(url("{ credential = \"url\" }").unwrap().expose(), "postgres://u:from-file@h/d");
    assert!(url("{ env = \"NOT_SET\" }").unwrap_err().contains("the environment variable `NOT_SET` is not set"));
    assert!(url("{ file = \"gone\" }").unwrap_err().contains("gone can't be read"));
    assert!(url("{ env = \"A\", file = \"b\" }").unwrap_err().contains("needs exactly one source"));
}

#[test]
fn a_named_configuration_wins() {
    assert_eq!(find_config(Some(Path::new("x.toml"))).unwrap().path, Path::new("x.toml"));
    let faults = Config::load(Path::new("/no/such/jobs.toml")).unwrap_err();
    assert!(
        faults.to_string().starts_with("error: /no/such/jobs.toml: the file can't be read: no such file"),
        "{faults}"
    );
}

#[test]
fn a_configuration_is_known_by_its_file_and_its_catalogues() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let path = folder.path().join("jobs.toml");
    let export = |name: &str| format!("[[export]]\nname = \"{name}\"\nfrom = \"t\"\ncolumns = {{ id = \"id\" }}\n");
    let job = "[[job]]\nlabel = \"x\"\nrun = \"daily\"\nexports = [\"b\"]\nfolder = \"/srv\"\n";
    let store = "[store]\nurl = \"sqlite:x\"\n";
    let digest = |command: &str| {
        let loaded = Config::load(&path).unwrap_or_else(|faults| panic!("{faults}")).digest;
        assert_eq!(digest_of(&path).unwrap(), loaded, "as it is on disk");
        let mut shell = std::process::Command::new("sh");
        let printed = shell.args(["-c", command]).current_dir(folder.path()).output().unwrap().stdout;
        assert_eq!(&printed[..64], loaded.as_bytes(), "{command}");
        loaded
    };
    write("jobs.toml", store);
    let alone = digest("sha256sum jobs.toml");
    std::fs::create_dir(folder.path().join("own")).unwrap();
    write("own/b.toml", &export("b"));
    write("own/c.toml", &export("c"));
    write("d.toml", &export("d"));
    let catalogue = "[catalogue]\nfiles = [\"own/*.toml\", \"d.toml\"]\n";
    // The table can stand behind the jobs too.
    for text in [format!("{store}{catalogue}{job}"), format!("{store}{job}{catalogue}")] {
        write("jobs.toml", &text);
        write("own/c.toml", &export("c"));
        let before = digest("cat jobs.toml own/b.toml own/c.toml d.toml | sha256sum");
        write("own/c.toml", &export("e"));
        let changed = digest("cat jobs.toml own/b.toml own/c.toml d.toml | sha256sum");
        assert!(changed != before && before != alone);
    }
    std::fs::remove_file(folder.path().join("d.toml")).unwrap();
    assert_eq!(digest_of(&path).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}
