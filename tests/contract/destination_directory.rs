//! The destination's directory: what a check finds before any query is run, and a disk that fills up.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use exportd::deliver::{DeliverError, Session};
use exportd::job::{Publish, SftpDestination};

use super::destination::{content, deliver, local_file, upload_new};
use crate::support::sftp_pipe;
use crate::support::sshd::{Options, Sshd, names_in, run};

async fn check(destination: &SftpDestination) -> Result<(), DeliverError> {
    Session::open(destination).await.unwrap().check("exportd-check").await.map(|_| ())
}

#[tokio::test]
async fn a_usable_directory_passes_and_stays_as_it_was() {
    let server = Sshd::with(Options { unprivileged: true, ..Options::default() });
    std::fs::write(server.directory().join(".exportd-check.part"), "left over").unwrap();
    let chown = ["nobody", "--"];
    if rustix::process::geteuid().is_root() {
        run(Command::new("chown").args(chown).arg(server.directory().join(".exportd-check.part")));
    }
    check(&server.destination()).await.unwrap();
    assert_eq!(server.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_missing_directory_is_named_and_not_made() {
    let server = Sshd::start();
    let directory = format!("{}/incoming/bi", server.directory().display());
    let destination = SftpDestination { directory: directory.clone(), ..server.destination() };
    let error = check(&destination).await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryMissing { .. }) && error.is_permanent(), "{error}");
    assert!(error.to_string().contains(&directory) && error.to_string().contains(&destination.user), "{error}");
    assert_eq!(server.names(), Vec::<String>::new());
    let session = Session::open(&destination).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = upload_new(&session, &folder, 5, ".a.part").await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryMissing { .. }), "{error}");
}

#[tokio::test]
async fn a_file_is_no_directory() {
    let server = Sshd::start();
    std::fs::write(server.directory().join("file"), "").unwrap();
    let directory = server.directory().join("file").display().to_string();
    let error = check(&SftpDestination { directory, ..server.destination() }).await.unwrap_err();
    assert!(matches!(error, DeliverError::NotADirectory { .. }) && error.is_permanent(), "{error}");
}

#[tokio::test]
async fn a_directory_without_permissions_is_told_from_one_that_works() {
    let server = Sshd::with(Options { unprivileged: true, ..Options::default() });
    for (mode, action) in [(0o555, "create files in it"), (0o333, "list it")] {
        std::fs::set_permissions(server.directory(), std::fs::Permissions::from_mode(mode)).unwrap();
        let error = check(&server.destination()).await.unwrap_err();
        assert!(matches!(error, DeliverError::DirectoryDenied { .. }) && error.is_permanent(), "{error}");
        assert!(error.to_string().contains(action), "{error}");
        assert!(error.to_string().contains(&server.destination().user), "{error}");
    }
    std::fs::set_permissions(server.directory(), std::fs::Permissions::from_mode(0o755)).unwrap();
    check(&server.destination()).await.unwrap();
}

#[tokio::test]
async fn a_read_only_server_is_found_out() {
    let subsystem = Some("/usr/lib/openssh/sftp-server -R".to_owned());
    let server = Sshd::with(Options { subsystem, ..Options::default() });
    let error = check(&server.destination()).await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryDenied { .. }) && error.is_permanent(), "{error}");
}

#[tokio::test]
async fn a_drop_box_without_rename_is_found_out() {
    let subsystem = Some("/usr/lib/openssh/sftp-server -P rename,posix-rename".to_owned());
    let server = Sshd::with(Options { subsystem, ..Options::default() });
    let error = check(&server.destination()).await.unwrap_err();
    assert!(matches!(error, DeliverError::DirectoryDenied { .. }), "{error}");
    assert!(error.to_string().contains("rename files in it"), "{error}");
    assert_eq!(server.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_without_sftp_is_told_from_a_network_fault() {
    let subsystem = Some("/nowhere/sftp-server".to_owned());
    let server = Sshd::with(Options { subsystem, ..Options::default() });
    let error = Session::open(&server.destination()).await.err().expect("there is no SFTP");
    assert!(matches!(error, DeliverError::SftpRefused { .. }) && error.is_permanent(), "{error}");
}

#[tokio::test]
async fn replacing_needs_a_server_that_can_or_a_yes_to_the_gap() {
    let folder = tempfile::tempdir().unwrap();
    let remote = tempfile::tempdir().unwrap();
    let path = local_file(&folder, 10);
    let (_server, stream) = sftp_pipe::plain(remote.path(), &["-P", "posix-rename"]);
    let session = Session::over(stream, ".").await.unwrap();
    assert!(!session.server().posix_rename);
    std::fs::write(remote.path().join("a.csv"), "old").unwrap();
    let error = deliver(&session, &path, "a.csv", Publish::Replace).await.unwrap_err();
    assert!(matches!(error, DeliverError::CannotReplace { .. }) && error.is_permanent(), "{error}");
    assert_eq!(std::fs::read(remote.path().join("a.csv")).unwrap(), b"old");
    session.publish(".a.csv.run1.part", "a.csv", Publish::Replace, true).await.unwrap();
    assert_eq!(std::fs::read(remote.path().join("a.csv")).unwrap(), content(10));
    deliver(&session, &path, "b.csv", Publish::Refuse).await.unwrap();
    assert_eq!(names_in(remote.path()), ["a.csv", "b.csv"]);
}

#[tokio::test]
async fn a_full_disk_is_told_with_its_numbers_and_nothing_stays() {
    let (folder, remote) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // A file system of 1 MiB that only this server sees, and that is gone with it.
    let script = "mount -t tmpfs -o size=1m small . && cd \"$PWD\" && exec /usr/lib/openssh/sftp-server";
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-Urm" };
    let (_server, stream) = sftp_pipe::program(remote.path(), "unshare", &[namespace, "sh", "-c", script]);
    let session = Session::over(stream, ".").await.expect("unshare and mount are needed by this test");
    let error = upload_new(&session, &folder, 3_000_000, ".a.part").await.unwrap_err();
    let DeliverError::NoSpace { needed, free, .. } = &error else { panic!("{error}") };
    assert!(*needed > 1_500_000 && *needed <= 3_000_000, "{needed}");
    assert!(*free < 100_000, "{free}");
    assert!(error.is_permanent());
    assert_eq!(session.stat(".a.part").await.unwrap(), None);
    deliver(&session, &local_file(&folder, 500_000), "a.csv", Publish::Refuse).await.unwrap();
}
