//! Every format through a whole run: as files and as a zip, with a manifest, killed in between and completed from the
//! spool.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::contract::format::formats;
use crate::contract::format::readers::{FileToRead, read_all};
use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::sshd::Sshd;

#[test]
fn every_format_is_delivered_from_the_spool_after_a_kill() {
    let server = Sshd::start();
    for (word, format) in formats() {
        for (is_zip, filename) in [(false, "{{label}}_{{export_name}}"), (true, "{{label}}")] {
            let keys = format!("format = \"{word}\"\nzip = {is_zip}\nfilename = \"{filename}\"");
            let program = night::program(&server, &keys);
            let mut command = program.command(&["run", "shop"]);
            let killed = command.env("EXPORTD_FAILPOINT", "state:uploading:after=kill").output().unwrap();
            assert_eq!(killed.status.code(), None, "{keys}");
            let watcher = Watcher::start(&server.directory());
            let run = oracle::runs(&program)[0].0.id.to_string();
            program.run(&["redeliver", &run]).expect(0);
            oracle::settle(&program, watcher);

            let ending = format.extension();
            let files = match is_zip {
                true => unpacked(&server.directory().join("shop.zip"), &program.path("unpacked")),
                false => ["orders", "invoices"].map(|of| server.directory().join(format!("shop_{of}.{ending}"))).into(),
            };
            assert_eq!(files.len(), 2, "{keys}");
            for path in files {
                assert_eq!(path.extension().unwrap(), ending, "{keys}");
                let rows = read_all("python", &[FileToRead::usual(path)]).remove(0);
                assert_eq!(rows[0][2].as_deref(), Some("größe"), "{keys}");
                assert!(rows.len() > 20, "{keys}: {} rows of a day of 24 hours", rows.len());
            }
            server.names().iter().for_each(|name| fs::remove_file(server.directory().join(name)).unwrap());
        }
    }
}

/// The members of a zip as files in `folder`.
fn unpacked(path: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut zip = ZipArchive::new(File::open(path).unwrap()).unwrap();
    zip.extract(folder).unwrap();
    zip.file_names().map(|name| folder.join(name.unwrap().as_ref())).collect()
}
