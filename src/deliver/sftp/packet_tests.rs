//! Requests and replies against packets written by hand and against noise.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::request::{Access, Request, WRITE_OVERHEAD};
use super::*;

#[test]
fn a_write_is_laid_out_as_the_protocol_says() {
    let handle = Handle(vec![0xff, 0x00]);
    let packet = Request::Write { handle: &handle, offset: 258, data: Bytes::from_static(b"xyz") }.encode(7);
    assert_eq!(packet.data, b"xyz"[..]);
    let packet = [packet.head, packet.data].concat();
    let expected = [
        &[0, 0, 0, 26, 6, 0, 0, 0, 7][..],
        &[0, 0, 0, 2, 0xff, 0x00],
        &[0, 0, 0, 0, 0, 0, 1, 2],
        &[0, 0, 0, 3, b'x', b'y', b'z'],
    ]
    .concat();
    assert_eq!(packet, expected);
    assert_eq!(packet.len(), WRITE_OVERHEAD + 2 + 3);
}

#[test]
fn a_new_file_is_opened_exclusively() {
    let packet = Request::Open { path: "a", access: Access::CreateNew }.encode(1).head;
    assert_eq!(packet[9..], [0, 0, 0, 1, b'a', 0, 0, 0, 0x2a, 0, 0, 0, 0]);
}

#[test]
fn handles_are_bytes_of_any_value() {
    let packet = [102, 0, 0, 0, 9, 0, 0, 0, 4, 0x00, 0x80, 0xfe, 0xff];
    assert_eq!(decode_reply(&packet), Ok((9, Reply::Handle(Handle(vec![0x00, 0x80, 0xfe, 0xff])))));
}

#[test]
fn a_status_may_come_without_its_text() {
    let bare = decode_reply(&[101, 0, 0, 0, 1, 0, 0, 0, 4]);
    assert_eq!(bare, Ok((1, Reply::Status(Status { code: Code::Failure, message: String::new() }))));
    let unknown = decode_reply(&[101, 0, 0, 0, 1, 0, 0, 0, 99]);
    assert!(matches!(unknown, Ok((1, Reply::Status(Status { code: Code::Other(99), .. })))));
}

#[test]
fn the_version_lists_the_extensions() {
    let mut packet = vec![2, 0, 0, 0, 3];
    for text in ["posix-rename@openssh.com", "1"] {
        packet.extend((text.len() as u32).to_be_bytes());
        packet.extend(text.as_bytes());
    }
    assert_eq!(decode_version(&packet), Ok(vec!["posix-rename@openssh.com".to_owned()]));
    assert!(decode_version(&[2, 0, 0, 0, 4]).is_err());
    assert!(decode_version(&packet[..20]).is_err());
}

#[test]
fn a_count_or_a_length_is_not_believed() {
    let huge_count = [104, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
    assert!(decode_reply(&huge_count).is_err());
    let huge_data = [103, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1];
    assert!(decode_reply(&huge_data).is_err());
    let mut long_handle = vec![102, 0, 0, 0, 1, 0, 0, 1, 1];
    long_handle.extend([7; 257]);
    assert!(decode_reply(&long_handle).is_err());
}

#[test]
fn attributes_of_a_directory_are_read_past_owners_and_times() {
    let mut packet = vec![105, 0, 0, 0, 1, 0, 0, 0, 0x0f];
    packet.extend(4096_u64.to_be_bytes());
    packet.extend([0; 8]);
    packet.extend(0o040_755_u32.to_be_bytes());
    packet.extend(1_u32.to_be_bytes());
    packet.extend(1_700_000_000_u32.to_be_bytes());
    let expected = Attributes { size: Some(4096), mode: Some(0o040_755), modified: Some(1_700_000_000) };
    assert_eq!(decode_reply(&packet), Ok((1, Reply::Attributes(expected))));
    assert_eq!(expected.is_directory(), Some(true));
}

proptest! {
    #[test]
    fn noise_is_never_a_panic(kind in prop::sample::select(vec![2_u8, 101, 102, 103, 104, 105, 201, 77]), rest: Vec<u8>) {
        let packet = [&[kind][..], &rest].concat();
        let _ = decode_reply(&packet);
        let _ = decode_version(&packet);
        let _ = decode_limits(&rest);
        let _ = decode_space(&rest);
    }

    #[test]
    fn every_request_states_its_own_length(path in ".{0,60}", bytes: Vec<u8>, id: u32) {
        let handle = Handle(bytes.clone());
        let requests = [
            Request::Open { path: &path, access: Access::Read },
            Request::Close(&handle),
            Request::Write { handle: &handle, offset: u64::MAX, data: bytes.into() },
            Request::PosixRename { from: &path, to: &path },
            Request::Sync(&handle),
            Request::Limits,
        ];
        for request in requests {
            let packet = request.encode(id);
            let packet = [packet.head, packet.data].concat();
            prop_assert_eq!(&packet[..4], ((packet.len() - 4) as u32).to_be_bytes());
            prop_assert_eq!(&packet[5..9], id.to_be_bytes());
        }
    }
}
