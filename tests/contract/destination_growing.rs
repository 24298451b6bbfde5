//! A file that is uploaded while it is written arrives as one that was finished before, over one channel or many.

use std::fs::File;
use std::io::Write;
use std::num::NonZeroU64;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use bytes::Bytes;
use exportd::deliver::{DeliverError, Session, Settings};
use exportd::growth::{Follower, Growth};
use exportd::tuning::Tuning;

use super::destination::{FAR, content, whole};
use crate::support::sshd::Sshd;

const LENGTH: usize = 5_000_001;

/// How far the file has come each time that the upload is told of it.
const PIECES: [usize; 4] = [1, 4_200_000, 4_700_000, LENGTH];

#[tokio::test]
async fn the_same_bytes_arrive_however_they_were_made_and_sent() {
    let server = Sshd::start();
    for channels in [0, 4] {
        let tuning = Tuning { channels, ..FAR };
        let settings = Settings { tuning, ..Settings::default() };
        let session = Session::open_with(&server.destination(), settings).await.unwrap();
        for begun_at in [0, 4_200_000, LENGTH] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("spooled");
            let mut file = File::create(&path).unwrap();
            let growth = Growth::new(Tuning::DEFAULT.recent);
            let sent = AtomicU64::new(0);
            let follower = match begun_at {
                LENGTH => {
                    file.write_all(&content(LENGTH)).unwrap();
                    Follower::of_whole(LENGTH as u64)
                }
                begun_at => {
                    write(&mut file, &growth, 0, begun_at);
                    growth.follower()
                }
            };
            let upload = session.upload(&path, follower, ".a.part", &sent);
            let write = async {
                let mut written = begun_at;
                for piece in PIECES {
                    write(&mut file, &growth, written, piece);
                    written = piece.max(written);
                    // So that the upload comes to its end before the file does.
                    tokio::task::yield_now().await;
                }
                growth.complete();
            };
            tokio::join!(upload, write).0.unwrap();
            let arrived = std::fs::read(server.directory().join(".a.part")).unwrap();
            assert!(arrived == content(LENGTH), "{channels} channels, begun at {begun_at}: {} bytes", arrived.len());
            assert_eq!(sent.into_inner(), LENGTH as u64);
            session.remove(None, ".a.part").await.unwrap();
        }
        session.close().await;
    }
}

fn write(file: &mut File, growth: &Growth, from: usize, to: usize) {
    if to > from {
        file.write_all(&content(LENGTH)[from..to]).unwrap();
        growth.grow(Bytes::copy_from_slice(&content(LENGTH)[from..to]));
    }
}

#[tokio::test]
async fn a_limited_rate_is_kept() {
    let server = Sshd::start();
    let settings = Settings { max_rate: NonZeroU64::new(1_000_000), ..Settings::default() };
    let session = Session::open_with(&server.destination(), settings).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spooled");
    std::fs::write(&path, content(1_000_000)).unwrap();
    let begin = Instant::now();
    session.upload(&path, whole(&path), ".a.part", &AtomicU64::new(0)).await.unwrap();
    // A moment's burst, and the last write, which is sent when its turn comes, are free.
    assert!(begin.elapsed() > Duration::from_millis(400), "{:?}", begin.elapsed());
    assert!(std::fs::read(server.directory().join(".a.part")).unwrap() == content(1_000_000));
}

#[tokio::test]
async fn a_file_that_is_given_up_is_taken_away() {
    let server = Sshd::start();
    let session = Session::open(&server.destination()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spooled");
    let mut file = File::create(&path).unwrap();
    let growth = Growth::new(Tuning::DEFAULT.recent);
    write(&mut file, &growth, 0, 300_000);
    let (sent, follower) = (AtomicU64::new(0), growth.follower());
    let give_up = async {
        while server.names().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(growth);
    };
    let (error, ()) = tokio::join!(session.upload(&path, follower, ".a.part", &sent), give_up);
    assert!(matches!(error, Err(DeliverError::LocalFile { .. })), "{error:?}");
    assert_eq!(server.names(), Vec::<String>::new());
}
