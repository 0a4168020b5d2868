//! Decoders of packets. What is read and can be written again must be read as the same again.

use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, caching_sha2, native};
use mainstay_wire::bound::{self, Bound};
use mainstay_wire::compression::{End, Numbering};
use mainstay_wire::result::{ColumnDefinition, parse_text_row};
use mainstay_wire::session_track::{parse_changes, put_changes};
use mainstay_wire::tracker::without_changes;
use mainstay_wire::{
    Capabilities, ChangeUser, ClientHello, Command, EofPacket, ErrPacket, Greeting, OkPacket,
    PacketReader, ReplyKind, ResponseTracker, SessionChange, StatusFlags,
};
use mainstay_wire::{codec, compression as framing, proxy_protocol, statement};

/// The first byte chooses, so that one corpus covers every set of capabilities that matters.
fn capabilities(choice: u8) -> Capabilities {
    let optional = [
        Capabilities::DEPRECATE_EOF,
        Capabilities::SESSION_TRACK,
        Capabilities::QUERY_ATTRIBUTES,
        Capabilities::OPTIONAL_RESULTSET_METADATA,
        Capabilities::MARIADB_CACHE_METADATA,
        Capabilities::CONNECT_ATTRS,
        Capabilities::PLUGIN_AUTH,
        Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA,
    ];
    let always = Capabilities::PROTOCOL_41.union(Capabilities::TRANSACTIONS);
    let chosen = optional.into_iter().enumerate();
    chosen
        .filter(|(bit, _)| choice & (1 << bit) != 0)
        .fold(always, |all, (_, one)| all.union(one))
}

fn split(data: &[u8]) -> (u8, &[u8]) {
    data.split_first()
        .map_or((0, data), |(first, rest)| (*first, rest))
}

pub(crate) fn packets(data: &[u8]) {
    let mut at = 0;
    for packet in PacketReader::new(data) {
        assert!(packet.range.start == at, "packets follow each other");
        assert!(packet.range.end <= data.len(), "a packet lies in the input");
        at = packet.range.end;
        let _ = Command::from_byte(packet.payload.first().copied().unwrap_or(0)).reply();
    }
    let mut reader = codec::Reader::new(data);
    while reader.lenenc_bytes_or_null().is_ok() && !reader.is_empty() {}
}

pub(crate) fn greeting(data: &[u8]) {
    let Ok(greeting) = Greeting::parse(data) else {
        return;
    };
    let mut again = Vec::new();
    greeting.encode(&mut again);
    let read = Greeting::parse(&again).expect("what was written can be read");
    assert_eq!(read.server_version, greeting.server_version);
    assert_eq!(read.salt, greeting.salt);
    let _ = (greeting.is_mariadb(), greeting.version());
}

pub(crate) fn client_hello(data: &[u8]) {
    let Ok(hello) = ClientHello::parse(data) else {
        return;
    };
    if let ClientHello::Response(response) = hello {
        let mut again = Vec::new();
        response.encode(&mut again);
        let read = ClientHello::parse(&again).expect("what was written can be read");
        let ClientHello::Response(read) = read else {
            panic!("a response stays a response");
        };
        assert_eq!(read.user, response.user);
        assert_eq!(read.auth_response, response.auth_response);
    }
}

pub(crate) fn auth_packets(data: &[u8]) {
    if let Ok(switch) = AuthSwitchRequest::parse(data) {
        let mut again = Vec::new();
        switch.encode(&mut again);
        assert!(
            AuthSwitchRequest::parse(&again).is_ok(),
            "a switch can be read"
        );
    }
    let _ = AuthMoreData::parse(data);
    let _ = caching_sha2::parse_clear_password(data);
    let _ = caching_sha2::is_stored_hash(data);
    let _ = native::parse_stored_hash(&String::from_utf8_lossy(data));
    let salt = [7; 20];
    assert!(!native::verify(data, &salt, b"another") || data.len() == 20);
    assert!(!caching_sha2::verify(data, &salt, b"another") || data.len() == 32);
}

pub(crate) fn responses(data: &[u8]) {
    let (choice, payload) = split(data);
    let with = capabilities(choice);
    if let Ok(ok) = OkPacket::parse(payload, with) {
        let mut again = Vec::new();
        ok.encode(&mut again, with);
        let read = OkPacket::parse(&again, with).expect("what was written can be read");
        assert_eq!(read.affected_rows, ok.affected_rows);
        // The flag that says so is set by what is tracked.
        let told = StatusFlags::SESSION_STATE_CHANGED;
        assert_eq!(read.status.without(told), ok.status.without(told));
    }
    if let Ok(error) = ErrPacket::parse(payload) {
        let mut again = Vec::new();
        error.encode(&mut again);
        let read = ErrPacket::parse(&again).expect("what was written can be read");
        assert_eq!(read.code, error.code);
        let _ = error.sqlstate_text();
    }
    let _ = EofPacket::parse(payload);
}

pub(crate) fn session_track(data: &[u8]) {
    let Ok(changes) = parse_changes(data) else {
        return;
    };
    let mut again = Vec::new();
    put_changes(&mut again, &changes);
    assert_eq!(parse_changes(&again).as_ref(), Ok(&changes));
}

/// What is taken out of an OK packet leaves an OK packet of the client's own form.
pub(crate) fn changes(data: &[u8]) {
    let (choice, bytes) = split(data);
    let with = capabilities(choice);
    let Some(packet) = PacketReader::new(bytes).next() else {
        return;
    };
    let packet = &bytes[packet.range];
    let variable = |change: &SessionChange| matches!(change, SessionChange::SystemVariable { .. });
    let Ok(made) = without_changes(packet, with, variable) else {
        return;
    };
    let mut made = PacketReader::new(&made);
    let whole = made.next().expect("one packet");
    assert!(made.rest().is_empty(), "and no other");
    let tracks = with.contains(Capabilities::SESSION_TRACK);
    if let Ok(ok) = OkPacket::parse(whole.payload, with) {
        let kept = ok.changes.iter().all(variable);
        assert!(
            kept && (tracks || ok.changes.is_empty()),
            "{:?}",
            ok.changes
        );
    }
}

pub(crate) fn rows(data: &[u8]) {
    let (columns, payload) = split(data);
    let _ = parse_text_row(payload, usize::from(columns));
    if let Ok(column) = ColumnDefinition::parse(payload) {
        let mut again = Vec::new();
        column.encode(&mut again);
        assert!(
            ColumnDefinition::parse(&again).is_ok(),
            "a column can be read"
        );
        let types = vec![column; usize::from(columns % 16)];
        let _ = statement::parse_binary_row(payload, &types);
    }
}

/// A reply is followed to the same end however it is cut.
pub(crate) fn reply(data: &[u8]) {
    let (choice, rest) = split(data);
    let (kind, rest) = split(rest);
    let (cut, bytes) = split(rest);
    let kinds = [
        ReplyKind::Single,
        ReplyKind::ResultSets,
        ReplyKind::Prepare,
        ReplyKind::FieldList,
        ReplyKind::Statistics,
        ReplyKind::Fetch,
        ReplyKind::Login,
    ];
    let kind = kinds[usize::from(kind) % kinds.len()];
    let follow = |piece: usize| {
        let mut tracker = ResponseTracker::new(capabilities(choice));
        tracker.begin(kind);
        let mut at = 0;
        while at < bytes.len() && !tracker.is_done() {
            let end = (at + piece).min(bytes.len());
            let Ok(fed) = tracker.feed(&bytes[at..end]) else {
                return None;
            };
            assert!(fed.consumed <= end - at, "no more is used than was given");
            at += fed.consumed;
            if fed.consumed == 0 {
                break;
            }
        }
        Some((tracker.is_done(), at))
    };
    let whole = follow(usize::from(cut).max(1));
    assert_eq!(follow(1), whole, "pieces of {cut} bytes and of one");
}

pub(crate) fn bound_parameters(data: &[u8]) {
    // A command has at least its own byte.
    if data.len() < 3 {
        return;
    }
    let (choice, rest) = split(data);
    let (parameters, payload) = split(rest);
    let with = capabilities(choice);
    if let Some(bound) = Bound::read(payload, u16::from(parameters), with) {
        let mut again = Vec::new();
        bound.put_with_types(&mut again, payload, &vec![0; usize::from(parameters) * 2]);
    }
    if let Ok(at) = bound::query_text(payload, with) {
        assert!(at <= payload.len(), "the text lies in the packet");
    }
}

pub(crate) fn change_user(data: &[u8]) {
    let (choice, payload) = split(data);
    let with = capabilities(choice);
    if let Ok(change) = ChangeUser::parse(payload, with) {
        let mut again = Vec::new();
        change.encode(&mut again, with);
        let _ = ChangeUser::parse(&again, with);
    }
}

pub(crate) fn compression(data: &[u8]) {
    let mut frames = Numbering::new(End::Server);
    let mut rest = data;
    while let Some(header) = framing::FrameHeader::parse(rest) {
        assert_eq!(framing::FrameHeader::parse(&header.encode()), Some(header));
        if frames.received_frame(header.sequence).is_err() {
            break;
        }
        let body = rest.get(framing::FRAME_HEADER_LEN..).unwrap_or_default();
        let mut body = body[..header.len.min(body.len())].to_vec();
        frames.received(&mut body);
        let _ = frames.sent(&body);
        let _ = frames.next_frame();
        rest = &rest[(framing::FRAME_HEADER_LEN + body.len()).min(rest.len())..];
    }
}

pub(crate) fn proxy_protocol(data: &[u8]) {
    let whole = proxy_protocol::parse(data);
    if let Ok(proxy_protocol::Start::Header { len, source }) = whole {
        assert!(len > 0, "a header has bytes");
        if let Some(source) = source {
            assert!(proxy_protocol::parse(&proxy_protocol::encode(source.ip())).is_ok());
        }
    }
}
