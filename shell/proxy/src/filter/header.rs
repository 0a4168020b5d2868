//! The header of the PROXY protocol at the start of a connection, in however many pieces it comes.

use std::net::SocketAddr;

use mainstay_wire::proxy_protocol::{BadHeader, Start, parse};

use super::inbox::Inbox;

/// Reads one header.
#[derive(Debug, Default)]
pub(crate) struct HeaderReader {
    /// The client, and how much of the header is still to be passed over.
    passing: Option<(Option<SocketAddr>, usize)>,
}

/// How far it is.
pub(crate) enum Step {
    More,
    Absent,
    /// Read; the client where the header names one.
    Done(Option<SocketAddr>),
}

impl HeaderReader {
    pub(crate) fn read(&mut self, inbox: &mut Inbox) -> Result<Step, BadHeader> {
        if inbox.is_empty() {
            return Ok(Step::More);
        }
        let (source, left) = match self.passing {
            Some(passing) => passing,
            None => match parse(inbox.bytes())? {
                Start::Incomplete => return Ok(Step::More),
                Start::Absent => return Ok(Step::Absent),
                Start::Header { len, source } => (source, len),
            },
        };
        let now = left.min(inbox.bytes().len());
        inbox.take(now);
        self.passing = Some((source, left - now));
        Ok(if now == left {
            Step::Done(source)
        } else {
            Step::More
        })
    }
}
