//! Broken configurations whose fault lies in another file: keys, secrets, catalogues. `check` looks at all of them.

use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use exportd::config::Config;

use crate::support::sshd::make_key;

const SOUND: &str = r#"[store]
url = "sqlite:store.db"
[catalogue]
files = ["shop.toml"]
[[job]]
label = "nightly"
run = "daily"
exports = ["orders"]
host = "sftp.partner.example"
user = "drop"
key = "id_ed25519"
host_keys = ["SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM"]
"#;

const CATALOGUE: &str = "[[export]]\nname = \"orders\"\nfrom = \"orders\"\n[export.columns]\nid = \"id\"\n";

/// The line that is replaced, by its start (empty: at the end), and what stands there instead.
const BROKEN: &[(&str, &str)] = &[
    ("key", "key = \"missing\""),
    ("key", "key = \"/run/credentials/exportd.service/key\""),
    ("key", "key = \"open\""),
    ("key", "key = \"id_ed25519.pub\""),
    ("key", "key = \"folder\""),
    ("key", "key = \"locked\""),
    ("key", "key = \"locked\"\nkey_passphrase = { file = \"wrong\" }"),
    ("key", "key = \"locked\"\nkey_passphrase = { file = \"nowhere\" }"),
    ("host_keys", "known_hosts = \"nowhere\""),
    ("host_keys", "known_hosts = \"known_hosts\""),
    ("host_keys", "known_hosts = \"id_ed25519.pub\""),
    ("url", "url = { file = \"nowhere\" }"),
    ("url", "url = { file = \"empty\" }"),
    ("url", "url = { credential = \"store-url\" }"),
    ("url", "url = { env = \"A\", file = \"b\" }"),
    ("url", "url = { variable = \"A\" }"),
    ("files", "files = [\"nowhere.toml\"]"),
    ("files", "files = [\"misspelt.toml\"]"),
    ("files", "files = [\"broken.toml\"]"),
    ("files", "files = [\"twice.toml\", \"shop.toml\"]"),
    ("files", "file = [\"shop.toml\"]"),
    (
        "",
        "[[job]]\nlabel = \"Nightly\"\nrun = \"weekly\"\nexports = [\"order\"]\nhost = \"h\"\nuser = \"u\"\nkey = \"id_ed25519\"\nknown_hosts = \"k\"",
    ),
    ("", "period = \"fortnight\"\nweek_starts = \"mon\"\nmissed = \"some\"\npublish = \"overwrite\""),
    ("", "filename = \"{{label}}_{{yaer}}\"\nextension = \".csv \""),
    (
        "",
        "filename = \"x_{{export_name}}\"\n[[job]]\nlabel = \"second\"\nfilename = \"X_{{export_name}}\"\nrun = \"daily\"\n\
          exports = [\"orders\"]\nhost = \"SFTP.partner.example\"\nuser = \"drop\"\nkey = \"id_ed25519\"\n\
          directory = \"./\"\nhost_keys = [\"SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM\"]",
    ),
];

fn broken(start: &str, instead: &str) -> String {
    if start.is_empty() {
        return format!("{SOUND}{instead}\n");
    }
    let line = |line: &'static str| if line.starts_with(start) { instead.to_owned() } else { line.to_owned() };
    SOUND.lines().map(|text| line(text) + "\n").collect()
}

fn prepare(folder: &Path) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    make_key(&folder.join("id_ed25519"), &["-t", "ed25519", "-N", ""]);
    make_key(&folder.join("locked"), &["-t", "ed25519", "-N", "hunter2"]);
    fs::copy(folder.join("id_ed25519"), folder.join("open")).unwrap();
    fs::set_permissions(folder.join("open"), Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    write("wrong", "hunter3\n");
    write("empty", "\n");
    let public = fs::read_to_string(folder.join("id_ed25519.pub")).unwrap();
    write("known_hosts", &format!("sftp.other.example {public}"));
    write("shop.toml", CATALOGUE);
    write("misspelt.toml", &CATALOGUE.replace("id = \"id\"", "id = { type = \"identifier\", sensitiv = true }"));
    write("broken.toml", &CATALOGUE.replace("\"orders\"\nfrom", "\"orders\nfrom"));
    write("twice.toml", &CATALOGUE.replace("orders", "Orders"));
}

#[test]
fn every_fault_of_another_file_shows_its_place_and_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let path = folder.path().join("jobs.toml");
    fs::write(&path, SOUND).unwrap();
    Config::check(&path).unwrap_or_else(|faults| panic!("{faults}"));
    let mut shown = String::new();
    for (start, instead) in BROKEN {
        fs::write(&path, broken(start, instead)).unwrap();
        let faults = Config::check(&path).err().unwrap_or_else(|| panic!("this was accepted: {instead}"));
        writeln!(shown, "# {}\n\n{faults}\n", instead.lines().next().unwrap_or_default()).unwrap();
    }
    assert!(!shown.contains("hunter"), "{shown}");
    let shown = shown.replace(&folder.path().display().to_string(), "/srv/exportd");
    insta::assert_snapshot!("faults_of_files", shown);
}

#[test]
fn keys_are_opened_only_when_somebody_asks() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let path = folder.path().join("jobs.toml");
    fs::write(&path, broken("key", "key = \"missing\"")).unwrap();
    Config::load(&path).unwrap_or_else(|faults| panic!("{faults}"));
    Config::check(&path).unwrap_err();
}
