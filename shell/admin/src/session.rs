//! One client of the admin interface: its commands, one after the other, on a thread of its own.
//!
//! There are few of them, and the embedded database makes its callers wait anyway.

mod channel;
mod prepared;

use mainstay_command::first_word;
use mainstay_wire::result::{ColumnDefinition, put_text_row};
use mainstay_wire::{Capabilities, Command, ErrPacket, ErrorCode, OkPacket, StatusFlags};

use crate::admin::{Admin, Who};
use crate::database::Answer;
use crate::error::AdminError;
use crate::figures::Cell;

pub(crate) use channel::{Channel, Lost};
use prepared::Statements;

/// A session that is logged in.
pub(crate) struct Session<'a> {
    pub(crate) admin: &'a Admin,
    pub(crate) who: Who,
    pub(crate) capabilities: Capabilities,
    pub(crate) channel: Channel,
    statements: Statements,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Binary,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        admin: &'a Admin,
        who: Who,
        capabilities: Capabilities,
        channel: Channel,
    ) -> Self {
        Self {
            admin,
            who,
            capabilities,
            channel,
            statements: Statements::default(),
        }
    }

    /// Until the client leaves.
    pub(crate) fn serve(mut self) -> Result<(), Lost> {
        loop {
            self.channel.begin();
            let payload = self.channel.receive()?;
            let Some((&first, rest)) = payload.split_first() else {
                return Err(Lost::Garbage);
            };
            match Command::from_byte(first) {
                Command::Quit => return Ok(()),
                Command::Query => self.query(rest)?,
                Command::InitDb => {
                    let name = String::from_utf8_lossy(rest).into_owned();
                    self.query(format!("USE {name}").as_bytes())?;
                }
                Command::Ping | Command::SetOption | Command::Debug => self.ok(0, "")?,
                Command::ResetConnection => {
                    self.statements = Statements::default();
                    self.ok(0, "")?;
                }
                Command::Statistics => {
                    let line = format!("Mainstay admin interface {}", self.admin.version);
                    self.channel
                        .send(|out| out.extend_from_slice(line.as_bytes()))?;
                }
                Command::FieldList => self.end_of_rows()?,
                Command::StmtPrepare => self.prepare(rest)?,
                Command::StmtExecute => self.execute(&payload)?,
                Command::StmtSendLongData => self.statements.take_long_data(rest),
                Command::StmtClose => self.statements.close(rest),
                Command::StmtReset => {
                    self.statements.reset(rest);
                    self.ok(0, "")?;
                }
                _ => {
                    let text = "the admin interface does not know this command of the protocol";
                    self.error(&ErrorCode::UnknownCommand.with(text))?;
                }
            }
        }
    }

    fn query(&mut self, text: &[u8]) -> Result<(), Lost> {
        let Ok(text) = std::str::from_utf8(text) else {
            let text = "statements are UTF-8 here";
            return self.error(&ErrorCode::ParseError.with(text));
        };
        let answer = self.admin.execute(&mut self.who, text, &[]);
        self.answer(answer, Form::Text, text)
    }

    fn answer(
        &mut self,
        answer: Result<Answer, AdminError>,
        form: Form,
        text: &str,
    ) -> Result<(), Lost> {
        match answer {
            Ok(Answer::Done { affected, info }) => self.ok(affected, &info),
            Ok(Answer::Rows { columns, rows }) => self.rows(&columns, &rows, form),
            Err(error) => {
                let statement = first_word(text);
                tracing::info!(user = self.who.asker.user, statement, %error, "not done");
                self.error(&error.packet())
            }
        }
    }

    fn ok(&mut self, affected_rows: u64, info: &str) -> Result<(), Lost> {
        let ok = OkPacket {
            affected_rows,
            status: StatusFlags::AUTOCOMMIT,
            info: info.as_bytes().to_vec(),
            ..OkPacket::default()
        };
        let capabilities = self.capabilities;
        self.channel.send(|out| ok.encode(out, capabilities))
    }

    fn error(&mut self, error: &ErrPacket) -> Result<(), Lost> {
        self.channel.send(|out| error.encode(out))
    }

    fn rows(&mut self, columns: &[String], rows: &[Vec<Cell>], form: Form) -> Result<(), Lost> {
        self.channel
            .put(|out| mainstay_wire::codec::put_lenenc(out, columns.len() as u64))?;
        self.definitions(columns)?;
        for row in rows {
            let texts: Vec<_> = row.iter().map(Cell::text).collect();
            let fields: Vec<_> = texts
                .iter()
                .map(|text| text.as_deref().map(str::as_bytes))
                .collect();
            self.channel.put(|out| match form {
                Form::Text => put_text_row(out, fields.iter().copied()),
                Form::Binary => mainstay_wire::execution::put_binary_row(out, &fields),
            })?;
        }
        self.end_of_rows()
    }

    /// Definitions of columns; all are texts, as `ProxySQL` sends them.
    fn definitions(&mut self, columns: &[String]) -> Result<(), Lost> {
        for column in columns {
            let definition = ColumnDefinition::text(column);
            self.channel.put(|out| definition.encode(out))?;
        }
        if self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            return Ok(());
        }
        self.put_eof()
    }

    fn put_eof(&mut self) -> Result<(), Lost> {
        let eof = mainstay_wire::EofPacket {
            warnings: 0,
            status: StatusFlags::AUTOCOMMIT,
        };
        self.channel.put(|out| eof.encode(out))
    }

    fn end_of_rows(&mut self) -> Result<(), Lost> {
        let end = OkPacket {
            status: StatusFlags::AUTOCOMMIT,
            ..OkPacket::default()
        };
        let capabilities = self.capabilities;
        self.channel
            .send(|out| mainstay_wire::response::put_result_end(out, &end, capabilities))
    }
}
