//! The upload that follows the reading: what fails on one side costs the other as little as can be.

use std::fs;

use crate::support::oracle;
use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::{Options, Sshd, names_in};

const ROWS: usize = 200_000;

/// Some 14 MB of rows, the last of which can be made unreadable.
fn program(server: &Sshd, last: &str) -> Program {
    let program = shop::program(server, "");
    let query = format!(
        "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT {ROWS}) \
         SELECT id, iif(id = {ROWS}, {last}, id) AS number, 'a text of ordinary length, the same in every row' AS text FROM n"
    );
    let columns = "id = \"id\"\nnumber = \"integer\"\ntext = \"text\"\n";
    let catalogue = format!("[[export]]\nname = \"orders\"\nquery = \"{query}\"\n[export.columns]\n{columns}");
    fs::write(program.path("catalogue.toml"), catalogue).unwrap();
    program
}

fn assert_delivered(server: &Sshd) {
    let names = server.names();
    let [name] = &names[..] else { panic!("one file is expected: {names:?}") };
    let text = fs::read_to_string(server.directory().join(name)).unwrap();
    assert_eq!(text.lines().count(), ROWS + 1);
    assert!(
        text.ends_with("200000,7,\"a text of ordinary length, the same in every row\"\n"),
        "{}",
        &text[text.len() - 90..]
    );
}

/// A server whose first sessions, `count` of them, can't write files beyond 8 MiB and die of it. The limit is a
/// multiple of the writes that OpenSSH is sent (64 KiB): one that fits in part would be refused first, by a server that
/// lives on.
fn mortal(folder: &std::path::Path, count: usize) -> Sshd {
    let script = folder.join("mortal-sftp-server");
    let counter = folder.join("sessions").display().to_string();
    let text = format!(
        "#!/bin/sh\necho >> {counter}\n[ $(wc -l < {counter}) -gt {count} ] || ulimit -f 16384\n\
         exec /usr/lib/openssh/sftp-server\n"
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    Sshd::with(Options { subsystem: Some(script.display().to_string()), ..Options::default() })
}

#[test]
fn an_upload_that_dies_while_the_store_is_read_is_made_good_in_the_same_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let server = mortal(folder.path(), 1);
    let program = program(&server, "7");
    program.run(&["run", "shop"]).expect(0);
    assert_delivered(&server);
    assert_eq!(oracle::runs(&program)[0].0.attempts, 1);
    assert!(fs::read_to_string(folder.path().join("sessions")).unwrap().lines().count() > 1, "nothing died");
}

#[test]
fn a_partner_who_fails_to_the_end_leaves_a_whole_spool_and_needs_no_other_query() {
    let folder = tempfile::tempdir().unwrap();
    let server = mortal(folder.path(), 99);
    let program = program(&server, "7");
    let failed = program.run(&["run", "shop"]).expect(1);
    assert!(failed.err.contains("uploading"), "{}", failed.err);
    let (run, files) = &oracle::runs(&program)[0];
    assert_eq!(names_in(&program.path("state/spool").join(run.id.as_str())), [files[0].file.name.clone()]);
    fs::remove_file(program.path("shop.db")).unwrap();
    fs::write(folder.path().join("sessions"), "\n".repeat(99)).unwrap();
    program.run(&["redeliver", run.id.as_str()]).expect(0);
    assert_delivered(&server);
}

#[test]
fn a_store_that_fails_at_its_last_row_leaves_nothing_at_the_partner() {
    let server = Sshd::start();
    let program = program(&server, "'seven'");
    let failed = program.run(&["run", "shop"]).expect(1);
    assert!(failed.err.contains("row 200000"), "{}", failed.err);
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(names_in(&program.path("state/spool")), Vec::<String>::new());
}
