//! SIGTERM in every phase: the daemon ends in time, loses nothing, and the next one goes on.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::sshd::{Sshd, names_in};

/// However a run hangs, even in the middle of writing state, which others wait 30 s for: what the systemd unit allows.
const GRACE: Duration = Duration::from_secs(45);

#[test]
fn a_daemon_told_to_stop_in_any_phase_ends_in_time_and_goes_on_later() {
    let phases = [
        "destination:reach:before",
        "state:stage:before",
        "state:spooled:before",
        "destination:upload:before",
        "state:uploading:after",
        "destination:rename:before",
        "state:published:before",
    ];
    std::thread::scope(|scope| {
        for phase in phases {
            scope.spawn(move || {
                let server = Sshd::start();
                let program = night::program(&server, "");
                night::last_up(&program, 1);
                let watcher = Watcher::start(&server.directory());
                let service = Service::with_failpoint(&program, &format!("{phase}=hang"));
                wait_until_it_hangs(&program, phase);
                // Told twice, it does not wait for the grace time to pass.
                let told = Instant::now();
                service.signal("TERM");
                service.stop();
                assert!(told.elapsed() < GRACE, "{phase}: it took {:?}", told.elapsed());
                assert_eq!(oracle::runs(&program)[0].0.state.name(), "queued", "{phase}");
                let mut service = Service::start(&program);
                service.says("\"delivered\"");
                service.stop();
                oracle::settle(&program, watcher);
            });
        }
    });
}

/// The stage before the point at which it hangs is on disk.
fn wait_until_it_hangs(program: &Program, phase: &str) {
    let stage = match phase {
        "destination:reach:before" | "state:stage:before" => "claimed",
        "state:spooled:before" => "querying",
        "destination:upload:before" | "state:uploading:after" => "uploading",
        _ => "publishing",
    };
    let mut show = String::new();
    for _ in 0..200 {
        if let Some((run, _)) = oracle::runs(program).first() {
            show = program.run(&["show", run.id.as_str()]).out;
            if show.contains(stage) {
                return;
            }
        }
    }
    panic!("{phase}: it never came to {stage}:\n{show}");
}

#[test]
fn an_endless_query_is_cut_short_when_the_daemon_is_told_to_stop() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    night::last_up(&program, 1);
    let catalogue = fs::read_to_string(program.path("catalogue.toml")).unwrap();
    let endless = "query = \"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n\"";
    fs::write(
        program.path("catalogue.toml"),
        format!("{catalogue}\n[[export]]\nname = \"endless\"\n{endless}\n[export.columns]\nid = \"id\"\n"),
    )
    .unwrap();
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[\"orders\", \"invoices\"]", "[\"endless\"]"));
    let service = Service::start(&program);
    wait_until_it_hangs(&program, "state:spooled:before");
    service.signal("TERM");
    service.stop();
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(oracle::runs(&program)[0].0.state.name(), "queued");
    assert_eq!(names_in(&program.path("state/spool")), Vec::<String>::new(), "what was half written is gone");
}
