//! No two files on one remote path: within a job, between jobs of any cadence, however the directory is spelt.

use std::path::Path;

use exportd::config::Config;

const SHARED: &str = r#"[store]
url = "sqlite:store.db"
[defaults]
host = "sftp.partner.example"
user = "drop"
key = "id_ed25519"
host_keys = ["SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM"]
"#;
const DATED: &str = "filename = '{{export_name}}_{{year}}{{month}}{{day}}'";

/// What is said of two jobs, each given by its own lines.
fn told(first: &str, second: &str) -> Option<String> {
    let job = |label: &str, lines: &str| {
        let run = if lines.contains("run =") { "" } else { "run = 'daily'\n" };
        format!("[[job]]\nlabel = '{label}'\nexports = ['agents', 'messages']\n{run}{lines}\n")
    };
    let text = format!("{SHARED}{}{}", job("first", first), job("second", second));
    Config::parse(&text, Path::new("jobs.toml"), Path::new("/srv")).err().map(|faults| faults.to_string())
}

#[test]
fn two_jobs_never_write_the_same_path() {
    let fault = told(DATED, DATED).expect("the same template, day and folder");
    assert!(fault.contains("the jobs `first` and `second` would write the same file, agents_20260601.csv"), "{fault}");
    assert!(fault.contains("put {{label}} into `filename`"), "{fault}");
    assert!(told("filename = '{{export_name}}'", "filename = '{{export_name}}.CSV'").is_some(), "case does not count");
    assert!(told("filename = '{{export_name}}'", "filename = '{{export_name}}.CSV'\nextension = 'x'").is_none());
    assert!(told("", "").is_none(), "the usual template holds the label");
}

#[test]
fn jobs_of_other_cadences_meet_on_some_day() {
    let with = |run: &str| format!("{DATED}\n{run}");
    let monday = with("run = 'weekly'\nweek_starts = 'monday'");
    let sunday = with("run = 'weekly'\nweek_starts = 'sunday'");
    let monthly = with("run = 'monthly'");
    assert!(told(DATED, &sunday).is_some() && told(&monthly, DATED).is_some() && told(&sunday, &monthly).is_some());
    assert!(told(&monday, &sunday).is_none(), "they are never due on one day");
    let by_month = |job: &str| job.replace("{{day}}", "");
    assert!(told(&by_month(&monday), &by_month(&sunday)).is_some(), "their names do not tell the day");
    assert!(told(DATED, &by_month(&monthly)).is_none());
    assert!(told("filename = '{{export_name}}_{{run_id}}'", "filename = '{{export_name}}_{{run_id}}'").is_none());
}

#[test]
fn a_path_is_host_port_user_and_directory() {
    let with = |line: &str| format!("{DATED}\n{line}");
    assert!(told(&with("directory = 'in/bi'"), &with("directory = './in//x/../bi/'")).is_some());
    assert!(told(DATED, &with("host = 'SFTP.Partner.Example'")).is_some());
    for other in ["directory = 'in'", "host = 'other.example'", "port = 2222", "user = 'x'"] {
        assert!(told(DATED, &with(other)).is_none(), "{other}");
    }
}

#[test]
fn the_files_of_one_run_have_names_of_their_own() {
    let fault = told("filename = '{{label}}'", "").expect("two exports, one name");
    assert!(fault.contains("`agents` and `messages` would be the same file, first.csv"), "{fault}");
    assert!(told("filename = '{{label}}'\nzip = true", "").is_none());
    assert!(told("filename = '{{label}}.{{export_name}}'\nextension = ''\nmanifest = true", "").is_none());
}

#[test]
fn a_folder_is_one_place_however_it_is_spelt() {
    let into = |folder: &str| format!("{DATED}\nfolder = '{folder}'");
    for other in ["/srv/drops", "/srv/drops/", "/srv/./drops", "/srv/x/../drops", "drops"] {
        let fault = told(&into("/srv/drops"), &into(other)).expect(other);
        assert!(fault.contains("would write the same file"), "{fault}");
    }
    assert!(told(&into("/srv/drops"), &into("/srv/other")).is_none());
    assert!(told(&into("/srv/drops"), DATED).is_none(), "one is on the server of the defaults");
}

#[test]
fn a_folder_and_the_keys_of_a_server_exclude_each_other_in_one_job() {
    let with = |line: &str| told(&format!("folder = '/srv/drops'\n{line}"), "");
    assert_eq!(with(""), None, "the defaults of a server do not apply");
    for line in ["host = 'h'", "user = 'u'", "directory = 'in'", "allow_gap = true", "max_rate = '1 MB/s'"] {
        let fault = with(line).expect(line);
        let key = line.split(' ').next().unwrap();
        assert!(fault.contains(&format!("`{key}` is a key of an SFTP server")), "{fault}");
    }
}

#[test]
fn a_folder_of_our_own_state_is_refused() {
    for folder in ["state", "state/spool", "/srv/state/"] {
        let job = format!("folder = '{folder}'\n[state]\ndir = 'state'");
        let fault = told("", &job).expect(folder);
        assert!(fault.contains("is in the state folder of exportd"), "{fault}");
    }
    assert!(told("", "folder = 'states'\n[state]\ndir = 'state'").is_none());
}

#[test]
fn directories_with_variables_meet_other_directories() {
    let into = |directory: &str| format!("filename = '{{{{export_name}}}}'\ndirectory = '{directory}'");
    assert!(told(&into("in/{{year}}"), &into("in/2026")).is_some(), "in 2026");
    assert!(told(&into("in/{{year}}/../{{year}}"), &into("in/{{year}}")).is_some());
    assert!(told(&into("in/{{label}}"), &into("in/{{label}}")).is_none());
    assert!(told(&into("in/{{year}}"), &into("in/{{month}}")).is_none());
    assert!(told(&into("in/{{year}}"), &into("in/2029")).is_some(), "in 2029");
    assert!(told(&into("in/{{year}}"), &into("in/2129")).is_some(), "in 2129");
    assert!(told(&into("in/{{year}}"), &into("in/1999")).is_none(), "never");
    assert!(told(&into("in/{{month}}"), &format!("{}\nrun = 'monthly'", into("in/05"))).is_some(), "in May");
    assert!(told(&into("in/{{day}}"), &into("in/31")).is_some(), "on a 31st");
    assert!(told(&into("in/{{day}}"), &into("in/32")).is_none(), "never");
    assert!(told(&into("in/{{year}}/{{month}}/{{day}}"), &into("in/2028/02/29")).is_some(), "on a leap day");
    assert!(told(&into("in/{{month}}/{{day}}"), &into("in/02/29")).is_some(), "on a leap day");
    assert!(told("filename = '{{export_name}}_{{year}}'", "filename = '{{export_name}}_2029'").is_some(), "in 2029");
}
