//! The cluster as it is seen now.

use mainstay_failover::Finding;
use mainstay_topology::{
    Applier, Facts, Logging, Promotion, Reachability, Receiver, Role, Routes, Server, Topology,
};
use serde::{Deserialize, Serialize};

use super::{RoleView, VipView, VirtualServerView};

/// The cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    /// Its name.
    pub cluster: String,
    /// The current reign; 0 before the first.
    pub epoch: u64,
    /// The recorded primary.
    pub primary: Option<String>,
    /// What the manager is doing.
    pub phase: String,
    /// Why it is in that phase.
    pub reason: String,
    /// What an acknowledged commit promises.
    pub durability: String,
    /// Writes are held: there is no writer, or a switchover drains it.
    pub writes_held: bool,
    /// Who has paused automatic operations, and what for; absent when nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// The operation that runs now.
    pub operation: Option<RunningView>,
    /// The servers, in order of their names.
    pub servers: Vec<ServerView>,
    /// What is the matter.
    pub findings: Vec<FindingView>,
    /// The proxy of the same process, if there is one.
    pub proxy: Option<ProxyView>,
    /// The floating addresses of the same process.
    #[serde(default)]
    pub vips: Vec<VipView>,
    /// The floating addresses that the manager moves.
    #[serde(default)]
    pub roles: Vec<RoleView>,
    /// What the same process balances.
    #[serde(default)]
    pub virtual_servers: Vec<VirtualServerView>,
}

/// The operation that runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningView {
    /// Its number.
    pub id: u64,
    /// Why it exists.
    pub purpose: String,
    /// The sentences of the steps that run now.
    pub steps: Vec<String>,
}

/// What is the matter with something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// What it is about: a server's name, a link, or the cluster.
    pub subject: String,
    /// What is the matter, with the evidence, in one sentence.
    pub sentence: String,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            subject: finding.subject.to_string(),
            sentence: finding.to_string(),
        }
    }
}

/// Counters of the proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyView {
    /// Where it listens.
    pub listen: String,
    /// What it reads and writes with: `epoll` or `io_uring`.
    #[serde(default)]
    pub io: String,
    /// Client sessions.
    pub sessions: u64,
    /// Sessions that wait for a writer.
    pub held: u64,
    /// Connections to servers.
    pub server_connections: u64,
    /// Statements forwarded since it started.
    pub statements: u64,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerView {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// `primary`, `replica`, `detached` or `unknown`.
    pub role: String,
    /// `reachable`, `gone`, `silent`, `closed` or `unknown`.
    pub reachability: String,
    /// For how long its reachability has been what it is.
    pub since_ms: u64,
    /// The proxy writes to it.
    pub writer: bool,
    /// The proxy reads from it.
    pub reader: bool,
    /// `prefer`, `neutral`, `prefer-not` or `never`.
    pub promotion: String,
    /// The server that it is configured to follow instead of the primary.
    #[serde(default)]
    pub follows: Option<String>,
    /// Why an operator wants it left alone, as in `is in maintenance (disk; jo)`.
    #[serde(default)]
    pub wish: Option<String>,
    /// What it last said about itself; kept when it is not reachable.
    #[serde(flatten)]
    pub facts: Option<FactsView>,
}

/// What a server said about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactsView {
    /// Its version.
    pub version: String,
    /// Its `server_id`.
    pub server_id: u32,
    /// Ordinary users cannot write.
    pub read_only: bool,
    /// What it has executed.
    pub gtid: String,
    /// What it has received, executed or not; of a replica.
    pub received: Option<String>,
    /// Where it replicates from; of a replica.
    pub source: Option<String>,
    /// `running`, `connecting` or `stopped`; of a replica.
    pub receiver: Option<String>,
    /// `running`, `stopped` or `failed with error N`; of a replica.
    pub applier: Option<String>,
    /// Time behind its source; of a replica that knows it.
    pub lag_ms: Option<u64>,
    /// Commits on it wait for acknowledgements.
    pub semi_sync_source: bool,
    /// Replicas that acknowledge its commits.
    pub semi_sync_clients: u32,
    /// It acknowledges its source's commits.
    pub semi_sync_replica: bool,
    /// How far behind it stays on purpose.
    #[serde(default)]
    pub delay_ms: u64,
    /// `all`, `own` or `nothing`: which transactions are in its binary log.
    #[serde(default)]
    pub logs: String,
    /// What it leaves out, as in `replicate-do-db=app`.
    #[serde(default)]
    pub filters: Vec<String>,
    /// Its channels from other clusters.
    #[serde(default)]
    pub other_channels: Vec<String>,
}

/// What a status is made of, besides what the caller fills in afterwards.
#[derive(Debug, Clone, Copy)]
pub struct StatusParts<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// What an acknowledged commit promises.
    pub durability: &'a str,
    /// The manager's phase.
    pub phase: &'a str,
    /// Why it is in that phase.
    pub reason: &'a str,
    /// The picture.
    pub topology: &'a Topology,
    /// The routes that the proxies have.
    pub routes: &'a Routes,
}

impl StatusView {
    /// The status without operation, findings and proxy, which the caller adds.
    pub fn new(parts: &StatusParts<'_>) -> Self {
        let topology = parts.topology;
        let servers = topology.servers.values();
        Self {
            cluster: parts.cluster.to_owned(),
            epoch: topology.record.epoch.0,
            primary: topology.record.primary.as_ref().map(ToString::to_string),
            phase: parts.phase.to_owned(),
            reason: parts.reason.to_owned(),
            durability: parts.durability.to_owned(),
            writes_held: parts.routes.writer.is_none() || parts.routes.hold_writes,
            paused: None,
            operation: None,
            servers: servers
                .map(|server| server_view(server, topology, parts.routes))
                .collect(),
            findings: Vec::new(),
            proxy: None,
            vips: Vec::new(),
            roles: Vec::new(),
            virtual_servers: Vec::new(),
        }
    }
}

fn server_view(server: &Server, topology: &Topology, routes: &Routes) -> ServerView {
    let name = &server.member.name;
    ServerView {
        name: name.to_string(),
        address: server.member.address.to_string(),
        role: role(topology.role(name)).to_owned(),
        reachability: reachability(server.reachability).to_owned(),
        since_ms: milliseconds(topology.at.since(server.since)),
        writer: routes
            .writer
            .as_ref()
            .is_some_and(|target| target.name == *name),
        reader: routes.readers.iter().any(|target| target.name == *name),
        promotion: promotion(server.member.promotion).to_owned(),
        follows: server.member.part.source.as_ref().map(ToString::to_string),
        wish: server.wish.why_off(),
        facts: server.facts().map(|facts| facts_view(server, facts)),
    }
}

fn facts_view(server: &Server, facts: &Facts) -> FactsView {
    let link = facts.link.as_ref();
    FactsView {
        version: facts.version.to_string(),
        server_id: facts.server_id,
        read_only: facts.read_only,
        gtid: in_one_line(&facts.executed),
        received: link.map(|link| in_one_line(&link.received)),
        source: link.map(|link| link.source.to_string()),
        receiver: link.map(|link| receiver(link.receiver).to_owned()),
        applier: link.map(|link| applier(link.applier)),
        lag_ms: server.lag().map(milliseconds),
        semi_sync_source: facts.semi_sync.source_enabled,
        semi_sync_clients: facts.semi_sync.clients,
        semi_sync_replica: facts.semi_sync.replica_enabled,
        delay_ms: milliseconds(facts.setup.delay),
        logs: logs(facts.setup.logging).to_owned(),
        filters: facts.setup.filters.clone(),
        other_channels: facts.setup.other_channels.clone(),
    }
}

/// MySQL prints one origin a line.
fn in_one_line(gtids: &impl ToString) -> String {
    gtids.to_string().replace('\n', "")
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Primary => "primary",
        Role::Replica => "replica",
        Role::Detached => "detached",
        Role::Unknown => "unknown",
    }
}

fn reachability(reachability: Reachability) -> &'static str {
    match reachability {
        Reachability::Reachable => "reachable",
        Reachability::Gone => "gone",
        Reachability::Silent => "silent",
        Reachability::Closed => "closed",
        Reachability::Unknown => "unknown",
    }
}

fn promotion(promotion: Promotion) -> &'static str {
    match promotion {
        Promotion::Prefer => "prefer",
        Promotion::Neutral => "neutral",
        Promotion::PreferNot => "prefer-not",
        Promotion::Never => "never",
    }
}

fn logs(logging: Logging) -> &'static str {
    match logging {
        Logging::All => "all",
        Logging::Own => "own",
        Logging::Nothing => "nothing",
    }
}

fn receiver(receiver: Receiver) -> &'static str {
    match receiver {
        Receiver::Running => "running",
        Receiver::Connecting => "connecting",
        Receiver::Stopped => "stopped",
    }
}

fn applier(applier: Applier) -> String {
    match applier {
        Applier::Running => "running".to_owned(),
        Applier::Stopped => "stopped".to_owned(),
        Applier::Failed(code) => format!("failed with error {code}"),
    }
}
