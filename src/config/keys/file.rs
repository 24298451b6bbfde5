//! The keys of `jobs.toml` besides those of jobs.

use super::takes::{Takes, words};
use super::{Choice, JOB, Key, REFERENCE, Section};
use crate::catalogue::BUILTIN;
use crate::store::RowSecurity;

/// The file itself.
pub(in super::super) static ROOT: Section = Section {
    name: "file",
    header: "`jobs.toml`",
    says: "Which exports go where, and when.",
    keys: &[
        Key::new("store", Takes::Table(&STORE), "The database that exports are read from.").required(),
        Key::new("state", Takes::Table(&STATE), "Where the daemon keeps its own data.")
            .otherwise("the defaults of its keys"),
        Key::new("catalogue", Takes::Table(&CATALOGUE), "What can be exported.")
            .otherwise("the built-in catalogue `contact-centre`"),
        Key::new("notify", Takes::Table(&NOTIFY), "Who is notified of failures.").otherwise("nobody"),
        Key::new("defaults", Takes::Table(&DEFAULTS), "Values for all jobs; a job's own value wins."),
        Key::new("job", Takes::Tables(&JOB), "The jobs."),
    ],
    choice: Choice::Free,
};

/// `[store]`.
pub(in super::super) static STORE: Section = Section {
    name: "store",
    header: "`[store]`",
    says: "The database that exports are read from. It is opened read-only.",
    keys: &[
        Key::new(
            "url",
            Takes::Secret(&REFERENCE),
            "`sqlite:PATH`, `postgres://USER@HOST/DATABASE` or `mysql://USER@HOST/DATABASE`; `mariadb:` and \
             `postgresql:` are the same.",
        )
        .required()
        .example("\"postgres://exportd@db.internal/shop\""),
        Key::new(
            "timeout",
            Takes::Duration,
            "The longest time that one query may take, at least one second; the database stops it.",
        )
        .default("\"1h\"")
        .example("\"30m\""),
        Key::new(
            "ca",
            Takes::Path,
            "A file of certificates (PEM): that of the authority that issued the database's certificate, or the \
             database's own.",
        )
        .otherwise("public authorities")
        .example("\"/etc/exportd/store-ca.pem\""),
        Key::new(
            "row_security",
            Takes::Word(words::<RowSecurity>),
            "PostgreSQL only. `\"off\"` refuses an export if row-level security can hide rows from the role; \
             `\"on\"` says that this is meant: the rows that remain are exported, and only `check --connect` mentions it.",
        )
        .otherwise("as `\"on\"`, with a warning in every run")
        .example("\"off\""),
        Key::new(
            "max_cell",
            Takes::Form("number and unit: `kB`, `MB`, `GB`", r"^[0-9]+\s*[kMG]B\s*$"),
            "The largest cell that is exported: a larger one [can't be read](formats.md#cells-that-cant-be-read). Large \
             cells cost [memory](performance.md#large-cells).",
        )
        .default("\"64 MB\"")
        .example("\"200 MB\""),
    ],
    choice: Choice::Free,
};

/// `[state]`.
pub(in super::super) static STATE: Section = Section {
    name: "state",
    header: "`[state]`",
    says: "Where the daemon keeps its history and its schedule, and the files that it has not delivered yet.",
    keys: &[
        Key::new("dir", Takes::Path, "The folder of `state.db` and `spool/`, on a local disk.")
            .otherwise(
                "`$STATE_DIRECTORY`, else `/var/lib/exportd` if it exists, else `$XDG_STATE_HOME/exportd`, else \
                 `~/.local/state/exportd`",
            )
            .example("\"/var/lib/exportd\""),
        Key::new(
            "keep",
            Takes::Duration,
            "How long finished files stay in the spool after their run has ended, for `exportd redeliver`; `\"0s\"` \
             removes them as soon as they are delivered.",
        )
        .default("\"15d\"")
        .example("\"30d\""),
    ],
    choice: Choice::Free,
};

/// `[catalogue]`.
pub(in super::super) static CATALOGUE: Section = Section {
    name: "catalogue",
    header: "`[catalogue]`",
    says: "What can be exported.",
    keys: &[
        Key::new("builtin", Takes::Word(|| BUILTIN.to_vec()), "A catalogue that comes with the program.")
            .example("\"contact-centre\""),
        Key::new(
            "files",
            Takes::List(0, &Takes::Path),
            "Catalogues of your own. In the last part of a path, `*` matches any characters.",
        )
        .example("[\"catalogue/*.toml\"]"),
    ],
    choice: Choice::AtLeastOne(&["builtin", "files"]),
};

/// `[notify]`.
pub(in super::super) static NOTIFY: Section = Section {
    name: "notify",
    header: "`[notify]`",
    says: "Who is notified when a run fails, when its job delivers again, and when a run is late.",
    keys: &[
        Key::new(
            "command",
            Takes::List(1, &Takes::Line),
            "A program and its arguments, started without a shell. It reads the notice as JSON from its standard \
             input.",
        )
        .example("[\"/usr/local/bin/page\", \"--team\", \"data\"]"),
        Key::new(
            "url",
            Takes::Secret(&REFERENCE),
            "The notice is posted there as JSON: `https://…`, or `http://` to this machine.",
        )
        .example("{ credential = \"notify-url\" }"),
        Key::new("bearer", Takes::Secret(&REFERENCE), "Sent as `Authorization: Bearer …`.")
            .example("{ env = \"NOTIFY_TOKEN\" }"),
        Key::new("headers", Takes::Named(0, &Takes::Secret(&REFERENCE)), "Further headers of the request.")
            .example("{ X-Team = \"data\" }"),
        Key::new(
            "ca",
            Takes::Path,
            "A file of certificates (PEM): that of the authority that issued the server's certificate, or the \
             server's own.",
        )
        .otherwise("public authorities")
        .example("\"/etc/exportd/notify-ca.pem\""),
        Key::new(
            "late",
            Takes::Duration,
            "A run that is not done this long after its due time is late; at least one minute.",
        )
        .otherwise("never")
        .example("\"2h\""),
    ],
    choice: Choice::AtLeastOne(&["command", "url"]),
};

/// `[defaults]`: its keys are the shared ones of [`JOB`], so it lists none.
pub(in super::super) static DEFAULTS: Section = Section {
    name: "defaults",
    header: "`[defaults]`",
    says: "Values for all jobs; a job's own value wins. Every key of a job can stand here but those that say which job \
           it is.",
    keys: &[],
    choice: Choice::Free,
};
