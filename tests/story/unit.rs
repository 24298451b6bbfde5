//! The systemd unit: every systemd in use takes it, it is shut tight, and its limits fit the daemon's own protection.

use std::fs;
use std::process::Command;
use std::time::Duration;

use exportd::daemon::Limits;

use crate::support::program::outcome;
use crate::support::unit::{self, Unit};

/// The directives that the unit may use: all are known to systemd 247 (Debian 11) and later. An older systemd ignores
/// a newer directive with a warning, and takes a `Type=` that it does not know for `simple`: such a service can't be
/// reloaded, and is never told of as ready.
const KNOWN_TO_247: &str = "
    Description Documentation Wants After StartLimitIntervalSec
    Type ExecStart ExecReload Restart RestartSec RestartPreventExitStatus WatchdogSec TimeoutStopSec OOMPolicy
    Environment LoadCredential DynamicUser StateDirectory StateDirectoryMode UMask
    CapabilityBoundingSet AmbientCapabilities NoNewPrivileges ProtectSystem ProtectHome PrivateTmp PrivateDevices
    PrivateUsers PrivateMounts ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs
    ProtectKernelModules ProtectKernelTunables ProtectProc ProcSubset DevicePolicy RemoveIPC KeyringMode
    LockPersonality MemoryDenyWriteExecute RestrictAddressFamilies RestrictNamespaces RestrictRealtime
    RestrictSUIDSGID SystemCallArchitectures SystemCallFilter SystemCallErrorNumber IPAddressDeny IPAddressAllow
    MemoryMax MemorySwapMax TasksMax LimitCORE WantedBy";

/// How exposed the service may be at most, by systemd's own measure of 0 to 10.
const EXPOSURE: f64 = 1.5;

/// What systemd-analyze says of the unit, whose program is the built one.
fn analyze(arguments: &[&str]) -> crate::support::program::Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exportd.service");
    let text = fs::read_to_string(unit::path()).unwrap();
    fs::write(&path, text.replace("/usr/bin/exportd", env!("CARGO_BIN_EXE_exportd"))).unwrap();
    let mut command = Command::new("systemd-analyze");
    outcome(command.args(arguments).arg(&path).output().expect("this test needs systemd-analyze (systemd)"))
}

#[test]
fn systemd_has_nothing_to_say_against_the_unit() {
    let verified = analyze(&["verify", "--man=no"]).expect(0);
    assert_eq!((verified.out.trim(), verified.err.trim()), ("", ""));
}

#[test]
fn the_unit_is_shut_tight() {
    let security = analyze(&["security", "--offline=true"]);
    let line = security.out.lines().find(|line| line.contains("Overall exposure level")).expect("there is a verdict");
    let level = line.split(':').nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    assert!(level.parse::<f64>().unwrap() <= EXPOSURE, "{line}");
}

#[test]
fn the_unit_uses_nothing_that_systemd_247_does_not_know() {
    let unit = Unit::read();
    let known: Vec<&str> = KNOWN_TO_247.split_whitespace().collect();
    let unknown: Vec<&str> = unit.names().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "look up since when systemd knows them: {unknown:?}");
    assert_eq!(unit.get("Type"), Some("notify"), "notify-reload is known since 253 only");
}

#[test]
fn a_reload_asks_the_daemon_that_the_unit_starts() {
    let unit = Unit::read();
    let start = unit.get("ExecStart").unwrap();
    assert_eq!(unit.get("ExecReload"), Some(start.replace(" serve", " reload").as_str()));
}

#[test]
fn the_limits_of_the_unit_fit_the_daemons_own() {
    let unit = Unit::read();
    // The last look at what is due, and the last words of what is cut short, come on top.
    let end = Limits::default().grace + Duration::from_secs(3 + 5);
    assert!(unit.time("TimeoutStopSec").unwrap() > end);
    assert_eq!(unit.time("StartLimitIntervalSec"), Some(Duration::ZERO), "the daemon puts off what kills it");
    assert_eq!(unit.get("Restart"), Some("on-failure"));
    assert_eq!(unit.get("RestartPreventExitStatus"), Some("2"), "a wrong configuration stays wrong");
    assert_eq!(unit.get("OOMPolicy"), Some("continue"), "a command that is killed is not the daemon");
    assert_eq!(unit.get("MemoryHigh"), None, "a daemon that is slowed down holds up every run and counts as hanging");
    assert_eq!((unit.get("LimitCORE"), unit.get("MemorySwapMax")), (Some("0"), Some("0")), "no secret on the disk");
}
