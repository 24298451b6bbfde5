//! The keys of a `[[job]]` and of the tables in it.

use std::ops::RangeInclusive;

use jiff::civil::Weekday;

use super::takes::{Takes, words};
use super::{Choice, Key, REFERENCE, Section};
use crate::job::{
    Cadence, CsvOptions, DatetimeStyle, FormatName, LineEnding, Missed, Overlap, PeriodRule, Publish, Quote, Verify,
};

/// The most characters of `label`.
pub(in super::super) const LONGEST_LABEL: usize = 100;
/// The most characters of `description`.
pub(in super::super) const LONGEST_DESCRIPTION: usize = 250;
/// The most characters of `reason`.
pub(in super::super) const LONGEST_REASON: usize = 250;
/// The values of `port`.
pub(in super::super) const PORTS: RangeInclusive<i64> = 1..=65535;
/// The values of `requests`.
pub(in super::super) const REQUESTS: RangeInclusive<i64> = 1..=1024;
/// The numbers that `channels` takes.
pub(in super::super) const CHANNELS: RangeInclusive<i64> = 1..=64;

/// `[[job]]`.
pub(in super::super) static JOB: Section = Section {
    name: "job",
    header: "`[[job]]`",
    says: "One job: what is exported, when, in which format, and where it is delivered.",
    keys: &[
        Key::new(
            "label",
            Takes::LineOf(LONGEST_LABEL),
            "The job's name, unique without regard to upper and lower case.",
        )
        .required()
        .own()
        .example("\"nightly-bi\""),
        Key::new("description", Takes::TextOf(LONGEST_DESCRIPTION), "What the job is for.")
            .default("\"\"")
            .own()
            .example("\"Yesterday's work for the warehouse\""),
        Key::new(
            "reason",
            Takes::LineOf(LONGEST_REASON),
            "Why sensitive columns may be exported. `check` and `report` show it, and the history of every run \
             keeps it.",
        )
        .otherwise("none; required where a sensitive column is exported")
        .own()
        .example("\"Greeting customers by name in surveys\""),
        Key::new(
            "exports",
            Takes::List(1, &Takes::Either(&[Takes::Line, Takes::Table(&JOB_EXPORT)])),
            "What is exported: names of the catalogue, or tables that choose columns or a period.",
        )
        .required()
        .own()
        .example("[\"agents\", { name = \"messages\", period = \"week\" }]"),
        Key::new("enabled", Takes::Flag, "`false`: the job is kept and shown, but never due.")
            .default("true")
            .example("false"),
        Key::new(
            "run",
            Takes::Word(words::<Cadence>),
            "How often the job is due: every day, on the first day of the week, or on the 1st of the month.",
        )
        .required()
        .example("\"daily\""),
        Key::new(
            "at",
            Takes::Form("time of day, `\"00:00\"` to `\"23:59\"`", "^([01][0-9]|2[0-3]):[0-5][0-9]$"),
            "The time of day at which the job is due, in its time zone.",
        )
        .default("\"04:00\"")
        .example("\"05:30\""),
        Key::new(
            "week_starts",
            Takes::Word(words::<Weekday>),
            "The first day of the week, for weekly jobs and weekly periods.",
        )
        .default("\"monday\"")
        .example("\"sunday\""),
        Key::new(
            "timezone",
            Takes::Line,
            "The IANA name of the time zone of due times, of periods, and of datetimes in files.",
        )
        .default("\"UTC\"")
        .example("\"Europe/Paris\""),
        Key::new(
            "period",
            Takes::Word(words::<PeriodRule>),
            "The previous whole day, week, month, year or pair of years whose rows are exported, or everything. \
             Exports that are full listings stay so.",
        )
        .otherwise("a day for daily jobs, a week for weekly, a month for monthly")
        .example("\"month\""),
        Key::new(
            "filter_by",
            Takes::Line,
            "The time that the period applies to: `created`, `updated`, or another one that the catalogue names.",
        )
        .default("\"created\"")
        .example("\"updated\""),
        Key::new(
            "format",
            Takes::Word(words::<FormatName>),
            "How files are written: `bi` for loaders, without options; `csv` by RFC 4180, with the options of \
             `[job.csv]`; `ndjson`, a JSON object per line. [Formats](formats.md) has the details.",
        )
        .default("\"bi\"")
        .example("\"csv\""),
        Key::new("csv", Takes::Table(&CSV), "The options of `format = \"csv\"`; refused with another format.")
            .otherwise("RFC 4180"),
        Key::new(
            "folder",
            Takes::Path,
            "A folder on this machine that files are delivered into, instead of an SFTP server. It must exist. A job can't have \
             keys of a server beside it; those of `[defaults]` do not apply to it.",
        )
        .otherwise("none; a job has `folder`, or `host`, `user` and `key`")
        .example("\"/srv/drops\""),
        Key::new("host", Takes::Line, "The SFTP server: a name or an address, without scheme, user, port and path.")
            .otherwise("none; required without `folder`")
            .example("\"sftp.partner.example\""),
        Key::new("port", Takes::Integer(PORTS), "The port of its SSH server.").default("22").example("2222"),
        Key::new("user", Takes::Line, "The user to log in as.")
            .otherwise("none; required without `folder`")
            .example("\"drop\""),
        Key::new("key", Takes::Path, "The private key file; `exportd keygen` makes one. Passwords are not supported.")
            .otherwise("none; required without `folder`")
            .example("\"/etc/exportd/id_ed25519\""),
        Key::new("key_passphrase", Takes::Secret(&REFERENCE), "The passphrase of an encrypted key.")
            .example("{ credential = \"key-passphrase\" }"),
        Key::new(
            "directory",
            Takes::Line,
            "The directory that files are put into. It must exist and be readable and writable; only writable with \
             `verify = \"none\"`. It can have the variables of `filename`, filled from the due time, but for \
             `{{export_name}}` and `{{run_id}}`: `in/{{year}}/{{month}}`.",
        )
        .default("\".\"")
        .example("\"incoming/bi\""),
        Key::new(
            "host_keys",
            Takes::List(
                1,
                &Takes::Form(
                    "fingerprint `SHA256:…` or public key line",
                    r"^(SHA256:[A-Za-z0-9+/]{43}=?|(ssh|ecdsa)-\S+ \S+.*)$",
                ),
            ),
            "The server's keys; several allow for a rotation. `exportd hostkey` shows them.",
        )
        .otherwise("none; a server needs one of `host_keys` and `known_hosts`")
        .example("[\"SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM\"]"),
        Key::new("known_hosts", Takes::Path, "A file in OpenSSH's known_hosts format, instead of `host_keys`.")
            .otherwise("none; a server needs one of `host_keys` and `known_hosts`")
            .example("\"/etc/ssh/ssh_known_hosts\""),
        Key::new(
            "publish",
            Takes::Word(words::<Publish>),
            "What happens when a file of that name exists at the destination: it is replaced, or the run fails. \
             `\"direct\"` is for [servers that only take uploads](delivery.md#servers-that-only-take-uploads): it \
             writes files under their final names, so a reader may see half of one.",
        )
        .default("\"replace\"")
        .example("\"refuse\""),
        Key::new(
            "allow_gap",
            Takes::Flag,
            "`true`: replace a file even where the server can't do it in one step, so that for a moment there is none.",
        )
        .default("false")
        .example("true"),
        Key::new(
            "verify",
            Takes::Word(words::<Verify>),
            "What is compared before a file is published: its size, or its content, which is read back. `\"none\"` is \
             for directories that may only be written to.",
        )
        .default("\"size\"")
        .example("\"readback\""),
        Key::new(
            "requests",
            Takes::Integer(REQUESTS),
            "The most requests in flight on each channel. Some servers take only one.",
        )
        .default("128")
        .example("1"),
        Key::new(
            "channels",
            Takes::Either(&[Takes::Word(|| vec!["auto"]), Takes::Integer(CHANNELS)]),
            "How many channels of one connection a large file may use: as many as server and distance suggest and the \
             server grants, or at most a number.",
        )
        .default("\"auto\"")
        .example("4"),
        Key::new(
            "max_rate",
            Takes::Form(
                "number and unit: `kB/s`, `MB/s`, `GB/s`, `kbit/s`, `Mbit/s`, `Gbit/s`",
                r"^[0-9]+\s*([kMG]B|[kMG]bit)/s\s*$",
            ),
            "The highest rate at which data is sent to the host. Jobs with the same host and port share it when they \
             run at once.",
        )
        .otherwise("as fast as the server takes it")
        .example("\"10 MB/s\""),
        Key::new(
            "filename",
            Takes::Line,
            "The [template of file names](configuration.md#file-names): `{{label}}`, `{{export_name}}` (not with \
             `zip`), `{{year}}`, `{{month}}`, `{{day}}`, `{{hour}}`, `{{minute}}`, `{{period_start}}`, \
             `{{period_end}}`, `{{run_id}}`.",
        )
        .otherwise("`\"{{label}}_{{year}}_{{month}}_{{day}}_{{export_name}}\"`, for a zip without `_{{export_name}}`")
        .example("\"{{label}}_{{period_start}}_{{export_name}}\""),
        Key::new(
            "extension",
            Takes::Form(
                "ending of a file name, at most 20 characters",
                r"^(?=.{0,21}$)\.?[A-Za-z0-9_-]*([.][A-Za-z0-9_-]+)*$",
            ),
            "Added to names that do not end in it; `\"\"` adds nothing.",
        )
        .otherwise("the format's own, or `\"zip\"`")
        .example("\"txt\""),
        Key::new("zip", Takes::Flag, "`true`: one zip for all exports instead of a file for each.")
            .default("false")
            .example("true"),
        Key::new(
            "missed",
            Takes::Word(words::<Missed>),
            "Which occurrences run that were due while the daemon was down: all, oldest first; only the latest; or \
             none.",
        )
        .default("\"all\"")
        .example("\"latest\""),
        Key::new(
            "overlap",
            Takes::Word(words::<Overlap>),
            "What happens to an occurrence that is due while the job still runs: it waits in the queue.",
        )
        .default("\"queue\"")
        .example("\"queue\""),
        Key::new("retry", Takes::Table(&RETRY), "How a run is tried again after a failure that may pass.")
            .default("{ first = \"30s\", max = \"1h\", for = \"2d\" }")
            .example("{ first = \"1m\", max = \"30m\", for = \"6h\" }"),
        Key::new(
            "manifest",
            Takes::Flag,
            "`true`: publish a manifest last, with names, sizes, rows and SHA-256 of all files.",
        )
        .default("false")
        .example("true"),
    ],
    choice: Choice::AtMostOne(&["host_keys", "known_hosts"]),
};

/// An export of a job that is more than a name.
pub(in super::super) static JOB_EXPORT: Section = Section {
    name: "export",
    header: "`exports = [{ … }]`",
    says: "An export of a job with choices of its own.",
    keys: &[
        Key::new("name", Takes::Line, "The export's name in the catalogue.").required().example("\"agents\""),
        Key::new(
            "fields",
            Takes::List(1, &Takes::Line),
            "Exactly these columns, in this order. A pattern such as `answer_{n}` names all its members.",
        )
        .otherwise("all columns that are neither sensitive nor additional")
        .example("[\"id\", \"created_at\"]"),
        Key::new(
            "add",
            Takes::List(0, &Takes::Line),
            "These columns besides the default ones, in the catalogue's order.",
        )
        .example("[\"first_name\"]"),
        Key::new(
            "period",
            Takes::Word(words::<PeriodRule>),
            "As the job's `period`, for this export only; also for one that is a full listing otherwise.",
        )
        .otherwise("the job's")
        .example("\"month\""),
        Key::new("filter_by", Takes::Line, "As the job's `filter_by`, for this export only.")
            .otherwise("the job's")
            .example("\"updated\""),
    ],
    choice: Choice::AtMostOne(&["fields", "add"]),
};

/// `retry`.
pub(in super::super) static RETRY: Section = Section {
    name: "retry",
    header: "`retry = { … }`",
    says: "How a run is tried again after a failure that may pass.",
    keys: &[
        Key::new("first", Takes::Duration, "The first wait; the following ones grow.")
            .default("\"30s\"")
            .example("\"1m\""),
        Key::new("max", Takes::Duration, "The longest wait.").default("\"1h\"").example("\"30m\""),
        Key::new("for", Takes::Duration, "How long after its first failure the run has failed for good.")
            .default("\"2d\"")
            .example("\"6h\""),
    ],
    choice: Choice::Free,
};

/// `[job.csv]`.
pub(in super::super) static CSV: Section = Section {
    name: "csv",
    header: "`[job.csv]`",
    says: "The options of `format = \"csv\"`. [Formats](formats.md) has the details.",
    keys: &[
        Key::new(
            "delimiter",
            Takes::Form(
                "one ASCII punctuation character other than a quote, or `\"tab\"`",
                r"^(tab|\t|[!#-/:-@\[-`{-~])$",
            ),
            "What separates cells.",
        )
        .default("\",\"")
        .example("\";\""),
        Key::new("line_ending", Takes::Word(words::<LineEnding>), "What ends a row.")
            .default("\"crlf\"")
            .example("\"lf\""),
        Key::new("bom", Takes::Flag, "`true`: start the file with a byte order mark, which Excel expects.")
            .default("false")
            .example("true"),
        Key::new("header", Takes::Flag, "`false`: write no row of column names.").default("true").example("false"),
        Key::new(
            "null",
            Takes::Form("text without delimiter, quotes and line breaks", "^[^\"\\r\\n]*$"),
            "What stands for NULL; a text cell of the same content is quoted.",
        )
        .default("\"\"")
        .example("'\\N'"),
        Key::new(
            "quote",
            Takes::Word(words::<Quote>),
            "Which cells are quoted: those that would be misread otherwise, or all but NULL.",
        )
        .default("\"minimal\"")
        .example("\"all\""),
        Key::new(
            "boolean",
            Takes::Either(&[Takes::Word(|| CsvOptions::BOOLEANS.to_vec()), Takes::Pair]),
            "The words for true and false.",
        )
        .default("\"true/false\"")
        .example("[\"ja\", \"nein\"]"),
        Key::new(
            "datetime",
            Takes::Word(words::<DatetimeStyle>),
            "How datetimes are written: with an offset, as local time without one, or in UTC.",
        )
        .default("\"rfc3339\"")
        .example("\"local\""),
        Key::new(
            "decimal_separator",
            Takes::Word(|| CsvOptions::DECIMAL_SEPARATORS.map(|(word, _)| word).to_vec()),
            "What separates the fraction in floats and decimals.",
        )
        .default("\".\"")
        .example("\",\""),
        Key::new("formula_guard", Takes::Flag, "`true`: disarm text that a spreadsheet would run as a formula.")
            .default("false")
            .example("true"),
    ],
    choice: Choice::Free,
};
