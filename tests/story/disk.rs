//! Local disks that fail, or are full.

use std::fs;
use std::process::Command;

use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::{Outcome, Program, outcome};
use crate::support::service::Service;
use crate::support::sshd::Sshd;

#[test]
fn a_local_write_that_fails_costs_one_attempt_and_nothing_else() {
    let points = exportd::failpoint::POINTS.iter().filter(|point| !point.starts_with("destination:"));
    // What only commands do, and what is only done after another failure.
    let is_elsewhere = |point: &&&str| !["state:reopen", "state:fall-back", "state:wait"].contains(*point);
    let server = Sshd::start();
    for (number, point) in points.filter(is_elsewhere).enumerate() {
        let program = night::program(&server, "");
        if ["spool:remove", "state:forget"].contains(point) {
            let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
            program.configure(&config.replace("[state]\n", "[state]\nkeep = \"0s\"\n"));
        }
        night::last_up(&program, 1);
        let watcher = Watcher::start(&server.directory());
        let fault = if number.is_multiple_of(2) { "full" } else { "error" };
        let mut service = Service::with_failpoint(&program, &format!("{point}:before={fault}"));
        service.says("\"delivered\"");
        service.stop();
        let settled = oracle::settle(&program, watcher);
        let [(run, _)] = &settled.runs[..] else { panic!("{point}: {} runs", settled.runs.len()) };
        assert!(run.attempts <= 2, "{point}: {} attempts", run.attempts);
        clear(&server);
    }
}

#[test]
fn a_full_disk_fails_that_run_alone_with_the_bytes_it_needs() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    let numbers = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 40000)";
    store.execute_batch(&format!("CREATE TABLE wide AS {numbers} SELECT id FROM n")).unwrap();
    let catalogue = fs::read_to_string(program.path("catalogue.toml")).unwrap();
    let wide = "[[export]]\nname = \"wide\"\nfrom = \"wide\"\n[export.columns]\nid = \"id\"\n";
    fs::write(program.path("catalogue.toml"), format!("{catalogue}\n{wide}")).unwrap();
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[\"orders\", \"invoices\"]", "[\"wide\"]"));
    fs::create_dir_all(program.path("state/spool")).unwrap();

    let full = run_on_small_disk(&program, "192k").expect(1);
    assert!(full.err.contains("no space left") && full.err.contains("bytes"), "{}", full.err);
    assert_eq!(full.out, "spool:\n", "what was half written is gone");
    assert_eq!(server.names(), Vec::<String>::new());

    // A job whose files fit is not harmed.
    program.configure(&config);
    let fits = run_on_small_disk(&program, "192k").expect(0);
    assert!(fits.out.contains("orders.csv"), "{}", fits.out);

    // With the size of the last run known, the next one does not even connect.
    program.configure(&config.replace("[\"orders\", \"invoices\"]", "[\"wide\"]"));
    program.run(&["run", "shop"]).expect(0);
    let known = run_on_small_disk(&program, "192k").expect(1);
    assert!(known.err.contains("free") && known.err.contains("the last time"), "{}", known.err);
}

/// Runs the job with a spool that is a disk of that size, and lists at the end what lies there. The disk is nobody
/// else's and goes with the process.
fn run_on_small_disk(program: &Program, size: &str) -> Outcome {
    let script = format!(
        "mount -t tmpfs -o size={size},mode=700 tmpfs state/spool || exit 99\n\
         \"$0\" \"$@\"; code=$?; echo spool:; ls -A state/spool; exit $code"
    );
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let inner = program.command(&["run", "shop"]);
    let mut command = Command::new("unshare");
    command.args([namespace, "sh", "-c", &script]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(program.path(""));
    let outcome = outcome(command.output().unwrap());
    assert_ne!(outcome.code, 99, "this test mounts a tmpfs in a namespace of its own: {}", outcome.err);
    outcome
}

fn clear(server: &Sshd) {
    for name in server.names() {
        fs::remove_file(server.directory().join(name)).unwrap();
    }
}
