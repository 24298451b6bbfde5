//! Tables in full, from SQLite's pragmas.

use rusqlite::params;

use super::{Sqlite, error};
use crate::instant::JULIAN_LOOKS;
use crate::store::describe::{ColumnDetails, TableDetails};
use crate::store::doubt::{Doubt, Question};
use crate::store::error::StoreError;
use crate::store::relation::DbTable;
use crate::store::sql::Quotes;

// A hidden column of a virtual table (1) is no data; generated columns (2 and 3) are.
const COLUMNS: &str = "SELECT name, type, NOT \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1, 'main') \
     WHERE hidden <> 1 ORDER BY cid";

impl Sqlite {
    /// All tables and views in full.
    pub(in crate::store) fn describe(&self) -> Result<Vec<TableDetails>, StoreError> {
        Ok(self.tables()?.into_iter().map(|table| self.details(table)).collect())
    }

    /// Which columns hold what they are doubted for.
    pub(in crate::store) fn confirm(
        &self,
        table: &TableDetails,
        columns: &[(usize, Doubt)],
    ) -> Result<Vec<(usize, Doubt)>, StoreError> {
        let Some(question) = Question::new(table, columns, Quotes::Double, condition) else { return Ok(Vec::new()) };
        let count = question.columns.len();
        let answers = |row: &rusqlite::Row<'_>| (0..count).map(|index| row.get(index)).collect();
        let answers: Vec<Option<i64>> = self.db.query_row(&question.sql, [], answers).unwrap_or_default();
        Ok(question.confirmed(|index| answers.get(index) == Some(&Some(1))))
    }

    /// A view of what is gone says so when it is asked, and should not keep the other tables from being described.
    fn details(&self, table: DbTable) -> TableDetails {
        let empty = TableDetails {
            schema: None,
            name: table.name,
            is_view: table.is_view,
            columns: Vec::new(),
            key: Vec::new(),
            fault: None,
            warning: None,
        };
        match self.columns_and_key(&empty.name) {
            Ok((columns, key)) => TableDetails { columns, key, ..empty },
            Err(error) => TableDetails { fault: Some(error::asking(error).to_string()), ..empty },
        }
    }

    fn columns_and_key(&self, table: &str) -> rusqlite::Result<(Vec<ColumnDetails>, Vec<String>)> {
        let mut statement = self.db.prepare(COLUMNS)?;
        let column = |row: &rusqlite::Row<'_>| {
            let column = ColumnDetails {
                name: row.get(0)?,
                sql_type: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                nullable: row.get(2)?,
                default: row.get(3)?,
                on_update: false,
            };
            Ok((column, row.get::<_, u32>(4)?))
        };
        let columns = statement.query_map(params![table], column)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut key: Vec<(u32, String)> =
            columns.iter().filter(|(_, at)| *at > 0).map(|(column, at)| (*at, column.name.clone())).collect();
        key.sort();
        let key = key.into_iter().map(|(_, name)| name).collect();
        Ok((columns.into_iter().map(|(column, _)| column).collect(), key))
    }
}

/// When a value of the column `name` is what it is doubted for: types of SQLite forbid nothing. Its own functions read
/// `2026` as a day number, and know a year 0.
fn condition(doubt: Doubt, name: &str) -> Option<String> {
    let is_day = format!("{name} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND {name} >= '0001'");
    let [first_day, last_day] = JULIAN_LOOKS;
    match doubt {
        Doubt::Flag => Some(format!("lower({name}) NOT IN ('0', '1', 't', 'f', 'true', 'false')")),
        Doubt::Whole => Some(format!("typeof({name}) NOT IN ('integer', 'null')")),
        Doubt::Number => Some(format!("typeof({name}) NOT IN ('integer', 'real', 'null') OR abs({name}) = 9e999")),
        Doubt::Date => {
            Some(format!("{name} IS NOT NULL AND NOT ({is_day} AND coalesce(time({name}) = '00:00:00', 0))"))
        }
        Doubt::Datetime => Some(format!(
            "CASE typeof({name}) WHEN 'null' THEN 0 WHEN 'integer' THEN \
                 {name} NOT BETWEEN -62135596800 AND 253402300799 OR {name} BETWEEN {first_day} AND {last_day} \
             WHEN 'text' THEN NOT ({is_day} AND datetime({name}) IS NOT NULL) ELSE 1 END"
        )),
        Doubt::Julian => {
            Some(format!("typeof({name}) IN ('integer', 'real') AND {name} >= {first_day} AND {name} < {last_day}"))
        }
        Doubt::Nested | Doubt::Numbers | Doubt::Times => None,
    }
}
