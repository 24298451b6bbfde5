//! What can be typed: the commands, their arguments, and the help that explains them.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub use super::init::InitArguments;

/// Scheduled exports from a SQL database to a partner's SFTP server: whole files, safe columns, every night.
#[derive(Debug, Parser)]
#[command(name = "exportd", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Start with `exportd demo`: it shows the whole way with nothing installed.")]
pub struct Arguments {
    /// The configuration [default: $EXPORTD_CONFIG, ./jobs.toml, /etc/exportd/jobs.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole main job with nothing installed: a sample store, an SFTP server, the example's jobs
    Demo(DemoArguments),
    /// Write a first configuration for your own database and server, after trying both
    Init(Box<InitArguments>),
    /// Run the jobs whenever they are due, until told to stop
    #[command(after_help = "Examples:\n  exportd serve\n  exportd serve --config /etc/exportd/jobs.toml")]
    Serve,
    /// Show whether a daemon is up and how each job is
    Status(StatusArguments),
    /// Have the running daemon read its configuration again, and show what that changes
    Reload(ReloadArguments),
    /// Run jobs now, in the foreground
    Run(RunArguments),
    /// Check the configuration; with --connect also the store and every destination
    Check(CheckArguments),
    /// Show the coming occurrences with their periods and file names
    Plan(PlanArguments),
    /// Show past runs, newest first
    History(HistoryArguments),
    /// Show one run in full
    Show(ShowArguments),
    /// Show what leaves the house, for whom, how often and why: the record of processing
    Report(ReportArguments),
    /// Try [notify] with a notice that nothing happened for
    Notify(NotifyArguments),
    /// Deliver a run's files again, from the spool, without a query
    Redeliver(RedeliverArguments),
    /// Show the exports that jobs can name, or one export's columns
    Catalogue(CatalogueArguments),
    /// Create the contact-centre sample store in an empty database
    Sample(SampleArguments),
    /// Make a key pair for SFTP logins
    Keygen(KeygenArguments),
    /// Show a server's host keys and the line that pins them, without trusting them
    Hostkey(HostkeyArguments),
    /// Print the JSON schema of jobs.toml or of a catalogue, for editors that complete and check
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page of exportd, or of one of its commands
    Man(ManArguments),
}

/// Commands that need no configuration, and so do not offer one.
const FREE: [&str; 7] = ["demo", "sample", "keygen", "hostkey", "schema", "completions", "man"];

/// The command line as it is parsed, documented and completed.
pub fn command() -> clap::Command {
    let hidden = || clap::Arg::new("config").long("config").hide(true).value_parser(clap::value_parser!(PathBuf));
    FREE.iter().fold(Arguments::command(), |command, name| command.mut_subcommand(name, |free| free.arg(hidden())))
}

/// `exportd demo`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd demo\n  exportd demo --keep /tmp/exportd-demo")]
pub struct DemoArguments {
    /// Keep the store, the configuration, the keys and the drop in this new folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// How many messages the sample store has
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub messages: u64,
}

/// `exportd run`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd run nightly-bi\n  exportd run nightly-bi --at 2026-11-20\n  \
                        exportd run nightly-bi --dry-run --output /tmp/look")]
pub struct RunArguments {
    /// The jobs, by their labels
    #[arg(required = true, value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Run as if due at this time (a date, a date and time in the job's zone, or RFC 3339) instead of the latest due time
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Write the files to a folder and deliver nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The folder for --dry-run
    #[arg(long, value_name = "DIR", requires = "dry_run", default_value = "dry-run")]
    pub output: PathBuf,
}

/// `exportd check`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd check\n  exportd check --connect --json\n  \
                        exportd check --config /etc/exportd/jobs.toml")]
pub struct CheckArguments {
    /// Also try the store, every column, and every destination
    #[arg(long)]
    pub connect: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd plan`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd plan\n  exportd plan nightly-bi --days 31\n  \
                        exportd plan --from 2026-10-24 --days 3\n  exportd plan --json")]
pub struct PlanArguments {
    /// Only these jobs
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// How many days to look ahead
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3660))]
    pub days: u16,
    /// Look ahead from this time (a date, a date and time, or RFC 3339) instead of from now
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd history`
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  exportd history nightly-bi --state failed\n  exportd history --since 2026-11-20\n  \
                        exportd history --since 12h --json\n  exportd history --events"
)]
pub struct HistoryArguments {
    /// Only this job
    #[arg(value_name = "LABEL", conflicts_with = "events")]
    pub label: Option<String>,
    /// Only runs in this state
    #[arg(long, value_name = "STATE", conflicts_with = "events")]
    #[arg(value_parser = ["queued", "running", "waiting", "delivered", "failed", "skipped"])]
    pub state: Option<String>,
    /// Only what was made since then: a date, a time, or how long ago (90m, 12h, 7d)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Show instead what the daemon did beside runs: starts, stops, and what each new configuration changed
    #[arg(long)]
    pub events: bool,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd show`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd show 0dc6krw4g9t2\n  exportd show 0dc6 --json")]
pub struct ShowArguments {
    /// The run's identifier, or its first characters
    pub run: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd notify`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd notify\n  exportd notify --event recovery")]
pub struct NotifyArguments {
    /// What the notice pretends to be about
    #[arg(long, value_name = "EVENT", default_value = "failure", value_parser = ["failure", "recovery", "late", "clock"])]
    pub event: String,
}

/// `exportd status`
#[derive(Args, Debug)]
#[command(after_help = "Exit code 1: somebody should look.\n\nExamples:\n  exportd status\n  exportd status --json")]
pub struct StatusArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd reload`
#[derive(Args, Debug)]
#[command(after_help = "Exit code 2: it is refused.\n\nExamples:\n  exportd reload")]
pub struct ReloadArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd report`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd report\n  exportd report nightly-bi --json")]
pub struct ReportArguments {
    /// Only these jobs
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd redeliver`
#[derive(Args, Debug)]
#[command(after_help = "A delivered run's files are all sent again, another run's only those that are not published \
                        yet.\nThe spool keeps files as long as [state] keep says.\n\n\
                        Examples:\n  exportd redeliver 0dc6krw4g9t2")]
pub struct RedeliverArguments {
    /// The run's identifier, or its first characters
    pub run: String,
    /// Allow another user, host or port than the files were made for; withdrawn columns are never sent
    #[arg(long)]
    pub to_new_recipient: bool,
}

/// `exportd catalogue`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  exportd catalogue\n  exportd catalogue agents\n  \
                        exportd catalogue draft --store sqlite:shop.db")]
pub struct CatalogueArguments {
    /// The export whose columns to show
    #[arg(value_name = "EXPORT")]
    pub export: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// What else can be done with catalogues
    #[command(subcommand)]
    pub command: Option<CatalogueCommand>,
}

/// The commands below `exportd catalogue`.
#[derive(Debug, Subcommand)]
pub enum CatalogueCommand {
    /// Write a catalogue for an existing database; columns that look personal are held back
    Draft(DraftArguments),
}

/// `exportd catalogue draft`
#[derive(Args, Debug)]
#[command(
    after_help = "The draft is to be read by a person before it is used: what is personal is guessed from names.\n\n\
                  Examples:\n  exportd catalogue draft\n  \
                  exportd catalogue draft --store postgres://reporting@db.internal/shop --output catalogue.toml"
)]
pub struct DraftArguments {
    /// The database: sqlite:PATH, postgres://… or mysql://… [default: the configuration's]
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// The time zone of times that the database keeps without one [default: UTC, with a remark]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// A new file for the draft, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `exportd sample`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd sample --store sqlite:contact_centre.db\n  \
                        exportd sample --store postgres://postgres@localhost/play --messages 100000 --seed 7")]
pub struct SampleArguments {
    /// The empty database: sqlite:PATH, postgres://… or mysql://…
    #[arg(long, value_name = "URL")]
    pub store: String,
    /// How many messages; everything else grows with them
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub messages: u64,
    /// The same seed makes the same data in every database
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

/// `exportd keygen`
#[derive(Args, Debug)]
#[command(after_help = "Nothing that exists is overwritten.\n\nExamples:\n  exportd keygen id_ed25519\n  \
                        exportd keygen /etc/exportd/id_ed25519")]
pub struct KeygenArguments {
    /// Where the private key goes; the public one stands beside it with `.pub`
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

/// `exportd hostkey`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd hostkey sftp.partner.example\n  \
                        exportd hostkey sftp.partner.example:2222 --json")]
pub struct HostkeyArguments {
    /// The server, e.g. sftp.partner.example or sftp.partner.example:2222
    #[arg(value_name = "HOST[:PORT]")]
    pub host: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `exportd schema`
#[derive(Args, Debug)]
#[command(
    after_help = "In an editor with a TOML language server (Taplo, Even Better TOML), the first line of jobs.toml can be\n\
                        #:schema ./jobs.schema.json\n\n\
                        Examples:\n  exportd schema > jobs.schema.json\n  \
                        exportd schema catalogue > catalogue.schema.json"
)]
pub struct SchemaArguments {
    /// The kind of file
    #[arg(value_enum, default_value = "jobs")]
    pub file: SchemaFile,
}

/// The files that have a schema.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum SchemaFile {
    /// The configuration, jobs.toml
    Jobs,
    /// A catalogue of exports
    Catalogue,
}

/// `exportd completions`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    exportd completions bash > /usr/share/bash-completion/completions/exportd\n  \
    exportd completions zsh > /usr/share/zsh/vendor-completions/_exportd\n  \
    exportd completions fish > /usr/share/fish/vendor_completions.d/exportd.fish")]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `exportd man`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  exportd man > /usr/share/man/man1/exportd.1\n  \
                        exportd man run > /usr/share/man/man1/exportd-run.1")]
pub struct ManArguments {
    /// The command; without one, the page of exportd itself
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}
