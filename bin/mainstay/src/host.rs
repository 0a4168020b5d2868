//! What the manager can do on the hosts of a sandbox's servers: they are our own children.

use std::sync::Arc;

use mainstay_failover::{Hooks, Phase, Purpose};
use mainstay_manager::{HostControl, Pending, Snapshot};
use mainstay_sandbox::{RestartRole, Sandbox, Signal};
use mainstay_topology::{Record, ServerName, Target};

/// The supervisor of the sandbox, as the manager's hand on the hosts.
pub(crate) struct SandboxHost {
    pub(crate) sandbox: Arc<Sandbox>,
}

impl HostControl for SandboxHost {
    fn hooks(&self, server: &ServerName) -> Hooks {
        let ours = self
            .sandbox
            .servers()
            .iter()
            .any(|known| known.name == *server);
        Hooks {
            end_process: ours,
            reseed: ours,
        }
    }

    fn end_process(&self, server: &ServerName) -> Pending<'_, Result<(), String>> {
        let server = server.clone();
        Box::pin(async move {
            let gone = self.sandbox.kill(server.as_str(), Signal::KILL).await;
            gone.map_err(|error| error.to_string())
        })
    }

    fn save_errant(&self, server: &ServerName, gtids: &str) -> Pending<'_, Result<String, String>> {
        let (server, gtids) = (server.clone(), gtids.to_owned());
        Box::pin(async move {
            let sandbox = Arc::clone(&self.sandbox);
            let copy = move || save(&sandbox, server.as_str(), &gtids);
            let saved = tokio::task::spawn_blocking(copy).await;
            saved.map_err(|error| error.to_string())?
        })
    }

    /// Goes on to its end even if nobody waits for it any more: a server that is down between old
    /// and new data must not stay so.
    fn reseed(&self, server: &ServerName, donor: &Target) -> Pending<'_, Result<(), String>> {
        let (server, donor) = (server.clone(), donor.name.clone());
        let sandbox = Arc::clone(&self.sandbox);
        let work = async move {
            let done = sandbox.reseed(server.as_str(), donor.as_str()).await;
            done.map_err(|error| error.to_string())
        };
        Box::pin(async move {
            let done = tokio::spawn(work).await;
            done.map_err(|error| error.to_string())?
        })
    }
}

/// How a server comes back while the manager runs.
///
/// The primary waits until it is decided whether it is replaced: started plainly, it would commit
/// what nobody has acknowledged, and diverge. If it is not replaced, its return heals the cluster.
pub(crate) fn restart_role(server: &ServerName, now: &Snapshot) -> RestartRole {
    let settled = settled_role(server, now.record());
    if settled != RestartRole::Plain || now.record().primary.is_none() {
        return settled;
    }
    let failover = |purpose: &Purpose| matches!(purpose, Purpose::Failover { .. });
    let undecided = match now.phase {
        Phase::Suspecting | Phase::Confirmed | Phase::Cooling => true,
        Phase::Executing => {
            let running = now.operation.as_ref();
            running.is_some_and(|operation| failover(&operation.purpose))
        }
        Phase::Watching | Phase::Halted => false,
    };
    if undecided {
        RestartRole::Wait
    } else {
        settled
    }
}

/// How a server comes back by what is recorded.
///
/// The servers that have joined keep all that they have: the proof of an election counts on it.
pub(crate) fn settled_role(server: &ServerName, record: &Record) -> RestartRole {
    match &record.primary {
        Some(primary) if primary == server => RestartRole::Plain,
        Some(_) if record.joined.contains(server) => RestartRole::Replica,
        Some(_) => RestartRole::Rejoin,
        None => RestartRole::Plain,
    }
}

/// Copies the binary logs aside, with a note that says which transactions they are kept for.
fn save(sandbox: &Sandbox, server: &str, gtids: &str) -> Result<String, String> {
    let folder = sandbox
        .salvage_folder(server)
        .map_err(|error| error.to_string())?;
    let saved = sandbox
        .save_binlogs(server, &folder)
        .map_err(|error| error.to_string())?;
    let note = folder.join("transactions.txt");
    std::fs::write(&note, format!("{gtids}\n"))
        .map_err(|error| format!("cannot write {}: {error}", note.display()))?;
    Ok(format!("{} files in {}", saved.len(), folder.display()))
}

#[cfg(test)]
mod tests {
    use mainstay_clock::Timestamp;
    use mainstay_failover::{Durability, OperationId};
    use mainstay_manager::Running;
    use mainstay_topology::{Epoch, Topology};

    use super::*;

    /// The reign of db1, which db2 has joined.
    fn record() -> Record {
        Record {
            epoch: Epoch(4),
            primary: Some(ServerName::new("db1")),
            joined: [ServerName::new("db2")].into(),
            baseline: None,
            acknowledgements: 1,
        }
    }

    fn role(server: &str, phase: Phase, purpose: Option<Purpose>) -> RestartRole {
        let now = Snapshot {
            at: Timestamp::ZERO,
            phase,
            reason: String::new(),
            topology: Topology::new(&[], record()),
            findings: Vec::new(),
            routes: None,
            durability: Durability::Async,
            operation: purpose.map(|purpose| Running {
                id: OperationId(7),
                purpose,
                steps: Vec::new(),
            }),
            last_operation: None,
        };
        restart_role(&ServerName::new(server), &now)
    }

    #[test]
    fn only_a_server_on_which_nothing_counts_is_cut() {
        let settled = |server| settled_role(&ServerName::new(server), &record());
        assert_eq!(settled("db1"), RestartRole::Plain);
        assert_eq!(settled("db2"), RestartRole::Replica);
        assert_eq!(settled("db3"), RestartRole::Rejoin);
        let nobody = Record::default();
        let role = settled_role(&ServerName::new("db1"), &nobody);
        assert_eq!(role, RestartRole::Plain);
    }

    #[test]
    fn the_primary_waits_while_it_may_be_replaced_and_others_never_do() {
        let from = ServerName::new("db1");
        let failover = Some(Purpose::Failover { from: from.clone() });
        let establish = Some(Purpose::Establish { primary: from });
        for (phase, purpose, expected) in [
            (Phase::Suspecting, None, RestartRole::Wait),
            (Phase::Confirmed, None, RestartRole::Wait),
            (Phase::Executing, failover, RestartRole::Wait),
            (Phase::Executing, establish, RestartRole::Plain),
            (Phase::Cooling, None, RestartRole::Wait),
            (Phase::Watching, None, RestartRole::Plain),
            (Phase::Halted, None, RestartRole::Plain),
        ] {
            assert_eq!(role("db1", phase, purpose.clone()), expected, "{phase}");
            assert_eq!(role("db2", phase, purpose.clone()), RestartRole::Replica);
            assert_eq!(role("db3", phase, purpose), RestartRole::Rejoin);
        }
    }
}
