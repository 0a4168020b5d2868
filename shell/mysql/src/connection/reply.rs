//! Reading replies into memory, packet by packet.

use std::sync::Arc;

use mainstay_wire::codec::Reader;
use mainstay_wire::packet::MAX_PAYLOAD;
use mainstay_wire::response::{
    EOF_HEADER, ERR_HEADER, EofPacket, LOCAL_INFILE_HEADER, OK_HEADER, StatusFlags,
};
use mainstay_wire::result::{ColumnDefinition, parse_text_row};
use mainstay_wire::statement::parse_binary_row;
use mainstay_wire::{Capabilities, ErrPacket, OkPacket};

use super::Connection;
use crate::{Error, OkReply, ResultSet, Row, Statement};

/// How rows are encoded.
#[derive(Clone, Copy)]
pub(super) enum RowFormat {
    Text,
    Binary,
}

impl Connection {
    pub(super) async fn replies(
        &mut self,
        format: RowFormat,
    ) -> Result<(ResultSet, OkReply), Error> {
        let result = self.read_replies(format).await;
        self.finish(result)
    }

    async fn read_replies(&mut self, format: RowFormat) -> Result<(ResultSet, OkReply), Error> {
        let mut first = None;
        loop {
            let (rows, ok) = self.read_reply(format).await?;
            let first = first.get_or_insert(rows);
            if !ok.status.contains(StatusFlags::MORE_RESULTS_EXISTS) {
                return Ok((std::mem::take(first), ok));
            }
        }
    }

    async fn read_reply(&mut self, format: RowFormat) -> Result<(ResultSet, OkReply), Error> {
        let payload = self.receive().await?;
        match payload.first() {
            Some(&OK_HEADER) => {
                let ok = OkPacket::parse(&payload, self.capabilities)?;
                return Ok((ResultSet::default(), ok.into()));
            }
            Some(&LOCAL_INFILE_HEADER) => {
                return Err(Error::Protocol(
                    "the server asks for a local file".to_owned(),
                ));
            }
            _ => {}
        }
        let count = Reader::new(&payload).lenenc()?;
        let mut columns = Vec::new();
        for _ in 0..count {
            columns.push(ColumnDefinition::parse(&self.receive().await?)?);
        }
        self.end_of_definitions().await?;
        let names: Arc<[String]> = columns.iter().map(|column| column.name.clone()).collect();
        let mut rows = Vec::new();
        loop {
            let payload = self.receive().await?;
            if let Some(ok) = self.end_of_rows(&payload)? {
                return Ok((
                    ResultSet {
                        columns: names.to_vec(),
                        rows,
                    },
                    ok,
                ));
            }
            let fields = fields(&payload, &columns, format)?;
            rows.push(Row {
                columns: Arc::clone(&names),
                fields,
            });
        }
    }

    pub(super) async fn prepared(&mut self) -> Result<Statement, Error> {
        let payload = self.receive().await?;
        let mut reader = Reader::new(&payload);
        if reader.u8()? != OK_HEADER {
            return Err(Error::Protocol("an unknown reply to a prepare".to_owned()));
        }
        let id = reader.u32()?;
        let columns = reader.u16()?;
        let params = reader.u16()?;
        for count in [params, columns] {
            for _ in 0..count {
                self.receive().await?;
            }
            if count > 0 {
                self.end_of_definitions().await?;
            }
        }
        Ok(Statement { id, params })
    }

    /// The next payload, unless it is an error.
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let payload = self.stream.receive().await?;
        match payload.first() {
            Some(&ERR_HEADER) => Err(ErrPacket::parse(&payload)?.into()),
            Some(_) => Ok(payload),
            None => Err(Error::Protocol("an empty packet".to_owned())),
        }
    }

    async fn end_of_definitions(&mut self) -> Result<(), Error> {
        if !self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            EofPacket::parse(&self.receive().await?)?;
        }
        Ok(())
    }

    fn end_of_rows(&self, payload: &[u8]) -> Result<Option<OkReply>, Error> {
        let ok_ends = self.capabilities.contains(Capabilities::DEPRECATE_EOF);
        if payload.first() != Some(&EOF_HEADER) {
            return Ok(None);
        }
        if ok_ends && payload.len() < MAX_PAYLOAD {
            return Ok(Some(OkPacket::parse(payload, self.capabilities)?.into()));
        }
        if !ok_ends && payload.len() < 9 {
            let eof = EofPacket::parse(payload)?;
            let (status, warnings) = (eof.status, eof.warnings);
            return Ok(Some(OkReply {
                status,
                warnings,
                ..OkReply::default()
            }));
        }
        Ok(None)
    }
}

fn fields(
    payload: &[u8],
    columns: &[ColumnDefinition],
    format: RowFormat,
) -> Result<Vec<Option<String>>, Error> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match format {
        RowFormat::Text => {
            let row = parse_text_row(payload, columns.len())?;
            row.into_iter().map(|field| field.map(text)).collect()
        }
        RowFormat::Binary => {
            let row = parse_binary_row(payload, columns)?;
            row.into_iter()
                .map(|field| field.as_deref().map(text))
                .collect()
        }
    })
}
