//! `exportd redeliver`: the same bytes once more, from the spool, never twice at a time and never with a query.

use std::fs;

use exportd::run::RunState;

use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::sshd::Sshd;

fn contents(server: &Sshd) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| (name.clone(), fs::read(server.directory().join(name)).unwrap());
    server.names().into_iter().map(read).collect()
}

fn clear(server: &Sshd) {
    server.names().iter().for_each(|name| fs::remove_file(server.directory().join(name)).unwrap());
}

fn only_run(program: &Program) -> String {
    let runs = oracle::runs(program);
    assert_eq!(runs.len(), 1);
    runs[0].0.id.to_string()
}

#[test]
fn a_delivered_run_is_delivered_again_with_the_same_bytes() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    program.run(&["run", "shop"]).expect(0);
    let (first, run) = (contents(&server), only_run(&program));
    assert_eq!(first.len(), 3);
    clear(&server);
    // What the store holds by now does not matter.
    fs::remove_file(program.path("shop.db")).unwrap();
    let again = program.run(&["redeliver", &run[..11]]).expect(0);
    assert!(again.out.contains("orders.csv"), "{}", again.out);
    assert_eq!(contents(&server), first);
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!((&history[0]["state"], &history[0]["attempts"]), (&"delivered".into(), &2.into()));
}

#[test]
fn what_the_partner_still_has_is_kept_where_nothing_may_be_replaced() {
    let server = Sshd::start();
    let program = night::program(&server, "publish = \"refuse\"");
    program.run(&["run", "shop"]).expect(0);
    let run = only_run(&program);
    let refused = program.run(&["redeliver", &run]).expect(1);
    assert!(refused.err.contains("exists already"), "{}", refused.err);
    let (record, _) = &oracle::runs(&program)[0];
    assert_eq!((record.state, record.error.as_deref()), (RunState::Delivered, None), "it was delivered, and still is");
    oracle::settle(&program, Watcher::start(&server.directory()));
}

#[test]
fn a_run_without_files_in_the_spool_is_refused() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.run(&["run", "shop"]).expect(0);
    let kept = only_run(&program);
    assert!(program.path("state/spool").join(&kept).exists());
    program.configure(&config.replace("[state]\n", "[state]\nkeep = \"0s\"\n"));
    let refused = program.run(&["redeliver", &kept]).expect(1);
    assert!(refused.err.contains("has no files in the spool"), "{}", refused.err);
    assert!(!program.path("state/spool").join(&kept).exists(), "any command clears what is kept no longer");
    let unknown = program.run(&["redeliver", "zzzz"]).expect(2);
    assert!(unknown.err.contains("there is no run"), "{}", unknown.err);
}

#[test]
fn a_run_that_failed_by_hand_is_completed_from_the_spool() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    let mut command = program.command(&["run", "shop"]);
    let killed = command.env("EXPORTD_FAILPOINT", "state:uploading:after=kill").output().unwrap();
    assert_eq!(killed.status.code(), None);
    let run = only_run(&program);
    assert_eq!(program.run(&["history", "--json"]).expect(0).json()[0]["state"], "failed");
    let watcher = Watcher::start(&server.directory());
    fs::rename(program.path("shop.db"), program.path("away.db")).unwrap();
    program.run(&["redeliver", &run]).expect(0);
    fs::rename(program.path("away.db"), program.path("shop.db")).unwrap();
    oracle::settle(&program, watcher);
}

#[test]
fn what_a_killed_command_left_at_the_partner_goes_with_the_jobs_next_run() {
    let server = Sshd::start();
    for failpoint in ["destination:reach:before", "destination:reach:after", "destination:upload:after@3"] {
        let program = night::program(&server, "");
        let (place, nth) = failpoint.split_once('@').unwrap_or((failpoint, "1"));
        let mut command = program.command(&["run", "shop"]);
        let killed = command.env("EXPORTD_FAILPOINT", format!("{place}=kill@{nth}")).output().unwrap();
        assert_eq!(killed.status.code(), None, "{failpoint}");
        let watcher = Watcher::start(&server.directory());
        program.run(&["run", "shop"]).expect(0);
        oracle::settle(&program, watcher);
        clear(&server);
    }
}

#[test]
fn a_run_that_waits_is_delivered_by_hand_beside_the_daemon_and_not_again_by_it() {
    let mut server = Sshd::start();
    let program = night::program(&server, "");
    // The daemon's own next try is far away.
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("first = \"1s\", max = \"1s\"", "first = \"1h\", max = \"1h\""));
    night::last_up(&program, 2);
    let watcher = Watcher::start(&server.directory());
    Service::with_failpoint(&program, "state:uploading:before=kill").was_killed();
    server.stop();
    let mut service = Service::start(&program);
    service.says("retry_at");
    let waiting = oracle::runs(&program).into_iter().find(|(run, _)| run.state == RunState::Waiting).unwrap().0;

    let away = program.run(&["redeliver", waiting.id.as_str()]).expect(1);
    assert!(away.err.contains("can't be reached"), "{}", away.err);
    let still = oracle::runs(&program).into_iter().find(|(run, _)| run.id == waiting.id).unwrap().0;
    assert_eq!((still.state, still.retry_at), (RunState::Waiting, waiting.retry_at), "it goes on waiting");

    server.start_again();
    program.run(&["redeliver", waiting.id.as_str()]).expect(0);
    // The daemon notices after a while, and the night that was held back is next.
    let next = service.says("\"delivered\"");
    assert!(!next.contains(waiting.id.as_str()), "{next}");
    service.stop();
    oracle::settle(&program, watcher);
}
