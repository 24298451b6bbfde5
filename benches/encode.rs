//! How fast rows become bytes: the reference row of docs/performance.md, in `bi` and in `ndjson`, and each kind of cell
//! alone.
//!
//! Throughput is that of the bytes written, on one core. The cells lie ready in memory, in the shapes in which
//! PostgreSQL's binary COPY hands them over.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exportd::catalogue::Column;
use exportd::encode::Encoder;
use exportd::job::Format;
use exportd::value::ColumnType::{self, Boolean, Date, Datetime, Decimal, Float, Integer, String as Line, Text};
use exportd::value::{Instant, Scale, Value};
use jiff::tz::TimeZone;

const ROWS: i64 = 5_000;

/// The reference row: name, declared type and the cell of row `i`.
type Cell = fn(i64) -> Value<'static>;
const REFERENCE: [(&str, ColumnType, Cell); 15] = [
    ("id", ColumnType::Id, Value::Int),
    ("uid", Line, |i| text(format!("u-{:032x}", (i as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))),
    ("created_at", Datetime, |i| at(i, 0)),
    ("updated_at", Datetime, |i| at(i, 86_400)),
    ("agent_id", Integer, |i| Value::Int(i * 7919 % 100_000)),
    ("channel_id", Integer, |i| Value::Int(i % 50)),
    ("status", Line, |i| if i % 7 == 0 { Value::Null } else { text(format!("status {}", i % 9)) }),
    ("active", Boolean, |i| Value::Bool(i % 3 == 0)),
    ("score", Float, |i| Value::Float((i as f64 * 0.618_033_988_749_894_9).fract() * 1000.0)),
    ("amount", Decimal, |i| text(format!("{}.{:02}", i * 5 / 4, i * 125 % 100))),
    ("day", Date, |i| Value::Date(20_089 + (i % 365) as i32)),
    ("title", Text, |i| match i % 11 {
        0 => Value::Text(b"line one\nline \"two\", with quote"),
        _ => text(format!("A subject of ordinary length no. {i}")),
    }),
    ("note", Line, |i| match i % 5 {
        0 => Value::Text(b""),
        1 => Value::Null,
        _ => text("x".repeat((i % 40) as usize)),
    }),
    ("url", Line, |i| text(format!("https://example.com/path/{i}/page"))),
    ("ratio", Float, |i| Value::Float((i % 1000) as f64 * 1.5)),
];

/// Other cells than those of the reference row.
const OTHERS: [(&str, ColumnType, Cell); 5] = [
    ("long text", Text, |i| text("Good morning, my order has not come yet. ".repeat(10 + (i % 10) as usize))),
    ("text with accents", Text, |i| text(format!("Où en est ma commande n° {i}, passée à Besançon\u{a0}?"))),
    ("quoted text", Text, |i| text(format!("she said \"{i}\", then left"))),
    ("datetime as text", Datetime, |i| text(format!("2026-03-{:02} 12:34:56.789+00", 1 + i % 28))),
    ("json array", ColumnType::Array, |i| text(format!("[\"sales\", \"tag {i}\"]"))),
];

fn text(text: String) -> Value<'static> {
    Value::Text(Box::leak(text.into_bytes().into_boxed_slice()))
}

fn at(i: i64, later: i64) -> Value<'static> {
    let micros = i * 15_123_000;
    let instant = Instant::from_micros(micros);
    Value::Instant(Instant { seconds: instant.seconds + 1_735_689_600 + later, nanos: instant.nanos })
}

fn columns(of: &[(&str, ColumnType, Cell)]) -> Vec<Column> {
    let scale = |kind| if kind == Decimal { Scale::Exactly(2) } else { Scale::AsNeeded };
    of.iter().map(|(name, kind, _)| Column { scale: scale(*kind), ..Column::new(name, *kind) }).collect()
}

fn rows(of: &[(&str, ColumnType, Cell)]) -> Vec<Vec<Value<'static>>> {
    (1..=ROWS).map(|i| of.iter().map(|(_, _, cell)| cell(i)).collect()).collect()
}

fn encode(encoder: &mut Encoder, rows: &[Vec<Value<'static>>], out: &mut Vec<u8>) {
    out.clear();
    for row in rows {
        for &cell in row {
            encoder.cell(cell, out).expect("the cells fit their columns");
        }
        encoder.end_row(out);
    }
}

fn measure(c: &mut Criterion, group: &str, name: &str, of: &[(&str, ColumnType, Cell)], format: &Format) {
    let zone = TimeZone::get("Europe/Paris").expect("the zone is in the bundled database");
    let mut encoder = Encoder::new(format, &columns(of), &zone);
    let (rows, mut out) = (rows(of), Vec::new());
    encode(&mut encoder, &rows, &mut out);
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Bytes(out.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            encode(&mut encoder, black_box(&rows), &mut out);
            black_box(&out);
        });
    });
    group.finish();
}

fn reference_row(c: &mut Criterion) {
    measure(c, "row", "reference", &REFERENCE, &Format::Bi);
    measure(c, "row", "ndjson", &REFERENCE, &Format::Ndjson);
}

fn single_cells(c: &mut Criterion) {
    for column in REFERENCE.iter().chain(&OTHERS) {
        measure(c, "cell", column.0, std::slice::from_ref(column), &Format::Bi);
    }
}

criterion_group!(benches, reference_row, single_cells);
criterion_main!(benches);
