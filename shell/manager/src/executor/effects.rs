//! What each effect does, beyond sending its statements: what it waits for and what it answers.

use std::path::Path;
use std::time::Duration;

use mainstay_failover::dialect::cure as cure_of;
use mainstay_failover::{Effect, Output, Step};
use mainstay_gtid::{Difference, GtidSet};
use mainstay_topology::{Facts, Link, Receiver, Record, ServerName, Target, Wish};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::expand::Filling;
use super::hand::Lent;
use super::placing::Placing;
use super::{
    Done, Executor, applier, dialect, events, reseed, restart, rewind, ring, salvage, statements,
    tail,
};
use crate::control::HostControl;
use crate::hooks;
use crate::look::look;
use crate::positions::{await_applied, in_all_logs};

/// Pause between two looks while something is waited for.
const PAUSE: Duration = Duration::from_millis(3);

pub(super) async fn run(executor: &Executor, step: &Step) -> Done {
    match &step.effect {
        Effect::StopReceiver { server } => stop_receiver(executor, step, server).await,
        Effect::Demote { server } => {
            let mut connection = send(executor, step, server).await?;
            Ok(Output::Held(in_all_logs(&facts(&mut connection).await?)))
        }
        Effect::ApplyReceived { server } if has_positions(step) => {
            wait_for_place(executor, step, (server, None)).await
        }
        Effect::AwaitApplied {
            server,
            transactions,
        } if has_positions(step) => {
            wait_for_place(executor, step, (server, Some(transactions))).await
        }
        Effect::Fence { server }
        | Effect::Attach { server, .. }
        | Effect::EnableSemiSync { server, .. }
        | Effect::StopReplication { server }
        | Effect::ForgetSource { server }
        | Effect::OpenWrites { server }
        | Effect::ReleaseProved { server, .. }
        | Effect::ApplyReceived { server }
        | Effect::AwaitApplied { server, .. } => {
            send(executor, step, server).await?;
            Ok(Output::Done)
        }
        Effect::CloseRing { source, .. } => ring::close(executor, step, source).await,
        Effect::AwaitAttached { server, source } => await_attached(executor, server, source).await,
        Effect::AwaitClients { server, clients } => {
            await_clients(executor, step, server, *clients).await
        }
        Effect::Record { record } => store_record(executor, record).await,
        Effect::Publish { routes } => {
            executor.publish(routes);
            Ok(Output::Done)
        }
        Effect::RunHook { call } => hooks::run(executor.hooks.as_ref(), call).await,
        Effect::Wish { server, wish } => store_wish(executor, server, wish).await,
        Effect::AwaitIdle { server } => restart::await_idle(executor, step, server).await,
        Effect::Restart { server } => restart::restart(executor, step, server).await,
        Effect::Drain { server } => drain(executor, step, server).await,
        Effect::EndProcess { server } => {
            let host = host(executor, "end its process", server)?;
            host.end_process(server).await.map(done)
        }
        Effect::DropAddress { server, epoch } => {
            let host = host(executor, "move an address", server)?;
            host.drop_address(server, *epoch).await.map(done)
        }
        Effect::TakeAddress { server, epoch } => {
            let host = host(executor, "move an address", server)?;
            host.take_address(server, *epoch).await.map(done)
        }
        Effect::SaveErrant {
            server,
            transactions,
        } => save_errant(executor, server, transactions).await,
        Effect::ApplyTail { server, from } => tail::apply(executor, server, from).await,
        Effect::Rewind {
            server,
            transactions,
        } => rewind::run(executor, step, server, transactions.as_ref()).await,
        Effect::Reseed { server, donor } => replace(executor, step, server, donor).await,
    }
}

/// The new data may give the numbers of the old again; data that stay do not.
async fn replace(executor: &Executor, step: &Step, server: &ServerName, donor: &Target) -> Done {
    let saved = executor.saved().remove(server);
    let done = reseed::run(executor, step, server, donor).await;
    if let (Err(_), Some(saved)) = (&done, saved) {
        executor.saved().insert(server.clone(), saved);
    }
    done
}

/// Answers what the server holds from then on.
async fn stop_receiver(executor: &Executor, step: &Step, server: &ServerName) -> Done {
    let mut connection = send(executor, step, server).await?;
    let facts = facts(&mut connection).await?;
    if facts.rewinding {
        return Err(format!(
            "{server} is being rewound: what it says it holds is not so"
        ));
    }
    Ok(Output::Held(facts.held().clone()))
}

fn done((): ()) -> Output {
    Output::Done
}

/// Answers where the server then stands, in its source's log and in its own.
async fn wait_for_place(
    executor: &Executor,
    step: &Step,
    (server, wanted): (&ServerName, Option<&GtidSet>),
) -> Done {
    let mut connection = send(executor, step, server).await?;
    let reached = await_applied(&mut connection, wanted).await?;
    Ok(Output::Held(reached))
}

fn has_positions(step: &Step) -> bool {
    step.place.as_ref().is_some_and(|place| place.positions)
}

/// A connection to the server.
pub(super) async fn lend(executor: &Executor, server: &ServerName) -> Result<Lent, String> {
    executor.lend(server).await
}

pub(super) fn filling<'a>(executor: &'a Executor, step: &'a Step) -> Filling<'a> {
    Filling {
        manager: &executor.login,
        replication: &executor.replication,
        until: Instant::now() + step.limit,
        placing: match &step.effect {
            Effect::Attach {
                server,
                source,
                start: Some(start),
                ..
            } => Some(Placing {
                executor,
                server,
                source: &source.name,
                start,
            }),
            _ => None,
        },
    }
}

/// Sends the step's statements. Once more on a new connection, if the kept one had died unnoticed:
/// every step may run twice.
pub(super) async fn send(
    executor: &Executor,
    step: &Step,
    server: &ServerName,
) -> Result<Lent, String> {
    let mut connection = lend(executor, server).await?;
    let sent = send_on(&mut connection, executor, step).await;
    if sent.is_err() && connection.is_broken() {
        drop(connection);
        connection = lend(executor, server).await?;
        send_on(&mut connection, executor, step).await?;
        return Ok(connection);
    }
    sent.map(|()| connection)
}

async fn send_on(connection: &mut Lent, executor: &Executor, step: &Step) -> Result<(), String> {
    connection.repair_with(dialect::repair(step));
    events::remember(executor, step, connection).await?;
    let own = connection.connection_id();
    tokio::select! {
        sent = cured(connection, executor, step) => sent?,
        never = applier::unblock(executor, step, own) => match never {},
    }
    events::restore(executor, step, connection).await;
    connection.repair_with(None);
    Ok(())
}

/// Sends the statements; once more after the cure, if the server names an error that has one.
async fn cured(connection: &mut Lent, executor: &Executor, step: &Step) -> Result<(), String> {
    let filling = filling(executor, step);
    let Err(refused) = statements::run(connection, &step.sql, filling).await else {
        return Ok(());
    };
    // A reset would not be of one channel only.
    let place = step.place.as_ref();
    let cure = place
        .filter(|place| place.channel.is_empty())
        .zip(refused.code);
    let cure = cure.and_then(|(place, code)| cure_of(&step.effect, place.dialect, code));
    let reason = String::from(refused);
    let Some(cure) = cure else {
        return Err(reason);
    };
    tracing::warn!(%reason, cure, "the server's record of its source is unreadable: it is reset");
    let reset = connection.execute(cure).await;
    reset.map_err(|error| format!("{reason}; `{cure}`: {error}"))?;
    Ok(statements::run(connection, &step.sql, filling).await?)
}

pub(super) async fn facts(connection: &mut Lent) -> Result<Facts, String> {
    let channel = connection.channel();
    look(connection, &channel)
        .await
        .map_err(|error| error.to_string())
}

/// The source's own count of attached replicas that acknowledge.
async fn await_clients(
    executor: &Executor,
    step: &Step,
    server: &ServerName,
    clients: u32,
) -> Done {
    let mut connection = lend(executor, server).await?;
    loop {
        for statement in &step.sql {
            let status = connection
                .query(statement)
                .await
                .map_err(|error| error.to_string())?;
            let count = status.first().and_then(|row| row.get("Value"));
            if count.and_then(|text| text.parse().ok()).unwrap_or(0) >= clients {
                return Ok(Output::Done);
            }
        }
        sleep(PAUSE).await;
    }
}

/// Looks at the replica until it is attached; the limit of the step is the end of it, or that its
/// source has turned it away.
async fn await_attached(executor: &Executor, server: &ServerName, source: &Target) -> Done {
    let mut connection = lend(executor, &source.name).await?;
    let of_source = facts(&mut connection).await?;
    let baseline: GtidSet = of_source.own_log().unwrap_or(of_source.executed);
    drop(connection);
    let mut connection = lend(executor, server).await?;
    loop {
        let link = facts(&mut connection).await?.link;
        let link = link.filter(|link| link.source == source.address);
        if let Some(link) = link
            && attached(&link, &baseline)?
        {
            return Ok(Output::Done);
        }
        sleep(PAUSE).await;
    }
}

fn attached(link: &Link, baseline: &GtidSet) -> Result<bool, String> {
    match link.receiver {
        Receiver::Running => Ok(link.received.contains(baseline)),
        // A receiver that tries again says that it is connecting.
        Receiver::Stopped if link.receiver_error != 0 => Err(format!(
            "its receiver from {} has stopped with error {}",
            link.source, link.receiver_error
        )),
        Receiver::Stopped | Receiver::Connecting => Ok(false),
    }
}

/// Not a second time for the same transactions: what is done after it may have to be tried again.
async fn save_errant(executor: &Executor, server: &ServerName, transactions: &Difference) -> Done {
    let gtids = transactions.to_string();
    let said = |folder: &Path| Output::Said(format!("they are in {}", folder.display()));
    if let Some(saved) = executor.saved().get(server)
        && saved.gtids == gtids
    {
        return Ok(said(&saved.folder));
    }
    let saved = salvage::save(executor, server, transactions).await?;
    tracing::info!(%server, place = %saved.folder.display(), "errant transactions are saved");
    let folder = saved.folder.clone();
    executor.saved().insert(server.clone(), saved);
    Ok(said(&folder))
}

async fn store_record(executor: &Executor, record: &Record) -> Done {
    let (store, record) = (executor.store.clone(), record.clone());
    spawn_blocking(move || store.write_record(&record))
        .await
        .expect("the store does not panic")
        .map(|()| Output::Done)
        .map_err(|error| error.to_string())
}

async fn store_wish(executor: &Executor, server: &ServerName, wish: &Wish) -> Done {
    let (store, server, wish) = (executor.store.clone(), server.clone(), wish.clone());
    spawn_blocking(move || store.write_wish(&server, &wish))
        .await
        .expect("the store does not panic")
        .map(|()| Output::Done)
        .map_err(|error| error.to_string())
}

/// The manager's own write probe is a client like others: it must have ended too.
async fn drain(executor: &Executor, step: &Step, server: &ServerName) -> Done {
    if !executor.proxy.drained(step.limit).await {
        return Err(format!("writes on {server} did not end in time"));
    }
    let mut busy = executor.probe_busy.clone();
    let idle = busy.wait_for(|busy| !busy).await;
    idle.map(|_| Output::Done)
        .map_err(|_| "the manager is stopping".to_owned())
}

pub(super) fn host<'a>(
    executor: &'a Executor,
    what: &str,
    server: &ServerName,
) -> Result<&'a dyn HostControl, String> {
    let sentence = || format!("there is no means on the host of {server} to {what}");
    executor.host.as_deref().ok_or_else(sentence)
}

#[cfg(test)]
mod tests {
    use mainstay_gtid::Family;
    use mainstay_topology::{Address, Applier};

    use super::*;

    fn link(receiver: Receiver, receiver_error: u32) -> Link {
        Link {
            source: Address {
                host: "127.0.0.1".to_owned(),
                port: 3301,
            },
            receiver,
            receiver_error,
            applier: Applier::Running,
            received: set("0-1-7"),
            heard: 0,
            lag: None,
        }
    }

    fn set(text: &str) -> GtidSet {
        GtidSet::parse(Family::Mariadb, text).expect("a set")
    }

    #[test]
    fn a_replica_that_its_source_turns_away_is_not_waited_for() {
        let baseline = set("0-1-7");
        assert_eq!(attached(&link(Receiver::Running, 0), &baseline), Ok(true));
        assert_eq!(
            attached(&link(Receiver::Running, 0), &set("0-1-8")),
            Ok(false)
        );
        assert_eq!(
            attached(&link(Receiver::Connecting, 2003), &baseline),
            Ok(false)
        );
        assert_eq!(attached(&link(Receiver::Stopped, 0), &baseline), Ok(false));
        let reason = attached(&link(Receiver::Stopped, 1236), &baseline).unwrap_err();
        assert!(reason.ends_with("has stopped with error 1236"), "{reason}");
    }
}
