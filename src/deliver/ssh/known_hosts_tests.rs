//! The matcher against lines in every form that the format has.

use proptest::prelude::*;

use super::*;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

fn covers(hosts: &str, host: &str, port: u16) -> bool {
    let entries = parse(&format!("{hosts} {KEY}\n")).expect("the line is right");
    entries[0].covers(host, port)
}

#[test]
fn plain_names_lists_and_ports() {
    assert!(covers("a.example", "a.example", 22));
    assert!(covers("a.example", "A.Example", 22));
    assert!(covers("a.example,b.example", "b.example", 22));
    assert!(!covers("a.example", "a.example", 2222));
    assert!(covers("[a.example]:2222", "a.example", 2222));
    assert!(!covers("[a.example]:2222", "a.example", 22));
    assert!(covers("2001:db8::1", "2001:db8::1", 22));
}

#[test]
fn patterns_and_negation() {
    assert!(covers("*.example", "sftp.example", 22));
    assert!(!covers("*.example", "example", 22));
    assert!(covers("host?", "host7", 22));
    assert!(!covers("host?", "host10", 22));
    assert!(!covers("*.example,!bad.example", "bad.example", 22));
    assert!(!covers("!bad.example,*.example", "bad.example", 22));
    assert!(covers("*.example,!bad.example", "good.example", 22));
    assert!(!covers("!bad.example", "good.example", 22), "a negation alone covers nothing");
}

#[test]
fn hashed_names() {
    let mut mac = Hmac::<Sha1>::new_from_slice(b"01234567890123456789").expect("any length is right");
    mac.update(b"[a.example]:2222");
    let hash = STANDARD.encode(mac.finalize().into_bytes());
    let hosts = format!("|1|{}|{hash}", STANDARD.encode(b"01234567890123456789"));
    assert!(covers(&hosts, "a.example", 2222));
    assert!(!covers(&hosts, "a.example", 22));
    assert!(!covers(&hosts, "b.example", 2222));
}

#[test]
fn markers_comments_and_odd_blanks() {
    let text = format!(
        "# comment\n\n\t@revoked  a.example\t{KEY} old one\r\n@cert-authority *.example {KEY}\na.example {KEY}\n"
    );
    let entries = parse(&text).expect("every line is right");
    let seen: Vec<(usize, bool)> = entries.iter().map(|entry| (entry.line, entry.revoked)).collect();
    assert_eq!(seen, [(3, true), (5, false)]);
}

#[test]
fn an_authority_is_found_by_the_hosts_of_its_line() {
    let text = format!("a.example {KEY}\n\n @cert-authority *.example,!b.example {KEY} ours\n");
    assert_eq!(authority(&text, "c.example", 22), Some(3));
    assert_eq!(authority(&text, "b.example", 22), None);
    assert_eq!(authority(&text, "c.example", 2222), None, "other ports are other names");
    assert_eq!(authority(&text.replace("*.example,!b.example", "[*.example]:2222"), "c.example", 2222), Some(3));
}

#[test]
fn a_broken_line_is_named() {
    let broken = |line: &str| parse(&format!("# first\na.example {KEY}\n{line}\n")).expect_err("the line is broken");
    assert_eq!(broken("a.example").line, 3);
    assert_eq!(broken("a.example ssh-ed25519 AAAA").problem, "the key can't be read");
    assert_eq!(broken(&format!("@unheard-of a.example {KEY}")).line, 3);
    assert_eq!(broken(&format!("|1|!!|?? {KEY}")).problem, "the hashed host name can't be read");
}

proptest! {
    #[test]
    fn noise_is_never_a_panic(text: String, hosts in "[*?!,|1a-c\\[\\]:]{1,20}", host in "[a-c]{0,8}", port: u16) {
        let _ = parse(&text);
        if let Ok(entries) = parse(&format!("{hosts} {KEY}")) {
            entries[0].covers(&host, port);
        }
    }

    #[test]
    fn a_pattern_of_stars_matches_what_it_was_made_from(parts in prop::collection::vec("[a-c]{0,3}", 1..6)) {
        let pattern = parts.join("*");
        prop_assert!(matches_pattern(pattern.as_bytes(), parts.join("").as_bytes()));
        prop_assert!(matches_pattern(pattern.as_bytes(), parts.join("xyz").as_bytes()));
    }
}
