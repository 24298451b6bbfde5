//! The container: what its build copies is all that it needs, and what its configuration names is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::shop;
use crate::support::sshd::{self, Sshd};

/// Where the container's configuration and secrets are.
const CONFIG: &str = "/etc/exportd";
const SECRETS: &str = "/run/secrets";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lays out what the lines `COPY SOURCE… TARGET` of the Dockerfile copy from the project, as the build finds it.
fn lay_out(into: &Path) {
    let ignored = read(".dockerignore");
    let ignored: Vec<&str> = ignored.lines().collect();
    assert!(!ignored.iter().any(|line| line.contains(['*', '?', '!', '/', '#'])), "only names are known here");
    for line in read("Dockerfile").lines() {
        let Some(words) = line.strip_prefix("COPY ").filter(|words| !words.starts_with("--from")) else { continue };
        let words: Vec<&str> = words.split_whitespace().collect();
        let (target, sources) = words.split_last().unwrap();
        for source in sources {
            let first = source.split('/').next().unwrap();
            assert!(!ignored.contains(&first), "{source} is copied, and .dockerignore leaves it out");
            let from = root().join(source);
            assert!(from.exists(), "{source} is copied, and not there");
            let to = match target.strip_suffix('/') {
                Some(folder) if from.is_file() => into.join(folder).join(from.file_name().unwrap()),
                _ => into.join(target),
            };
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            // As COPY does it: of a folder, what is in it.
            let from = if from.is_dir() { from.join(".") } else { from };
            sshd::run(Command::new("cp").arg("-R").arg(from).arg(to));
        }
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The texts that a file takes in when it is compiled, its tests left out: the macro, and the path that it is given.
fn included(text: &str) -> Vec<(&'static str, &str)> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let macros = ["include_str!(\"", "include_bytes!(\"", "include!(\"", "migrate!(\""];
    let uses = macros.iter().flat_map(|start| text.match_indices(start).map(move |(at, _)| (*start, at)));
    uses.map(|(start, at)| (start, text[at + start.len()..].split('"').next().unwrap())).collect()
}

#[test]
fn the_image_is_built_from_all_that_the_build_needs() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path());
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let targets = metadata["packages"][0]["targets"].as_array().unwrap();
    for target in targets {
        let path = target["src_path"].as_str().unwrap();
        assert!(Path::new(path).exists(), "Cargo.toml names {path}, which is not copied");
    }
    assert!(targets.iter().any(|target| target["name"] == "exportd"), "{targets:?}");

    let mut files = Vec::new();
    rust_files(&folder.path().join("src"), &mut files);
    let mut checked = 0;
    for file in files {
        for (start, path) in included(&fs::read_to_string(&file).unwrap()) {
            let base = if start.starts_with("migrate") { folder.path() } else { file.parent().unwrap() };
            assert!(base.join(path).exists(), "{} includes {path}, which is not copied", file.display());
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked} texts are included");
}

#[test]
fn the_image_is_built_by_the_toolchain_of_the_project() {
    let toolchain = read("rust-toolchain.toml");
    let version = toolchain.split("channel = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let first = read("Dockerfile").lines().find(|line| line.starts_with("FROM ")).unwrap().to_owned();
    assert!(first.starts_with(&format!("FROM rust:{version}-")), "{first} is not Rust {version}");
}

/// Where the service of compose.yaml has something: the targets of its volumes, and its secrets.
fn mounted() -> Vec<String> {
    let compose = read("deploy/compose.yaml");
    let service = compose.split("\nsecrets:").next().unwrap();
    let block = |name: &str| {
        let after = service.split(&format!("    {name}:\n")).nth(1).unwrap_or_else(|| panic!("no {name}:"));
        let lines = after.lines().map_while(|line| line.strip_prefix("      "));
        lines.filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect::<Vec<String>>()
    };
    let volumes = block("volumes").into_iter().map(|volume| volume.split(':').nth(1).unwrap().to_owned());
    let secrets = block("secrets").into_iter().map(|secret| format!("{SECRETS}/{secret}"));
    volumes.chain(secrets).collect()
}

#[test]
fn compose_mounts_all_that_the_configuration_names() {
    let mounted = mounted();
    let config = read("deploy/config/jobs.toml");
    let words: Vec<&str> = config.lines().flat_map(|line| line.split(" #").next()).collect();
    let value = |key: &str| {
        let line = words.iter().find(|line| line.contains(&format!("{key} = "))).unwrap_or_else(|| panic!("no {key}"));
        let value = line.split(&format!("{key} = ")).nth(1).unwrap().trim_start_matches(['[', '"']);
        Path::new(CONFIG).join(value.split('"').next().unwrap())
    };
    for path in [value("file"), value("key"), value("known_hosts"), value("files"), Path::new(CONFIG).join("jobs.toml")]
    {
        assert!(mounted.iter().any(|mount| path.starts_with(mount)), "{} is not in {mounted:?}", path.display());
    }
    assert!(mounted.iter().any(|mount| mount == "/var/lib/exportd"), "state outlives the container");
}

#[test]
fn compose_promises_nothing_that_it_does_not_do_for_secrets() {
    let compose = read("deploy/compose.yaml");
    for key in ["uid:", "gid:", "mode:"] {
        let promised = compose.lines().find(|line| !line.trim_start().starts_with('#') && line.contains(key));
        assert_eq!(promised, None, "compose ignores it for secrets that are files");
    }
    let defined = compose.split("\nsecrets:\n").nth(1).expect("secrets are defined");
    for secret in mounted().iter().filter_map(|path| path.strip_prefix(&format!("{SECRETS}/"))) {
        assert!(defined.contains(&format!("  {secret}: {{ file: ")), "{secret} is not defined");
    }
}

#[test]
fn the_configuration_of_the_container_works_with_what_belongs_beside_it() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let secrets = program.path("secrets");
    fs::create_dir(&secrets).unwrap();
    sshd::make_key(&secrets.join("sftp-key"), &["-t", "ed25519", "-N", ""]);
    fs::write(secrets.join("store-url"), format!("sqlite:{}\n", program.path("shop.db").display())).unwrap();
    let host_key = fs::read_to_string(server.file("host_ed25519.pub")).unwrap();
    fs::write(program.path("known_hosts"), format!("sftp.partner.example {host_key}")).unwrap();
    let config = read("deploy/config/jobs.toml").replace(SECRETS, &secrets.display().to_string());
    program.configure(&config);
    let check = program.run(&["check"]).expect(0);
    assert!(check.out.contains("nightly"), "{}", check.out);
}
