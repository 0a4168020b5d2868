//! What the manager can do on the hosts of a sandbox's servers: they are our own children.

use std::sync::Arc;

use mainstay_failover::{Hooks, Phase, Purpose};
use mainstay_manager::{HostControl, Pending, Snapshot};
use mainstay_sandbox::{RestartRole, Sandbox, Signal};
use mainstay_topology::{Receiver, Record, Server, ServerName, Target, Topology};

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
            address: false,
            disk: false,
        }
    }

    fn end_process(&self, server: &ServerName) -> Pending<'_, Result<(), String>> {
        let server = server.clone();
        Box::pin(async move {
            let gone = self.sandbox.kill(server.as_str(), Signal::KILL).await;
            gone.map_err(|error| error.to_string())
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
/// what nobody has acknowledged, and diverge. If it is not replaced, its return heals the cluster:
/// without a replica that can testify there is no failover, and it need not wait for one.
pub(crate) fn restart_role(server: &ServerName, now: &Snapshot) -> RestartRole {
    let settled = settled_role(server, now.record());
    if settled != RestartRole::Plain || now.record().primary.is_none() {
        return settled;
    }
    let failover = |purpose: &Purpose| matches!(purpose, Purpose::Failover { .. });
    let undecided = match now.phase {
        Phase::Suspecting => has_witness(&now.topology),
        Phase::Confirmed | Phase::Cooling => true,
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

/// Whether a replica can testify that the primary is dead. Without one there is no failover.
fn has_witness(topology: &Topology) -> bool {
    let primary = topology.primary().map(|primary| &primary.member.address);
    let links = topology.others().filter_map(Server::answered);
    links
        .filter_map(|facts| facts.link.as_ref())
        .any(|link| Some(&link.source) == primary && link.receiver != Receiver::Stopped)
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

#[cfg(test)]
mod tests {
    use mainstay_clock::Timestamp;
    use mainstay_failover::{Durability, OperationId};
    use mainstay_gtid::{Family as GtidFamily, GtidSet};
    use mainstay_manager::Running;
    use mainstay_topology::{
        Address, Applier, Epoch, Facts, Family, Link, Member, Part, Promotion, Reachability,
        SemiSync, Version,
    };

    use super::*;

    /// The reign of db1, which db2 has joined.
    fn record() -> Record {
        Record {
            epoch: Epoch(4),
            primary: Some(ServerName::new("db1")),
            joined: [ServerName::new("db2")].into(),
            baseline: None,
            began_at: None,
            acknowledgements: 1,
        }
    }

    fn member(name: &str) -> Member {
        let host = format!("{name}.local");
        Member {
            name: ServerName::new(name),
            address: Address { host, port: 3306 },
            promotion: Promotion::Neutral,
            part: Part::default(),
        }
    }

    /// db1, and db2 as its replica.
    fn topology(receiver: Receiver) -> Topology {
        let members = [member("db1"), member("db2")];
        let set = || GtidSet::parse(GtidFamily::Mariadb, "0-1-7").expect("a set");
        let link = Link {
            source: members[0].address.clone(),
            receiver,
            receiver_error: 0,
            applier: Applier::Running,
            received: set(),
            heard: 0,
            lag: None,
        };
        let facts = Facts {
            version: Version {
                family: Family::Mariadb,
                major: 10,
                minor: 11,
                patch: 19,
            },
            server_id: 2,
            server_uuid: None,
            read_only: true,
            executed: set(),
            rewinding: false,
            semi_sync: SemiSync::default(),
            setup: mainstay_topology::Setup::default(),
            link: Some(link),
            positions: None,
        };
        let mut topology = Topology::new(&members, record());
        let replica = topology.servers.get_mut(&ServerName::new("db2"));
        let replica = replica.expect("a member");
        replica.facts = Some((Timestamp::ZERO, facts));
        replica.reachability = Reachability::Reachable;
        topology
    }

    fn role(server: &str, phase: Phase, purpose: Option<Purpose>) -> RestartRole {
        role_seen_by(Receiver::Connecting, server, phase, purpose)
    }

    fn role_seen_by(
        replica: Receiver,
        server: &str,
        phase: Phase,
        purpose: Option<Purpose>,
    ) -> RestartRole {
        let now = Snapshot {
            at: Timestamp::ZERO,
            phase,
            reason: String::new(),
            topology: topology(replica),
            findings: Vec::new(),
            routes: None,
            durability: Durability::Async,
            operation: purpose.map(|purpose| Running {
                id: OperationId(7),
                purpose,
                steps: Vec::new(),
            }),
            last_operation: None,
            paused: None,
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

    #[test]
    fn the_primary_does_not_wait_for_a_failover_that_no_replica_can_call_for() {
        let role = |phase| role_seen_by(Receiver::Stopped, "db1", phase, None);
        assert_eq!(role(Phase::Suspecting), RestartRole::Plain);
        assert_eq!(role(Phase::Confirmed), RestartRole::Wait);
    }
}
