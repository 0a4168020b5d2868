//! The table of digests: what is counted where, and what goes when it is full.

use super::*;

fn count(queries: &mut Queries, user: &Arc<str>, digest: u64, max: usize) {
    let asked = Asked {
        hostgroup: 1,
        schema: b"shop",
        user,
        client: "",
        digest: Digest(digest),
    };
    let ended = Ended {
        now: Timestamp::from_millis(digest),
        took: Duration::from_micros(digest + 1),
        rows_affected: 0,
        rows_sent: 2,
    };
    queries.count(&asked, ended, max, |text| {
        text.extend_from_slice(format!("SELECT {digest}").as_bytes());
    });
}

#[test]
fn equal_statements_share_a_row_and_other_users_have_their_own() {
    let (app, web) = (Arc::from("app"), Arc::from("web"));
    let mut queries = Queries::default();
    count(&mut queries, &app, 7, 10);
    count(&mut queries, &Arc::from("app"), 7, 10);
    count(&mut queries, &web, 7, 10);
    let stats = queries.take(Timestamp::from_millis(9), Reset::Everything);
    let counts: Vec<_> = stats
        .queries
        .iter()
        .map(|(key, row)| (&*key.user, row.count))
        .collect();
    assert_eq!(counts, [("app", 2), ("web", 1)]);
    let row = stats.queries.values().next().unwrap();
    assert_eq!((row.rows_sent, row.text.as_str()), (4, "SELECT 7"));
    assert_eq!(row.time_sum, Duration::from_micros(16));
    assert_eq!(stats.commands["SELECT"].count, 3);
    assert!(
        queries
            .take(Timestamp::ZERO, Reset::Nothing)
            .queries
            .is_empty()
    );
}

#[test]
fn a_full_table_keeps_what_is_in_use() {
    let app = Arc::from("app");
    let mut queries = Queries::default();
    for digest in 0..1_000 {
        count(&mut queries, &app, 0, 50);
        count(&mut queries, &app, digest, 50);
    }
    let stats = queries.take(Timestamp::ZERO, Reset::Nothing);
    assert_eq!(stats.queries.len(), 50);
    assert_eq!(stats.evicted, 950);
    let kept = stats
        .queries
        .iter()
        .find(|(key, _)| key.digest == Digest(0));
    assert_eq!(kept.map(|(_, row)| row.count), Some(1_001));
}

#[test]
fn without_room_nothing_is_kept() {
    let mut queries = Queries::default();
    count(&mut queries, &Arc::from("app"), 1, 0);
    assert_eq!(
        queries.take(Timestamp::ZERO, Reset::Nothing),
        QueryStats::default()
    );
}

#[test]
fn what_workers_counted_is_added_up() {
    let app = Arc::from("app");
    let mut total = QueryStats::default();
    for digests in [[1, 2], [2, 3]] {
        let mut queries = Queries::default();
        for digest in digests {
            count(&mut queries, &app, digest, 10);
        }
        let server = ServerName::new("db1");
        let asked = Asked {
            hostgroup: 0,
            schema: b"",
            user: &app,
            client: "",
            digest: Digest(1),
        };
        let key = error_key(&server, &asked, 1146);
        queries.error(Timestamp::from_millis(5), key, "no such table");
        total.add(queries.take(Timestamp::from_millis(1), Reset::Nothing));
    }
    let counts: Vec<_> = total.queries.values().map(|row| row.count).collect();
    assert_eq!(counts, [1, 2, 1]);
    assert_eq!(total.errors.values().map(|row| row.count).sum::<u64>(), 2);
    assert_eq!(total.commands["SELECT"].classes[0], 4);
}
