//! Broken configurations: each is refused at the right place and with a remedy, all faults at once, no secret shown.
//!
//! The snapshot shows what administrators see. Each case replaces one line of a configuration without faults, or
//! adds lines to its end.

use std::fmt::Write;
use std::path::Path;

use exportd::config::{Config, Faults};

const SOUND: &str = r#"[store]
url = "sqlite:store.db"
[defaults]
timezone = "Europe/Paris"
[[job]]
label = "nightly"
run = "daily"
at = "04:00"
exports = ["agents", "messages"]
host = "sftp.partner.example"
user = "drop"
key = "id_ed25519"
host_keys = ["SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM"]
"#;

/// The line that is replaced (by its start; empty: at the end), and what stands there instead.
const BROKEN: &[(&str, &str)] = &[
    ("at", "att = \"04:00\""),
    ("at", "at = \"4 o'clock\""),
    ("at", "at = 4"),
    ("run", "run = \"dayly\""),
    ("run", ""),
    ("timezone", "timezone = \"Paris\""),
    ("timezone", "timezone = \"Europe/Atlantis\""),
    ("timezone", "timezone = \"GMT+1\""),
    ("timezone", "timezone = \"UTC-05:30\""),
    ("timezone", "timezone = \"CEST\""),
    ("timezone", "timezone = \"W. Europe Standard Time\""),
    ("timezone", "timezone = \"localtime\""),
    ("timezone", "timezone = \"posix/Europe/Paris\""),
    ("label", "label = \"\""),
    ("label", "label = \"nightly\"\ndescription = 7"),
    ("exports", "exports = []"),
    ("exports", "exports = \"agents\""),
    ("exports", "exports = [\"agents\", \"mesages\"]"),
    ("exports", "exports = [\"agents\", \"agents\"]"),
    ("exports", "exports = [{ name = \"identities\", add = [\"firstname\"] }]"),
    ("exports", "exports = [{ name = \"identities\", add = [\"email\", \"email\"] }]"),
    ("exports", "exports = [{ name = \"identities\", add = [\"email\"], fields = [\"id\"] }]"),
    ("exports", "exports = [{ name = \"identities\", fields = [] }]"),
    (
        "exports",
        "exports = [\"roles\", { name = \"identities\", add = [\"tw_followers_count\", \"email\", \"city\"] }]",
    ),
    ("exports", "exports = [{ name = \"identities\", add = [\"email\"] }]\nreason = \" \""),
    ("[defaults]", "[defaults]\nreason = \"for all\""),
    ("exports", "exports = [{ name = \"roles\", period = \"month\" }]"),
    ("exports", "exports = [{ name = \"journal\", filter_by = \"updated\" }]"),
    ("exports", "exports = [\"agents\", \"journal\"]\nfilter_by = \"updated\""),
    ("exports", "exports = [{ name = \"agents\", filter_by = \"updated\" }]"),
    ("host = ", "host = \"sftp://sftp.partner.example\""),
    ("host = ", "host = \"sftp.partner.example\"\nport = 70000"),
    ("host_keys", ""),
    ("host_keys", "host_keys = [\"MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48\"]"),
    ("host_keys", "host_keys = []"),
    ("key", "key = \"~/.ssh/id_ed25519\"\nknown_hosts = \"known_hosts\""),
    ("", "filename = \"{{label}}_{{date}}\""),
    ("", "filename = \"{{label}}_{{export_name}}\"\nzip = true"),
    ("", "filename = \"{{label}}\""),
    ("", "filename = \"{{label\""),
    ("", "filename = \"in/{{year}}/{{label}}\""),
    ("", "directory = \"~/in/bi\""),
    ("", "directory = \"~\""),
    ("", "directory = \"~drop/in\""),
    ("", "directory = \" in\""),
    ("", "directory = 'in\\bi'"),
    ("", "directory = \"in/${YEAR}\""),
    ("", "directory = \"in/{{yaer}}\""),
    ("", "directory = \"in/{{export_name}}\""),
    ("", "directory = \"in/{{run_id}}\""),
    ("", "directory = \"in/{{year\""),
    ("", "format = \"parquet\""),
    ("", "csv = { bom = true }"),
    ("", "format = \"ndjson\"\ncsv = { bom = true }"),
    ("", "format = \"csv\"\n[job.csv]\ndelimiter = \"::\"\nboolean = \"ja/nein\"\ndecimal_separator = \"'\""),
    ("", "filename = \"{{date}}_{{lable}}_{{export_name}}_{{#if zip}}x{{/if}}\"\nzip = true"),
    ("", "filename = \"{{table}}_{{sequence}}\""),
    ("", "schedule = \"0 4 * * *\"\nweekdays = [\"mon\"]\npassword = \"hunter2\"\nwhere = \"id > 1\""),
    ("", "destination = \"x\"\nfilter = 1\nrename = 1\nemail = 1\npath = 1\ncompress = 1\nencoding = 1"),
    ("", "timeout = \"5m\"\nurl_of_host = 1\ncolour = 1\nfields = [\"id\"]\nkeep = \"1d\""),
    ("[store]", "timezone = \"UTC\"\ntimeout = \"5m\"\n[[exports]]\n[sftp]\n[logging]\n[store]"),
    ("url", "url = \"sqlite:x\"\nhost = \"db\"\nsslmode = \"require\""),
    ("url", "url = \"postgres://${DB_USER}:${DB_PASSWORD}@db/shop\""),
    ("url", "url = \"${STORE_URL}\""),
    ("host = ", "host = \"${SFTP_HOST:-localhost}\"\nkey_passphrase = \"$PASSPHRASE\""),
    ("key", "key = \"${HOME}/.ssh/id_ed25519\""),
    ("run", "run = \"0 4 * * *\""),
    ("", "retry = 3"),
    ("", "retry = { attempts = 3, delay = \"1m\" }"),
    ("", "retry = { first = \"2h\", max = \"1h\" }"),
    ("", "retry = { first = \"30\" }"),
    ("", "extension = \"../x\""),
    ("", "verify = \"sha256\""),
    ("", "requests = 0"),
    ("", "channels = \"two\""),
    ("", "channels = 0"),
    ("", "max_rate = \"10 megabytes\""),
    ("[[job]]", "[job]"),
    ("", "[[jobs]]\nlabel = \"weekly\""),
    ("url", "url = \"oracle://db/x\""),
    ("url", "url = \"postgers://reporting@db/shop\""),
    ("url", "url = \"postgres://reporting:a/b@db/shop\""),
    ("url", "url = \"sqlite:\""),
    ("exports", "exports = [{ name = \"identities\", fields = [\"id\", \"mail\"] }]"),
    ("exports", "exports = [{ name = \"messages\", period = \"fortnight\" }]"),
    ("exports", "exports = [{ name = \"messages\", column = [\"id\"] }]"),
    ("url", "timeout = \"0s\""),
    ("url", "url = { env = \"EXPORTD_NO_SUCH_VARIABLE\" }"),
    ("[store]", "[catalogue]\nbuiltin = \"contact-center\"\n[store]"),
    ("[store]", "[catalogue]\nfiles = [\"nowhere/*.toml\"]\n[store]"),
    ("[defaults]", "[defaults]\nlabel = \"x\""),
    ("[defaults]", "row_security = \"off\"\n[defaults]"),
    ("[defaults]", "row_security = \"none\"\n[defaults]"),
    ("[defaults]", "[notify]\nlate = \"2h\"\n[defaults]"),
    ("[defaults]", "[notify]\ncommand = \"page\"\nurl = \"http://hooks.example/hunter2\"\nlate = \"1s\"\n[defaults]"),
    ("[defaults]", "[notify]\ncomand = [\"page\"]\nurl = { env = \"EXPORTD_NO_SUCH_VARIABLE\" }\n[defaults]"),
    ("user", "user = drop"),
    ("user", "user = \"drop\"\nuser = \"drop\""),
];

/// [`SOUND`] with one line replaced.
fn broken(start: &str, instead: &str) -> String {
    if start.is_empty() {
        return format!("{SOUND}{instead}\n");
    }
    assert!(SOUND.lines().any(|line| line.starts_with(start)), "no line starts with {start:?}");
    let line = |line: &'static str| if line.starts_with(start) { instead.to_owned() } else { line.to_owned() };
    SOUND.lines().map(|text| line(text) + "\n").collect()
}

fn refuse(text: &str) -> Faults {
    let config = Config::parse(text, Path::new("jobs.toml"), Path::new("/srv/exportd"));
    config.err().unwrap_or_else(|| panic!("this was accepted:\n{text}"))
}

#[test]
fn every_fault_shows_its_place_and_a_remedy() {
    Config::parse(SOUND, Path::new("jobs.toml"), Path::new("/srv/exportd")).unwrap_or_else(|faults| panic!("{faults}"));
    let mut shown = String::new();
    for (start, instead) in BROKEN {
        writeln!(shown, "{}\n", refuse(&broken(start, instead))).unwrap();
    }
    insta::assert_snapshot!("faults", shown);
}

#[test]
fn all_faults_are_told_in_one_pass_and_in_the_order_of_the_file() {
    let text = "[store]\nurl = \"oracle://x\"\ntimeout = 5\n[[job]]\nlabel = \"a\"\nrun = \"hourly\"\nat = \"25:00\"\n\
                exports = [\"nothing\", { name = \"agents\", add = [\"nobody\"] }]\nport = 0\nhots = \"x\"\n\
                [[job]]\nlabel = \"A\"\n";
    let faults = refuse(text);
    let lines: Vec<usize> = faults.iter().map(|fault| faults.place(fault).1.unwrap().0).collect();
    // Five keys that the first job lacks stand at its header, and seven of the second at its own.
    assert_eq!(lines, [2, 3, 4, 4, 4, 4, 6, 7, 8, 8, 9, 10, 11, 11, 11, 11, 11, 11], "{faults}");
}

#[test]
fn labels_are_unique_without_regard_to_case() {
    let job = &SOUND[SOUND.find("[[job]]").unwrap()..];
    let faults = refuse(&format!("{SOUND}{}", job.replace("nightly", "NIGHTLY")));
    assert!(faults.to_string().contains("a job `nightly` exists already"), "{faults}");
    assert_eq!(faults.place(faults.iter().last().unwrap()), ("jobs.toml", Some((15, 9))));
}

/// What a fault shows when a secret stands on its line, or on a line that may have been meant for one.
#[test]
fn secrets_are_never_shown() {
    let cases = [
        "[store]\nurl = \"postgers://u:hunter2@h/d\"\n",
        "[store]\nurl = \"hunter2\"\n",
        "[store]\nurl = \"postgres://u:hunter2@h/d\n",
        "[store]\nurl = postgres://u:hunter2@h/d\n",
        "[store]\nurl = '''\nhunter2\\q''' x\n",
        "[store]\nurl = \"\"\"\nhunter2 \\q\"\"\"\n",
        "[store]\nurl = [\"hunter2\"]\n",
        "[store]\nulr = \"hunter2\"\n",
        "[store]\nurl = { env = \"EXPORTD_NONE\", value = \"hunter2\" }\n",
        "[notify]\nurl = \"http://h.example/hunter2\"\nbearer = \"hunter2\\n\"\n",
        "[notify]\nurl = \"https://u:hunter2@h.example/\"\nheaders = { \"a b\" = \"hunter2\" }\n",
        "store = { \"url\" = \"x://u:hunter2@h\", timeout = 1 }\n",
        "store.url = \"hunter2\" # hunter2\nstore.timeout = 1\n",
        "[[job]]\nkey_passphrase = 'hunter2' 'x'\n",
        "[[job]]\nkey_pasphrase = \"hunter2\"\n",
        "[[job]]\nhost = \"sftp://u:hunter2@h\"\n",
        "job = [{ label = 1, key_passphrase = \"hunter2\" }]\n",
    ];
    for text in cases {
        let faults = refuse(text);
        for color in [false, true] {
            assert!(!faults.render(color, 80).contains("hunter2"), "{text}\n{}", faults.render(color, 80));
        }
        let parts: String = faults.iter().map(|fault| format!("{fault:?}")).collect();
        assert!(!parts.contains("hunter2"), "{parts}");
    }
}

#[test]
fn a_cut_line_is_underlined_at_the_right_place() {
    let shown = refuse("[store]\nurl = \"oracle://u:pw@h\"\n").to_string();
    assert!(shown.contains("2 | url = …\n  |       ^ "), "{shown}");
    let shown = refuse("job = [{ key_passphrase = \"é\", label = 1 }]\n").to_string();
    assert!(shown.contains("job = [{ key_passphrase = …\n"), "{shown}");
}

#[test]
fn another_language_is_told_in_one_sentence() {
    for (name, text) in [
        ("YAML", "store:\n  url: sqlite:hunter2\njobs:\n  - label: a\n"),
        ("YAML", "password: hunter2\n"),
        ("JSON", "{ \"store\": { \"url\": \"hunter2\" } }\n"),
    ] {
        let faults = refuse(text);
        assert_eq!(faults.len(), 1, "{faults}");
        let shown = faults.to_string();
        assert!(shown.contains(&format!("this looks like {name}, and the file has to be TOML")), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn what_follows_from_broken_syntax_is_not_told() {
    let faults = refuse(&broken("at", "at = 04:0"));
    assert_eq!(faults.len(), 1, "{faults}");
    let faults = refuse(&broken("at", "at = 04:0\nhots = \"x\""));
    assert_eq!(faults.len(), 2, "{faults}");
}
