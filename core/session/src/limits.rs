//! The limits of a client's time: for the login, between statements, for a statement, and for
//! taking its replies; and the end of all sessions when the proxy stops.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_sql::Kind;
use mainstay_wire::{ErrPacket, ErrorCode};

use crate::answer;
use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::secure::Transport;
use crate::session::{Phase, Session, Stage};

impl Core {
    /// The timer of a client rang: acts if its deadline has come, else sets it anew.
    pub(crate) fn client_timer(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let unread = session
            .blocked_since
            .map(|since| since + self.policy.timeouts.write);
        if unread.is_some_and(|deadline| deadline <= self.now) {
            return self.close_client(client, out);
        }
        if self.ends_transaction(client, out) || self.guest_timer(client, out) {
            return;
        }
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let deadline = self.deadline_of(session);
        let look = self.transaction_deadline(session);
        if deadline > self.now {
            let deadline = look.map_or(deadline, |look| look.min(deadline));
            let next = unread.map_or(deadline, |unread| unread.min(deadline));
            return self.timers.arm(ConnId::Client(client), next);
        }
        match session.stage() {
            None => self.idle_too_long(client, out),
            Some(Stage::Spliced) => {}
            Some(Stage::Paused(_)) => self.unpause(client, out),
            Some(Stage::Setup | Stage::Sent) => self.run_too_long(client, out),
            Some(Stage::Held | Stage::Waiting(_) | Stage::Killing(_)) => {
                self.waited_too_long(client, out);
            }
        }
    }

    fn deadline_of(&self, session: &Session) -> Timestamp {
        let limits = &self.policy.timeouts;
        match &session.phase {
            Phase::Login(login) => login.deadline,
            Phase::Ready => session.last_active + session.idle_limit(limits.idle_client),
            Phase::Busy(running) => match running.stage {
                Stage::Held => running.since + self.policy.hold.time_max,
                Stage::Waiting(_) | Stage::Killing(_) => running.since + limits.pool_wait,
                Stage::Spliced => self.now + limits.idle_client,
                Stage::Paused(until) => until,
                Stage::Setup | Stage::Sent => match running.ruled.limit(limits.query) {
                    Some(limit) if !running.killed => running.since + limit,
                    Some(_) | None => self.now + limits.idle_client,
                },
            },
        }
    }

    /// A `SET` may have made the session's idle limit shorter.
    pub(crate) fn take_idle_limit(&mut self, client: u32) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        if session.running().is_some_and(|one| one.job.is(Kind::Set)) {
            let limit = session.idle_limit(self.policy.timeouts.idle_client);
            self.timers.arm(ConnId::Client(client), self.now + limit);
        }
    }

    fn idle_too_long(&mut self, client: u32, out: &mut Ops) {
        let session = self.clients.get(client);
        if session.is_some_and(|session| matches!(session.phase, Phase::Ready)) {
            let error = ErrorCode::ClientInteractionTimeout.packet();
            return self.tell_and_close(client, &error, out);
        }
        // Only MySQL says why it ends a login.
        let silent = self.policy.server_version.contains("MariaDB");
        if let Some(Session {
            phase: Phase::Login(login),
            transport: Transport::Plain | Transport::Tls { .. },
            ..
        }) = session.filter(|_| !silent)
        {
            let (sequence, error) = (login.sequence, ErrorCode::NetReadInterrupted.packet());
            return self.refuse(client, sequence, &error, out);
        }
        self.close_client(client, out);
    }

    fn run_too_long(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(running) = session.running_mut() else {
            return;
        };
        running.killed = true;
        let sent = running.stage == Stage::Sent;
        let next = self.now + self.policy.timeouts.idle_client;
        self.timers.arm(ConnId::Client(client), next);
        if sent {
            self.interrupt(client, out);
        }
    }

    /// The proxy stops: every client is told what a server that shuts down says, and closed. What
    /// has been sent to a server already is left to end there, with an unknown outcome.
    pub fn stop(&mut self, now: Timestamp, out: &mut Ops) {
        self.now = now;
        for client in self.clients.ids() {
            let Some(session) = self.clients.get(client) else {
                continue;
            };
            let sequence = match &session.phase {
                Phase::Ready => Some(0),
                Phase::Busy(running) if running.stage != Stage::Sent => Some(running.sequence),
                Phase::Busy(_) | Phase::Login(_) => None,
            };
            let error: ErrPacket = ErrorCode::ShutdownInProgress.packet();
            if let Some(sequence) = sequence {
                out.push(Op::Send {
                    to: ConnId::Client(client),
                    chunk: Chunk::Owned(answer::error(sequence, &error)),
                });
            }
            self.close_client(client, out);
        }
    }
}

impl Session {
    /// How long it may send nothing: the session's own `wait_timeout` where it has set one.
    fn idle_limit(&self, most: Duration) -> Duration {
        let Some(assignment) = self.state.value(b"wait_timeout") else {
            return most;
        };
        let digits = assignment.split(|&byte| byte == b'=').next_back();
        let seconds = digits
            .and_then(|text| std::str::from_utf8(text.trim_ascii()).ok())
            .and_then(|text| text.parse().ok());
        seconds.map_or(most, |seconds| most.min(Duration::from_secs(seconds)))
    }
}
