//! The packets that the machine itself sends: OK, errors, short commands.
//!
//! Errors of our own and what they promise:
//!
//! | code | SQLSTATE | it means |
//! |---|---|---|
//! | 1159 | 08S01 | the statement did **not** run: no primary or no free connection came in time |
//! | | | or it asks for a counter of the statement before that is known no more |
//! | 1213 | 40001 | the transaction was rolled back with its connection: run it again |
//! | 2013 | 08S01 | the connection was lost: the outcome is unknown, or named things are gone |
//! | 1158 | 08S01 | the same, for MariaDB's client library: it reports a 2013 of a server as 2027 |
//! | 1040, 1045, 1047, 1156, 1243 | | as a server means them |

use mainstay_wire::bound::put_query;
use mainstay_wire::packet::{build_packet, put_packet};
use mainstay_wire::{Capabilities, Command, ErrPacket, OkPacket, StatusFlags};

/// An ERR packet.
pub(crate) fn error(sequence: u8, error: &ErrPacket) -> Vec<u8> {
    let mut bytes = Vec::new();
    build_packet(&mut bytes, sequence, |payload| error.encode(payload));
    bytes
}

/// An OK packet without rows.
pub(crate) fn ok(sequence: u8, capabilities: Capabilities, status: StatusFlags) -> Vec<u8> {
    let packet = OkPacket {
        status,
        ..OkPacket::default()
    };
    let mut bytes = Vec::with_capacity(16);
    build_packet(&mut bytes, sequence, |payload| {
        packet.encode(payload, capabilities);
    });
    bytes
}

/// A query of our own, in the form that a connection with these capabilities takes.
pub(crate) fn query(sql: &[u8], capabilities: Capabilities) -> Vec<u8> {
    let mut payload = Vec::with_capacity(3 + sql.len());
    put_query(&mut payload, sql, capabilities);
    let mut bytes = Vec::with_capacity(payload.len() + 4);
    put_packet(&mut bytes, 0, &payload);
    bytes
}

/// A command with its argument. Queries have a function of their own.
pub(crate) fn command(command: Command, argument: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(1 + argument.len());
    payload.push(command.byte());
    payload.extend_from_slice(argument);
    let mut bytes = Vec::with_capacity(payload.len() + 4);
    put_packet(&mut bytes, 0, &payload);
    bytes
}
