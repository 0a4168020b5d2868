//! What one step does to the world. An effect carries all it needs: whoever runs it never looks
//! at the topology to decide.

use std::time::Duration;

use mainstay_gtid::{Difference, GtidSet};
use mainstay_topology::{
    Address, Dialect, Epoch, Record, Routes, SemiSyncWords, ServerName, Target, Wish,
};

use crate::hook::Call;

/// One idempotent action: run twice, it does no more than run once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Stop the replica's receiver, so that it acknowledges nothing more to its source.
    /// Its applier goes on. Answers [`Output::Held`]: everything the replica holds now.
    StopReceiver {
        /// The replica.
        server: ServerName,
    },
    /// Ask the host to end the server's process, and wait until it is gone.
    /// Fails where no such means is configured.
    EndProcess {
        /// The server.
        server: ServerName,
    },
    /// Make a server that is not the primary unable to acknowledge: cut its clients off, read-only,
    /// semi-synchronous source off, in the order that lets no client receive a false OK.
    Fence {
        /// The server.
        server: ServerName,
    },
    /// Tell the proxies these routes. Also used to hold writes (`hold_writes`) and to release them.
    Publish {
        /// The routes; the machine has already given them their epoch and version.
        routes: Routes,
    },
    /// Wait until no proxy has a write or a transaction in flight on the writer.
    Drain {
        /// The writer.
        server: ServerName,
    },
    /// Make the primary read-only, waiting briefly for running statements.
    /// Answers [`Output::Held`]: everything it has executed, read after the change.
    Demote {
        /// The primary.
        server: ServerName,
    },
    /// Wait until everything that the server itself has received is applied.
    ApplyReceived {
        /// The replica.
        server: ServerName,
    },
    /// Wait until these transactions are applied.
    AwaitApplied {
        /// The replica.
        server: ServerName,
        /// The transactions.
        transactions: GtidSet,
    },
    /// Store whose reign it is. Nothing is done in the name of an epoch before this.
    Record {
        /// The new record.
        record: Record,
    },
    /// Make the server replicate from the source: semi-synchronous source side off, replica side
    /// as its manner says, source changed, both threads started, server read-only.
    Attach {
        /// The replica.
        server: ServerName,
        /// Its new source.
        source: Target,
        /// How it follows.
        manner: Manner,
        /// Where it goes on in its source's log; `None` with GTIDs.
        start: Option<Start>,
    },
    /// Wait until the replica's receiver runs and it holds everything that its source has executed
    /// at the moment of asking.
    AwaitAttached {
        /// The replica.
        server: ServerName,
        /// Its source.
        source: Target,
    },
    /// Wait until this many acknowledging replicas are attached to the source.
    AwaitClients {
        /// The source.
        server: ServerName,
        /// How many.
        clients: u32,
    },
    /// Let commits on the server wait for acknowledgements from now on (lossless, no fallback).
    EnableSemiSync {
        /// The source.
        server: ServerName,
        /// Acknowledgements that a commit needs from now on.
        acknowledgements: u32,
        /// It has given up waiting once: only switched off and on again it waits at once.
        afresh: bool,
    },
    /// Let the server accept writes, and verify that it says so.
    OpenWrites {
        /// The new primary.
        server: ServerName,
    },
    /// End the wait of commits on the primary whose acknowledgement was lost: replicas were seen to
    /// hold everything that it has written. Does nothing when it has written more since.
    ReleaseProved {
        /// The primary.
        server: ServerName,
        /// Everything that it has written.
        transactions: GtidSet,
    },
    /// Let the host of a server give the writer's address up, and wait until it has.
    DropAddress {
        /// The server.
        server: ServerName,
        /// The present reign: a host that has heard of a later one refuses.
        epoch: Epoch,
    },
    /// Let the host of a server take the writer's address, and wait until it has.
    TakeAddress {
        /// The server.
        server: ServerName,
        /// The present reign.
        epoch: Epoch,
    },
    /// Run a program of the operator's. Answers [`Output::Said`].
    RunHook {
        /// Which, and what it is told.
        call: Box<Call>,
    },
    /// Keep what an operator wants with a server.
    Wish {
        /// The server.
        server: ServerName,
        /// From now on.
        wish: Box<Wish>,
    },
    /// Stop both threads of the replica's link.
    StopReplication {
        /// The replica.
        server: ServerName,
    },
    /// Wait until no client has a statement or a transaction under way on a server.
    AwaitIdle {
        /// The server.
        server: ServerName,
    },
    /// End the server's process by its own statement, and wait until another answers in its place.
    Restart {
        /// The server.
        server: ServerName,
    },
    /// Make the primary replicate from the passive one of the pair as well, without acknowledging:
    /// clients go on writing.
    CloseRing {
        /// The primary.
        server: ServerName,
        /// The passive one, which has nothing that the primary lacks.
        source: Target,
    },
    /// Forget the server's own source: stop its threads, reset its link.
    ForgetSource {
        /// The server.
        server: ServerName,
    },
    /// Keep the transactions that only this server has, in a file, before its data are replaced.
    SaveErrant {
        /// The server.
        server: ServerName,
        /// The transactions.
        transactions: Difference,
    },
    /// Read from the disk of a primary whose process is gone what no replica has received, and
    /// apply it on the server that takes its place. Answers [`Output::Said`].
    ApplyTail {
        /// The next primary.
        server: ServerName,
        /// The dead one.
        from: ServerName,
    },
    /// Undo the transactions that only this server has, compare what that did to each row with what
    /// it should have done, and set its GTIDs to what is left. Carries on where it was cut off.
    /// Answers [`Output::Impossible`] when a copy of the data is needed instead.
    Rewind {
        /// The server.
        server: ServerName,
        /// The transactions, which were saved; `None` when they are undone already, and no more
        /// than the GTIDs are left to be set.
        transactions: Option<Difference>,
    },
    /// Replace the server's data by a copy of the donor's.
    Reseed {
        /// The server.
        server: ServerName,
        /// The server to copy from.
        donor: Target,
    },
}

impl Effect {
    /// What it does and why, in one sentence.
    pub fn sentence(&self) -> String {
        crate::words::sentence(self)
    }
}

/// In what manner a replica follows its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Whether it acknowledges what it receives; `None` leaves that as it is.
    pub acknowledges: Option<bool>,
    /// How far behind it stays; `None` leaves that as it is.
    pub delay: Option<Duration>,
}

impl Manner {
    /// As replicas of a reign follow their primary.
    pub const ACKNOWLEDGING: Self = Self {
        acknowledges: Some(true),
        delay: None,
    };
}

/// How the place is found at which a replica without GTIDs goes on. Where it stands is read when it
/// has been stopped, and [`mainstay_topology::coordinate::start_in`] says what follows from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The source's `server_uuid`.
    pub uuid: String,
    /// How the names of the source's log begin.
    pub base: String,
    /// One state of the data as a place in several logs: that in which the reign began.
    pub equal: GtidSet,
}

/// What an effect answers when it succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Nothing but success.
    Done,
    /// The transactions that the server holds.
    Held(GtidSet),
    /// Success, and what was done, in a sentence, or what a program has printed.
    Said(String),
    /// It was found out that it cannot be done here, and why: another way must be taken.
    Impossible(String),
}

/// Where an effect runs, for those that run on one server, and how it is spoken to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The server.
    pub name: ServerName,
    /// Where it listens.
    pub address: Address,
    /// The channel of this cluster; empty for the one without a name.
    pub channel: String,
    /// The words that it understands.
    pub dialect: Dialect,
    /// Those of its semi-synchronous replication.
    pub semi_sync: SemiSyncWords,
    /// It keeps its place in logs, and knows no GTIDs.
    pub positions: bool,
}
