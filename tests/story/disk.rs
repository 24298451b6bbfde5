//! Local disks that fail, or are full.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::{Outcome, Program, outcome};
use crate::support::service::Service;
use crate::support::sshd::Sshd;

/// How many points are tried at a time: a run that failed spends a second waiting.
const AT_A_TIME: usize = 4;

#[test]
fn any_local_write_that_fails_costs_one_attempt_and_nothing_else() {
    // What only commands do, and what is only done after another failure or a reload.
    let elsewhere = ["state:reopen", "state:fall-back", "state:wait", "state:hand-over", "state:discard"];
    let is_elsewhere = |point: &&&str| !elsewhere.contains(*point);
    let points = exportd::failpoint::POINTS.iter().filter(|point| !point.starts_with("destination:"));
    let points: Vec<&str> = points.filter(is_elsewhere).copied().collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                let server = Sshd::start();
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let passages = (1..).take_while(|nth| is_met(&server, point, *nth)).count();
                    assert!(passages > 0, "{point} was never passed");
                }
            });
        }
    });
}

/// A run whose `nth` passage of `point` meets a failing disk. False if it was not passed so often.
fn is_met(server: &Sshd, point: &str, nth: usize) -> bool {
    let program = night::program(server, "");
    if ["spool:remove", "state:forget"].contains(&point) {
        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("[state]\n", "[state]\nkeep = \"0s\"\n"));
    }
    night::last_up(&program, 1);
    let watcher = Watcher::start(&server.directory());
    let fault = if nth.is_multiple_of(2) { "full" } else { "error" };
    let mut service = Service::with_failpoint(&program, &format!("{point}:before={fault}@{nth}"));
    service.says("\"delivered\"");
    let is_met = service.said().contains("a fail point acts");
    service.stop();
    let settled = oracle::settle(&program, watcher);
    let [(run, _)] = &settled.runs[..] else { panic!("{point}: {} runs", settled.runs.len()) };
    assert!(run.attempts <= 1 + u32::from(is_met), "{point}, passage {nth}: {} attempts", run.attempts);
    clear(server);
    is_met
}

/// Gives the job an export that is larger than a small disk, in place of its own or in a job before it.
fn add_wide(program: &Program) {
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    let numbers = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 40000)";
    store.execute_batch(&format!("CREATE TABLE wide AS {numbers} SELECT id FROM n")).unwrap();
    let catalogue = fs::read_to_string(program.path("catalogue.toml")).unwrap();
    let wide = "[[export]]\nname = \"wide\"\nfrom = \"wide\"\n[export.columns]\nid = \"id\"\n";
    fs::write(program.path("catalogue.toml"), format!("{catalogue}\n{wide}")).unwrap();
    fs::create_dir_all(program.path("state/spool")).unwrap();
}

#[test]
fn a_daemon_whose_disk_is_full_goes_on_with_what_fits() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    add_wide(&program);
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let job = config.split_once("[[job]]").expect("there is a job").1;
    let wide = job.replace("[\"orders\", \"invoices\"]", "[\"wide\"]").replace("\"shop\"", "\"broad\"");
    program.configure(&format!("{config}\n[[job]]{wide}"));
    night::last_up_all(&program, &["shop", "broad"], 2);

    let mut service = Service::launch(on_small_disk(&program, "192k", &["serve"], "exec \"$0\" \"$@\""));
    let (mut delivered, mut full) = (0, None);
    while delivered < 2 || full.is_none() {
        let line = service.says("\"job\":");
        delivered += usize::from(line.contains("\"delivered\"") && line.contains("\"shop\""));
        full = full.or(Some(line).filter(|line| line.contains("no space left")));
    }
    let full = full.unwrap();
    assert!(full.contains("broad") && full.contains("bytes") && full.contains("retry_at"), "{full}");
    service.stop();
    let names = server.names();
    assert!(names.len() == 6 && names.iter().all(|name| name.starts_with("shop_")), "{names:?}");
}

#[test]
fn a_full_disk_fails_that_run_alone_with_the_bytes_it_needs() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    add_wide(&program);
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[\"orders\", \"invoices\"]", "[\"wide\"]"));

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

/// Runs the job with a spool that is a disk of that size, and lists at the end what lies there.
fn run_on_small_disk(program: &Program, size: &str) -> Outcome {
    let script = "\"$0\" \"$@\"; code=$?; echo spool:; ls -A state/spool; exit $code";
    let outcome = outcome(on_small_disk(program, size, &["run", "shop"], script).output().unwrap());
    assert_ne!(outcome.code, 99, "this test mounts a tmpfs in a namespace of its own: {}", outcome.err);
    outcome
}

/// A shell whose spool is a disk of that size. The disk is nobody else's and goes with the process.
fn on_small_disk(program: &Program, size: &str, arguments: &[&str], script: &str) -> Command {
    let mount = format!("mount -t tmpfs -o size={size},mode=700 tmpfs state/spool || exit 99\n{script}");
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let inner = program.command(arguments);
    let mut command = Command::new("unshare");
    command.args([namespace, "sh", "-c", &mount]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(program.path(""));
    command
}

fn clear(server: &Sshd) {
    for name in server.names() {
        fs::remove_file(server.directory().join(name)).unwrap();
    }
}
