//! Prepared statements: kept as text, since the embedded database is shared and prepares quickly.

use std::collections::BTreeMap;

use mainstay_wire::ErrorCode;
use mainstay_wire::codec::{put_u16, put_u32};
use mainstay_wire::execution::{Given, parameters};

use super::{Form, Lost, Session};
use crate::figures::Cell;

/// More than a program needs; a leak ends here.
const STATEMENTS_MAX: usize = 1_000;

/// Pieces of long parameters, of all statements together.
const LONG_DATA_MAX: usize = 16 << 20;

/// One statement.
#[derive(Debug, Default)]
struct Prepared {
    text: String,
    params: u16,
    /// As the last execution gave them.
    types: Vec<u8>,
    long: BTreeMap<u16, Vec<u8>>,
}

/// The statements of a session.
#[derive(Debug, Default)]
pub(super) struct Statements {
    known: BTreeMap<u32, Prepared>,
    last: u32,
}

impl Statements {
    pub(super) fn close(&mut self, rest: &[u8]) {
        if let Some(id) = id(rest) {
            self.known.remove(&id);
        }
    }

    pub(super) fn reset(&mut self, rest: &[u8]) {
        let known = id(rest).and_then(|id| self.known.get_mut(&id));
        if let Some(prepared) = known {
            prepared.long.clear();
        }
    }

    /// One parameter in pieces; gets no reply, so what is wrong is told at the execution.
    pub(super) fn take_long_data(&mut self, rest: &[u8]) {
        let held: usize = self
            .known
            .values()
            .flat_map(|prepared| prepared.long.values().map(Vec::len))
            .sum();
        let Some((place, data)) = rest.split_at_checked(6) else {
            return;
        };
        let known = id(place).and_then(|id| self.known.get_mut(&id));
        if let Some(prepared) = known.filter(|_| held + data.len() <= LONG_DATA_MAX) {
            let at = u16::from_le_bytes([place[4], place[5]]);
            prepared.long.entry(at).or_default().extend_from_slice(data);
        }
    }
}

fn id(rest: &[u8]) -> Option<u32> {
    rest.first_chunk().copied().map(u32::from_le_bytes)
}

impl Session<'_> {
    pub(super) fn prepare(&mut self, text: &[u8]) -> Result<(), Lost> {
        let text = String::from_utf8_lossy(text).into_owned();
        if self.statements.known.len() >= STATEMENTS_MAX {
            let text = format!("a session has at most {STATEMENTS_MAX} prepared statements");
            return self.error(&ErrorCode::UserLimit.with(text));
        }
        let described = self.admin.describe(&self.who, &text);
        let (params, columns) = match described {
            Ok(described) => described,
            Err(error) => return self.error(&error.packet()),
        };
        let Ok(count) = u16::try_from(params) else {
            return self.error(&ErrorCode::ParseError.with("too many parameters"));
        };
        self.statements.last = self.statements.last.wrapping_add(1);
        let id = self.statements.last;
        let prepared = Prepared {
            text,
            params: count,
            ..Prepared::default()
        };
        self.statements.known.insert(id, prepared);
        self.channel.put(|out| {
            out.push(0);
            put_u32(out, id);
            put_u16(out, columns.len() as u16);
            put_u16(out, count);
            out.push(0);
            put_u16(out, 0);
        })?;
        let questions = vec!["?".to_owned(); params];
        for names in [&questions, &columns] {
            if !names.is_empty() {
                self.definitions(names)?;
            }
        }
        self.channel.flush()
    }

    pub(super) fn execute(&mut self, payload: &[u8]) -> Result<(), Lost> {
        let known = id(payload.get(1..).unwrap_or_default());
        let Some(prepared) = known.and_then(|id| self.statements.known.get_mut(&id)) else {
            return self.error(&ErrorCode::UnknownStatement.with("Unknown prepared statement"));
        };
        let long = std::mem::take(&mut prepared.long);
        let given = parameters(payload, prepared.params, &mut prepared.types);
        let text = prepared.text.clone();
        let given = match given {
            Ok(given) => given,
            Err(error) => {
                let text = format!("the parameters cannot be read: {error}");
                return self.error(&ErrorCode::MalformedPacket.with(text));
            }
        };
        let mut params: Vec<_> = given.into_iter().map(cell).collect();
        for (at, bytes) in long {
            if let Some(param) = params.get_mut(usize::from(at)) {
                *param = cell(Given::Bytes(bytes));
            }
        }
        let answer = self.admin.execute(&mut self.who, &text, &params);
        self.answer(answer, Form::Binary, &text)
    }
}

fn cell(given: Given) -> Cell {
    match given {
        Given::Null => Cell::Null,
        Given::Int(number) => Cell::Integer(number),
        Given::Double(number) => Cell::Real(number),
        Given::Bytes(bytes) => Cell::Text(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
