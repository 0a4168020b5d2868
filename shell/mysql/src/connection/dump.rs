//! Reading a server's binary logs through a connection, as a replica does.
//!
//! Source: `COM_BINLOG_DUMP` in the `MySQL` source documentation; `MariaDB` Knowledge Base,
//! "`COM_BINLOG_DUMP`" and "Replication Protocol".

use mainstay_wire::Command;
use mainstay_wire::response::{EOF_HEADER, OK_HEADER};

use super::{Connection, dialect};
use crate::Error;

/// `BINLOG_DUMP_NON_BLOCK`: the stream ends where the logs end.
const NON_BLOCK: u16 = 1;
/// Nobody's: a server ends the stream of a replica whose `server_id` asks again.
const SERVER_ID: u32 = 0;
/// Where the first event of a log begins.
const FIRST_EVENT_AT: u32 = 4;

/// The events of a log and of all that follow it.
#[derive(Debug)]
pub struct BinlogDump {
    connection: Connection,
}

impl Connection {
    /// Asks for everything in the log of this name and in those after it, up to the present end.
    /// The connection serves for nothing else afterwards.
    pub async fn dump_binlog(mut self, file: &str) -> Result<BinlogDump, Error> {
        self.execute(dialect::DUMP_TERMS).await?;
        let mut argument = FIRST_EVENT_AT.to_le_bytes().to_vec();
        argument.extend(NON_BLOCK.to_le_bytes());
        argument.extend(SERVER_ID.to_le_bytes());
        argument.extend_from_slice(file.as_bytes());
        self.begin(Command::BinlogDump, &argument).await?;
        Ok(BinlogDump { connection: self })
    }
}

impl BinlogDump {
    /// The next event: header and body, without checksum. `None` at the end.
    pub async fn next_event(&mut self) -> Result<Option<Vec<u8>>, Error> {
        // The limit of a reply is for each event, not for all of them.
        self.connection.stream.begin_part();
        let mut payload = self.connection.receive().await?;
        match payload.first() {
            Some(&OK_HEADER) => {
                payload.remove(0);
                Ok(Some(payload))
            }
            Some(&EOF_HEADER) => Ok(None),
            _ => Err(Error::Protocol(
                "an unknown packet in a binlog stream".to_owned(),
            )),
        }
    }
}
