//! Statements that ask about the one before them: `ROW_COUNT()`, `FOUND_ROWS()`, `SHOW WARNINGS`.
//! They run on the connection that ran that one, and on no other, where they would tell what
//! another session did.
//!
//! Nothing is kept for them before a session asks for the first time: mostly its last connection
//! is idle still. From then on the session keeps its connection from statement to statement, until
//! somebody else needs it. When the connection is gone all the same:
//!
//! | it asks for | it gets |
//! |---|---|
//! | anything, before it has run a statement | what a new connection tells |
//! | warnings, errors | none: they went with their connection |
//! | `SELECT ROW_COUNT()`, as a text | the number, remembered here |
//! | anything else | 1159: it did not run |

use mainstay_sql::{Flags, Kind, Statement};
use mainstay_wire::result::{ColumnDefinition, column_type, put_text_result_set};
use mainstay_wire::tracker::Summary;
use mainstay_wire::{Command, ErrorCode};

use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::{Server, ServerPhase, Step};
use crate::session::{Job, Running, Session};
use crate::tie::TieReason;

/// What makes a query more than a question about the statement before it.
const MORE: [Flags; 10] = [
    Flags::LOCKING_READ,
    Flags::LAST_INSERT_ID,
    Flags::CALC_FOUND_ROWS,
    Flags::NAMED_LOCK,
    Flags::SEQUENCE,
    Flags::READS_USER_VARIABLE,
    Flags::ASSIGNS_USER_VARIABLE,
    Flags::INTO_VARIABLE,
    Flags::INTO_FILE,
    Flags::UNKNOWN_FUNCTION,
];

const NOT_NULL_FLAG: u16 = 1;
const BINARY_FLAG: u16 = 128;
const BINARY: u16 = 63;

impl Core {
    /// A session kept to its connection by nothing but the counters of its last statement is
    /// freed, unless this statement asks for them.
    pub(crate) fn give_up_counters(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        if !session.ties.is_soft() {
            return;
        }
        let asks = session.running().is_some_and(Running::keeps_counters);
        let here = session.server.and_then(|id| self.servers.get(id));
        let may = here.is_some_and(|server| self.may_ask(session, server));
        if !asks || !may {
            self.untie(client, out);
        }
    }

    /// A statement that asks about the one before goes to its connection. True when that is all;
    /// else it may go where others of its kind go.
    pub(crate) fn ask(&mut self, client: u32, out: &mut Ops) -> bool {
        let Some(session) = self.clients.get_mut(client) else {
            return true;
        };
        let Some(running) = session.running().filter(|one| one.job.will_ask()) else {
            return false;
        };
        let prepares = matches!(running.job, Job::Prepare(_));
        let counts = running.job.has(Flags::ROW_COUNT) || session.names(b"last_gtid");
        session.asks = true;
        self.asked |= counts;
        let Some(session) = self.clients.get(client) else {
            return true;
        };
        let kept = session.last_on.filter(|&id| {
            self.servers.get(id).is_some_and(|server| {
                let there = session.was_last_on(id, server) && self.may_ask(session, server);
                there && (prepares || session.is_told_own(server))
            })
        });
        if let Some(id) = kept {
            self.take_idle(client, id, out);
            return true;
        }
        if prepares {
            return false;
        }
        if session.fresh || !counts {
            if let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) {
                running.blank = true;
            }
            return false;
        }
        if !self.answer_row_count(client, out) {
            let text = "the statement did not run: it asks for a counter of the statement before \
                        it, whose connection serves another session now";
            self.answer_error(client, &ErrorCode::NetReadInterrupted.with(text), out);
        }
        true
    }

    /// A question may be put to any server, but what else a statement does is for the writer.
    fn may_ask(&self, session: &Session, server: &Server) -> bool {
        let upstream = &self.upstreams[server.upstream];
        let only_asks = session.running().is_some_and(|running| {
            let statement = running.job.statement();
            statement.is_some_and(|one| only_asks(*one)) && session.autocommit
        });
        let writes = self.writer == Some(server.upstream) && !self.routes.hold_writes;
        upstream.is_usable() && (only_asks || writes)
    }

    /// Answers `SELECT ROW_COUNT()` from what is remembered.
    fn answer_row_count(&mut self, client: u32, out: &mut Ops) -> bool {
        let Some(session) = self.clients.get_mut(client) else {
            return true;
        };
        let Some(running) = session.running() else {
            return true;
        };
        let sql = running.packet.get(running.text_at..).unwrap_or_default();
        let text = matches!(running.job, Job::Query(_));
        let Some(name) = row_count(sql).filter(|_| text && session.autocommit) else {
            return false;
        };
        let Some(count) = session.row_count else {
            return false;
        };
        let column = ColumnDefinition {
            name: String::from_utf8_lossy(name).into_owned(),
            charset: BINARY,
            length: 21,
            column_type: column_type::LONGLONG,
            flags: NOT_NULL_FLAG | BINARY_FLAG,
            ..ColumnDefinition::default()
        };
        let row = vec![Some(count.to_string())];
        let (sequence, capabilities) = (running.sequence, session.key.capabilities);
        let mut bytes = Vec::new();
        put_text_result_set(&mut bytes, sequence, capabilities, &[column], &[row]);
        session.answered_rows();
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
        self.command_done(client);
        true
    }
}

impl Job {
    /// True when it asks about the statement before it.
    pub(crate) fn asks(&self) -> bool {
        !matches!(self, Self::Prepare(_)) && self.will_ask()
    }

    /// True when it asks about the statement before it, or prepares that.
    pub(crate) fn will_ask(&self) -> bool {
        match self {
            Self::Query(statement) | Self::Prepare(statement) | Self::Execute { statement, .. } => {
                let asks = Flags::ROW_COUNT | Flags::DIAGNOSTICS;
                statement.flags.intersects(asks)
            }
            Self::Login
            | Self::InitDb { .. }
            | Self::LongData { .. }
            | Self::OnCursor { .. }
            | Self::Other => false,
        }
    }
}

impl Running {
    /// True when it asks about the statement before it, prepares that, or leaves it possible.
    fn keeps_counters(&self) -> bool {
        self.command == Command::SetOption || self.job.will_ask()
    }
}

impl Session {
    /// True when the connection is idle, and the last thing it did was this session's last.
    pub(crate) fn was_last_on(&self, id: u32, server: &Server) -> bool {
        self.last_on == Some(id)
            && server.last_user == self.serial
            && server.key == self.key
            && server.applied == self.state
            && matches!(server.phase, ServerPhase::Idle { .. })
    }

    /// True when its last statement ran elsewhere, or another session's ran here since.
    pub(crate) fn is_new_to(&self, id: u32, server: &Server) -> bool {
        self.last_on != Some(id) || server.last_user != self.serial
    }

    /// Its command goes to this connection now.
    pub(crate) fn is_used_on(&mut self, client: u32, (id, server): (u32, &mut Server)) {
        server.last_user = self.serial;
        server.last_client = client;
        self.last_on = Some(id);
        self.pinged = false;
    }

    /// True when the running statement names it.
    fn names(&self, name: &[u8]) -> bool {
        let Some(running) = self.running() else {
            return false;
        };
        let sql = running.sql(&self.statements);
        sql.windows(name.len())
            .any(|part| part.eq_ignore_ascii_case(name))
    }

    /// True when what the connection tells of the statement before is this session's own, or can
    /// be made so.
    fn is_told_own(&self, server: &Server) -> bool {
        if self.finds_others(server) {
            let count = self.row_count.is_some_and(|count| count <= 0);
            return !self.found && (count || !self.names(b"row_count"));
        }
        let counts = self
            .running()
            .is_some_and(|running| running.job.has(Flags::ROW_COUNT));
        counts || server.warned_by == 0 || server.warned_by == self.serial
    }

    /// True when it asks for `FOUND_ROWS()`, which tells of rows that another session got.
    fn finds_others(&self, server: &Server) -> bool {
        server.found_by != self.serial && self.names(b"found_rows")
    }

    /// What is done to the counters of a connection before the running statement: the set-up of a
    /// session that has none there, and the ping that servers have not heard of.
    pub(crate) fn counter_steps(&self, server: &Server) -> Vec<(Step, Vec<u8>)> {
        let mut steps = Vec::new();
        let Some(running) = self.running() else {
            return steps;
        };
        let asks = running.job.asks();
        let moved = self.asks && server.last_user != self.serial;
        let scrub = running.blank
            || asks && self.finds_others(server)
            || moved && !self.found && server.found_by != self.serial;
        if scrub {
            // MySQL begins with none; `MariaDB` with what the connection before left to its
            // thread, mostly one. After an answer of the proxy it is the row of that.
            let answered = self.row_count == Some(-1) && self.last_on.is_none();
            let one = server.is_mariadb || answered;
            let sql: &[u8] = if one {
                b"SELECT 1"
            } else {
                b"SELECT 1 LIMIT 0"
            };
            steps.push((Step::Found, sql.to_vec()));
        }
        let zero = scrub && self.row_count != Some(-1);
        if running.job.will_ask() && self.pinged || asks && zero {
            steps.push((Step::Ping, Vec::new()));
        }
        steps
    }

    /// True when the connection would tell the running statement of another session's warnings.
    pub(crate) fn must_lose_warnings(&self, server: &Server) -> bool {
        let Some(running) = self.running() else {
            return false;
        };
        let moved = self.asks && server.last_user != self.serial;
        server.knows_reset && server.warned_by != 0 && (running.blank || moved)
    }

    /// Whose counters the connection has now, and whether they are worth keeping it.
    pub(crate) fn take_traces(&mut self, server: &mut Server, summary: &Summary) {
        let Some(running) = self.running() else {
            return;
        };
        let asked = running.job.asks();
        let keeps = running.keeps_counters() && !asked;
        self.fresh &= keeps || matches!(running.job, Job::Prepare(_));
        if summary.result_sets > 0 {
            server.found_by = self.serial;
            self.found = true;
        }
        let tells = summary.warnings > 0 || summary.error.is_some();
        if tells {
            server.warned_by = self.serial;
        }
        if tells || self.asks {
            self.ties.insert(TieReason::Diagnostics);
        } else if !keeps {
            self.ties.remove(TieReason::Diagnostics);
        }
    }

    /// Remembers what `ROW_COUNT()` says after a statement.
    pub(crate) fn take_row_count(&mut self, summary: &Summary) {
        let Some(running) = self.running() else {
            return;
        };
        let one = running
            .job
            .statement()
            .is_some_and(|one| !matches!(one.kind, Kind::Multi | Kind::Call | Kind::Unknown));
        let sent = !matches!(running.job, Job::Prepare(_) | Job::Other);
        self.row_count = if running.command == Command::SetOption {
            Some(-1)
        } else if !one || !sent {
            None
        } else if summary.error.is_some() || summary.result_sets > 0 {
            Some(-1)
        } else {
            i64::try_from(summary.affected_rows).ok()
        };
    }
}

/// True for a query that asks about the statement before it, and does nothing that is for the
/// writer.
pub(crate) fn only_asks(statement: Statement) -> bool {
    matches!(statement.kind, Kind::Read | Kind::Show)
        && statement
            .flags
            .intersects(Flags::ROW_COUNT | Flags::DIAGNOSTICS)
        && !MORE.iter().any(|more| statement.flags.intersects(*more))
}

/// What the column of `SELECT ROW_COUNT()` is called, if the statement is just that.
fn row_count(sql: &[u8]) -> Option<&[u8]> {
    let sql = sql.trim_ascii();
    let sql = sql.strip_suffix(b";").unwrap_or(sql).trim_ascii();
    let (verb, rest) = sql.split_at_checked(6)?;
    let name = rest.trim_ascii_start();
    let said = verb.eq_ignore_ascii_case(b"SELECT") && name.len() < rest.len();
    (said && name.eq_ignore_ascii_case(b"ROW_COUNT()")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_question_for_the_row_count_is_recognised_and_keeps_its_name() {
        assert_eq!(
            row_count(b" select Row_Count() ; "),
            Some(&b"Row_Count()"[..])
        );
        assert_eq!(row_count(b"SELECT ROW_COUNT() + 1"), None);
        assert_eq!(row_count(b"SELECTROW_COUNT()"), None);
        assert_eq!(row_count(b"SEL"), None);
    }
}
