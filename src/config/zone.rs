//! Time zones: IANA names only, and what to write instead of everything else that people write.
//!
//! An offset or an abbreviation knows nothing of daylight saving, and a name that only one machine or system knows means
//! something else, or nothing, on the next one. A remedy never guesses the sign of an offset.

use jiff::tz::TimeZone;

use super::fault::Fault;
use super::guess::nearest;
use super::table::Item;

const EXAMPLE: &str = "write an IANA name such as `Europe/Paris` or `UTC`";

/// Names that a zone database may hold and that name no zone of their own.
const NO_ZONES: [&str; 3] = ["localtime", "posixrules", "Factory"];

/// Folders of a system's zone database with copies of it.
const COPIES: [&str; 2] = ["posix/", "right/"];

/// Abbreviations that are no IANA names, each with places that use it. The first is the best known.
const ABBREVIATIONS: &[(&str, &[&str])] = &[
    ("ACDT", &["Australia/Adelaide"]),
    ("ACST", &["Australia/Adelaide", "Australia/Darwin"]),
    ("ADT", &["America/Halifax"]),
    ("AEDT", &["Australia/Sydney"]),
    ("AEST", &["Australia/Sydney", "Australia/Brisbane"]),
    ("AKDT", &["America/Anchorage"]),
    ("AKST", &["America/Anchorage"]),
    ("AST", &["America/Halifax", "Asia/Riyadh"]),
    ("AWST", &["Australia/Perth"]),
    ("BRT", &["America/Sao_Paulo"]),
    ("BST", &["Europe/London", "Asia/Dhaka"]),
    ("CAT", &["Africa/Maputo"]),
    ("CDT", &["America/Chicago", "America/Havana"]),
    ("CEST", &["Europe/Paris", "Europe/Berlin"]),
    ("CST", &["America/Chicago", "Asia/Shanghai"]),
    ("EAT", &["Africa/Nairobi"]),
    ("EDT", &["America/New_York"]),
    ("EEST", &["Europe/Athens", "Europe/Helsinki"]),
    ("GST", &["Asia/Dubai"]),
    ("HKT", &["Asia/Hong_Kong"]),
    ("IST", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ("JST", &["Asia/Tokyo"]),
    ("KST", &["Asia/Seoul"]),
    ("MDT", &["America/Denver"]),
    ("MESZ", &["Europe/Berlin", "Europe/Vienna"]),
    ("MEZ", &["Europe/Berlin", "Europe/Vienna"]),
    ("MSK", &["Europe/Moscow"]),
    ("NZDT", &["Pacific/Auckland"]),
    ("NZST", &["Pacific/Auckland"]),
    ("PDT", &["America/Los_Angeles"]),
    ("PKT", &["Asia/Karachi"]),
    ("PST", &["America/Los_Angeles", "Asia/Manila"]),
    ("SAST", &["Africa/Johannesburg"]),
    ("SGT", &["Asia/Singapore"]),
    ("WAT", &["Africa/Lagos"]),
    ("WEST", &["Europe/Lisbon"]),
    ("WIB", &["Asia/Jakarta"]),
];

/// What Windows calls the zones that are asked for most, without `Standard Time`.
const WINDOWS: &[(&str, &str)] = &[
    ("AUS Eastern", "Australia/Sydney"),
    ("Arab", "Asia/Riyadh"),
    ("Arabian", "Asia/Dubai"),
    ("Atlantic", "America/Halifax"),
    ("Canada Central", "America/Regina"),
    ("Central", "America/Chicago"),
    ("Central Europe", "Europe/Budapest"),
    ("Central European", "Europe/Warsaw"),
    ("China", "Asia/Shanghai"),
    ("E. Australia", "Australia/Brisbane"),
    ("E. Europe", "Europe/Chisinau"),
    ("E. South America", "America/Sao_Paulo"),
    ("Eastern", "America/New_York"),
    ("Egypt", "Africa/Cairo"),
    ("FLE", "Europe/Helsinki"),
    ("GMT", "Europe/London"),
    ("GTB", "Europe/Bucharest"),
    ("Greenwich", "Atlantic/Reykjavik"),
    ("Hawaiian", "Pacific/Honolulu"),
    ("India", "Asia/Kolkata"),
    ("Israel", "Asia/Jerusalem"),
    ("Korea", "Asia/Seoul"),
    ("Mountain", "America/Denver"),
    ("New Zealand", "Pacific/Auckland"),
    ("Pacific", "America/Los_Angeles"),
    ("Romance", "Europe/Paris"),
    ("Russian", "Europe/Moscow"),
    ("SE Asia", "Asia/Bangkok"),
    ("Singapore", "Asia/Singapore"),
    ("South Africa", "Africa/Johannesburg"),
    ("Taipei", "Asia/Taipei"),
    ("Tokyo", "Asia/Tokyo"),
    ("Turkey", "Europe/Istanbul"),
    ("US Mountain", "America/Phoenix"),
    ("W. Australia", "Australia/Perth"),
    ("W. Central Africa", "Africa/Lagos"),
    ("W. Europe", "Europe/Berlin"),
];

/// A time zone by its IANA name.
pub(super) fn read(item: &Item<'_>) -> Option<TimeZone> {
    let name = item.line()?;
    match zone(name) {
        Ok(zone) => Some(zone),
        Err(fault) => {
            item.fault(fault);
            None
        }
    }
}

fn zone(name: &str) -> Result<TimeZone, Fault> {
    let is = |other: &&str| other.eq_ignore_ascii_case(name);
    if NO_ZONES.iter().any(is) {
        return Err(Fault::new(format!("`{name}` is not a time zone that is the same on every machine")).label(EXAMPLE));
    }
    if let Some(copied) = COPIES.iter().find_map(|folder| strip_prefix(name, folder)) {
        let fault = Fault::new(format!("`{name}` is a file of one system's zone database"));
        let is_zone = TimeZone::get(copied).is_ok();
        return Err(fault.label(if is_zone { format!("write `{copied}`") } else { EXAMPLE.to_owned() }));
    }
    TimeZone::get(name).map_err(|_| refuse(name))
}

/// What is wrong with `name`, which no zone has, and what to write instead.
fn refuse(name: &str) -> Fault {
    let alternatives = |places: &[&str]| {
        let places: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
        format!("write the name of a place: {}", places.join(" or "))
    };
    if let Some((_, places)) = ABBREVIATIONS.iter().find(|(abbreviation, _)| abbreviation.eq_ignore_ascii_case(name)) {
        let fault = Fault::new(format!("`{name}` is an abbreviation, and not the name of a time zone"));
        return fault.label(alternatives(places));
    }
    if let Some(windows) = [" Standard Time", " Daylight Time"].iter().find_map(|ending| strip_suffix(name, ending)) {
        let fault = Fault::new(format!("`{name}` is a name of Windows"));
        let place = WINDOWS.iter().find(|(name, _)| name.eq_ignore_ascii_case(windows)).map(|(_, place)| *place);
        return fault.label(place.map_or(EXAMPLE.to_owned(), |place| alternatives(&[place])));
    }
    if let Some(offset) = offset_of(name) {
        let fault = Fault::new(format!("`{name}` is an offset, which knows no daylight saving, and not a time zone"));
        let fault = fault.label("write the name of a place, such as `Europe/Paris`");
        return match offset.whole_hours() {
            Some(0) => fault.help("for UTC itself write `UTC`"),
            Some(hours) => fault.help(format!(
                "for {} all year write `{}`: the sign in IANA's name is the opposite of the usual one",
                in_words(hours),
                etc(hours)
            )),
            None => fault,
        };
    }
    if is_rule(name) {
        return Fault::new(format!("`{name}` is a rule in the notation of POSIX, and not the name of a time zone"))
            .label(EXAMPLE);
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let label = match nearest_place(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => EXAMPLE.to_owned(),
    };
    Fault::new(format!("there is no time zone `{name}`")).label(label)
}

/// What an administrator should know of a zone that is accepted; none of most.
pub fn remark(zone: &TimeZone) -> Option<String> {
    let name = zone.iana_name()?;
    if let Some(hours) = strip_prefix(name, "Etc/GMT").and_then(|hours| hours.parse::<i8>().ok()) {
        return (hours != 0).then(|| format!("{name} is {} all year, without daylight saving", in_words(-hours)));
    }
    let (offset, place) = match name {
        "EST" => (-5, "America/New_York"),
        "MST" => (-7, "America/Denver"),
        "HST" => (-10, "Pacific/Honolulu"),
        _ => return None,
    };
    Some(format!("{name} is {} all year, without daylight saving; if that is not meant: {place}", in_words(offset)))
}

/// `2 hours ahead of UTC`.
fn in_words(hours: i8) -> String {
    let unit = if hours.abs() == 1 { "hour" } else { "hours" };
    let side = if hours < 0 { "behind" } else { "ahead of" };
    format!("{} {unit} {side} UTC", hours.abs())
}

/// IANA's name of what lies so many hours ahead of UTC.
fn etc(hours: i8) -> String {
    format!("Etc/GMT{:+}", -hours)
}

/// An offset as people write it: hours ahead of UTC, and minutes.
#[derive(Debug, PartialEq, Eq)]
struct Offset {
    hours: i8,
    minutes: i8,
}

impl Offset {
    /// Its hours, if IANA has a name for it.
    fn whole_hours(&self) -> Option<i8> {
        (self.minutes == 0 && (-12..=14).contains(&self.hours)).then_some(self.hours)
    }
}

/// Reads `UTC+2`, `GMT-05:30`, `+0200`, `-5`.
fn offset_of(text: &str) -> Option<Offset> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let compact = compact.replace('\u{2212}', "-");
    let rest = ["UTC", "GMT", "Z"].iter().find_map(|name| strip_prefix(&compact, name)).unwrap_or(&compact);
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = &rest[1..];
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |digits: &str| match digits.len() {
        1 | 2 if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse::<i8>().ok(),
        _ => None,
    };
    Some(Offset { hours: sign * number(hours)?, minutes: number(minutes)? })
}

/// Whether a text looks like `CET-1CEST` or `<+03>-3`.
fn is_rule(text: &str) -> bool {
    let letters = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(0);
    let follows = text[letters..].trim_start_matches(['+', '-']);
    text.starts_with('<') || (letters >= 3 && follows.starts_with(|c: char| c.is_ascii_digit()))
}

/// The place whose name is nearest. People leave out the continent more often than they misspell the city.
fn nearest_place<'n>(name: &str, names: &'n [String]) -> Option<&'n str> {
    let is_place = |zone: &&String| {
        zone.contains('/') && !["Etc/", "posix/", "right/"].iter().any(|folder| zone.starts_with(folder))
    };
    let city = |zone: &'n str| zone.rsplit('/').next().unwrap_or(zone);
    let wanted = name.replace(' ', "_");
    let places = names.iter().filter(is_place).map(String::as_str);
    let same_city = places.clone().find(|zone| city(zone).eq_ignore_ascii_case(&wanted));
    same_city.or_else(|| nearest(&wanted, places.chain(names.iter().map(String::as_str).filter(|name| *name == "UTC"))))
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a name is told, in one line.
    fn told(name: &str) -> String {
        let fault = zone(name).expect_err(name);
        format!("{}; {}; {}", fault.message, fault.label, fault.help.unwrap_or_default())
    }

    #[test]
    fn names_of_iana_are_accepted_in_any_case() {
        for name in
            ["Europe/Paris", "europe/paris", "UTC", "CET", "EST", "EST5EDT", "Etc/GMT+1", "GMT+0", "Asia/Kolkata"]
        {
            assert!(zone(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn the_remedy_for_an_offset_has_its_own_sign_reversed() {
        let seconds = |name: &str| TimeZone::get(name).unwrap().to_offset(jiff::Timestamp::UNIX_EPOCH).seconds();
        for hours in -12_i8..=14 {
            if hours != 0 {
                assert_eq!(seconds(&etc(hours)), i32::from(hours) * 3600);
                let told = told(&format!("GMT{hours:+}"));
                let offered: Vec<&str> = told.split('`').filter(|word| word.starts_with("Etc/")).collect();
                assert_eq!(offered, [etc(hours)], "{told}");
            }
        }
        for text in ["UTC+2", "utc +2", "GMT+02:00", "+02:00", "+0200", "+2", "UTC+02"] {
            assert_eq!(offset_of(text), Some(Offset { hours: 2, minutes: 0 }), "{text}");
        }
        assert_eq!(offset_of("UTC\u{2212}5"), Some(Offset { hours: -5, minutes: 0 }));
        assert!(!told("GMT+5:30").contains("Etc/") && !told("+15:00").contains("Etc/"));
        assert!(told("UTC+0").contains("write `UTC`"));
        for text in ["", "+", "UTC", "Europe/Paris", "+1:2:3", "+12345", "UTC+x", "+é1"] {
            assert_eq!(offset_of(text), None, "{text}");
        }
    }

    #[test]
    fn what_names_no_zone_everywhere_is_refused() {
        for name in ["localtime", "posixrules", "Factory", "posix/Europe/Paris", "right/UTC", "right/Nowhere"] {
            assert!(told(name).contains("; write "), "{name}: {}", told(name));
        }
        assert!(told("posix/Europe/Paris").contains("; write `Europe/Paris`"));
    }

    #[test]
    fn abbreviations_and_names_of_windows_have_a_place_as_remedy() {
        for (name, place) in [
            ("CEST", "`Europe/Paris` or `Europe/Berlin`"),
            ("IST", "`Asia/Kolkata` or `Europe/Dublin` or `Asia/Jerusalem`"),
            ("pst", "`America/Los_Angeles` or `Asia/Manila`"),
            ("W. Europe Standard Time", "place: `Europe/Berlin`"),
            ("Eastern Daylight Time", "place: `America/New_York`"),
            ("Qyzylorda Standard Time", EXAMPLE),
            ("CET-1CEST", EXAMPLE),
            ("<+03>-3", EXAMPLE),
        ] {
            assert!(told(name).contains(place), "{name}: {}", told(name));
        }
        let offered = ABBREVIATIONS.iter().flat_map(|(_, places)| places.iter()).chain(WINDOWS.iter().map(|(_, p)| p));
        offered.for_each(|place| assert!(zone(place).is_ok(), "{place}"));
        for (name, _) in ABBREVIATIONS {
            assert!(TimeZone::get(name).is_err(), "{name} is a name of IANA");
        }
    }

    #[test]
    fn a_guess_is_a_place() {
        let names = ["America/Paris_Hill", "Etc/GMT+1", "Europe/Paris", "UTC", "posix/Europe/Rome"].map(str::to_owned);
        assert_eq!(nearest_place("paris", &names), Some("Europe/Paris"));
        assert_eq!(nearest_place("Europe/Pariss", &names), Some("Europe/Paris"));
        assert_eq!(nearest_place("UTCC", &names), Some("UTC"));
        for name in ["Atlantis/Capital", "rome", "Etc/GMT1"] {
            assert_eq!(nearest_place(name, &names), None, "{name}");
        }
    }

    #[test]
    fn fixed_zones_are_remarked_on() {
        let remark = |name: &str| remark(&zone(name).unwrap());
        assert_eq!(
            remark("Etc/GMT+1").as_deref(),
            Some("Etc/GMT+1 is 1 hour behind UTC all year, without daylight saving")
        );
        assert!(remark("Etc/GMT-12").unwrap().contains("12 hours ahead of UTC"));
        assert!(remark("EST").unwrap().contains("5 hours behind UTC") && remark("HST").is_some());
        for name in ["UTC", "Etc/UTC", "Etc/GMT", "Etc/GMT+0", "CET", "EST5EDT", "Europe/Paris"] {
            assert_eq!(remark(name), None, "{name}");
        }
    }
}
