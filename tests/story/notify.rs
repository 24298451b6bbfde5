//! People are told of failures, recoveries and late runs, whatever becomes of the daemon, and runs do not care.

use std::fs;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::support::certificates::Certificates;
use crate::support::hook::{Hook, TlsHook};
use crate::support::night;
use crate::support::program::{Program, outcome};
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

/// A job that fails for good as long as somebody's own file has the name of its file.
const REFUSE: &str = "publish = \"refuse\"";

fn program(server: &Sshd, job: &str, notify: &str) -> Program {
    let program = shop::program(server, "");
    configure(&program, server, job, notify);
    program
}

fn configure(program: &Program, server: &Sshd, job: &str, notify: &str) {
    program.configure(&shop::config(server, job).replace("[state]", &format!("[notify]\n{notify}\n[state]")));
}

/// A file in the way of the one that is due next after [`night::last_up`] one day ago.
fn obstruct(program: &Program, server: &Sshd) -> std::path::PathBuf {
    program.run(&["run", "shop", "--dry-run", "--output", "names"]).expect(0);
    let name = crate::support::sshd::names_in(&program.path("names")).remove(0);
    let path = server.directory().join(name);
    fs::write(&path, "somebody's own").unwrap();
    path
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "never: {what}");
        std::thread::yield_now();
    }
}

fn state_of_newest(program: &Program) -> String {
    let history = program.run(&["history", "--json"]).expect(0).json();
    history[0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_failure_and_the_recovery_after_it_are_told_once_each() {
    let server = Sshd::start();
    let hook = Hook::start("204 No Content");
    let program = program(&server, REFUSE, &format!("url = \"http://127.0.0.1:{}/hook\"", hook.port));
    let obstacle = obstruct(&program, &server);
    night::last_up(&program, 1);
    let mut daemon = Service::start(&program);
    daemon.says("told");
    let told = hook.posted().body;
    assert_eq!(
        (&told["event"], &told["test"], &told["run"]["state"]),
        (&"failure".into(), &false.into(), &"failed".into())
    );
    assert!(told["text"].as_str().unwrap().starts_with("exportd: shop, due 20"), "{told}");
    daemon.stop();

    fs::remove_file(obstacle).unwrap();
    // The name was taken, so the store was not even read: there is nothing to redeliver.
    program.run(&["run", "shop", "--at", told["run"]["due"].as_str().unwrap()]).expect(0);
    let mut daemon = Service::start(&program);
    daemon.says("told");
    let told = hook.posted().body;
    assert_eq!(
        (&told["event"], &told["run"]["trigger"], &told["run"]["error"]),
        (&"recovery".into(), &"manual".into(), &().into())
    );
    let run = told["run"]["run"].as_str().unwrap();
    daemon.stop();
    fs::remove_file(server.directory().join(told["run"]["files"][0]["name"].as_str().unwrap())).unwrap();
    program.run(&["redeliver", run]).expect(0);
    let mut daemon = Service::start(&program);
    daemon.says("the daemon is up");
    daemon.stop();
    hook.assert_silent();
    let state = rusqlite::Connection::open(program.path("state/state.db")).unwrap();
    let mut notices =
        state.prepare("SELECT kind || iif(sent_at IS NULL, '', ' sent') FROM notice ORDER BY id").unwrap();
    let notices: Vec<String> = notices.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(notices, ["failure sent", "recovery sent"]);
}

#[test]
fn a_failure_that_was_being_told_when_the_daemon_was_killed_is_told_by_the_next() {
    let server = Sshd::start();
    let program = shop::program(&server, REFUSE);
    obstruct(&program, &server);
    let folder = program.path("");
    let script = format!(
        "cd {}; echo $EXPORTD_EVENT $EXPORTD_JOB >> begun; [ -z \"$EXPORTD_STORE_URL\" ] || exit 3; \
         [ -e go ] || exec sleep 60; cat > told",
        folder.display()
    );
    configure(&program, &server, REFUSE, &format!("command = [\"/bin/sh\", \"-c\", '{script}']"));
    night::last_up(&program, 1);
    let daemon = Service::start(&program);
    let begun = || fs::read_to_string(program.path("begun")).ok();
    wait_for("the command", || begun().filter(|text| text == "failure shop\n"));
    assert_eq!(state_of_newest(&program), "failed", "whoever is slow to be told holds nothing up");
    daemon.signal("KILL");
    daemon.was_killed();
    fs::write(program.path("go"), "").unwrap();
    let mut command = program.command(&["serve"]);
    command.env("EXPORTD_STORE_URL", "a secret");
    let mut daemon = Service::launch(command);
    daemon.says("told");
    assert_eq!(begun().unwrap(), "failure shop\nfailure shop\n");
    let told: serde_json::Value = serde_json::from_slice(&fs::read(program.path("told")).unwrap()).unwrap();
    assert_eq!(told["run"]["state"], "failed");
    daemon.stop();
}

#[test]
fn a_late_run_is_told_and_its_delivery_too() {
    let mut server = Sshd::start();
    let hook = Hook::start("200 OK");
    let notify = format!("url = \"http://localhost:{}/\"\nlate = \"1m\"", hook.port);
    // Never due within the last minute, whenever this test is run.
    let at = (Timestamp::now() - 2.hours()).to_zoned_datetime(TimeZone::get("Europe/Paris").unwrap()).strftime("%H:%M");
    let retry = "retry = { first = \"1s\", max = \"1s\", for = \"2d\" }";
    let program = program(&server, &format!("at = \"{at}\"\n{retry}\nmissed = \"latest\""), &notify);
    night::last_up(&program, 1);
    server.stop();
    let mut daemon = Service::start(&program);
    let told = hook.posted().body;
    assert_eq!((&told["event"], &told["run"]["job"]), (&"late".into(), &"shop".into()));
    server.start_again();
    daemon.says("\"delivered\"");
    let told = hook.posted().body;
    assert_eq!((&told["event"], &told["run"]["state"]), (&"recovery".into(), &"delivered".into()));
    daemon.stop();
    hook.assert_silent();
}

#[test]
fn a_notice_that_does_not_get_through_is_only_logged() {
    let server = Sshd::start();
    let program = program(&server, REFUSE, "command = [\"/bin/false\"]");
    obstruct(&program, &server);
    night::last_up(&program, 1);
    let mut daemon = Service::start(&program);
    assert!(daemon.says("did not get through").contains("/bin/false ended with exit status: 1"));
    assert_eq!(state_of_newest(&program), "failed");
    daemon.stop();
}

#[test]
fn a_test_shows_who_was_told_and_no_secret() {
    let server = Sshd::start();
    let hook = Hook::start("200 OK");
    let url = format!("url = \"http://127.0.0.1:{}/s3cret?s3cret\"", hook.port);
    let secrets = "bearer = { env = \"TOKEN\" }\nheaders = { X-Team = \"data\" }\ncommand = [\"/bin/cat\"]";
    let program = program(&server, "", &format!("{url}\n{secrets}"));
    let test =
        |expected| outcome(program.command(&["notify"]).env("TOKEN", "s3cret").output().unwrap()).expect(expected);
    assert_eq!(test(0).out, "ok     the command took it\nok     the url took it\n");
    let posted = hook.posted();
    let head = posted.head.to_lowercase();
    assert!(head.starts_with("post /s3cret?s3cret http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer s3cret") && head.contains("x-team: data"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(posted.body["test"], true);

    for answer in ["500 Internal Server Error", "302 Found\r\nLocation: http://127.0.0.1:1/"] {
        let hook = Hook::start(answer);
        configure(&program, &server, "", &format!("url = \"http://127.0.0.1:{}/s3cret\"\n{secrets}", hook.port));
        let told = test(1);
        assert!(
            told.out.contains(&format!("FAULT  the url of [notify] answers with status {}", &answer[..3])),
            "{told:?}"
        );
        assert!(!format!("{told:?}").contains("s3cret"), "{told:?}");
    }
    configure(&program, &server, "", "url = \"http://127.0.0.1:1/s3cret\"\ncommand = [\"/no/such\"]");
    let told = test(1);
    assert!(told.out.contains("/no/such can't be started: no such file") && !told.out.contains("s3cret"), "{told:?}");
    program.configure(&shop::config(&server, ""));
    test(2);
}

#[test]
fn a_server_is_told_over_tls_only_if_it_proves_who_it_is() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let certificates = Certificates::make(&program.path(""));
    let hook = TlsHook::start(&certificates);
    let url = format!("url = \"https://localhost:{}/\"", hook.port);
    configure(&program, &server, "", &url);
    let told = program.run(&["notify"]).expect(1);
    assert!(told.out.contains("can't be trusted"), "{}", told.out);
    configure(&program, &server, "", &format!("{url}\nca = {:?}", certificates.authority));
    assert_eq!(program.run(&["notify"]).expect(0).out, "ok     the url took it\n");
}
