//! A column that its job no longer exports, or a recipient that it no longer has, while files wait in the spool: the
//! daemon sends nothing of them and makes the run anew.

use std::fs;

use crate::support::night::{self, WITH_EMAIL, WITHOUT_EMAIL, holds_email};
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::sshd::Sshd;

/// Where a run is killed whose files are all at the destination under hidden names.
const UPLOADED: &str = "destination:rename:before=kill";

/// A program whose only run was killed at `failpoint`, when its files with a sensitive column were in the spool.
fn killed_at(failpoint: &str, server: &Sshd, more: &str) -> Program {
    let program = night::program_with_email(server, more);
    night::last_up(&program, 1);
    Service::with_failpoint(&program, failpoint).was_killed();
    program
}

/// What `show` says about the only run.
fn shown(program: &Program) -> serde_json::Value {
    let (run, _) = &oracle::runs(program)[0];
    program.run(&["show", run.id.as_str(), "--json"]).expect(0).json()
}

/// Why files of the only run were made anew, once.
fn discarded(program: &Program) -> String {
    let run = shown(program);
    let attempts = run["timeline"].as_array().unwrap();
    let mut told = attempts.iter().filter_map(|attempt| attempt["discarded"].as_str());
    let first = told.next().expect("the files were made anew").to_owned();
    assert_eq!(told.next(), None, "once");
    first
}

#[track_caller]
fn made_anew(service: &mut Service, because: &str) {
    let told = service.says("made anew");
    assert!(told.contains("WARN") && told.contains(because), "{told}");
}

/// Lets a daemon go on with the run until it is delivered.
#[track_caller]
fn goes_on(program: &Program, because: &str) {
    let mut service = Service::start(program);
    made_anew(&mut service, because);
    service.says("\"delivered\"");
    service.stop();
}

#[test]
fn a_waiting_run_is_made_anew_once_its_job_drops_a_column() {
    let mut server = Sshd::start();
    let program = killed_at("state:uploading:before=kill", &server, "");
    let watcher = Watcher::start(&server.directory());
    server.stop();
    let mut service = Service::start(&program);
    service.says("retry_at");
    assert!(holds_email(&program.path("state/spool")));

    night::configure_exports(&program, &server, WITHOUT_EMAIL, "");
    service.signal("HUP");
    made_anew(&mut service, "job shop no longer exports orders (email)");
    service.says("retry_at");
    assert!(!holds_email(&program.path("state/spool")), "the partner is away still, and the files are gone");

    server.start_again();
    service.says("\"delivered\"");
    service.stop();
    let settled = oracle::settle(&program, watcher);
    assert_eq!(settled.runs[0].1.len(), 3, "two files and the manifest");
    assert!(!holds_email(&server.directory()), "neither the column nor its name in the manifest");
    assert_eq!(discarded(&program), "job shop no longer exports orders (email)");
    let shown = program.run(&["show", settled.runs[0].0.id.as_str()]).expect(0).out;
    assert!(shown.contains("spooled files made anew: job shop no longer exports"), "{shown}");
}

#[test]
fn a_waiting_run_is_made_anew_once_the_catalogue_withdraws_a_column() {
    let mut server = Sshd::start();
    let program = killed_at("state:uploading:before=kill", &server, "");
    let watcher = Watcher::start(&server.directory());
    server.stop();
    let mut service = Service::start(&program);
    service.says("retry_at");
    let catalogue = fs::read_to_string(program.path("catalogue.toml")).unwrap();
    let withdrawn = catalogue.replace("paid = \"boolean\"", "paid = { type = \"boolean\", sensitive = true }");
    fs::write(program.path("catalogue.toml"), withdrawn).unwrap();
    service.signal("HUP");
    made_anew(&mut service, "job shop no longer exports orders (paid), invoices (paid)");
    server.start_again();
    service.says("\"delivered\"");
    service.stop();
    let settled = oracle::settle(&program, watcher);
    for (_, files) in &settled.runs {
        assert!(files.iter().all(|file| !file.columns.contains(&"paid".to_owned())));
    }
}

#[test]
fn what_was_uploaded_before_a_crash_is_removed_and_never_published() {
    let server = Sshd::start();
    for more in ["", "publish = \"refuse\"", "zip = true"] {
        let program = killed_at(UPLOADED, &server, more);
        let before = server.names();
        assert!(!before.is_empty() && before.iter().all(|name| name.starts_with('.')), "{before:?}");
        let watcher = Watcher::start(&server.directory());
        night::configure_exports(&program, &server, WITHOUT_EMAIL, more);
        goes_on(&program, "orders (email)");
        let settled = oracle::settle(&program, watcher);
        let columns: Vec<&String> = settled.runs[0].1.iter().flat_map(|file| &file.columns).collect();
        assert!(!columns.is_empty() && columns.iter().all(|column| !column.contains("email")), "{columns:?}");
        assert!(!holds_email(&server.directory()), "{more}");
        clear(&server);
    }
}

#[test]
fn a_run_that_is_half_published_is_made_anew_as_a_whole() {
    let server = Sshd::start();
    for side in ["before", "after"] {
        let program = killed_at(&format!("state:published:{side}=kill"), &server, "");
        assert!(server.names().iter().any(|name| !name.starts_with('.')), "{:?}", server.names());
        assert!(server.names().iter().any(|name| name.starts_with('.')), "{:?}", server.names());
        night::configure_exports(&program, &server, WITHOUT_EMAIL, "");
        goes_on(&program, "orders (email)");
        oracle::settle(&program, Watcher::start(&server.directory()));
        assert!(!holds_email(&server.directory()), "{side}");
        clear(&server);
    }
}

#[test]
fn a_published_file_that_may_not_be_replaced_is_a_conflict_and_stays() {
    let server = Sshd::start();
    let refuse = "publish = \"refuse\"";
    let program = killed_at("state:published:after=kill", &server, refuse);
    let published =
        |server: &Sshd| -> Vec<String> { server.names().into_iter().filter(|name| !name.starts_with('.')).collect() };
    let before = published(&server);
    night::configure_exports(&program, &server, WITHOUT_EMAIL, refuse);
    let mut service = Service::start(&program);
    let told = service.says("made anew");
    assert!(told.contains("published already") && told.contains(&before[0]), "{told}");
    let failure = service.says("failed: ");
    assert!(failure.contains("exists already"), "{failure}");
    service.stop();
    assert_eq!(server.names(), before, "nothing hidden is left, nothing more is published");
}

#[test]
fn nothing_of_the_old_bytes_goes_to_another_recipient() {
    let (server, other) = (Sshd::start(), Sshd::start());
    let another_port = format!("port = {}", other.port());
    for (host, is_other) in [("127.0.0.1", true), ("localhost", false)] {
        let program = killed_at(UPLOADED, &server, "");
        let hidden = server.names();
        // Whatever comes from the spool has the old size.
        night::change_orders(&program, "\"größe\" = 'made anew'");
        let present = if is_other { &other } else { &server };
        night::configure_exports(&program, present, WITH_EMAIL, "");
        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("host = \"127.0.0.1\"", &format!("host = \"{host}\"")));
        assert_eq!(is_other, config.contains(&another_port));

        let mut service = Service::start(&program);
        made_anew(&mut service, &format!("127.0.0.1:{}, and job shop delivers to", server.port()));
        let told = service.says("hidden files");
        assert!(told.contains("WARN") && told.contains(&format!("127.0.0.1:{}", server.port())), "{told}");
        assert!(hidden.iter().all(|name| told.contains(name.as_str())), "{hidden:?} {told}");
        service.says("\"delivered\"");
        service.stop();
        let published: Vec<String> = present.names().into_iter().filter(|name| !name.starts_with('.')).collect();
        assert_eq!(published.len(), 3);
        for name in published.iter().filter(|name| name.ends_with(".csv")) {
            let content = fs::read_to_string(present.directory().join(name)).unwrap();
            assert!(content.contains(",made anew,") && !content.contains(",XL,"), "{content}");
        }
        assert!(hidden.iter().all(|name| server.names().contains(name)), "out of reach");

        // They stay on record: a run that delivers there again removes them.
        night::configure_exports(&program, &server, WITHOUT_EMAIL, "");
        program.run(&["run", "shop"]).expect(0);
        assert!(server.names().iter().all(|name| !name.starts_with('.')), "{:?}", server.names());
        clear(&server);
        clear(&other);
    }
}

#[test]
fn more_columns_and_another_directory_keep_nothing_from_being_sent() {
    let server = Sshd::start();
    let program = killed_at(UPLOADED, &server, "");
    let elsewhere = server.file("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let more_columns = WITH_EMAIL.replace("\"email\"", "\"email\", \"phone\"");
    night::configure_exports(&program, &server, &more_columns, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace(&server.directory().display().to_string(), &elsewhere.display().to_string()));
    // Whoever queries the store fails.
    fs::rename(program.path("shop.db"), program.path("away.db")).unwrap();
    let mut service = Service::start(&program);
    service.says("\"delivered\"");
    service.stop();
    assert_eq!(server.names(), Vec::<String>::new(), "the hidden files in the directory before are removed");
    let names = crate::support::sshd::names_in(&elsewhere);
    assert!(names.len() == 3 && names.iter().all(|name| !name.starts_with('.')), "{names:?}");
    assert!(holds_email(&elsewhere));
}

#[test]
fn what_an_earlier_version_has_spooled_is_made_anew() {
    let server = Sshd::start();
    let program = killed_at(UPLOADED, &server, "");
    night::forget_clearance(&program);
    let watcher = Watcher::start(&server.directory());
    goes_on(&program, "an earlier version of exportd made the files");
    oracle::settle(&program, watcher);
}

#[test]
fn every_attempt_keeps_its_own_reason() {
    let server = Sshd::start();
    let program = killed_at(UPLOADED, &server, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("they asked", "contract of 2026"));
    let mut service = Service::start(&program);
    service.says("\"delivered\"");
    service.stop();
    let run = shown(&program);
    let reasons: Vec<&str> =
        run["timeline"].as_array().unwrap().iter().map(|attempt| attempt["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["they asked", "contract of 2026"]);
    assert_eq!(run["reason"], "contract of 2026", "the last one is the run's");
    let shown = program.run(&["show", run["run"].as_str().unwrap()]).expect(0).out;
    assert!(shown.contains("reason: they asked") && shown.contains("reason: contract of 2026"), "{shown}");
}

fn clear(server: &Sshd) {
    server.names().iter().for_each(|name| fs::remove_file(server.directory().join(name)).unwrap());
}
