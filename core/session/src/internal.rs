//! `PROXYSQL INTERNAL SESSION`, also as `MAINSTAY INTERNAL SESSION`: what the proxy knows of the
//! session that asks, as JSON with the keys of ProxySQL; what that has no word for stands under
//! `mainstay`.

use mainstay_sql::Statement;
use mainstay_wire::Command;
use mainstay_wire::packet::Packet;
use mainstay_wire::result::{ColumnDefinition, put_text_result_set_with};

use crate::core::Core;
use crate::dialect::INTERNAL_SERVERS;
use crate::json::Json;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::Server;
use crate::session::{Job, Session};
use crate::state::State;
use crate::tie::{TieReason, Ties};

/// The longest text that asks for it.
const QUESTION_MAX: usize = 64;

/// The ties that ProxySQL has a flag for.
const FLAGS: [(&str, TieReason); 6] = [
    ("get_lock", TieReason::NamedLock),
    ("lock_tables", TieReason::TableLock),
    ("temporary_table", TieReason::TemporaryTable),
    ("user_variable", TieReason::UserVariable),
    ("found_rows", TieReason::Diagnostics),
    ("prepared_statement", TieReason::SqlPrepare),
];

/// Whether a statement asks for the session.
pub(crate) fn asks(sql: &[u8]) -> bool {
    if sql.len() > QUESTION_MAX {
        return false;
    }
    let sql = sql.trim_ascii();
    let sql = sql.strip_suffix(b";").unwrap_or(sql);
    let mut words = sql.split(u8::is_ascii_whitespace);
    let mut words = words.by_ref().filter(|word| !word.is_empty());
    let mut next_is = |names: [&str; 2]| {
        let word = words.next().unwrap_or_default();
        names
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    next_is(["PROXYSQL", "MAINSTAY"])
        && next_is(["INTERNAL", "INTERNAL"])
        && next_is(["SESSION", "SESSION"])
        && words.next().is_none()
}

impl Core {
    /// Answers with the session's JSON.
    pub(crate) fn answer_internal(
        &mut self,
        client: u32,
        statement: Statement,
        packet: &Packet<'_>,
        out: &mut Ops,
    ) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let json = self.internal(session);
        self.enter(client, (Command::Query, Job::Query(statement)), packet);
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let (capabilities, status) = (session.key.capabilities, session.status());
        let column = ColumnDefinition::text("session_info");
        let row = vec![Some(json)];
        let mut bytes = Vec::new();
        put_text_result_set_with(&mut bytes, (1, status), capabilities, &[column], &[row]);
        session.answered_rows();
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
        self.command_done(client);
    }

    fn internal(&self, session: &Session) -> String {
        let user = self.policy.users.get(&*session.key.user);
        let default = user.and_then(|user| user.default_hostgroup).unwrap_or(0);
        let server = session.server.and_then(|id| self.servers.get(id));
        let current = server.map_or(default, |one| self.hostgroup_of(None, one.upstream));
        let transaction = session.in_transaction();
        let mut json = Json::default();
        json.item(|json| {
            json.text("address", &format!("session {}", session.serial));
            json.text("thread", &format!("worker {}", self.worker));
            json.number("thread_session_id", session.number);
            let age = self.now.since(session.began).as_millis();
            json.number("age_ms", i64::try_from(age).unwrap_or(i64::MAX));
            json.number("status", 0);
            json.truth("autocommit", session.autocommit);
            json.number("current_hostgroup", current);
            json.number("default_hostgroup", default);
            // Sessions are never locked: what ties one is below.
            json.number("locked_on_hostgroup", -1);
            json.number("autocommit_on_hostgroup", -1);
            json.number("last_insert_id", session.last_insert_id);
            json.number("last_HG_affected_rows", session.row_count.unwrap_or(-1));
            json.number("active_transactions", i64::from(transaction));
            let since = self.now.since(session.transaction_since).as_millis();
            let since = if transaction { since } else { 0 };
            json.number(
                "transaction_time_ms",
                i64::try_from(since).unwrap_or(i64::MAX),
            );
            json.number("warning_in_hg", -1);
            json.object("gtid", |json| {
                json.number("hid", -1);
                json.text("last", "");
            });
            json.text(
                "default_schema",
                user.and_then(|user| user.schema.as_deref())
                    .unwrap_or_default(),
            );
            json.text("user_attributes", "");
            json.truth("transaction_persistent", true);
            self.client_part(session, json);
            json.object("conn", |json| variables(&session.state, json));
            json.list(INTERNAL_SERVERS, |json| {
                if let Some(server) = server {
                    json.item(|json| self.server_part(session, server, json));
                }
            });
            own_part(session, json);
        });
        json.into_text()
    }

    fn client_part(&self, session: &Session, json: &mut Json) {
        json.object("client", |json| {
            json.object("userinfo", |json| {
                json.text("username", &session.key.user);
                json.text("schemaname", &schema_of(&session.state));
            });
            json.object("client_addr", |json| {
                json.text("address", &session.host);
                json.number("port", 0);
            });
            json.object("proxy_addr", |json| {
                let listen = self.policy.listen;
                let address = listen.map(|listen| listen.ip().to_string());
                json.text("address", &address.unwrap_or_default());
                json.number("port", listen.map_or(0, |listen| listen.port()));
            });
            json.truth("encrypted", session.transport.is_secure());
            json.truth("compression", session.compressed);
        });
    }

    fn server_part(&self, session: &Session, server: &Server, json: &mut Json) {
        let target = &self.upstreams[server.upstream].target;
        json.number("hostgroup_id", self.hostgroup_of(None, server.upstream));
        json.text("gtid", "");
        json.object("conn", |json| {
            json.text("schema", &schema_of(&server.applied));
            json.truth("MultiplexDisabled", !session.ties.is_empty());
            json.object("status", |json| {
                for (name, reason) in FLAGS {
                    json.truth(name, session.ties.contains(reason));
                }
                let rule = session.ties.contains(TieReason::Rule);
                json.truth("no_multiplex", rule);
                json.truth("has_warnings", server.warned_by == session.serial);
                json.truth("compression", server.compression.is_some());
            });
            json.object("ps", |json| {
                json.number(
                    "count",
                    i64::try_from(server.statements.count()).unwrap_or(0),
                );
            });
            json.object("mysql", |json| {
                json.text("server", target.name.as_str());
                json.text("host", &target.address.host);
                json.number("port", target.address.port);
                json.number("thread_id", server.thread);
            });
        });
    }
}

/// What ProxySQL has no key for.
fn own_part(session: &Session, json: &mut Json) {
    json.object("mainstay", |json| {
        json.list("ties", |json| {
            for reason in session.ties.added(Ties::default()) {
                json.text_item(reason.what());
            }
        });
        let prepared = session.statements.iter().count();
        json.number("prepared_statements", i64::try_from(prepared).unwrap_or(0));
        json.truth("fast_forward", session.fast_forward);
        json.number("next_query_flagIN", session.flag);
    });
}

/// The variables that the session has set, with their values.
fn variables(state: &State, json: &mut Json) {
    for (name, assignment) in state.variables() {
        let name = String::from_utf8_lossy(name);
        let text = String::from_utf8_lossy(assignment);
        let value = match text.split_once('=') {
            Some((_, value)) => value,
            None => text.split_once(' ').map_or(&*text, |(_, value)| value),
        };
        json.text(&name, value.trim().trim_matches('\''));
    }
}

fn schema_of(state: &State) -> String {
    let schema = state.schema.as_deref().unwrap_or_default();
    String::from_utf8_lossy(schema).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_known_in_any_spelling() {
        assert!(asks(b"PROXYSQL INTERNAL SESSION") && asks(b" mainstay  internal session ;"));
        assert!(!asks(b"PROXYSQL INTERNAL") && !asks(b"PROXYSQL INTERNAL SESSION x"));
        assert!(!asks(b"SELECT 1"));
    }
}
