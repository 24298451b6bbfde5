//! What the server warns of while it computes the rows of a statement: values that it cut or replaced, rows that it
//! left out. To the server none of this is an error.
//!
//! The server's texts quote data, so only its numbers are looked at.

use std::collections::BTreeMap;

use sqlx::Row;

use super::{Mysql, error};
use crate::store::error::StoreError;

impl Mysql {
    /// Remembers what the statement that was just read to its end warned of.
    pub(super) async fn note_warnings(&mut self) -> Result<(), StoreError> {
        let timeout = self.timeout;
        // The text protocol: preparing a statement would be one more that can warn.
        let rows = sqlx::raw_sql("SHOW WARNINGS").fetch_all(self.db()?).await;
        let numbers = rows.and_then(|rows| {
            rows.iter().map(|row| row.try_get_unchecked::<u32, _>(1)).collect::<sqlx::Result<Vec<u32>>>()
        });
        self.warnings.extend(sentence(&numbers.map_err(|error| error::of(error, timeout))?));
        Ok(())
    }
}

/// What there is to say about warnings with these numbers, if any of them changes rows.
fn sentence(numbers: &[u32]) -> Option<String> {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    for &number in numbers {
        if let Some(words) = words(number) {
            known.entry(words).or_insert(number);
        }
    }
    let parts: Vec<String> = known.iter().map(|(words, number)| format!("{words} (MySQL {number})")).collect();
    (!parts.is_empty()).then(|| {
        format!(
            "the database warned while it computed the rows: {}; SHOW WARNINGS after the query tells more",
            parts.join("; ")
        )
    })
}

/// What became of rows or values. None of deprecations and the like, and of what nothing is known about.
fn words(number: u32) -> Option<&'static str> {
    Some(match number {
        1260 => "GROUP_CONCAT cut a text at max_allowed_packet",
        1301 => "a text larger than max_allowed_packet became NULL",
        1365 => "a division by zero became NULL",
        1931 => "rows may be missing, because the query was ended at LIMIT ROWS EXAMINED or max_recursive_iterations",
        // out of range, truncated, wrong for its type
        1264 | 1265 | 1292 | 1366 | 1367 | 1406 | 1411 | 1441 | 1690 => {
            "a value was cut or replaced, because it does not fit the type that it is converted to"
        }
        3140..=3147 | 4036..=4038 => "a JSON function got a text that is not valid JSON",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_once_and_deprecations_are_not() {
        assert_eq!(sentence(&[1287, 1681]), None);
        let told = sentence(&[1292, 1365, 1265, 1287, 1365]).unwrap();
        assert_eq!(told.matches("(MySQL ").count(), 2, "{told}");
    }
}
