//! Rules between names: no two files of a run, and no two jobs, may land on the same remote path.
//!
//! Names are compared as they would be written on a set of sample dates, without regard to case, since servers on
//! Windows and macOS don't know it. The dates are chosen so that any two jobs that can ever be due on one day are
//! both due on one of them: a 1st of the month on every weekday, and a whole week, which also shows names that do not
//! depend on the day. Where a directory or a file name has digits of its own, which may be what a variable stands for at
//! another time, many more dates are tried. Jobs to the same host under two of its names are not recognised.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::path::Path;

use jiff::civil::{Date, date};
use jiff::{ToSpan, ZonedDateTime};

use super::fault::{Fault, File};
use super::job::Placed;
use super::paths::normalized;
use crate::clearance::{Location, Recipient};
use crate::job::{Cadence, Destination, Job, Schedule, job_key};
use crate::name::{NameValues, manifest_name};
use crate::period::Period;
use crate::plan;

/// 1 June 2026 is a Monday; the seven months begin with Monday to Sunday.
const SAMPLES: [Date; 13] = [
    date(2026, 6, 1),
    date(2026, 6, 2),
    date(2026, 6, 3),
    date(2026, 6, 4),
    date(2026, 6, 5),
    date(2026, 6, 6),
    date(2026, 6, 7),
    date(2026, 9, 1),
    date(2026, 7, 1),
    date(2026, 10, 1),
    date(2027, 1, 1),
    date(2026, 8, 1),
    date(2026, 11, 1),
];

/// Years that files are named by.
const YEARS: RangeInclusive<i16> = 2026..=2199;

const LEAP_YEAR: i16 = 2028;

/// Reports jobs whose labels are the same but for case.
pub(super) fn check_labels(file: &File<'_>, jobs: &[Placed]) {
    let mut seen: HashMap<String, &Placed> = HashMap::new();
    for placed in jobs {
        match seen.entry(job_key(&placed.job.label)) {
            Entry::Vacant(entry) => {
                entry.insert(placed);
            }
            Entry::Occupied(entry) => {
                let fault = Fault::new(format!("a job `{}` exists already", entry.get().job.label));
                file.fault(placed.label.clone(), fault.label("choose another; upper and lower case count as the same"));
            }
        }
    }
}

/// Reports files of one job, and files of two jobs, that would have the same remote path.
pub(super) fn check_paths(file: &File<'_>, jobs: &[Placed]) {
    // Where a directory has variables, it may at times be that of any other job to the same recipient.
    let varying: HashSet<Recipient> = jobs.iter().filter(|placed| varies(placed)).map(recipient).collect();
    let mut destinations: HashMap<(Recipient, String), Vec<&Placed>> = HashMap::new();
    for placed in jobs {
        check_own_names(file, placed);
        let (recipient, directory) = place(&placed.job.destination);
        let directory = if varying.contains(&recipient) { String::new() } else { directory };
        destinations.entry((recipient, directory)).or_default().push(placed);
    }
    for sharing in destinations.into_values().filter(|jobs| jobs.len() > 1) {
        let days = days_for(&sharing);
        let mut writers: HashMap<String, &Placed> = HashMap::new();
        for placed in sharing {
            check_against(file, placed, &days, &mut writers);
        }
    }
}

/// Reports folders that are the program's own: it removes from its spool whatever belongs to no run.
pub(super) fn check_folders(file: &File<'_>, jobs: &[Placed], state_dir: &Path) {
    let state = normalized(&state_dir.to_string_lossy());
    for placed in jobs {
        let Destination::Folder(folder) = &*placed.job.destination else { continue };
        if folder.path.starts_with(&state) {
            let fault = Fault::new(format!("{} is in the state folder of exportd", folder.path.display()));
            file.fault(placed.label.clone(), fault.label("let this job deliver into another folder"));
        }
    }
}

fn check_own_names(file: &File<'_>, placed: &Placed) {
    let job = &placed.job;
    let mut names: HashMap<String, String> = HashMap::new();
    for (export, name) in names_on(job, &due_on(&job.schedule, SAMPLES[0])) {
        match names.entry(name.to_lowercase()) {
            Entry::Vacant(entry) => {
                entry.insert(export);
            }
            Entry::Occupied(entry) => {
                let fault = Fault::new(format!("`{}` and `{export}` would be the same file, {name}", entry.get()));
                let help = "put {{export_name}} into `filename`, or write zip = true";
                file.fault(placed.filename.clone(), fault.label("the name is the same for both").help(help));
                return;
            }
        }
    }
}

/// Reports the first name of a job that one of `writers` writes too, else adds the job to them.
fn check_against<'p>(file: &File<'_>, placed: &'p Placed, days: &[Date], writers: &mut HashMap<String, &'p Placed>) {
    let schedule = &placed.job.schedule;
    for &day in days.iter().filter(|day| is_due(schedule, **day)) {
        let due = due_on(schedule, day);
        let (_, directory) = place(&plan::destination(&placed.job, &due));
        for (_, name) in names_on(&placed.job, &due) {
            let path = format!("{directory}/{}", name.to_lowercase());
            let other = *writers.entry(path).or_insert(placed);
            if std::ptr::eq(other, placed) {
                continue;
            }
            let (first, second) = (&other.job.label, &placed.job.label);
            let fault = Fault::new(format!("the jobs `{first}` and `{second}` would write the same file, {name}"));
            let help = "put {{label}} into `filename`, or choose another directory";
            file.fault(placed.filename.clone(), fault.label("the same path as the other job's").help(help));
            return;
        }
    }
}

/// The dates that the names of these jobs are compared on.
fn days_for(jobs: &[&Placed]) -> Vec<Date> {
    let numbers: HashSet<&str> = jobs.iter().flat_map(|placed| numbers(&placed.job)).collect();
    let mut days = SAMPLES.to_vec();
    if numbers.is_empty() {
        return days;
    }
    // Every day of a leap year, and of the years that are spelt out; the month after them for what is named by its period.
    let years = numbers.iter().filter_map(|number| number.get(..4)?.parse().ok()).filter(|year| YEARS.contains(year));
    for year in years.chain([LEAP_YEAR]).collect::<BTreeSet<i16>>() {
        days.extend(date(year, 1, 1).series(1.day()).take_while(|day| *day < date(year + 1, 2, 1)));
    }
    days
}

/// The digits in the directory and the file names of a job that are no part of a variable.
fn numbers(job: &Job) -> impl Iterator<Item = &str> {
    let directory = match &*job.destination {
        Destination::Sftp(sftp) => sftp.directory.as_str(),
        Destination::Folder(_) => "",
    };
    [directory, job.filename.text()]
        .into_iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_digit()))
        .filter(|digits| !digits.is_empty())
}

fn varies(placed: &Placed) -> bool {
    matches!(&*placed.job.destination, Destination::Sftp(sftp) if sftp.template.is_some())
}

fn recipient(placed: &Placed) -> Recipient {
    Recipient::of(&placed.job.destination)
}

/// The destination as one key: equal for destinations that are surely the same folder.
fn place(to: &Destination) -> (Recipient, String) {
    let Location { recipient, directory } = Location::of(to);
    (recipient, normalized(&directory))
}

fn is_due(schedule: &Schedule, day: Date) -> bool {
    match schedule.cadence {
        Cadence::Daily => true,
        Cadence::Weekly => day.weekday() == schedule.week_starts,
        Cadence::Monthly => day.day() == 1,
    }
}

fn due_on(schedule: &Schedule, day: Date) -> ZonedDateTime {
    day.to_datetime(schedule.at)
        .to_zoned_datetime(schedule.zone.clone())
        .expect("the sample dates are in every zone's range")
}

/// The files of a run due then: the export that each is of, and its name.
fn names_on(job: &Job, due: &ZonedDateTime) -> Vec<(String, String)> {
    let period = Period::of_cadence(due, &job.schedule);
    // Runs never share an identifier, nor do jobs a label.
    let values = |export_name| NameValues {
        label: &job.label,
        export_name,
        due,
        period: (&period.from, &period.to),
        run_id: &job.label,
    };
    let name = |export_name| job.filename.render(&values(export_name), &job.extension);
    let mut names: Vec<(String, String)> = match job.zip {
        true => vec![("the zip".to_owned(), name(None))],
        false => job.exports.iter().map(|export| (export.name.clone(), name(Some(&export.name)))).collect(),
    };
    if job.manifest {
        names.push(("the manifest".to_owned(), manifest_name(&job.label, due)));
    }
    names
}

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;

    use super::*;

    #[test]
    fn sample_months_begin_on_every_weekday() {
        let mut firsts: Vec<Weekday> = SAMPLES.iter().filter(|day| day.day() == 1).map(|day| day.weekday()).collect();
        firsts.sort_by_key(|day| day.to_monday_zero_offset());
        assert_eq!(firsts.len(), 7);
        firsts.dedup();
        assert_eq!(firsts.len(), 7);
    }

    #[test]
    fn sees_through_spellings_of_a_directory() {
        for spelling in ["in/bi", "./in//bi/", "in/x/../bi", "in/./bi"] {
            assert_eq!(normalized(spelling), "in/bi");
        }
        assert_eq!(normalized("/in/bi"), "/in/bi");
        assert_eq!(normalized("."), "");
        assert_eq!(normalized("../x"), "../x");
    }
}
