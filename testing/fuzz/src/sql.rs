//! The classifier and what stands beside it: any text, whatever its encoding.

use mainstay_sql::{Access, classify, digest as digests, named};
use mainstay_sql::{connection_id_column, kill, tables};

pub(crate) fn statement(data: &[u8]) {
    let statement = classify(data);
    let again = classify(data);
    assert_eq!(
        format!("{statement:?}"),
        format!("{again:?}"),
        "a statement is the same each time"
    );
    // A word that writes, put in front, is never taken for a read.
    let mut write = b"DELETE FROM t ; ".to_vec();
    write.extend_from_slice(data);
    let text = String::from_utf8_lossy(data);
    assert_ne!(classify(&write).access, Access::Read, "{text:?}");
    let _ = mainstay_sql::use_schema(data);
    let _ = mainstay_sql::is_repeatable(data);
    let _ = (kill(data), connection_id_column(data));
    let _ = (
        named::lock(data),
        named::prepared(data),
        named::handler(data),
    );
    let _ = (named::temporary_table(data), named::dropped_tables(data));
    if let Some(text) = named::prepared_text(data) {
        assert!(text.len() <= data.len(), "the text lies in the statement");
    }
    let mut found = Vec::new();
    let _ = tables(data, &mut |table| found.push(table));
}

pub(crate) fn digest(data: &[u8]) {
    let (mut text, mut again) = (Vec::new(), Vec::new());
    let first = digests::digest(data, &mut text);
    assert_eq!(first, digests::digest(data, &mut again));
    assert_eq!(text, again, "a digest is the same each time");
}
