//! The statements of the fake server that leave something on their connection.

use mainstay_wire::{ErrPacket, SessionChange};

use super::{Connection, Server};

impl Connection {
    /// What `COM_RESET_CONNECTION` does.
    pub(super) fn reset(&mut self, server: &mut Server) {
        self.schema_is_stale = !self.schema.is_empty();
        self.variables.clear();
        self.statements.clear();
        self.temporary.clear();
        self.texts.clear();
        self.tracks = false;
        self.tells_gtids = false;
        self.in_transaction = false;
        self.last = (String::new(), 0);
        self.free_locks(server);
    }

    /// True when it holds what no other connection can be given.
    pub(crate) fn holds(&self, server: &Server) -> bool {
        self.in_transaction
            || !self.temporary.is_empty()
            || !self.texts.is_empty()
            || server.locks.values().any(|(id, _)| *id == self.id)
    }

    /// A connection that ends frees its locks.
    pub(crate) fn free_locks(&self, server: &mut Server) {
        server.locks.retain(|_, (id, _)| *id != self.id);
    }

    /// Runs the statement if it is one of these.
    pub(super) fn stateful(
        &mut self,
        server: &mut Server,
        (word, sql): (&str, &str),
        last: &(String, i64),
        out: &mut Vec<u8>,
    ) -> bool {
        if let Some(name) = quoted(sql, "SELECT GET_LOCK(") {
            let got = self.lock(server, name);
            self.row(got, out);
        } else if let Some(name) = quoted(sql, "SELECT RELEASE_LOCK(") {
            let freed = self.unlock(server, name);
            self.row(freed, out);
        } else if let Some(wanted) = quoted(sql, "SELECT WAIT_FOR_EXECUTED_GTID_SET(") {
            let number = wanted.rsplit(':').next().and_then(|text| text.parse().ok());
            let there = number.is_some_and(|number: u64| number <= server.applied);
            self.row(if there { "0" } else { "1" }, out);
        } else if let Some(text) = sql.strip_prefix("SELECT @") {
            return self.user_variable(text, out);
        } else if let Some(table) = sql.strip_prefix("SELECT x FROM ") {
            self.rows_of(table, out);
        } else if let Some(name) = sql.strip_prefix("CREATE TEMPORARY TABLE ") {
            self.temporary.insert(name.to_owned());
            self.changes.push(SessionChange::StateChanged(true));
            self.ok(1, 0, out);
        } else if let Some(name) = sql.strip_prefix("DROP TEMPORARY TABLE IF EXISTS ") {
            self.temporary.remove(name);
            self.ok(1, 0, out);
        } else if word == "CALL" {
            // A procedure that makes a temporary table and changes the mode.
            self.temporary.insert("made".to_owned());
            self.assign("sql_mode", "'CALLED'");
            self.changes.push(SessionChange::StateChanged(true));
            self.ok(1, 0, out);
        } else if word == "SET" {
            self.set(&sql[4..]);
            self.ok(1, 0, out);
        } else if word == "PREPARE" {
            let (name, text) = sql[8..].split_once(" FROM ").expect("a text");
            let text = text.trim_matches('\'').to_owned();
            self.texts.insert(name.to_owned(), text);
            self.ok(1, 0, out);
        } else if word == "EXECUTE" {
            match self.texts.get(&sql[8..]).cloned() {
                Some(text) => return self.again(server, &text, last, out),
                None => Self::error(&ErrPacket::new(1243, *b"HY000", "unknown"), 1, out),
            }
        } else if word == "DEALLOCATE" {
            self.texts.remove(&sql[19..]);
            self.ok(1, 0, out);
        } else {
            return false;
        }
        true
    }

    fn again(
        &mut self,
        server: &mut Server,
        text: &str,
        last: &(String, i64),
        out: &mut Vec<u8>,
    ) -> bool {
        let word = text.split(' ').next().unwrap_or_default();
        if !self.stateful(server, (word, text), last, out) {
            self.select(server, text, last, out);
        }
        true
    }

    fn set(&mut self, list: &str) {
        let list = list.strip_prefix("SESSION ").unwrap_or(list);
        for assignment in list.split(", ") {
            let (name, value) = assignment.split_once(['=', ' ']).expect("a value");
            if name == "session_track_gtids" {
                self.tells_gtids = value == "OWN_GTID";
            }
            if name == "session_track_system_variables" {
                let more = value.starts_with("CONCAT(");
                assert!(
                    !(self.tracks && more),
                    "MariaDB refuses '*' with more (1193)"
                );
                self.tracks = value == "'*'";
            }
            self.assign(name, value);
        }
        self.changes.push(SessionChange::StateChanged(true));
    }

    fn assign(&mut self, name: &str, value: &str) {
        let value = match value.strip_prefix("CONCAT(@@") {
            Some(rest) => {
                let (of, more) = rest.split_once(",'").expect("two parts");
                let old = self.variables.get(of).map_or("", String::as_str);
                let more = more.trim_end_matches("')");
                format!("'{}{more}'", old.trim_matches('\''))
            }
            None => value.to_owned(),
        };
        if !name.starts_with('@') {
            self.changes.push(SessionChange::SystemVariable {
                name: name.to_owned(),
                value: value.trim_matches('\'').to_owned(),
            });
        }
        if value == "DEFAULT" {
            self.variables.remove(name);
        } else {
            self.variables.insert(name.to_owned(), value);
        }
    }

    /// `SELECT @a`, `SELECT @a:=1`.
    fn user_variable(&mut self, text: &str, out: &mut Vec<u8>) -> bool {
        if text.starts_with('@') {
            return false;
        }
        if let Some((name, value)) = text.split_once(":=") {
            self.variables.insert(format!("@{name}"), value.to_owned());
            self.row(value, out);
        } else {
            let value = self.variables.get(&format!("@{text}")).cloned();
            self.row(&value.unwrap_or_default(), out);
        }
        true
    }

    fn rows_of(&mut self, name: &str, out: &mut Vec<u8>) {
        if self.temporary.contains(name) {
            self.row("temporary", out);
        } else {
            Self::error(&ErrPacket::new(1146, *b"42S02", "no such table"), 1, out);
        }
    }

    fn lock(&self, server: &mut Server, name: &str) -> &'static str {
        let (owner, count) = server.locks.entry(name.to_owned()).or_insert((self.id, 0));
        if *owner != self.id {
            return "0";
        }
        *count += 1;
        "1"
    }

    fn unlock(&self, server: &mut Server, name: &str) -> &'static str {
        let Some((owner, count)) = server.locks.get_mut(name) else {
            return "";
        };
        if *owner != self.id {
            return "0";
        }
        *count -= 1;
        if *count == 0 {
            server.locks.remove(name);
        }
        "1"
    }
}

/// What stands in quotes behind the start of a statement.
fn quoted<'a>(sql: &'a str, start: &str) -> Option<&'a str> {
    sql.strip_prefix(start)?.split('\'').nth(1)
}
