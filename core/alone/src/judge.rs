//! Who is the writer. `read_only` says who may be; of several the one that was it stays, unless it
//! replicates from another. A server that never was more than a writable replica does not follow a
//! writer that has only gone silent.

use mainstay_topology::{Promotion, ServerName};

use crate::policy::Policy;
use crate::server::Server;

/// The decision, with a word on those that could have been meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) writer: Option<ServerName>,
    pub(crate) notes: Vec<(ServerName, String)>,
}

/// Decides, given who was the writer last.
pub(crate) fn judge(servers: &[Server], last: Option<&ServerName>, policy: Policy) -> Verdict {
    let writable: Vec<_> = servers
        .iter()
        .filter(|one| one.is_writable(policy))
        .collect();
    let incumbent = writable
        .iter()
        .copied()
        .find(|one| Some(one.name()) == last);
    if let Some(incumbent) = incumbent {
        return stays(&writable, incumbent);
    }
    // The first to answer is not the only one that would.
    if last.is_none() && !servers.iter().all(Server::was_looked_at) {
        return Verdict::default();
    }
    match writable.as_slice() {
        [] => Verdict::default(),
        [one] => alone(servers, one, last, policy),
        several => among(several),
    }
}

/// The writer is writable still. Only its own source takes its place.
fn stays(writable: &[&Server], incumbent: &Server) -> Verdict {
    let source = writable
        .iter()
        .find(|other| incumbent.follows(other) && !other.follows(incumbent));
    let writer = source.copied().unwrap_or(incumbent);
    let mut notes = Vec::new();
    for other in writable.iter().filter(|one| one.name() != writer.name()) {
        let name = writer.name();
        let sentence = if other.name() == incumbent.name() {
            format!("was the writer; it replicates from {name}, which is writable too")
        } else {
            format!(
                "read_only=0, but {name} is the writer, and two are never written to: set \
                 read_only=1 here"
            )
        };
        notes.push((other.name().clone(), sentence));
    }
    Verdict {
        writer: Some(writer.name().clone()),
        notes,
    }
}

/// One server is writable, and it was not the writer.
fn alone(servers: &[Server], one: &Server, last: Option<&ServerName>, policy: Policy) -> Verdict {
    // Without a writer of before, nobody knows for how long it has been writable.
    let doubtful = |before: &&Server| {
        let meant = last.is_none() || one.passed_over && Some(before.name()) == last;
        let silent = before.read_only(policy).is_none();
        meant && silent && one.follows(before) && !before.follows(one)
    };
    if let Some(before) = servers.iter().find(doubtful) {
        let source = before.name();
        let sentence = format!(
            "read_only=0, but it replicates from {source}, which does not answer and may be \
             written to by others: stop replication here if this one is to take over"
        );
        return Verdict {
            writer: None,
            notes: vec![(one.name().clone(), sentence)],
        };
    }
    Verdict {
        writer: Some(one.name().clone()),
        notes: Vec::new(),
    }
}

/// Several are writable, and none of them was the writer.
fn among(several: &[&Server]) -> Verdict {
    let is_source_of_all = |one: &&&Server| {
        let mut others = several.iter().filter(|other| other.name() != one.name());
        others.all(|other| other.follows(one) && !one.follows(other))
    };
    let mut preferred = several
        .iter()
        .filter(|one| one.terms.member.promotion == Promotion::Prefer);
    let (only, more) = (preferred.next(), preferred.next());
    let source = several.iter().find(is_source_of_all);
    let (writer, why) = match (source.copied(), only.copied().filter(|_| more.is_none())) {
        (Some(source), _) => (Some(source), "is the source of this one".to_owned()),
        (None, Some(preferred)) => (Some(preferred), "has promotion = \"prefer\"".to_owned()),
        (None, None) => (None, String::new()),
    };
    let names: Vec<_> = several.iter().map(|one| one.name().as_str()).collect();
    let names = names.join(", ");
    let mut notes = Vec::new();
    for one in several
        .iter()
        .filter(|one| writer.is_none_or(|writer| writer.name() != one.name()))
    {
        let sentence = match writer {
            Some(writer) => {
                let writer = writer.name();
                format!("read_only=0, but {writer} is the writer: it {why}; set read_only=1 here")
            }
            None => format!(
                "read_only=0 on {names}, and nothing says which is meant: writes wait until one is \
                 left, or one has promotion = \"prefer\""
            ),
        };
        notes.push((one.name().clone(), sentence));
    }
    Verdict {
        writer: writer.map(|one| one.name().clone()),
        notes,
    }
}
