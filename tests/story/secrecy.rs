//! What is sensitive stays here: no value of a sensitive column turns up anywhere unless a job names the column.

use std::fs;

use crate::support::shop::{self, CANARIES};
use crate::support::sshd::Sshd;

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Fails if a canary is in what a command printed, in the state, in the spool, or at the destination.
fn assert_silent(server: &Sshd, program: &crate::support::program::Program, printed: &str) {
    let mut seen = printed.as_bytes().to_vec();
    seen.extend(shop::everything_in(&program.path("state")));
    seen.extend(shop::everything_in(&server.directory()));
    for canary in CANARIES {
        assert!(!contains(&seen, canary), "{canary} got out");
    }
}

#[test]
fn default_columns_hold_nothing_sensitive() {
    let server = Sshd::start();
    for more in ["", "zip = true\nfilename = \"{{label}}\"", "format = \"csv\"\nmanifest = true"] {
        let program = shop::program(&server, more);
        let mut run = program.command(&["run", "shop", "--at", "2026-11-21"]);
        let run = crate::support::program::outcome(run.env("EXPORTD_LOG", "trace").output().unwrap()).expect(0);
        let history = program.run(&["history", "--json"]).expect(0);
        assert_silent(&server, &program, &format!("{}{}{}{}", run.out, run.err, history.out, history.err));
    }
}

#[test]
fn a_named_column_is_exported_and_nothing_else_is() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let config =
        |more| shop::config(&server, more).replace(r#"["orders"]"#, r#"[{ name = "orders", add = ["email"] }]"#);
    program.configure(&config(""));
    let refused = program.run(&["check"]).expect(2);
    assert!(refused.err.contains("jobs.toml:11:38") && refused.err.contains("reason = \"…\""), "{}", refused.err);
    program.configure(&config("reason = \"they asked for it\""));
    let check = program.run(&["check"]).expect(0);
    assert!(
        check.out.contains("shop, orders: email") && check.out.contains("because: they asked for it"),
        "{}",
        check.out
    );
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    let file = fs::read(server.directory().join("shop_2026_11_21_orders.csv")).unwrap();
    assert!(contains(&file, CANARIES[0]));
    assert!(!contains(&file, CANARIES[1]) && !contains(&file, CANARIES[2]));
}

#[test]
fn errors_name_the_cell_and_keep_its_value() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    // Declared as numbers, the sensitive texts can't be read.
    for column in ["email", "phone", "customer"] {
        let catalogue = shop::CATALOGUE.replacen(
            &format!("{column} = {{ type = \"string\""),
            &format!("{column} = {{ type = \"integer\""),
            1,
        );
        fs::write(program.path("catalogue.toml"), catalogue).unwrap();
        let add = format!(r#"[{{ name = "orders", add = ["{column}"] }}]"#);
        program.configure(&shop::config(&server, "reason = \"a test\"").replace(r#"["orders"]"#, &add));
        let mut run = program.command(&["run", "shop", "--at", "2026-11-21"]);
        let run = crate::support::program::outcome(run.env("EXPORTD_LOG", "trace").output().unwrap()).expect(1);
        assert!(run.err.contains(&format!("column {column}")), "{}", run.err);
        let shown = program.run(&["history"]).expect(0);
        assert_silent(&server, &program, &format!("{}{}{}", run.out, run.err, shown.out));
    }
}

#[test]
fn a_secret_is_never_printed() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let secret = "pa55-w0rd-of-the-store";
    let config = shop::config(&server, "");
    let url = format!("postgres://reporting:{secret}@127.0.0.1:1/shop");
    for config in [
        config.replace("sqlite:shop.db", &url),
        config.replace("sqlite:shop.db", &format!("postgres://reporting:1/{secret}@127.0.0.1/shop")),
        config.replace("sqlite:shop.db", &format!("mysql://reporting:{secret}/1#{secret}@127.0.0.1/{secret}@shop")),
        config.replace("sqlite:shop.db", &format!("postgres://reporting@127.0.0.1:1/shop?passwrd={secret}")),
        config.replace("\"sqlite:shop.db\"", "{ env = \"SHOP_URL\" }"),
        config.replace("url = \"sqlite:shop.db\"", &format!("url = \"{url}\"\nurls = \"{url}\"")),
    ] {
        program.configure(&config);
        for command in [&["check"][..], &["check", "--connect"], &["run", "shop"], &["plan"]] {
            let mut process = program.command(command);
            let outcome = crate::support::program::outcome(
                process.env("SHOP_URL", &url).env("EXPORTD_LOG", "trace").output().unwrap(),
            );
            assert!(!outcome.out.contains(secret) && !outcome.err.contains(secret), "{command:?}: {outcome:?}");
        }
    }
}
