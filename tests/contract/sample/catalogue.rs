//! The sample store and the built-in catalogue are about the same columns, and no person shows in those that are on
//! by default.

use exportd::catalogue::{Catalogue, Export, Source};
use exportd::config;
use exportd::sample;
use exportd::value::ColumnType;
use rusqlite::Connection;

use super::{SMALL, column, rows, small_sample};

pub fn contact_centre() -> Catalogue {
    config::builtin("contact-centre").expect("the catalogue is built in")
}

/// The view that `export` is read from.
pub fn view(export: &Export) -> &str {
    match &export.source {
        Source::Table(name) => name,
        Source::Query(sql) => panic!("{} is read by a query: {sql}", export.name),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_have_the_columns_of_the_catalogue_and_no_others() {
    let (_folder, db) = small_sample(SMALL).await;
    let catalogue = contact_centre();
    for export in &catalogue.exports {
        let there = column(&db, &format!("select name from pragma_table_info('{}')", view(export)));
        let declared: Vec<&str> = export.columns.iter().map(|column| column.sql_name.as_str()).collect();
        assert_eq!(there, declared, "{}", export.name);
    }
    let views = column(&db, "select name from sqlite_schema where type = 'view'");
    assert_eq!(views.len(), catalogue.exports.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_boolean_is_sometimes_true_and_sometimes_false() {
    let (_folder, db) = small_sample(SMALL).await;
    for export in &contact_centre().exports {
        for declared in export.columns.iter().filter(|column| column.kind == ColumnType::Boolean) {
            let sql = format!("select distinct \"{}\" || '' from {} where 1", declared.sql_name, view(export));
            let values = column_of_texts(&db, &sql);
            assert!(values.contains(&"0".to_owned()), "{}.{} is never false", export.name, declared.name);
            assert!(values.contains(&"1".to_owned()), "{}.{} is never true", export.name, declared.name);
        }
    }
}

fn column_of_texts(db: &Connection, sql: &str) -> Vec<String> {
    rows(db, &format!("({sql})")).into_iter().filter_map(|row| row.into_iter().next().flatten()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_has_a_value_somewhere() {
    let (_folder, db) = small_sample(SMALL).await;
    for export in &contact_centre().exports {
        let all = rows(&db, view(export));
        for (place, declared) in export.columns.iter().enumerate() {
            let filled = all.iter().any(|row| row[place].as_ref().is_some_and(|cell| !cell.is_empty() && cell != "[]"));
            assert!(filled, "{}.{} is always empty", export.name, declared.name);
        }
    }
}

/// The people in a cell: names, addresses of e-mail, telephone numbers.
fn people_in(cell: &str) -> Option<&str> {
    let named = sample::names().into_iter().find(|name| cell.contains(name));
    let phones = ["+1-555-01", "+44 7700 900", "+33 1 99 00"];
    let phone = phones.into_iter().find(|start| cell.contains(start));
    named.or(phone).or_else(|| ["@example.", "@mail.example."].into_iter().find(|part| cell.contains(part)))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_person_shows_in_the_default_columns() {
    let (_folder, db) = small_sample(SMALL).await;
    let mut seen_elsewhere = 0;
    for export in &contact_centre().exports {
        for row in rows(&db, view(export)) {
            for (declared, cell) in export.columns.iter().zip(row) {
                let cell = cell.unwrap_or_default();
                let Some(person) = people_in(&cell) else { continue };
                assert!(!declared.is_default(), "{}.{} shows {person}", export.name, declared.name);
                seen_elsewhere += 1;
            }
        }
    }
    assert!(seen_elsewhere > 1000, "the search found people in {seen_elsewhere} cells only");
}
