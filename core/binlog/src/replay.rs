//! Writes transactions as statements that a server runs: `BINLOG` for rows, the statement itself
//! with what its session had set for the rest.
//!
//! Source: the manuals' "BINLOG Statement"; it takes the format event first, once for a connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_gtid::Family;

use crate::parse::Input;
use crate::undo::STATEMENT_END;
use crate::{BinlogError, Event, Format, Gtid, Kind, Query, Rows, Transaction, undo};

/// Letters in a line of base 64, as servers' own tools print it.
const LINE_CHARS: usize = 76;

/// Ends a statement in a text of several. Not a semicolon: a statement of a log may hold some, as
/// routines do.
const END: &[u8] = b"/*!*/;\n";
/// What makes the servers' command-line clients know it.
pub const DELIMITER: &str = "DELIMITER /*!*/;\n";

/// Adds statements to a text for a command-line client that began with [`DELIMITER`]. The title
/// becomes a comment; it is one line.
pub fn put_text(text: &mut Vec<u8>, title: &str, statements: &Statements) {
    if !title.is_empty() {
        text.extend_from_slice(format!("-- {title}\n").as_bytes());
    }
    for statement in statements {
        text.extend_from_slice(statement);
        text.push(b'\n');
        text.extend_from_slice(END);
    }
}

/// Statements, each without its semicolon. A statement may hold bytes that are not UTF-8.
pub type Statements = Vec<Vec<u8>>;

/// Writes the transactions of one log.
#[derive(Debug, Clone)]
pub struct Script {
    format: Format,
}

impl Script {
    /// For transactions of a log of this format.
    pub fn new(format: &Format) -> Self {
        Self {
            format: format.clone(),
        }
    }

    /// What a connection runs once, before everything else.
    pub fn begin(&self) -> Statements {
        let mut statements = vec![binlog(&[&self.format.without_checksums()])];
        if self.format.family == Family::Mysql {
            // After a format event the next transaction would have no GTID, which is refused.
            statements.push(b"SET SESSION gtid_next = 'AUTOMATIC'".to_vec());
        }
        statements
    }

    /// What runs a transaction again, under its own GTID.
    pub fn redo(&self, transaction: &Transaction) -> Result<Statements, BinlogError> {
        let mut statements = identity(transaction.gtid);
        if transaction.is_begun_by_gtid {
            statements.push(b"BEGIN".to_vec());
        }
        let mut rows: Vec<&Event> = Vec::new();
        for event in &transaction.events {
            if is_of_rows(event) {
                rows.push(event);
                if ends_statement(event) {
                    let bytes: Vec<_> = rows.iter().map(|event| event.bytes()).collect();
                    statements.push(binlog(&bytes));
                    rows.clear();
                }
            } else {
                plain(event, &mut statements)?;
            }
        }
        if matches!(transaction.gtid, Some(Gtid::Mysql { .. })) {
            statements.push(b"SET SESSION gtid_next = 'AUTOMATIC'".to_vec());
        }
        Ok(statements)
    }

    /// What undoes a transaction. It is in no transaction of its own: whoever undoes several wants
    /// all of them or none.
    pub fn undo(&self, transaction: &Transaction) -> Result<Statements, BinlogError> {
        let undone = undo(transaction)?;
        let pairs = undone.iter();
        Ok(pairs
            .map(|one| binlog(&[one.map.bytes(), one.rows.bytes()]))
            .collect())
    }
}

/// Table maps and rows, which go together into one `BINLOG`.
fn is_of_rows(event: &Event) -> bool {
    event.kind() == Kind::TableMap || Rows::table_of(event).is_some()
}

fn ends_statement(event: &Event) -> bool {
    let mut input = Input(event.body());
    let flags = input.take(6).and_then(|_| input.u16()).unwrap_or_default();
    event.kind() != Kind::TableMap && flags & STATEMENT_END != 0
}

/// What gives the next transaction its GTID.
fn identity(gtid: Option<Gtid>) -> Statements {
    let text = match gtid {
        None => return Vec::new(),
        Some(gtid @ Gtid::Mysql { .. }) => format!("SET SESSION gtid_next = '{gtid}'"),
        Some(Gtid::Mariadb(gtid)) => format!(
            "SET SESSION gtid_domain_id = {}, SESSION server_id = {}, SESSION gtid_seq_no = {}",
            gtid.domain, gtid.server, gtid.sequence
        ),
    };
    vec![text.into_bytes()]
}

/// An event that is not of rows.
fn plain(event: &Event, statements: &mut Statements) -> Result<(), BinlogError> {
    if let Some(query) = Query::read(event)? {
        if !query.begins() && !query.ends() {
            statements.push(surroundings(&query));
            if !query.schema.is_empty() && !event.suppresses_use() {
                statements.push([b"USE `", &escaped(&query.schema)[..], b"`"].concat());
            }
        }
        statements.push(query.text);
        return Ok(());
    }
    let mut input = Input(event.body());
    let malformed = || event.malformed("it is too short");
    match event.kind() {
        Kind::Xid => statements.push(b"COMMIT".to_vec()),
        Kind::Intvar => {
            let kind = input.u8().ok_or_else(malformed)?;
            let value = input.u64().ok_or_else(malformed)?;
            let name = if kind == 1 {
                "last_insert_id"
            } else {
                "insert_id"
            };
            statements.push(format!("SET SESSION {name} = {value}").into_bytes());
        }
        Kind::Rand => {
            let first = input.u64().ok_or_else(malformed)?;
            let second = input.u64().ok_or_else(malformed)?;
            let text = format!("SET SESSION rand_seed1 = {first}, SESSION rand_seed2 = {second}");
            statements.push(text.into_bytes());
        }
        Kind::AnnotateRows | Kind::RowsQuery => {}
        other => {
            return Err(BinlogError::NotReplayable {
                at: event.at,
                kind: other,
            });
        }
    }
    Ok(())
}

/// What the statement's session had set, as far as it changes what the statement does.
fn surroundings(query: &Query) -> Vec<u8> {
    let mut sets = vec![format!(
        "timestamp = {}.{:06}",
        query.unix_seconds, query.microseconds
    )];
    let mut set = |name: &str, value: String| sets.push(format!("SESSION {name} = {value}"));
    if let Some(bits) = query.sql_mode {
        set("sql_mode", bits.to_string());
    }
    if let Some(flags) = query.flags2 {
        set(
            "foreign_key_checks",
            u8::from(flags & 1 << 26 == 0).to_string(),
        );
        set("unique_checks", u8::from(flags & 1 << 27 == 0).to_string());
        set(
            "sql_auto_is_null",
            u8::from(flags & 1 << 14 != 0).to_string(),
        );
    }
    if let Some((increment, offset)) = query.auto_increment {
        set("auto_increment_increment", increment.to_string());
        set("auto_increment_offset", offset.to_string());
    }
    if let Some([client, connection, server]) = query.collations {
        set("character_set_client", client.to_string());
        set("collation_connection", connection.to_string());
        set("collation_server", server.to_string());
    }
    if let Some(zone) = &query.time_zone {
        set("time_zone", format!("'{}'", String::from_utf8_lossy(zone)));
    }
    if let Some(explicit) = query.explicit_defaults {
        set(
            "explicit_defaults_for_timestamp",
            u8::from(explicit).to_string(),
        );
    }
    if let Some(collation) = query.utf8mb4_collation {
        set("default_collation_for_utf8mb4", collation.to_string());
    }
    if let Some(required) = query.require_primary_key {
        set("sql_require_primary_key", u8::from(required).to_string());
    }
    format!("SET {}", sets.join(", ")).into_bytes()
}

fn escaped(name: &[u8]) -> Vec<u8> {
    let doubled = |&byte: &u8| std::iter::repeat_n(byte, if byte == b'`' { 2 } else { 1 });
    name.iter().flat_map(doubled).collect()
}

/// The statement that runs events.
fn binlog(events: &[&[u8]]) -> Vec<u8> {
    let mut statement = b"BINLOG '\n".to_vec();
    for event in events {
        let text = STANDARD.encode(event);
        for line in text.as_bytes().chunks(LINE_CHARS) {
            statement.extend_from_slice(line);
            statement.push(b'\n');
        }
    }
    statement.push(b'\'');
    statement
}
