//! The connections of one worker, by the driver's name and by the machine's, and what is to be
//! told of them.

use std::collections::VecDeque;

use mainstay_clock::Timestamp;
use mainstay_session::{ConnId, Note};

use super::ids::Ids;
use super::{Conn, LINGER, Notice, Phase, Token};

/// A host name that must be looked up before a connection can be opened.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) token: Token,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The connections of one worker; `S` is what a driver keeps of each.
#[derive(Debug)]
pub(crate) struct Table<S> {
    conns: Vec<Option<Conn<S>>>,
    free: Vec<u32>,
    next_generation: u32,
    clients: Ids,
    servers: Ids,
    notices: VecDeque<(Token, Notice)>,
    lookups: Vec<Lookup>,
    notes: Vec<(u32, Note)>,
    lingering: VecDeque<(Timestamp, Token)>,
}

impl<S> Default for Table<S> {
    fn default() -> Self {
        Self {
            conns: Vec::new(),
            free: Vec::new(),
            next_generation: 0,
            clients: Ids::default(),
            servers: Ids::default(),
            notices: VecDeque::new(),
            lookups: Vec::new(),
            notes: Vec::new(),
            lingering: VecDeque::new(),
        }
    }
}

impl<S> Table<S> {
    /// Forgets every connection, after a last look at each; no token is given again.
    pub(crate) fn clear(&mut self, look: impl FnMut(&mut Conn<S>)) {
        self.conns.iter_mut().flatten().for_each(look);
        *self = Self {
            next_generation: self.next_generation,
            ..Self::default()
        };
    }

    /// True when there are no connections.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.conns.iter().all(Option::is_none)
    }

    /// Adds a connection of the machine.
    pub(crate) fn insert(&mut self, mut conn: Conn<S>) -> Token {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        conn.generation = generation;
        let who = conn.who;
        let index = self.free.pop().unwrap_or_else(|| {
            self.conns.push(None);
            u32::try_from(self.conns.len() - 1).expect("fewer sockets than file descriptors")
        });
        self.conns[index as usize] = Some(conn);
        self.ids(who).set(who, index);
        Token { index, generation }
    }

    /// Gives a connection's place free.
    pub(crate) fn take(&mut self, token: Token) -> Option<Conn<S>> {
        self.get(token)?;
        let conn = self.conns[token.index as usize].take()?;
        self.free.push(token.index);
        if conn.phase != Phase::Closing {
            self.ids(conn.who).clear(conn.who);
        }
        Some(conn)
    }

    /// Takes a connection from the machine, whose id is free then; its place stays taken.
    pub(crate) fn detach(&mut self, token: Token) {
        let Some(conn) = self.get(token) else { return };
        let (who, before) = (conn.who, conn.phase);
        conn.phase = Phase::Closing;
        if before != Phase::Closing {
            self.ids(who).clear(who);
        }
    }

    /// Cuts the connection, which is closed, if it is still there after a while.
    pub(crate) fn linger(&mut self, now: Timestamp, token: Token) {
        self.lingering.push_back((now + LINGER, token));
    }

    /// The connection of this name, while there is one.
    pub(crate) fn get(&mut self, token: Token) -> Option<&mut Conn<S>> {
        let conn = self.conns.get_mut(token.index as usize)?.as_mut()?;
        (conn.generation == token.generation).then_some(conn)
    }

    /// The same, to look at only.
    pub(crate) fn look(&self, token: Token) -> Option<&Conn<S>> {
        let conn = self.conns.get(token.index as usize)?.as_ref()?;
        (conn.generation == token.generation).then_some(conn)
    }

    /// The driver's name of a connection of the machine.
    pub(crate) fn find(&mut self, who: ConnId) -> Option<Token> {
        let index = self.ids(who).get(who)?;
        let generation = self.conns[index as usize].as_ref()?.generation;
        Some(Token { index, generation })
    }

    /// Has the machine told.
    pub(crate) fn notify(&mut self, token: Token, notice: Notice) {
        self.notices.push_back((token, notice));
    }

    /// True when there is something to tell.
    pub(crate) fn has_notices(&self) -> bool {
        !self.notices.is_empty()
    }

    /// What to tell next, of a connection that the machine still has.
    pub(super) fn next_notice(&mut self) -> Option<(Token, ConnId, Notice)> {
        while let Some((token, notice)) = self.notices.pop_front() {
            if let Some(conn) = self.get(token).filter(|conn| conn.phase != Phase::Closing) {
                return Some((token, conn.who, notice));
            }
        }
        None
    }

    /// The next connection whose time to take the rest is over.
    pub(super) fn next_lingering(&mut self, now: Timestamp) -> Option<Token> {
        let (_, token) = self.lingering.pop_front_if(|(limit, _)| *limit <= now)?;
        Some(token)
    }

    /// When the next closed connection must be cut.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.lingering.front().map(|(limit, _)| *limit)
    }

    /// Asks for the addresses of a server.
    pub(super) fn look_up(&mut self, token: Token, host: &str, port: u16) {
        let host = host.to_owned();
        self.lookups.push(Lookup { token, host, port });
    }

    /// Host names to look up for connections begun since the last call.
    pub(crate) fn take_lookups(&mut self) -> Vec<Lookup> {
        std::mem::take(&mut self.lookups)
    }

    /// Keeps a note for the machine of another worker.
    pub(crate) fn tell(&mut self, worker: u32, note: Note) {
        self.notes.push((worker, note));
    }

    /// The notes kept since the last call, each with the number of its worker.
    pub(crate) fn take_notes(&mut self) -> Vec<(u32, Note)> {
        std::mem::take(&mut self.notes)
    }

    fn ids(&mut self, who: ConnId) -> &mut Ids {
        match who {
            ConnId::Client(_) => &mut self.clients,
            ConnId::Server(_) => &mut self.servers,
        }
    }
}
