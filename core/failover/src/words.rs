//! The sentence and the precondition of each effect, as people read them in plans and logs.

use mainstay_gtid::Difference;
use mainstay_topology::{Record, Routes, ServerName, Target, Wish};

use crate::effect::{Effect, Manner};

/// What the effect does and why, in one sentence.
pub(crate) fn sentence(effect: &Effect) -> String {
    match effect {
        Effect::StopReceiver { server } => of_stop(server),
        Effect::EndProcess { server } => format!("End the server process of {server}."),
        Effect::Fence { server } => of_fence(server),
        Effect::Publish { routes } => of_routes(routes),
        Effect::Drain { server } => of_wait(server, "no write of a proxy is in flight"),
        Effect::Demote { server } => {
            format!("Make {server} read-only and read which transactions it has executed.")
        }
        Effect::ApplyReceived { server } => {
            format!("Wait until {server} has applied everything it has received.")
        }
        Effect::AwaitApplied {
            server,
            transactions,
        } => format!(
            "Wait until {server} has applied {}.",
            one_line(transactions)
        ),
        Effect::Record { record } => of_record(record),
        Effect::Attach {
            server,
            source,
            manner,
            ..
        } => of_attach(server, source, *manner),
        Effect::AwaitAttached { server, source } => {
            let name = &source.name;
            format!(
                "Wait until {server} receives from {name} and holds all that {name} has executed."
            )
        }
        Effect::AwaitClients { server, clients } => {
            format!("Wait until {clients} acknowledging replica(s) are attached to {server}.")
        }
        Effect::EnableSemiSync {
            server,
            acknowledgements: count,
            ..
        } => format!("Let every commit on {server} wait for {count} acknowledgement(s)."),
        Effect::OpenWrites { server } => format!("Let {server} accept writes."),
        Effect::DropAddress { server, .. } => of_address("Take", "off", server),
        Effect::TakeAddress { server, .. } => of_address("Put", "on", server),
        Effect::ReleaseProved { server, .. } => format!(
            "End the wait of commits on {server} for an acknowledgement that was lost: its \
             replicas hold all that it has written."
        ),
        Effect::CloseRing { server, source } => of_ring(server, source),
        Effect::ForgetSource { server } => format!("Let {server} forget its former source."),
        Effect::RunHook { call } => call.sentence(),
        Effect::Wish { server, wish } => of_wish(server, wish),
        Effect::StopReplication { server } => format!("Stop replication on {server}."),
        Effect::AwaitIdle { server } => of_wait(server, "no client has anything under way"),
        Effect::Restart { server } => format!("Shut {server} down, and wait until it is back."),
        Effect::SaveErrant {
            server,
            transactions: set,
        } => {
            let set = one_line(set);
            format!("Save the transactions that only {server} has to a file: {set}.")
        }
        Effect::ApplyTail { server, from } => of_tail(server, from),
        Effect::Rewind {
            server,
            transactions,
        } => of_rewind(server, transactions.as_ref()),
        Effect::Reseed { server, donor } => of_reseed(server, &donor.name),
    }
}

fn of_reseed(server: &ServerName, donor: &ServerName) -> String {
    format!("Replace the data of {server} by a copy of those of {donor}.")
}

fn of_address(verb: &str, place: &str, server: &ServerName) -> String {
    format!("{verb} the writer's address {place} the host of {server}.")
}

fn of_ring(server: &ServerName, source: &Target) -> String {
    let name = &source.name;
    format!("Let {server} replicate from {name} too, without acknowledging.")
}

fn of_attach(server: &ServerName, source: &Target, manner: Manner) -> String {
    let manner = in_manner(manner);
    format!(
        "Make {server} a read-only replica of {}{manner}.",
        source.name
    )
}

fn in_manner(manner: Manner) -> String {
    let silent = match manner.acknowledges {
        Some(true) => "",
        Some(false) | None => " that does not acknowledge",
    };
    match manner.delay.map(|delay| delay.as_secs()) {
        None | Some(0) => silent.to_owned(),
        Some(seconds) if silent.is_empty() => format!(" that stays {seconds} s behind"),
        Some(seconds) => format!("{silent} and stays {seconds} s behind"),
    }
}

fn of_wait(server: &ServerName, what: &str) -> String {
    format!("Wait until {what} on {server}.")
}

fn of_wish(server: &ServerName, wish: &Wish) -> String {
    let mut words: Vec<String> = wish.why_off().into_iter().collect();
    let source = wish.source.as_ref();
    words.extend(source.map(|source| format!("follows {source}")));
    match words.as_slice() {
        [] => format!("Keep in mind: {server} is in service."),
        words => format!("Keep in mind: {server} {}.", words.join(", and ")),
    }
}

fn of_tail(server: &ServerName, from: &ServerName) -> String {
    format!(
        "Read from the disk of {from}, whose process is gone, what no replica has received, and \
         apply it on {server}."
    )
}

fn of_rewind(server: &ServerName, transactions: Option<&Difference>) -> String {
    match transactions.map(one_line) {
        Some(set) => format!(
            "Undo on {server} the saved transactions that only it has, check every row that this \
             changes, and take them out of its GTIDs: {set}."
        ),
        None => format!("Set the GTIDs of {server} to those of its data, which were rewound."),
    }
}

/// MySQL prints one origin a line.
fn one_line(transactions: &impl std::fmt::Display) -> String {
    transactions.to_string().replace('\n', "")
}

fn of_stop(server: &ServerName) -> String {
    format!("Stop receiving on {server}: it acknowledges nothing more to its source.")
}

fn of_fence(server: &ServerName) -> String {
    format!(
        "Fence {server}: cut its clients off and make it read-only, so that no client gets a \
         false OK."
    )
}

fn of_routes(routes: &Routes) -> String {
    match (&routes.writer, routes.hold_writes) {
        (None, _) => "Tell the proxies that there is no writer: writes are held.".to_owned(),
        (Some(writer), true) => format!("Tell the proxies to hold new writes to {}.", writer.name),
        (Some(writer), false) => format!("Tell the proxies to write to {}.", writer.name),
    }
}

fn of_record(record: &Record) -> String {
    let primary = record.primary.as_ref().map_or("nobody", ServerName::as_str);
    let joined: Vec<&str> = record.joined.iter().map(ServerName::as_str).collect();
    let replicas = match joined.as_slice() {
        [] => "none yet".to_owned(),
        joined => joined.join(", "),
    };
    let exposed = match record.acknowledgements {
        0 => "; acknowledged commits may be on no replica",
        _ => "",
    };
    format!(
        "Record epoch {}: primary {primary}, replicas {replicas}{exposed}.",
        record.epoch
    )
}

/// What must hold before the effect may run.
pub(crate) fn precondition(effect: &Effect) -> String {
    match effect {
        Effect::StopReceiver { server } => format!("{server} answers"),
        Effect::EndProcess { server } => format!("{server} is to be replaced"),
        Effect::Fence { server } => {
            format!("{server} is not the primary of the reign that is being opened")
        }
        Effect::Publish { .. } => "the steps before have ended".to_owned(),
        Effect::Drain { .. } => "the proxies hold new writes".to_owned(),
        Effect::Demote { server } => format!("no write is in flight on {server}"),
        Effect::ApplyReceived { server } => format!("{server} receives nothing more"),
        Effect::AwaitApplied { server, .. } => format!("{server} receives them"),
        Effect::Record { .. } => "the present primary is revoked, or stays".to_owned(),
        Effect::Attach {
            server,
            source,
            manner,
            ..
        } => {
            let recorded = match manner.acknowledges {
                Some(true) => "is recorded as a replica and ",
                Some(false) | None => "",
            };
            format!(
                "{server} {recorded}holds nothing that {} lacks",
                source.name
            )
        }
        Effect::AwaitAttached { server, source } => {
            format!("{server} replicates from {}", source.name)
        }
        Effect::AwaitClients { server, .. } => format!("replicas of {server} are connecting"),
        Effect::EnableSemiSync { server, .. } | Effect::OpenWrites { server } => {
            format!("{server} is the recorded primary and has applied all it received")
        }
        Effect::ReleaseProved { server, .. } => {
            format!("{server} has written nothing since, and its replicas hold everything")
        }
        Effect::CloseRing { server, source } => format!(
            "{} replicates from {server} and has nothing of its own",
            source.name
        ),
        Effect::ForgetSource { server } => format!("{server} is the recorded primary"),
        Effect::DropAddress { server, .. } => format!("{server} gets no writes from now on"),
        Effect::TakeAddress { server, .. } => {
            format!("{server} is the recorded primary and accepts writes")
        }
        Effect::RunHook { .. } => "no server was changed yet".to_owned(),
        Effect::Wish { .. } => "an operator wants it".to_owned(),
        Effect::StopReplication { server } => format!("{server} does not acknowledge"),
        Effect::AwaitIdle { server } => format!("the proxies send {server} nothing new"),
        Effect::Restart { server } => format!("{server} is in maintenance"),
        Effect::ApplyTail { from, .. } => format!("the process of {from} is gone"),
        Effect::SaveErrant { server, .. }
        | Effect::Rewind { server, .. }
        | Effect::Reseed { server, .. } => {
            format!("{server} is neither the primary nor counted on as a replica")
        }
    }
}
