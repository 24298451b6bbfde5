//! What can be given to `exportd init` instead of answers.

use std::path::PathBuf;

use clap::Args;

/// `exportd init`
#[derive(Args, Debug)]
#[command(
    after_help = "On a terminal, what no flag says is asked. The file is --config, or ./jobs.toml; nothing that \
                        exists is overwritten.\nA URL with a password goes to a file of its own, readable by you only; \
                        to keep it out of the shell's history, set EXPORTD_STORE_URL or give --store-file.\n\n\
                        Examples:\n  exportd init\n  \
                        exportd init --store sqlite:/srv/shop.db --host sftp.partner.example --user drop \\\n      \
                        --host-key SHA256:1jT0hKmdX4ZSyQxTkHnDEkR2m5Ks9dVrIhVYwJFbP3M --yes"
)]
pub struct InitArguments {
    /// The database: sqlite:PATH, postgres://… or mysql://…
    #[arg(long, value_name = "URL", conflicts_with = "store_file")]
    pub store: Option<String>,
    /// A file that holds the database's URL; the configuration refers to it
    #[arg(long, value_name = "FILE")]
    pub store_file: Option<PathBuf>,
    /// Certificates to trust for the database (PEM): its authority's, or its own [default: public authorities]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The time zone of times that the database keeps without one, for the drafted catalogue [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub data_zone: Option<String>,
    /// The partner's SFTP server
    #[arg(long, value_name = "HOST[:PORT]")]
    pub host: Option<String>,
    /// A fingerprint of its host key that you have compared: SHA256:…, MD5:…, or the line of `ssh-keygen -lf`; may be
    /// given several times
    #[arg(long = "host-key", value_name = "FINGERPRINT")]
    pub host_keys: Vec<String>,
    /// The user to log in as
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Our private key, made if it is missing [default: id_ed25519 beside the configuration]
    #[arg(long, value_name = "PATH")]
    pub key: Option<PathBuf>,
    /// The directory on the server [default: the user's own]
    #[arg(long, value_name = "DIR")]
    pub directory: Option<String>,
    /// The first job's exports [default: all that have columns to show]
    #[arg(long, value_name = "EXPORT", value_delimiter = ',')]
    pub exports: Vec<String>,
    /// The first job's name [default: nightly]
    #[arg(long, value_name = "LABEL")]
    pub label: Option<String>,
    /// Its time of day [default: 04:00]
    #[arg(long, value_name = "HH:MM")]
    pub at: Option<String>,
    /// Its time zone, in which its days begin at midnight [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Ask nothing: take the defaults for what no flag says
    #[arg(long)]
    pub yes: bool,
}
