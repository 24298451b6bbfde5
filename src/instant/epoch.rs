//! Numbers as points in time: what a unit makes of one, and the unit that one looks like.

use crate::catalogue::EpochUnit;

/// The start of 1970 as a Julian day, in milliseconds.
pub const JULIAN_1970: i64 = 210_866_760_000_000;
/// The milliseconds of a day.
pub const DAY_MILLIS: i64 = 86_400_000;
/// Where Julian days end: with the year 9999.
const JULIAN_END: f64 = 5_373_484.5;

/// A unit, and the numbers that are taken for it. The ranges share no number.
struct Look {
    unit: EpochUnit,
    range: [f64; 2],
    /// What a fault says was found.
    found: &'static str,
    remedy: &'static str,
}

const LOOKS: [Look; 4] = [
    Look {
        unit: EpochUnit::Julian,
        range: [2_415_020.5, 2_488_069.5],
        found: "a number that looks like a Julian day",
        remedy: "write `epoch = \"julian\"` for the column in the catalogue, or \"s\" if it does count seconds",
    },
    Look {
        unit: EpochUnit::Seconds,
        range: [315_532_800.0, 4_102_444_800.0],
        found: "a number that looks like seconds since 1970",
        remedy: "write `epoch = \"s\"` for the column in the catalogue",
    },
    Look {
        unit: EpochUnit::Milliseconds,
        range: [315_532_800e3, 4_102_444_800e3],
        found: "a number that looks like milliseconds since 1970",
        remedy: "write `epoch = \"ms\"` for the column in the catalogue",
    },
    Look {
        unit: EpochUnit::Microseconds,
        range: [315_532_800e6, 4_102_444_800e6],
        found: "a number that looks like microseconds since 1970",
        remedy: "write `epoch = \"us\"` for the column in the catalogue",
    },
];

/// The numbers that are Julian days of 1900 to 2099. As seconds they are hours of two days of January 1970, which
/// hardly anybody has data of.
pub const JULIAN_LOOKS: [f64; 2] = LOOKS[0].range;

/// The unit in which `number` is a time that data usually has: of 1980 to 2099, as a Julian day of 1900 to 2099.
pub fn fitting_unit(number: f64) -> Option<EpochUnit> {
    look(number).map(|look| look.unit)
}

/// The numbers that can be read in `unit`, the second excluded: times of the years 1 to 9999 and a day around them.
pub fn readable_numbers(unit: Option<EpochUnit>) -> [f64; 2] {
    const SECONDS: [f64; 2] = [-62_135_683_200.0, 253_402_387_200.0];
    match unit.unwrap_or(EpochUnit::Seconds) {
        EpochUnit::Seconds => SECONDS,
        EpochUnit::Milliseconds => SECONDS.map(|seconds| seconds * 1e3),
        EpochUnit::Microseconds => SECONDS.map(|seconds| seconds * 1e6),
        EpochUnit::Julian => [1_721_424.5, JULIAN_END],
    }
}

/// What a number that can't be read looks like, for a fault.
pub(super) fn looks(number: f64) -> Option<&'static str> {
    look(number).map(|look| look.found)
}

/// What helps against what [`looks`] has found.
pub(super) fn remedy(found: &str) -> Option<&'static str> {
    LOOKS.iter().find(|look| look.found == found).map(|look| look.remedy)
}

fn look(number: f64) -> Option<&'static Look> {
    LOOKS.iter().find(|look| (look.range[0]..look.range[1]).contains(&number))
}

/// A number in microseconds since 1970; `None` where it does not fit, and for a Julian day where no unit is declared.
pub(super) fn micros_of_whole(number: i64, unit: Option<EpochUnit>) -> Option<i64> {
    let unit = declared(number as f64, unit)?;
    match per_unit(unit) {
        Some(micros) => number.checked_mul(micros),
        None => number.checked_mul(DAY_MILLIS)?.checked_sub(JULIAN_1970)?.checked_mul(1000),
    }
}

/// The same for a number with a fraction, which is kept to the microsecond. Julian days are rounded to milliseconds, as
/// SQLite's own functions do: a double holds them to some 40 microseconds.
pub(super) fn micros_of_fraction(number: f64, unit: Option<EpochUnit>) -> Option<i64> {
    let unit = declared(number, unit)?;
    let Some(per_unit) = per_unit(unit) else {
        let millis = (0.0..JULIAN_END).contains(&number).then(|| (number * DAY_MILLIS as f64 + 0.5).floor() as i64)?;
        return (millis - JULIAN_1970).checked_mul(1000);
    };
    // Beyond 1e18 units every date is out of reach; the bound also keeps NaN and infinities out of the conversion.
    if !(-1e18..1e18).contains(&number) {
        return None;
    }
    let whole = number.floor();
    let micros = ((number - whole) * per_unit as f64).round() as i64;
    (whole as i64).checked_mul(per_unit)?.checked_add(micros)
}

/// The unit to read `number` in: seconds if none is declared, unless it looks like a Julian day.
fn declared(number: f64, unit: Option<EpochUnit>) -> Option<EpochUnit> {
    let looks_julian = || (JULIAN_LOOKS[0]..JULIAN_LOOKS[1]).contains(&number);
    unit.or_else(|| (!looks_julian()).then_some(EpochUnit::Seconds))
}

/// How many microseconds one unit is, of those that count from 1970.
fn per_unit(unit: EpochUnit) -> Option<i64> {
    match unit {
        EpochUnit::Seconds => Some(1_000_000),
        EpochUnit::Milliseconds => Some(1000),
        EpochUnit::Microseconds => Some(1),
        EpochUnit::Julian => None,
    }
}
