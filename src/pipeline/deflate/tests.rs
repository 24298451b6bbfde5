//! Tests of deflate on many threads: one stream, whatever made it.

use std::convert::Infallible;
use std::io::Read;

use flate2::read::DeflateDecoder;

use super::*;

/// Text that is neither trivial nor impossible to compress, the same for the same `seed`.
fn sample(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 32);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(format!("row {},{:x}\n", state >> 50, state >> 33).as_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn deflate(deflater: &mut Deflater, bytes: &[u8], block: usize) -> (Vec<u8>, Content) {
    let mut stream = Vec::new();
    let mut collect = |part: &[u8]| {
        stream.extend_from_slice(part);
        Ok::<(), Infallible>(())
    };
    for block in bytes.chunks(block) {
        deflater.append(block, &mut collect).unwrap();
    }
    let content = deflater.end(&mut collect).unwrap();
    (stream, content)
}

fn inflate(stream: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut decoder = DeflateDecoder::new(stream);
    decoder.read_to_end(&mut bytes).unwrap();
    assert_eq!(decoder.total_in(), stream.len() as u64, "bytes after the end of the stream");
    bytes
}

#[test]
fn what_is_inflated_is_what_was_deflated() {
    let mut deflater = Deflater::new(3);
    for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 7 * PIECE + 12_345] {
        let bytes = sample(length, length as u64);
        let (stream, content) = deflate(&mut deflater, &bytes, 100_000);
        assert!(inflate(&stream) == bytes, "{length} bytes come back as others");
        assert_eq!((content.size, content.crc), (length as u64, crc32fast::hash(&bytes)));
    }
}

#[test]
fn neither_threads_nor_blocks_nor_the_past_change_the_stream() {
    let bytes = sample(9 * PIECE + 5, 1);
    let (expected, _) = deflate(&mut Deflater::new(1), &bytes, PIECE);
    for (threads, block) in [(1, 7919), (2, usize::MAX), (3, 1 << 20), (8, 65_536)] {
        let mut deflater = Deflater::new(threads);
        deflate(&mut deflater, &sample(3 * PIECE, 2), block);
        let (stream, _) = deflate(&mut deflater, &bytes, block);
        assert!(stream == expected, "{threads} threads and blocks of {block} give another stream");
    }
}

#[test]
fn pieces_refer_to_what_came_before_them() {
    // Nothing repeats within a stretch of 16 KiB, and every stretch is the same.
    let mut bytes = Vec::new();
    let stretch: Vec<u8> = sample(64 * 1024, 3).chunks(4).map(|four| crc32fast::hash(four) as u8).collect();
    while bytes.len() <= PIECE {
        bytes.extend_from_slice(&stretch);
    }
    let (whole, _) = deflate(&mut Deflater::new(1), &bytes[..PIECE], PIECE);
    let (more, _) = deflate(&mut Deflater::new(1), &bytes, PIECE);
    assert!(more.len() - whole.len() < 2000, "{} bytes more for a repetition", more.len() - whole.len());
}

#[test]
fn bytes_that_can_t_be_compressed_hardly_grow() {
    let mut state = 1_u64;
    let bytes: Vec<u8> = (0..PIECE + 99)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    let (stream, _) = deflate(&mut Deflater::new(2), &bytes, 4096);
    assert!(inflate(&stream) == bytes);
    assert!(stream.len() < bytes.len() + bytes.len() / 100);
}

#[test]
fn an_error_of_the_taker_comes_back() {
    let mut deflater = Deflater::new(2);
    let bytes = sample(20 * PIECE, 4);
    assert_eq!(deflater.append(&bytes, |_| Err("disk full")), Err("disk full"));
    drop(deflater);
}
