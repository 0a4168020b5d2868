//! Logs that real servers wrote: `MySQL` 9.7.4 with a tagged GTID and a compressed transaction,
//! `MariaDB` 10.11.19 with two domains and compressed rows. Beside each is what its server says of
//! it (`SHOW BINLOG EVENTS`: begin, end, type).

use mainstay_gtid::{Family, GtidSet};
use proptest::prelude::*;

use super::*;

const MYSQL: [&[u8]; 2] = [
    include_bytes!("../tests/data/mysql97.1"),
    include_bytes!("../tests/data/mysql97.2"),
];
const MARIADB: [&[u8]; 2] = [
    include_bytes!("../tests/data/mariadb1011.1"),
    include_bytes!("../tests/data/mariadb1011.2"),
];
const UUID: &str = "2a69640a-e4e5-11f1-81ef-02fc00000001";

fn events(log: &[u8]) -> Vec<Event> {
    let mut reader = Reader::new(log).expect("a log");
    let first = reader.format().event.clone();
    let next = || reader.next_event().expect("a sound log");
    std::iter::once(first)
        .chain(std::iter::from_fn(next))
        .collect()
}

/// The whole transactions, and why there are no more, if it is not the end.
fn whole(log: &[u8]) -> (Vec<Transaction>, Option<BinlogError>) {
    let mut found = Vec::new();
    let mut log = match Transactions::new(log) {
        Ok(log) => log,
        Err(error) => return (found, Some(error)),
    };
    loop {
        match log.next_transaction() {
            Ok(Some(transaction)) => found.push(transaction),
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(error)),
        }
    }
}

fn gtids(log: &[u8]) -> Vec<String> {
    let (transactions, error) = whole(log);
    assert!(error.is_none(), "{error:?}");
    let gtid = |one: &Transaction| one.gtid.expect("a GTID").to_string();
    transactions.iter().map(gtid).collect()
}

#[test]
fn events_are_cut_where_their_server_says() {
    let said = [
        (MYSQL[0], include_str!("../tests/data/mysql97.1.events")),
        (MYSQL[1], include_str!("../tests/data/mysql97.2.events")),
        (
            MARIADB[0],
            include_str!("../tests/data/mariadb1011.1.events"),
        ),
        (
            MARIADB[1],
            include_str!("../tests/data/mariadb1011.2.events"),
        ),
    ];
    for (log, said) in said {
        let shown: Vec<String> = events(log)
            .iter()
            .map(|event| format!("{} {} {}", event.at, event.end, event.kind()))
            .collect();
        // What is within a compressed transaction is said at the end of that, without a length.
        let is_outside = |line: &&str| {
            let mut words = line.split(' ');
            words.next() != words.next()
        };
        let said: Vec<&str> = said.lines().filter(is_outside).collect();
        assert_eq!(shown, said);
    }
}

#[test]
fn transactions_of_mysql_have_their_gtids_with_tags() {
    let untagged = |n: u64| format!("{UUID}:{n}");
    let mut expected: Vec<String> = (1..=8).map(untagged).collect();
    expected.push(format!("{UUID}:blue:1"));
    expected.extend((9..=10).map(untagged));
    assert_eq!(gtids(MYSQL[0]), expected);
    assert_eq!(gtids(MYSQL[1]), [untagged(11)]);
}

#[test]
fn transactions_of_mariadb_have_their_gtids_of_every_domain() {
    let first = [
        "0-7-1", "0-7-2", "0-7-3", "0-7-4", "0-7-5", "0-7-6", "0-7-7", "0-7-8",
    ];
    let expected = first.iter().chain(&["5-7-1", "0-7-9", "0-7-10"]);
    assert_eq!(gtids(MARIADB[0]), expected.copied().collect::<Vec<_>>());
    assert_eq!(gtids(MARIADB[1]), ["0-7-11"]);
}

#[test]
fn a_log_tells_what_earlier_logs_hold() {
    let cases = [
        (MYSQL[1], Family::Mysql, format!("{UUID}:1-10:blue:1")),
        (MARIADB[1], Family::Mariadb, "0-7-10,5-7-1".to_owned()),
    ];
    for (log, family, text) in cases {
        let mut log = Transactions::new(log).expect("a log");
        log.next_transaction().expect("a transaction");
        let expected = GtidSet::parse(family, &text).expect("a set");
        assert_eq!(log.earlier(), Some(&expected));
    }
}

#[test]
fn a_log_cut_anywhere_gives_the_transactions_before_the_cut() {
    for log in [MYSQL[0], MARIADB[0]] {
        let (all, _) = whole(log);
        for length in 0..log.len() {
            let (found, error) = whole(&log[..length]);
            let expected = all.iter().filter(|one| one.end <= length as u64);
            assert_eq!(found.len(), expected.count(), "cut at {length}");
            assert_eq!(found[..], all[..found.len()]);
            if let Some(error) = error {
                assert!(error.is_torn() || length < 4, "cut at {length}: {error}");
            }
        }
    }
}

#[test]
fn zeros_after_the_last_event_are_a_tear() {
    let mut log = MARIADB[1].to_vec();
    let end = log.len() as u64;
    log.extend([0; 8192]);
    let (found, error) = whole(&log);
    assert_eq!(found.len(), 1);
    assert!(matches!(error, Some(BinlogError::Torn { at }) if at == end));
}

#[test]
fn an_encrypted_log_says_so() {
    let (_, error) = whole(b"\xfdbin and the rest");
    assert!(matches!(error, Some(BinlogError::Encrypted)));
}

#[test]
fn rows_of_every_type_are_measured_and_undone_twice_they_are_the_same() {
    for log in [MYSQL[0], MARIADB[0]] {
        let mut counts = Vec::new();
        for transaction in whole(log).0 {
            let Ok(undone) = undo(&transaction) else {
                continue;
            };
            counts.push(undone.iter().map(|one| one.count).sum::<usize>());
            for one in undone {
                let table = Table::read(&one.map).expect("a map").expect("a table");
                let rows = Rows::read(&one.rows, &table).expect("rows").expect("rows");
                let (kind, body) = rows.undone(rows.flags);
                let again = one.rows.rewritten(kind, &body);
                let twice = Rows::read(&again, &table).expect("rows").expect("rows");
                let (kind, body) = twice.undone(twice.flags);
                assert_eq!(one.rows, again.rewritten(kind, &body));
            }
        }
        // 1 and 1 inserted; 3 inserted, 2 changed, 1 deleted; 1 changed; 1 inserted; 3 inserted.
        assert_eq!(counts, [1, 1, 6, 1, 1, 3]);
    }
}

#[test]
fn what_holds_a_statement_is_not_undone() {
    for log in [MYSQL[0], MARIADB[0]] {
        for transaction in whole(log).0 {
            let has_ddl = transaction.events.iter().any(|event| {
                let query = Query::read(event).expect("an event");
                query.is_some_and(|query| query.text.starts_with(b"CREATE"))
            });
            assert_eq!(undo(&transaction).is_err(), has_ddl);
        }
    }
}

/// Where the server's version ends, which tells whether there are checksums.
const VERSION_END: usize = 75;

/// Among its bytes is the one that tells that the other events have no checksums.
#[test]
fn no_changed_bit_of_a_logs_first_event_is_believed() {
    for log in [MYSQL[0], MARIADB[0]] {
        let length = u32::from_le_bytes(log[13..17].try_into().expect("four bytes")) as usize;
        for bit in VERSION_END * 8..(4 + length) * 8 {
            let mut changed = log.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(Reader::new(&changed[..]).is_err(), "bit {bit}");
        }
    }
}

proptest! {
    #[test]
    fn a_changed_byte_is_noticed(at in VERSION_END..4700_usize, bit in 0..8_u8) {
        for log in [MYSQL[0], MARIADB[0]] {
            let (all, _) = whole(log);
            let mut changed = log.to_vec();
            changed[at] ^= 1 << bit;
            let (found, _) = whole(&changed);
            prop_assert!(found.len() < all.len());
            prop_assert_eq!(&found[..], &all[..found.len()]);
        }
    }

    #[test]
    fn strange_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), kind: u8) {
        let mut event = vec![0; crate::event::HEADER_BYTES];
        event[4] = kind;
        event.extend(bytes);
        let event = Event::new(4, 4 + event.len() as u64, event);
        let transaction = Transaction {
            gtid: None,
            at: 4,
            end: event.end,
            events: vec![event.clone(), event.clone()],
            is_begun_by_gtid: false,
        };
        let _ = (earlier(&event), undo(&transaction));
        let _ = (Query::read(&event), Table::read(&event));
        let _ = crate::gtid::Opening::read(&event);
        let _ = crate::payload::unpack(&event);
        let _ = crate::payload::unpack_rows(event);
    }
}
