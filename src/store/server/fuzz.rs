//! URLs of stores that nobody would write.

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::*;
use crate::fuzz::attack;

#[test]
fn store_urls() {
    let words = [
        "postgres://",
        "mysql://",
        "@",
        ":",
        "/",
        "?",
        "&",
        "sslmode=",
        "ssl-ca=",
        "%2",
        "%",
        "#",
        "[",
        "é",
        "options=-c",
    ];
    attack("store_urls", &words, |input| {
        let url = String::from_utf8_lossy(input);
        let read = parameter(&url, &["sslmode", "ssl-ca"]).is_some();
        (
            check_url(&url).is_ok(),
            read,
            has_parameter(&url, &["sslmode"]),
            url.parse::<PgConnectOptions>().map_err(|error| error.to_string().len()).is_ok(),
            url.parse::<MySqlConnectOptions>().is_ok(),
        )
    });
}
