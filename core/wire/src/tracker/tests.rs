//! Replies of every shape, whole and in every cut.

use proptest::prelude::*;

use super::*;
use crate::codec::{put_lenenc, put_u16, put_u32};
use crate::packet::put_packet;
use crate::response::{EofPacket, OkPacket, put_result_end};
use crate::result::{ColumnDefinition, put_text_row};
use crate::{Command, ErrorCode, SessionChange, StatusFlags};

const CLASSIC: Capabilities = Capabilities::SESSION_TRACK;
const MODERN: Capabilities = Capabilities::SESSION_TRACK.union(Capabilities::DEPRECATE_EOF);

/// A reply being written.
struct Script {
    capabilities: Capabilities,
    bytes: Vec<u8>,
    sequence: u8,
}

impl Script {
    fn new(capabilities: Capabilities) -> Self {
        Self {
            capabilities,
            bytes: Vec::new(),
            sequence: 1,
        }
    }

    fn packet(mut self, payload: &[u8]) -> Self {
        self.sequence = put_packet(&mut self.bytes, self.sequence, payload);
        self
    }

    fn built(self, write: impl FnOnce(&mut Vec<u8>, Capabilities)) -> Self {
        let mut payload = Vec::new();
        write(&mut payload, self.capabilities);
        self.packet(&payload)
    }

    fn ok(self, ok: &OkPacket) -> Self {
        self.built(|out, capabilities| ok.encode(out, capabilities))
    }

    fn error(self, error: ErrorCode) -> Self {
        self.built(|out, _| error.packet().encode(out))
    }

    fn column_count(self, count: u64) -> Self {
        self.built(|out, _| put_lenenc(out, count))
    }

    fn definitions(self, count: u64) -> Self {
        let script = (0..count).fold(self, |script, _| {
            script.built(|out, _| ColumnDefinition::text("name").encode(out))
        });
        script.definitions_end(StatusFlags::AUTOCOMMIT)
    }

    fn definitions_end(self, status: StatusFlags) -> Self {
        if self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            return self;
        }
        let eof = EofPacket {
            warnings: 0,
            status,
        };
        self.built(|out, _| eof.encode(out))
    }

    fn row(self, fields: &[Option<Vec<u8>>]) -> Self {
        self.built(|out, _| put_text_row(out, fields.iter().map(Option::as_deref)))
    }

    fn end(self, status: StatusFlags) -> Self {
        let end = OkPacket {
            status,
            warnings: 3,
            ..OkPacket::default()
        };
        self.built(|out, capabilities| put_result_end(out, &end, capabilities))
    }
}

fn status(status: StatusFlags) -> OkPacket {
    OkPacket {
        status,
        ..OkPacket::default()
    }
}

/// Feeds the whole reply with bytes of the next one behind it.
fn follow(kind: ReplyKind, script: &Script) -> Summary {
    let mut tracker = ResponseTracker::new(script.capabilities);
    tracker.begin(kind);
    let mut bytes = script.bytes.clone();
    bytes.extend_from_slice(&[1, 0, 0, 1]);
    let fed = tracker.feed(&bytes).expect("a good reply");
    assert_eq!(
        fed,
        Fed {
            consumed: script.bytes.len(),
            progress: Progress::Done
        }
    );
    assert!(tracker.is_done() && tracker.at_packet_boundary());
    tracker.take_summary()
}

fn both(check: impl Fn(Capabilities)) {
    check(CLASSIC);
    check(MODERN);
}

#[test]
fn an_ok_reports_rows_id_status_and_session_changes() {
    let changes = vec![SessionChange::Gtids("u:1-3".to_owned())];
    let ok = OkPacket {
        affected_rows: 2,
        last_insert_id: 300,
        status: StatusFlags::IN_TRANS.union(StatusFlags::AUTOCOMMIT),
        warnings: 1,
        info: b"Rows matched: 2".to_vec(),
        changes: changes.clone(),
    };
    both(|capabilities| {
        let summary = follow(ReplyKind::ResultSets, &Script::new(capabilities).ok(&ok));
        assert_eq!((summary.affected_rows, summary.last_insert_id), (2, 300));
        assert!(
            summary
                .status
                .is_some_and(|status| status.contains(StatusFlags::IN_TRANS))
        );
        assert_eq!((summary.warnings, summary.packets, summary.rows), (1, 1, 0));
        assert_eq!(summary.changes, changes);
    });
}

#[test]
fn an_error_ends_the_reply_wherever_it_comes() {
    both(|capabilities| {
        let new = || Script::new(capabilities);
        let row = [Some(b"1".to_vec())];
        let read_only = ErrorCode::OptionPreventsStatement;
        let late = ErrorCode::QueryInterrupted;
        for (script, error) in [
            (new().error(read_only), read_only),
            (new().column_count(1).definitions(1).error(late), late),
            (
                new().column_count(1).definitions(1).row(&row).error(late),
                late,
            ),
        ] {
            let summary = follow(ReplyKind::ResultSets, &script);
            assert_eq!(summary.error, Some(error.packet()));
            assert_eq!(summary.status, None);
        }
    });
}

#[test]
fn a_result_set_is_followed_through_rows_that_look_like_other_packets() {
    both(|capabilities| {
        let script = Script::new(capabilities)
            .column_count(2)
            .definitions(2)
            .row(&[None, None])
            .row(&[Some(Vec::new()), Some(Vec::new())])
            .row(&[Some(vec![0xfe; 300]), Some(vec![0xff; 70_000])])
            .end(StatusFlags::AUTOCOMMIT);
        let summary = follow(ReplyKind::ResultSets, &script);
        assert_eq!(
            (summary.rows, summary.result_sets, summary.warnings),
            (3, 1, 3)
        );
        assert_eq!(summary.status, Some(StatusFlags::AUTOCOMMIT));
    });
}

#[test]
fn a_row_of_sixteen_mebibytes_is_one_row_even_if_it_begins_like_an_end() {
    both(|capabilities| {
        // Its first byte is 0xFE: the length needs eight bytes.
        let script = Script::new(capabilities)
            .column_count(1)
            .definitions(1)
            .row(&[Some(vec![b'x'; 1 << 24])])
            .row(&[Some(vec![b'x'; MAX_PAYLOAD - 4])])
            .end(StatusFlags::AUTOCOMMIT);
        let summary = follow(ReplyKind::ResultSets, &script);
        assert_eq!(summary.rows, 2);
    });
}

#[test]
fn more_results_are_followed_to_the_last() {
    both(|capabilities| {
        let more = StatusFlags::AUTOCOMMIT.union(StatusFlags::MORE_RESULTS_EXISTS);
        let script = Script::new(capabilities)
            .ok(&OkPacket {
                affected_rows: 9,
                ..status(more)
            })
            .column_count(1)
            .definitions(1)
            .row(&[Some(b"1".to_vec())])
            .end(more)
            .ok(&OkPacket {
                affected_rows: 4,
                ..status(StatusFlags::AUTOCOMMIT)
            });
        let summary = follow(ReplyKind::ResultSets, &script);
        assert_eq!(
            (summary.affected_rows, summary.rows, summary.result_sets),
            (4, 1, 1)
        );
        assert_eq!(summary.status, Some(StatusFlags::AUTOCOMMIT));
    });
}

#[test]
fn a_file_request_waits_for_the_client_and_goes_on() {
    both(|capabilities| {
        let mut tracker = ResponseTracker::new(capabilities);
        tracker.begin(ReplyKind::ResultSets);
        let request = Script::new(capabilities).packet(b"\xfb/tmp/x");
        let fed = tracker.feed(&request.bytes).expect("a request");
        let consumed = request.bytes.len();
        assert_eq!(
            fed,
            Fed {
                consumed,
                progress: Progress::LocalInfile
            }
        );
        let ok = Script::new(capabilities).ok(&status(StatusFlags::AUTOCOMMIT));
        let fed = tracker.feed(&ok.bytes).expect("an OK");
        assert_eq!(fed.progress, Progress::Done);
    });
}

fn prepared(columns: u16, params: u16) -> Vec<u8> {
    let mut payload = vec![0];
    put_u32(&mut payload, 77);
    put_u16(&mut payload, columns);
    put_u16(&mut payload, params);
    payload.push(0);
    put_u16(&mut payload, 5);
    payload
}

#[test]
fn a_prepare_counts_its_definitions() {
    both(|capabilities| {
        for (columns, params) in [(0, 0), (2, 0), (0, 3), (2, 3)] {
            let mut script = Script::new(capabilities).packet(&prepared(columns, params));
            for count in [params, columns] {
                if count > 0 {
                    script = script.definitions(u64::from(count));
                }
            }
            let summary = follow(ReplyKind::Prepare, &script);
            let expected = Prepared {
                statement_id: 77,
                columns,
                params,
                warnings: 5,
            };
            assert_eq!(summary.prepared, Some(expected));
        }
    });
}

#[test]
fn with_a_cursor_the_definitions_are_the_whole_reply() {
    let cursor = StatusFlags::CURSOR_EXISTS;
    let definition = |out: &mut Vec<u8>, _| ColumnDefinition::text("c").encode(out);
    let classic = Script::new(CLASSIC)
        .column_count(1)
        .built(definition)
        .definitions_end(cursor);
    assert_eq!(follow(ReplyKind::ResultSets, &classic).status, Some(cursor));
    let modern = Script::new(MODERN)
        .column_count(1)
        .built(definition)
        .end(cursor);
    assert_eq!(follow(ReplyKind::ResultSets, &modern).status, Some(cursor));
}

#[test]
fn replies_of_single_packets_and_lists_end_where_they_should() {
    both(|capabilities| {
        let new = || Script::new(capabilities);
        let ok = status(StatusFlags::AUTOCOMMIT);
        follow(Command::Ping.reply(), &new().ok(&ok));
        follow(
            Command::SetOption.reply(),
            &new().end(StatusFlags::AUTOCOMMIT),
        );
        follow(
            Command::ResetConnection.reply(),
            &new().error(ErrorCode::UnknownCommand),
        );
        follow(Command::Statistics.reply(), &new().packet(b"Uptime: 1"));
        let columns = new().built(|out, _| ColumnDefinition::text("c").encode(out));
        follow(
            Command::FieldList.reply(),
            &columns.end(StatusFlags::AUTOCOMMIT),
        );
        let rows = new()
            .row(&[Some(b"1".to_vec())])
            .end(StatusFlags::LAST_ROW_SENT);
        assert_eq!(follow(Command::StmtFetch.reply(), &rows).rows, 1);
    });
}

#[test]
fn a_command_without_reply_is_done_at_once() {
    let mut tracker = ResponseTracker::new(MODERN);
    tracker.begin(Command::StmtClose.reply());
    let fed = tracker.feed(&[1, 0, 0, 0, 0]);
    assert_eq!(
        fed,
        Ok(Fed {
            consumed: 0,
            progress: Progress::Done
        })
    );
}

#[test]
fn progress_reports_are_not_errors() {
    let capabilities = CLASSIC | Capabilities::MARIADB_PROGRESS;
    let script = Script::new(capabilities)
        .packet(b"\xff\xff\xff\x01\x01\x02\x10\x27\x00\x04copy")
        .ok(&status(StatusFlags::AUTOCOMMIT));
    assert_eq!(follow(ReplyKind::ResultSets, &script).error, None);
}

#[test]
fn definitions_that_a_client_has_cached_are_not_expected() {
    let capabilities = MODERN | Capabilities::MARIADB_CACHE_METADATA;
    let script = Script::new(capabilities)
        .packet(&[1, 0])
        .row(&[Some(b"1".to_vec())])
        .end(StatusFlags::AUTOCOMMIT);
    assert_eq!(follow(ReplyKind::ResultSets, &script).rows, 1);
}

#[test]
fn a_stream_that_is_not_a_reply_is_refused() {
    let refused = |kind, payload: &[u8]| {
        let mut tracker = ResponseTracker::new(MODERN);
        tracker.begin(kind);
        tracker
            .feed(&Script::new(MODERN).packet(payload).bytes)
            .is_err()
    };
    assert!(refused(ReplyKind::ResultSets, b""));
    assert!(refused(ReplyKind::Single, b"\x03"));
    assert!(refused(ReplyKind::Prepare, b"\x01"));
    assert!(refused(ReplyKind::ResultSets, b"\x00\x00"));
    assert!(refused(ReplyKind::Single, &vec![0; KEPT_MAX + 1]));
    assert!(refused(ReplyKind::Login, b"\x00"));
}

fn fields() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
    let field = prop_oneof![
        Just(None),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Some),
        (0..600_usize).prop_map(|len| Some(vec![0xfe; len])),
    ];
    prop::collection::vec(field, 2)
}

fn rows() -> impl Strategy<Value = Vec<Vec<Option<Vec<u8>>>>> {
    prop::collection::vec(fields(), 0..6)
}

prop_compose! {
    fn replies()(
        modern: bool,
        results in prop::collection::vec(prop::option::of(rows()), 1..4),
        fails: bool,
    ) -> Script {
        let mut script = Script::new(if modern { MODERN } else { CLASSIC });
        let last = results.len() - 1;
        for (index, result) in results.iter().enumerate() {
            let more = if index < last || fails {
                StatusFlags::MORE_RESULTS_EXISTS
            } else {
                StatusFlags::AUTOCOMMIT
            };
            script = match result {
                None => {
                    let changes = vec![SessionChange::Schema(format!("schema_{index}"))];
                    script.ok(&OkPacket { changes, ..status(more) })
                }
                Some(rows) => {
                    let script = script.column_count(2).definitions(2);
                    rows.iter().fold(script, |script, row| script.row(row)).end(more)
                }
            };
        }
        if fails { script.error(ErrorCode::Deadlock) } else { script }
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:02x?}", self.capabilities, self.bytes)
    }
}

proptest! {
    #[test]
    fn the_answer_is_the_same_for_every_cut_of_the_stream(
        script in replies(),
        cuts in prop::collection::vec(1..40_usize, 1..30),
    ) {
        let whole = follow(ReplyKind::ResultSets, &script);
        let mut tracker = ResponseTracker::new(script.capabilities);
        tracker.begin(ReplyKind::ResultSets);
        let mut left = &script.bytes[..];
        for cut in cuts.iter().cycle() {
            let (now, later) = left.split_at((*cut).min(left.len()));
            let fed = tracker.feed(now).expect("a good reply");
            prop_assert_eq!(fed.consumed, now.len());
            prop_assert_eq!(fed.progress == Progress::Done, later.is_empty());
            left = later;
            if left.is_empty() {
                break;
            }
        }
        prop_assert_eq!(tracker.take_summary(), whole);
    }

    #[test]
    fn any_bytes_are_followed_or_refused_but_never_panic(
        bytes: Vec<u8>,
        kind in prop::sample::select(vec![
            ReplyKind::Single,
            ReplyKind::ResultSets,
            ReplyKind::Prepare,
            ReplyKind::FieldList,
            ReplyKind::Statistics,
            ReplyKind::Fetch,
        ]),
        modern: bool,
    ) {
        let mut tracker = ResponseTracker::new(if modern { MODERN } else { CLASSIC });
        tracker.begin(kind);
        if let Ok(fed) = tracker.feed(&bytes) {
            prop_assert!(fed.consumed <= bytes.len());
        }
    }
}

#[test]
fn the_result_of_output_parameters_is_followed_by_another_although_its_end_does_not_say_so() {
    // Measured on MySQL 5.6 and 9.7 without DEPRECATE_EOF.
    let out = StatusFlags::PS_OUT_PARAMS.union(StatusFlags::MORE_RESULTS_EXISTS);
    let eof = |status| {
        move |out: &mut Vec<u8>, _: Capabilities| {
            EofPacket {
                warnings: 0,
                status,
            }
            .encode(out);
        }
    };
    let script = Script::new(Capabilities::NONE)
        .column_count(1)
        .built(|out, _| ColumnDefinition::text("x").encode(out))
        .built(eof(out))
        .packet(&[0, 0, 7, 0, 0, 0])
        .built(eof(StatusFlags::AUTOCOMMIT))
        .ok(&OkPacket::default());
    let mut tracker = ResponseTracker::new(script.capabilities);
    tracker.begin(ReplyKind::ResultSets);
    let fed = tracker.feed(&script.bytes).expect("the protocol");
    assert_eq!(
        (fed.consumed, fed.progress),
        (script.bytes.len(), Progress::Done)
    );
    assert_eq!(tracker.summary().rows, 1);
}
