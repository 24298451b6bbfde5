//! The tables of the sample, each with the function that makes its rows.
//!
//! A table is made in units: a unit is an index, and gives no row, one row or several. Whatever a table says of things
//! in other tables it asks of the same functions that those ask.

mod audit;
mod cases;
pub(super) mod channels;
mod customers;
mod knowledge;
mod messages;
mod people;
mod presence;
mod satisfaction;
mod threads;

use super::row::Rows;
use super::world::World;

/// A table, and how its rows are made.
pub(super) struct Table {
    /// Its name in the database.
    pub(super) name: &'static str,
    /// How many units it is made in.
    pub(super) units: fn(&World) -> u64,
    /// Adds the rows of one unit.
    pub(super) fill: fn(&World, u64, &mut Rows),
}

/// All tables, in the order in which they are filled.
pub(super) fn all() -> Vec<&'static Table> {
    let parts: [&'static [Table]; 10] = [
        &people::TABLES,
        &channels::TABLES,
        &customers::TABLES,
        &threads::TABLES,
        &cases::TABLES,
        &messages::TABLES,
        &satisfaction::TABLES,
        &knowledge::TABLES,
        &presence::TABLES,
        &audit::TABLES,
    ];
    parts.into_iter().flatten().collect()
}
