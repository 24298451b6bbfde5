//! Partners and daemons that are away for a while, and files that are lost meanwhile.

use std::fs;

use exportd::tuning::Tuning;

use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::sshd::{Sshd, names_in};

/// Gives the store's table another name: whoever queries it now, fails.
fn rename_table(program: &Program, from: &str, to: &str) {
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    store.execute_batch(&format!(r#"ALTER TABLE "{from}" RENAME TO "{to}""#)).unwrap();
}

const TABLE: &str = r#"order""; --"#;

#[test]
fn a_partner_who_comes_back_gets_the_files_made_before_without_a_query() {
    let mut server = Sshd::start();
    let program = night::program(&server, "");
    night::last_up(&program, 1);
    let watcher = Watcher::start(&server.directory());
    Service::with_failpoint(&program, "state:uploading:before=kill").was_killed();
    server.stop();
    rename_table(&program, TABLE, "away");

    let mut service = Service::start(&program);
    service.says("retry_at");
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!(history[0]["state"], "waiting");
    assert!(history[0]["error"].as_str().unwrap().contains("can't be reached"), "{}", history[0]["error"]);
    let (since, next) = (history[0]["waiting_since"].as_str().unwrap(), history[0]["retry_at"].as_str().unwrap());
    assert!(since < next, "{since} {next}");
    let shown = program.run(&["show", history[0]["run"].as_str().unwrap()]).expect(0);
    for fact in ["waits since", "next try", "spooled", "cut short"] {
        assert!(shown.out.contains(fact), "{fact} is missing in:\n{}", shown.out);
    }

    server.start_again();
    service.says("\"delivered\"");
    service.stop();
    rename_table(&program, "away", TABLE);
    let settled = oracle::settle(&program, watcher);
    assert!(settled.runs[0].0.attempts >= 3);
}

#[test]
fn three_missed_nights_come_oldest_first_each_once_with_its_own_names() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    night::last_up(&program, 3);
    let watcher = Watcher::start(&server.directory());
    let mut service = Service::start(&program);
    let order: Vec<String> = (0..3).map(|_| due_of(&service.says("\"delivered\""))).collect();
    service.stop();
    let settled = oracle::settle(&program, watcher);
    let dues: Vec<String> = settled.runs.iter().map(|(run, _)| exportd::run::rfc3339(&run.due)).collect();
    assert_eq!(order, dues, "oldest first");
    let days: Vec<_> = settled.runs.iter().map(|(run, _)| run.due.date()).collect();
    assert!(days.windows(2).all(|pair| pair[0].tomorrow().unwrap() == pair[1]), "{days:?}");
    assert!(settled.runs.iter().all(|(run, _)| run.period.1.date() == run.due.date()));
    assert_eq!(server.names().len(), 9, "two files and a manifest for each night");

    // A second start finds nothing to do.
    let mut service = Service::start(&program);
    service.says("the daemon is up");
    service.stop();
    assert_eq!(oracle::runs(&program).len(), 3);
}

fn due_of(line: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["due"].as_str().or(line["fields"]["due"].as_str()).unwrap().to_owned()
}

#[test]
fn a_spooled_file_that_changed_is_made_again() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    night::last_up(&program, 1);
    let watcher = Watcher::start(&server.directory());
    Service::with_failpoint(&program, "state:uploading:after=kill").was_killed();
    spoil_spool(&program, "orders.csv");
    let mut service = Service::start(&program);
    service.says("made again");
    service.says("\"delivered\"");
    service.stop();
    oracle::settle(&program, watcher);
}

#[test]
fn what_is_half_published_is_never_completed_from_another_state_of_the_store() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    night::last_up(&program, 1);
    Service::with_failpoint(&program, "state:published:before=kill").was_killed();
    let published = server.names().iter().filter(|name| !name.starts_with('.')).count();
    let expected = Tuning::of_environment().unwrap().files_at_once.min(2);
    assert_eq!(published, expected, "both files at once, or one after the other; the manifest comes after them");
    // Both what the partner may have had and what is here of the second file are lost.
    spoil_spool(&program, "invoices.csv");
    for name in server.names().iter().filter(|name| name.contains("invoices")) {
        fs::remove_file(server.directory().join(name)).unwrap();
    }
    let mut service = Service::start(&program);
    let failure = service.says("failed: ");
    assert!(failure.contains("1 of 3 files are published"), "{failure}");
    service.stop();
    assert_eq!(oracle::runs(&program)[0].0.state.name(), "failed");
}

fn spoil_spool(program: &Program, ending: &str) {
    let (run, _) = &oracle::runs(program)[0];
    let folder = program.path("state/spool").join(run.id.as_str());
    let name = names_in(&folder).into_iter().find(|name| name.ends_with(ending)).unwrap();
    fs::write(folder.join(name), "spoiled").unwrap();
}
