//! A directory with variables: each occurrence has its own, from its due time, and nobody makes it but the partner.

use std::fs;

use crate::support::shop::{self, ORDERS};
use crate::support::sshd::{Sshd, names_in};

#[test]
fn each_occurrence_is_delivered_into_its_own_directory() {
    let server = Sshd::start();
    let drop = server.directory();
    let program = shop::program(&server, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let text = format!("directory = \"{}\"", drop.display());
    assert!(config.contains(&text));
    program
        .configure(&config.replace(&text, &format!("directory = \"{}/{{{{year}}}}/{{{{month}}}}\"", drop.display())));

    let missing = program.run(&["run", "shop", "--at", "2026-11-21"]).expect(1);
    let november = drop.join("2026/11");
    let named = format!("the directory {} does not exist", november.display());
    assert!(missing.err.contains(&named) && missing.err.contains("create it"), "{}", missing.err);
    assert_eq!(server.names(), Vec::<String>::new(), "it is never made");

    fs::create_dir_all(&november).unwrap();
    fs::create_dir_all(drop.join("2026/10")).unwrap();
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    program.run(&["run", "shop", "--at", "2026-10-31"]).expect(0);
    let file = november.join("shop_2026_11_21_orders.csv");
    assert_eq!(fs::read_to_string(&file).unwrap(), ORDERS);
    let id = super::history::run_id(&program, 1);
    let show = program.run(&["show", &id]).expect(0).out;
    let said = show.lines().find(|line| line.starts_with("directory ")).unwrap_or_else(|| panic!("{show}"));
    assert!(said.ends_with("2026/11") || show.contains("2026/11\n"), "{show}");
    assert_eq!(names_in(&drop.join("2026/10")), ["shop_2026_10_31_orders.csv"]);

    // The run's own directory, whatever today's would be.
    fs::remove_file(&file).unwrap();
    let history = program.run(&["history", "--json"]).expect(0).json();
    let of_november =
        |run: &&serde_json::Value| run["state"] == "delivered" && run["due"].as_str().unwrap().contains("-11-");
    let run = history.as_array().unwrap().iter().find(of_november).unwrap()["run"].as_str().unwrap().to_owned();
    program.run(&["redeliver", &run]).expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), ORDERS);
    let id = super::history::run_id(&program, 1);
    let show = program.run(&["show", &id]).expect(0).out;
    let said = show.lines().find(|line| line.starts_with("directory ")).unwrap_or_else(|| panic!("{show}"));
    assert!(said.ends_with("2026/11") || show.contains("2026/11\n"), "{show}");

    let plan = program.run(&["plan", "--from", "2026-12-31", "--days", "2", "--json"]).expect(0).json();
    let directories: Vec<&str> = plan.as_array().unwrap().iter().map(|of| of["directory"].as_str().unwrap()).collect();
    assert!(directories[0].ends_with("/2026/12") && directories[1].ends_with("/2027/01"), "{directories:?}");
    let plan = program.run(&["plan", "--from", "2026-12-31", "--days", "1"]).expect(0);
    assert!(plan.out.contains("/2026/12:"), "{}", plan.out);
}

#[test]
fn a_check_tries_the_directory_of_the_next_due_time_and_says_which() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let drop = server.directory().display().to_string();
    program.configure(&config.replace(&format!("\"{drop}\""), &format!("\"{drop}/{{{{label}}}}-{{{{year}}}}\"")));
    let next = program.run(&["plan", "--days", "2", "--json"]).expect(0).json();
    let (directory, due) = (next[0]["directory"].as_str().unwrap(), next[0]["due"].as_str().unwrap());

    let missing = program.run(&["check", "--connect"]).expect(1);
    assert!(missing.out.contains(directory), "{}", missing.out);
    fs::create_dir(directory).unwrap();
    let checked = program.run(&["check", "--connect"]).expect(0);
    let unwrapped = checked.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains(&format!("(of shop, due {}", &due[..10])), "{}", checked.out);
}
