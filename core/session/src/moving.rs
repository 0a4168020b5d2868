//! Sessions that leave for another process and go on there: what `upgrade` and a graceful end are
//! made of.
//!
//! Only a session at rest can go: between statements, with nothing that ties it to a server
//! connection. What it then consists of fits into a few bytes; the socket goes with them, by the
//! driver.

use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_sql::{classify, digest};
use mainstay_wire::codec::{
    Malformed, Reader, put_lenenc, put_lenenc_bytes, put_u16, put_u32, put_u64, text,
};
use mainstay_wire::{Capabilities, ErrorCode};

use crate::causal::Written;
use crate::core::Core;
use crate::op::{ConnId, Ops};
use crate::policy::Secret;
use crate::session::{Key, Phase, Session};
use crate::state::State;
use crate::statements::{ClientStatements, Prepared, Text};

/// Of the bytes of a session: a process that writes another number writes something else.
const FORMAT: u8 = 3;

impl Core {
    /// The sessions that could go now.
    pub fn at_rest(&self) -> Vec<ConnId> {
        let resting = self
            .clients
            .iter()
            .filter(|(id, one)| one.is_at_rest() && !self.copies.has(*id));
        resting.map(|(id, _)| ConnId::Client(id)).collect()
    }

    /// Gives a session away. `None`, and it stays, when it is not at rest, or when the driver has
    /// state of its own for it: that of TLS and compression does not travel. The driver keeps the
    /// socket: nothing may be sent to it any more, and what comes in belongs to the receiver.
    pub fn give(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) -> Option<Vec<u8>> {
        self.now = now;
        let ConnId::Client(client) = who else {
            return None;
        };
        let goes = |one: &&Session| one.is_at_rest() && !one.is_filtered();
        let session = self.clients.get(client).filter(goes)?;
        let guest = self.guests.password(&session.key.user);
        let is_guest = !self.policy.users.contains_key(&*session.key.user);
        let bytes = session.encode(guest.filter(|_| is_guest));
        // The counters of its last statement, kept on a connection, do not go with it.
        self.client_gone(client, out);
        self.settle(out);
        Some(bytes)
    }

    /// Goes on with a session that another process gave away. `None` when these are not the bytes
    /// of one, or its user is none of ours; its client must be closed then.
    pub fn receive(&mut self, now: Timestamp, bytes: &[u8]) -> Option<ConnId> {
        self.now = now;
        let (mut session, password) = decode(bytes).ok()?;
        let user = session.key.user.clone();
        let known = self.policy.users.contains_key(&*user)
            || password.is_some_and(|password| self.receive_guest(&user, password));
        if !known || self.clients.len() >= self.policy.clients_max {
            return None;
        }
        self.serial += 1;
        session.serial = self.serial;
        session.began = now;
        session.last_active = now;
        session.key.address = session.told_address(self.policy.proxy_header);
        self.received.insert(session.number);
        self.share_written(&session);
        let client = self.clients.insert(session);
        let deadline = now + self.policy.timeouts.idle_client;
        self.timers.arm(ConnId::Client(client), deadline);
        self.warm_for(client);
        Some(ConnId::Client(client))
    }

    /// Closes a session at rest, with what a server says that shuts down.
    pub fn dismiss(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        self.now = now;
        if let ConnId::Client(client) = who
            && self.clients.get(client).is_some_and(Session::is_at_rest)
        {
            self.refuse(client, 0, &ErrorCode::ShutdownInProgress.packet(), out);
            self.settle(out);
        }
    }
}

impl Session {
    fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Ready)
            && (self.ties.is_empty() || self.ties.is_soft())
            && self.inbox.is_empty()
            && self.lost.is_none()
            && !self.blocked
            && !self.paused
    }

    /// `password`: of a user whom the receiver has in no settings.
    fn encode(&self, password: Option<&Secret>) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put_optional(&mut out, password.map(|one| one.reveal().as_bytes()));
        put_u32(&mut out, self.number);
        put_lenenc_bytes(&mut out, self.host.as_bytes());
        put_lenenc_bytes(&mut out, self.key.user.as_bytes());
        put_u64(&mut out, self.key.capabilities.0);
        out.push(self.key.collation);
        let facts = [
            self.autocommit,
            self.libmariadb,
            self.asks,
            self.fresh,
            self.found,
            self.pinged,
        ];
        out.extend(facts.map(u8::from));
        put_u64(&mut out, self.last_insert_id);
        put_optional(
            &mut out,
            self.row_count
                .map(i64::to_le_bytes)
                .as_ref()
                .map(|one| &one[..]),
        );
        let written = self.written.as_ref().map(|written| written.told());
        put_optional(&mut out, written.as_ref().map(|(told, _)| told.as_bytes()));
        out.push(u8::from(written.is_some_and(|(_, untold)| untold)));
        put_optional(&mut out, self.state.schema.as_deref());
        let variables = self.state.variables();
        put_lenenc(&mut out, variables.len() as u64);
        for (name, assignment) in variables {
            put_lenenc_bytes(&mut out, name);
            put_lenenc_bytes(&mut out, assignment);
        }
        let statements = &self.statements;
        put_u32(&mut out, statements.last());
        put_lenenc(&mut out, statements.iter().count() as u64);
        for (id, prepared) in statements.iter() {
            put_u32(&mut out, id);
            put_lenenc_bytes(&mut out, &prepared.text.sql);
            put_optional(&mut out, prepared.text.schema.as_deref());
            put_u32(&mut out, prepared.text.copy);
            put_u16(&mut out, prepared.parameters);
            put_lenenc_bytes(&mut out, &prepared.types);
        }
        out
    }
}

fn decode(bytes: &[u8]) -> Result<(Session, Option<Secret>), Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != FORMAT {
        return Err(Malformed::BadLength);
    }
    let password = optional(&mut reader)?.map(text).transpose()?;
    let number = reader.u32()?;
    let host = text(reader.lenenc_bytes()?)?;
    let key = Key {
        user: Arc::from(text(reader.lenenc_bytes()?)?),
        capabilities: Capabilities(reader.u64()?),
        collation: reader.u8()?,
        address: None,
    };
    let mut session = Session::new(number, host, key, Phase::Ready);
    session.autocommit = reader.u8()? != 0;
    session.libmariadb = reader.u8()? != 0;
    session.asks = reader.u8()? != 0;
    session.fresh = reader.u8()? != 0;
    session.found = reader.u8()? != 0;
    session.pinged = reader.u8()? != 0;
    session.last_insert_id = reader.u64()?;
    let row_count = optional(&mut reader)?;
    session.row_count = row_count.and_then(|one| Some(i64::from_le_bytes(*one.first_chunk()?)));
    let told = optional(&mut reader)?.map(text).transpose()?;
    let untold = reader.u8()? != 0;
    session.written = told.map(|told| Box::new(Written::read_back(&told, untold)));
    let schema = optional(&mut reader)?.map(<[u8]>::to_vec);
    let mut variables = Vec::new();
    for _ in 0..reader.lenenc()? {
        let name = reader.lenenc_bytes()?.to_vec();
        variables.push((name, reader.lenenc_bytes()?.to_vec()));
    }
    session.state = State::with(schema, variables);
    let last = reader.u32()?;
    let mut statements = Vec::new();
    for _ in 0..reader.lenenc()? {
        let id = reader.u32()?;
        let sql = reader.lenenc_bytes()?.to_vec();
        let schema = optional(&mut reader)?.map(<[u8]>::to_vec);
        let copy = reader.u32()?;
        let prepared = Prepared {
            statement: classify(&sql),
            digest: digest(&sql, &mut Vec::new()),
            text: Arc::new(Text::new(sql, schema, copy)),
            parameters: reader.u16()?,
            // Only shown, and not worth a place in what moves.
            columns: 0,
            types: reader.lenenc_bytes()?.to_vec(),
            cursor: false,
            long_data: false,
        };
        statements.push((id, prepared));
    }
    session.statements = ClientStatements::with(last, statements);
    Ok((session, password.map(Secret::of)))
}

fn put_optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    out.push(u8::from(bytes.is_some()));
    if let Some(bytes) = bytes {
        put_lenenc_bytes(out, bytes);
    }
}

fn optional<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Malformed> {
    match reader.u8()? {
        0 => Ok(None),
        _ => reader.lenenc_bytes().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session() -> Session {
        let key = Key {
            user: Arc::from("app"),
            capabilities: Capabilities(0x1_0000_0200),
            collation: 255,
            address: None,
        };
        let mut session = Session::new(7, "10.0.0.9".to_owned(), key, Phase::Ready);
        session.autocommit = false;
        session.row_count = Some(-1);
        let told = "0-1-7,5-2-9";
        session.written = Some(Box::new(Written::read_back(told, true)));
        let variables = vec![(b"sql_mode".to_vec(), b"sql_mode=''".to_vec())];
        session.state = State::with(Some(b"shop".to_vec()), variables);
        let sql = b"SELECT ?".to_vec();
        session.statements.insert(Prepared {
            statement: classify(&sql),
            digest: digest(&sql, &mut Vec::new()),
            text: Arc::new(Text::new(sql, None, 1)),
            parameters: 1,
            columns: 0,
            types: vec![8, 0],
            cursor: false,
            long_data: false,
        });
        session
    }

    #[test]
    fn a_session_goes_on_as_it_was() {
        let before = session();
        for password in [None, Some(Secret::new("of a guest"))] {
            let (after, told) = decode(&before.encode(password.as_ref())).expect("its own bytes");
            assert_eq!(format!("{after:?}"), format!("{before:?}"));
            assert_eq!(told, password);
        }
    }

    #[test]
    fn bytes_of_another_format_are_refused() {
        let mut bytes = session().encode(None);
        bytes[0] += 1;
        assert!(decode(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_receiver(bytes: Vec<u8>, cut: usize) {
            let _ = decode(&bytes);
            let whole = session().encode(None);
            let _ = decode(&whole[..cut % whole.len()]);
        }
    }
}
