//! Tests of the comparison: which changes of a job keep spooled files from being sent.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;

use super::*;
use crate::catalogue::Column;
use crate::job::{
    Cadence, Channels, FolderDestination, Format, Missed, Overlap, PeriodRule, Publish, Retry, Schedule,
    SftpDestination, Trust, Verify,
};
use crate::name::NameTemplate;
use crate::value::ColumnType;

fn export(name: &str, source: Source, columns: &[(&str, &str)]) -> Arc<JobExport> {
    let column = |(name, sql_name): &(&str, &str)| Column {
        sql_name: (*sql_name).to_owned(),
        ..Column::new(name, ColumnType::String)
    };
    Arc::new(JobExport {
        name: name.to_owned(),
        source,
        columns: columns.iter().map(column).collect(),
        order: Vec::new(),
        period: PeriodRule::All,
        filter: None,
    })
}

fn table(name: &str) -> Source {
    Source::Table(name.to_owned())
}

fn destination(user: &str, host: &str, port: u16) -> SftpDestination {
    SftpDestination {
        host: host.to_owned(),
        port,
        user: user.to_owned(),
        directory: "in".to_owned(),
        template: None,
        key: PathBuf::from("key"),
        passphrase: None,
        trust: Trust::Pinned(Vec::new()),
        publish: Publish::Replace,
        allow_gap: false,
        verify: Verify::Size,
        requests: SftpDestination::REQUESTS,
        channels: Channels::Auto,
        max_rate: None,
    }
}

fn job(exports: Vec<Arc<JobExport>>) -> Job {
    Job {
        label: "nightly".to_owned(),
        description: String::new(),
        reason: None,
        enabled: true,
        schedule: Schedule {
            cadence: Cadence::Daily,
            at: time(4, 0, 0, 0),
            week_starts: Weekday::Monday,
            zone: TimeZone::UTC,
        },
        exports,
        format: Format::Bi,
        destination: Arc::new(Destination::Sftp(destination("drop", "sftp.partner.example", 22))),
        filename: NameTemplate::parse("{{label}}").unwrap(),
        extension: "csv".to_owned(),
        zip: false,
        missed: Missed::All,
        overlap: Overlap::Queue,
        retry: Retry::default(),
        manifest: false,
    }
}

const COLUMNS: &[(&str, &str)] = &[("id", "id"), ("email", "e-mail"), ("paid", "paid")];

fn orders() -> Arc<JobExport> {
    export("orders", table("order"), COLUMNS)
}

/// What is objected to when the files of `before` are to be sent under `after`; empty if nothing is.
fn objections(before: &Job, after: &Job) -> String {
    let contents: Vec<Vec<Content>> = before.exports.iter().map(|export| vec![Content::of(export)]).collect();
    let recipient = Recipient::of(&before.destination);
    let compared = compare(Some(&recipient), contents.iter().map(|contents| Some(&contents[..])), after, false);
    compared.map_or_else(|objections| objections.to_string(), |_| String::new())
}

/// The same of one export that becomes another one.
fn of_export(after: Arc<JobExport>) -> String {
    objections(&job(vec![orders()]), &job(vec![after]))
}

fn of_destination(after: SftpDestination) -> String {
    of(Destination::Sftp(after))
}

fn of(after: Destination) -> String {
    objections(&job(vec![orders()]), &Job { destination: Arc::new(after), ..job(vec![orders()]) })
}

#[test]
fn what_is_still_exported_may_be_sent() {
    assert_eq!(of_export(orders()), "");
    let reordered = [COLUMNS[2], COLUMNS[0], COLUMNS[1]];
    assert_eq!(of_export(export("orders", table("order"), &reordered)), "");
    let added = [COLUMNS, &[("phone", "phone")]].concat();
    assert_eq!(of_export(export("orders", table("order"), &added)), "");
    let another = export("invoices", table("invoice"), COLUMNS);
    assert_eq!(objections(&job(vec![orders()]), &job(vec![another, orders()])), "");
}

#[test]
fn a_column_is_known_by_its_name_and_its_source() {
    assert_eq!(
        of_export(export("orders", table("order"), &COLUMNS[..1])),
        "job nightly no longer exports orders (email, paid)"
    );
    let renamed = [COLUMNS[0], ("mail", "e-mail"), COLUMNS[2]];
    assert_eq!(of_export(export("orders", table("order"), &renamed)), "job nightly no longer exports orders (email)");
    let other_column = [COLUMNS[0], ("email", "email_hash"), COLUMNS[2]];
    assert_eq!(
        of_export(export("orders", table("order"), &other_column)),
        "job nightly now reads orders (email) from another source"
    );
    let both = [("email", "email_hash"), COLUMNS[2]];
    assert_eq!(
        of_export(export("orders", table("order"), &both)),
        "job nightly no longer exports orders (id); job nightly now reads orders (email) from another source"
    );
}

#[test]
fn an_export_is_known_by_its_name_and_its_source() {
    let all = "orders (id, email, paid)";
    assert_eq!(of_export(export("sales", table("order"), COLUMNS)), format!("job nightly no longer exports {all}"));
    let moved = format!("job nightly now reads {all} from another source");
    assert_eq!(of_export(export("orders", table("order_v2"), COLUMNS)), moved);
    let query = |text: &str| export("orders", Source::Query(text.to_owned()), COLUMNS);
    assert_eq!(of_export(query("order")), moved, "a query is no table, whatever it is called");
    let before = job(vec![query("SELECT * FROM order")]);
    assert_eq!(objections(&before, &job(vec![query("SELECT * FROM order")])), "");
    assert_eq!(objections(&before, &job(vec![query("SELECT * FROM order WHERE paid")])), moved);
    // The same column in another export does not allow it.
    let before = job(vec![orders(), export("invoices", table("invoice"), &COLUMNS[..1])]);
    let after =
        job(vec![export("orders", table("order"), &COLUMNS[..1]), export("invoices", table("invoice"), COLUMNS)]);
    assert_eq!(objections(&before, &after), "job nightly no longer exports orders (email, paid)");
}

#[test]
fn a_recipient_is_a_user_at_a_host_and_a_port() {
    let usual = destination("drop", "sftp.partner.example", 22);
    let made_for = "the files are for drop@sftp.partner.example:22, and job nightly delivers to";
    assert_eq!(of_destination(destination("drop", "SFTP.Partner.example", 22)), "");
    assert_eq!(of_destination(SftpDestination { directory: "elsewhere".to_owned(), ..usual.clone() }), "");
    let trust = Trust::Pinned(vec!["SHA256:other".to_owned()]);
    assert_eq!(of_destination(SftpDestination { trust, key: "other".into(), ..usual }), "");
    for (user, host, port) in
        [("Drop", "sftp.partner.example", 22), ("drop", "sftp.example", 22), ("drop", "sftp.partner.example", 2222)]
    {
        assert_eq!(of_destination(destination(user, host, port)), format!("{made_for} {user}@{host}:{port}"));
    }
}

#[test]
fn a_new_recipient_can_be_allowed_and_a_column_can_not() {
    let (contents, made_for) =
        ([Content::of(&orders())], Recipient::of(&Destination::Sftp(destination("drop", "old.example", 22))));
    let compare_with = |job: &Job, may_be_new| compare(Some(&made_for), [Some(&contents[..])], job, may_be_new);
    let same = job(vec![orders()]);
    assert!(compare_with(&same, false).unwrap_err().is_only_recipient());
    assert!(compare_with(&same, true).unwrap().is_new_recipient());
    let less = job(vec![export("orders", table("order"), &COLUMNS[..2])]);
    let both = compare_with(&less, false).unwrap_err();
    assert!(!both.is_only_recipient());
    assert!(both.to_string().contains("orders (paid)") && both.to_string().contains("old.example"), "{both}");
    assert_eq!(compare_with(&less, true).unwrap_err().to_string(), "job nightly no longer exports orders (paid)");
    let here = Recipient::of(&same.destination);
    assert!(!compare(Some(&here), [Some(&contents[..])], &same, true).unwrap().is_new_recipient());
}

#[test]
fn what_was_not_recorded_is_not_sent() {
    let (job, contents) = (job(vec![orders()]), [Content::of(&orders())]);
    let here = Recipient::of(&job.destination);
    for may_be_new in [false, true] {
        let nobody = compare(None, [Some(&contents[..])], &job, may_be_new).unwrap_err();
        let nothing = compare(Some(&here), [Some(&contents[..]), None], &job, may_be_new).unwrap_err();
        assert!(nobody.to_string().contains("earlier version") && !nobody.is_only_recipient());
        assert_eq!(nobody, nothing);
    }
}

#[test]
fn the_stored_words_stay_what_they_are() {
    let location = Location::of(&Destination::Sftp(destination("drop", "SFTP.example", 22)));
    let stored = r#"{"recipient":{"sftp":{"user":"drop","host":"sftp.example","port":22}},"directory":"in"}"#;
    assert_eq!(serde_json::to_string(&location).unwrap(), stored);
    assert_eq!(serde_json::from_str::<Location>(stored).unwrap(), location);
    let of_table = Content::of(&export("orders", table("order"), &[("email", "e-mail")]));
    let stored = r#"{"export":"orders","source":{"from":"order"},"columns":[{"name":"email","column":"e-mail"}]}"#;
    assert_eq!(serde_json::to_string(&of_table).unwrap(), stored);
    assert_eq!(serde_json::from_str::<Content>(stored).unwrap(), of_table);
    let of_query = Content::of(&export("orders", Source::Query("SELECT 1".to_owned()), &[]));
    let stored = r#"{"export":"orders","source":{"query":"SELECT 1"},"columns":[]}"#;
    assert_eq!(serde_json::to_string(&of_query).unwrap(), stored);
}

#[test]
fn a_folder_is_a_recipient_by_its_path() {
    let folder = |path: &str| {
        let (publish, verify) = (Publish::Replace, Verify::Size);
        Destination::Folder(FolderDestination { path: path.into(), publish, verify })
    };
    let objection = "the files are for drop@sftp.partner.example:22, and job nightly delivers to the folder /srv/drops";
    assert_eq!(of(folder("/srv/drops")), objection);
    let location = serde_json::to_string(&Location::of(&folder("/srv/drops"))).unwrap();
    let stored = r#"{"recipient":{"folder":{"path":"/srv/drops"}},"directory":"/srv/drops"}"#;
    assert_eq!(location, stored);
    assert_ne!(Recipient::of(&folder("/srv/drops")), Recipient::of(&folder("/srv/other")));
}
