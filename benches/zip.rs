//! How fast a zip is made: encoded rows in, a finished file in a spool out, all cores at work.
//!
//! Throughput is that of the uncompressed bytes. Beside it the same bytes through the `zip` crate, which compresses on
//! the thread that writes.

use std::hint::black_box;
use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exportd::catalogue::Column;
use exportd::encode::Encoder;
use exportd::job::Format;
use exportd::pipeline::{Watch, Zip};
use exportd::run::RunId;
use exportd::spool::Spool;
use exportd::value::{ColumnType, RowSink, Value};
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const SIZE: usize = 32 << 20;

/// Lines as an export has them, none twice.
fn lines() -> Vec<String> {
    let (mut lines, mut size) = (Vec::new(), 0);
    for i in 0_u64.. {
        let noise = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let line =
            format!("{i};u-{noise:016x};2025-03-{:02}T04:05:06.{:03}+01:00;status {}", i % 28 + 1, i % 997, i % 9);
        size += line.len() + 1;
        lines.push(line);
        if size >= SIZE {
            break;
        }
    }
    lines
}

fn exportd_zip(spool: &Spool, lines: &[String], due: &ZonedDateTime) {
    let folder = spool.run(&RunId::from_stored("bench")).expect("the spool takes a run");
    let encoder = Encoder::new(&Format::Bi, &[Column::new("line", ColumnType::Text)], &TimeZone::UTC);
    let mut zip = Zip::new(folder.writer("bench.zip").expect("the spool takes a file"), due);
    let mut member = zip.member("lines", encoder, Watch::default());
    for line in lines {
        member.cell(Value::Text(line.as_bytes())).expect("a text is a text");
        member.end_row().expect("the writer lives");
    }
    member.finish().expect("the rows were whole");
    black_box(zip.finish().expect("the spool takes the zip"));
}

fn zip_crate(lines: &[String]) {
    let options = SimpleFileOptions::default().compression_level(Some(6)).large_file(true);
    let mut zip = ZipWriter::new_stream(tempfile::tempfile().expect("there is a folder for temporary files"));
    zip.start_file("lines.csv", options).expect("a member begins");
    let block = lines.join("\n");
    for part in block.as_bytes().chunks(256 * 1024) {
        zip.write_all(part).expect("the file takes it");
    }
    zip.finish().expect("the zip ends").into_inner().sync_all().expect("the file is synced");
}

fn zips(c: &mut Criterion) {
    let lines = lines();
    let state = tempfile::tempdir().expect("there is a folder for temporary files");
    let spool = Spool::open(state.path()).expect("a spool opens in an empty folder");
    let due: ZonedDateTime = "2026-11-21T04:00:00+01:00[Europe/Paris]".parse().expect("this is a datetime");
    let mut group = c.benchmark_group("zip");
    group.sample_size(10).throughput(Throughput::Bytes(SIZE as u64));
    group.bench_function("exportd", |b| b.iter(|| exportd_zip(&spool, &lines, &due)));
    group.bench_function("zip crate, level 6", |b| b.iter(|| zip_crate(&lines)));
    group.finish();
}

criterion_group!(benches, zips);
criterion_main!(benches);
