//! Over a distance: how many round trips a delivery waits for.

use std::time::Duration;

use exportd::job::SftpDestination;

use crate::support::distance::Distance;
use crate::support::shop::{self, ORDERS};
use crate::support::sshd::Sshd;

/// Long enough that a slow test still asks in one turn what it asks at once.
const ROUND_TRIP: Duration = Duration::from_millis(80);

/// What a busy machine may add.
const SLACK: usize = 1;

#[test]
fn a_run_waits_for_few_round_trips() {
    let server = Sshd::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let distance = runtime.block_on(Distance::start(server.port(), ROUND_TRIP));
    let program = shop::program_to(&SftpDestination { port: distance.port(), ..server.destination() }, "");
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    assert_eq!(std::fs::read_to_string(server.directory().join(&server.names()[0])).unwrap(), ORDERS);
    // Greeting and keys 2, login 3, channel 1, subsystem 1, SFTP 1; probe 3, temporary name 1, content 1, final name 1.
    let whole = distance.round_trips();
    assert!((8..=14 + SLACK).contains(&whole), "a run over {whole} round trips");
}
