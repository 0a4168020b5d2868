//! Groups events into transactions.
//!
//! A transaction begins with its GTID (without GTIDs: with `BEGIN`), and ends with `Xid`, `COMMIT`
//! or `ROLLBACK`, or is one statement such as DDL. What is not whole is not given: a log that ends
//! within a transaction is torn where that begins.

use std::io::Read;

use mainstay_gtid::GtidSet;

use crate::gtid::Opening;
use crate::payload::{unpack, unpack_rows};
use crate::{BinlogError, Event, Format, Gtid, Kind, Query, Reader, earlier};

/// One whole transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Who it is, where its server numbers transactions.
    pub gtid: Option<Gtid>,
    /// Where it begins in its file.
    pub at: u64,
    /// Where the next one begins.
    pub end: u64,
    /// Its events without the one that tells its GTID; what was compressed is unpacked.
    pub events: Vec<Event>,
    /// Its GTID said that it begins, instead of a `BEGIN`: `MariaDB`.
    pub(crate) is_begun_by_gtid: bool,
}

impl Transaction {
    /// A line that tells it from the others of its log.
    pub fn title(&self) -> String {
        match self.gtid {
            Some(gtid) => format!("{gtid}, at {}", self.at),
            None => format!("the transaction at {}", self.at),
        }
    }
}

/// The transactions of one log, in order.
#[derive(Debug)]
pub struct Transactions<R> {
    reader: Reader<R>,
    open: Option<Open>,
    earlier: Option<GtidSet>,
}

#[derive(Debug)]
struct Open {
    transaction: Transaction,
    /// The next statement is all of it.
    is_standalone: bool,
    /// `BEGIN` was there, or is not needed.
    has_begun: bool,
}

impl<R: Read> Transactions<R> {
    /// Reads the beginning of a log.
    pub fn new(input: R) -> Result<Self, BinlogError> {
        let reader = Reader::new(input)?;
        Ok(Self {
            reader,
            open: None,
            earlier: None,
        })
    }

    /// What the log's first event tells.
    pub fn format(&self) -> &Format {
        self.reader.format()
    }

    /// What earlier logs hold; known once the first transaction was read.
    pub fn earlier(&self) -> Option<&GtidSet> {
        self.earlier.as_ref()
    }

    /// The next transaction; `None` at the end of the log.
    pub fn next_transaction(&mut self) -> Result<Option<Transaction>, BinlogError> {
        while let Some(event) = self.reader.next_event()? {
            if let Some(set) = earlier(&event)? {
                self.earlier = Some(set);
            } else if let Some(opening) = Opening::read(&event)? {
                self.open = Some(Open::new(&event, opening));
            } else if let Some(transaction) = self.add(event)? {
                return Ok(Some(transaction));
            }
        }
        match self.open.take() {
            None => Ok(None),
            Some(open) => Err(BinlogError::Torn {
                at: open.transaction.at,
            }),
        }
    }

    /// Adds an event; answers the transaction that it ends.
    fn add(&mut self, event: Event) -> Result<Option<Transaction>, BinlogError> {
        if event.kind() == Kind::TransactionPayload {
            let mut ended = None;
            for inner in unpack(&event)? {
                ended = self.add(inner)?.or(ended);
            }
            return Ok(ended);
        }
        let event = unpack_rows(event)?;
        let edge = Edge::of(&event)?;
        if matches!(edge, Edge::Outside) {
            return Ok(None);
        }
        let opening = Opening {
            gtid: None,
            is_standalone: false,
        };
        let open = self.open.get_or_insert_with(|| Open::new(&event, opening));
        let is_last = match edge {
            Edge::Begin => {
                open.has_begun = true;
                false
            }
            Edge::Inside | Edge::Outside => false,
            Edge::End => true,
            Edge::Statement => open.is_standalone || !open.has_begun,
        };
        open.transaction.end = event.end;
        open.transaction.events.push(event);
        let ended = if is_last { self.open.take() } else { None };
        Ok(ended.map(|open| open.transaction))
    }
}

impl Open {
    fn new(event: &Event, opening: Opening) -> Self {
        let has_begun = event.kind() == Kind::MariadbGtid && !opening.is_standalone;
        Self {
            transaction: Transaction {
                gtid: opening.gtid,
                at: event.at,
                end: event.end,
                events: Vec::new(),
                is_begun_by_gtid: has_begun,
            },
            is_standalone: opening.is_standalone,
            has_begun,
        }
    }
}

/// What an event is to the transaction it is in.
enum Edge {
    /// It belongs to no transaction.
    Outside,
    Begin,
    Inside,
    End,
    /// A statement: all of the transaction, unless that has begun.
    Statement,
}

impl Edge {
    fn of(event: &Event) -> Result<Self, BinlogError> {
        if let Some(query) = Query::read(event)? {
            return Ok(match () {
                () if query.begins() => Self::Begin,
                () if query.ends() => Self::End,
                () => Self::Statement,
            });
        }
        Ok(match event.kind() {
            Kind::Xid | Kind::XaPrepare => Self::End,
            Kind::ExecuteLoadQuery => Self::Statement,
            Kind::FormatDescription
            | Kind::Stop
            | Kind::Rotate
            | Kind::Heartbeat
            | Kind::Incident
            | Kind::BinlogCheckpoint
            | Kind::PreviousGtids
            | Kind::GtidList => Self::Outside,
            _ => Self::Inside,
        })
    }
}
