//! MySQL's and MariaDB's errors in our terms, by their numbers.
//!
//! A message may quote data (`Incorrect integer value: 'Ada'`), so it is shown only for the numbers listed here, which
//! are about names, rights, syntax and connections. Of all others only the number is told.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::store::error::StoreError;
use crate::store::server;

/// An error while the connection was used by a statement that may take `limit`.
pub(super) fn of(error: sqlx::Error, limit: Duration) -> StoreError {
    server::broken(error, |error| rejection(number(&*error), error.message(), limit))
}

/// The server's answer to our login.
pub(super) fn refusal(place: &str, error: Box<dyn DatabaseError>) -> StoreError {
    let (number, place) = (number(&*error), place.to_owned());
    let cause = match kind(number) {
        Kind::Data | Kind::Hidden => format!("error {number}"),
        _ => format!("{} ({number})", error.message()),
    };
    match kind(number) {
        Kind::Passing | Kind::Slow | Kind::Locked => StoreError::Unreachable { place, cause },
        Kind::Lasting | Kind::Data | Kind::Hidden => StoreError::Refused { place, cause },
    }
}

fn rejection(number: u16, message: &str, limit: Duration) -> StoreError {
    let code = format!("MySQL {number}");
    match kind(number) {
        Kind::Slow => StoreError::Timeout(limit),
        Kind::Locked => StoreError::Locked { code, advice: "SHOW PROCESSLIST tells which connection holds the lock" },
        Kind::Lasting => StoreError::Statement { code, cause: message.to_owned() },
        Kind::Passing => StoreError::Interrupted { code, cause: message.to_owned() },
        Kind::Data => StoreError::Statement { code, cause: "a value of a row can't be computed".to_owned() },
        Kind::Hidden => StoreError::Interrupted { code, cause: "the database reports an error".to_owned() },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// About names, rights or syntax.
    Lasting,
    /// About connections, locks or resources.
    Passing,
    /// The time limit.
    Slow,
    /// A lock that another connection holds.
    Locked,
    /// About data; its text may hold a value.
    Data,
    /// Perhaps about data; nothing is known of it.
    Hidden,
}

fn kind(number: u16) -> Kind {
    match number {
        // 1317: interrupted, 1969 and 3024: over the limit, in MariaDB and MySQL
        1317 | 1969 | 3024 => Kind::Slow,
        1205 => Kind::Locked,
        // too many connections or open files, out of memory or disk, shutdown, lost connections, locks, a table
        // that was changed under the snapshot
        1021 | 1037 | 1038 | 1040 | 1041 | 1053 | 1135 | 1152 | 1153 | 1158..=1161 | 1184 | 1203 | 1206
        | 1213 | 1226 | 1412 | 1927 | 3159 | 4031 => Kind::Passing,
        // logins and rights
        1044 | 1045 | 1130 | 1142 | 1143 | 1227 | 1251 | 1290 | 1370 | 1396 | 1449 | 1698 | 1820 | 1862 | 3118
        // names
        | 1046 | 1049 | 1051 | 1052 | 1054 | 1060 | 1066 | 1109 | 1146 | 1247 | 1305 | 1356 | 1630 | 4161
        // syntax and what the server can't do
        | 1055 | 1056 | 1064 | 1065 | 1104 | 1111 | 1140 | 1148 | 1149 | 1221 | 1222 | 1235 | 1241 | 1248 | 1295 | 1582
        | 1583 | 3029 | 3065 | 3636
        // writing in a transaction that reads, and statements that end it
        | 1792 | 1568 => Kind::Lasting,
        // out of range, truncated, wrong for its type, division by zero, several rows where one is expected, bad JSON
        1242 | 1264 | 1265 | 1292 | 1365 | 1366 | 1367 | 1406 | 1411 | 1426 | 1441 | 1690 | 3140..=3147 | 4037 | 4038 => {
            Kind::Data
        }
        _ => Kind::Hidden,
    }
}

/// Whether the server does not know a setting.
pub(super) fn is_unknown_setting(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if number(&**error) == 1193)
}

/// Whether the server does not explain a statement because our role may not see all that it reads.
pub(super) fn is_unexplained(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if number(&**error) == 1345)
}

/// Whether columns of a subquery share a name.
pub(super) fn is_doubled_column(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if number(&**error) == 1060)
}

fn number(error: &dyn DatabaseError) -> u16 {
    error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_messages_are_shown() {
        let told = |number| rejection(number, "quotes 'Ada'", Duration::from_secs(5));
        assert!(told(1054).to_string().contains("quotes") && told(1054).is_permanent());
        assert!(told(1213).to_string().contains("quotes") && !told(1213).is_permanent());
        for number in [1366, 1292, 1264, 1690, 3140] {
            assert!(!told(number).to_string().contains("Ada") && told(number).is_permanent());
        }
        assert!(!told(0).to_string().contains("Ada") && !told(0).is_permanent());
        assert!(matches!(told(1969), StoreError::Timeout(_)));
    }
}
