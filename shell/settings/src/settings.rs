//! What the file says, each value already of its type. Secrets are not printed by `Debug`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_failover::Durability;
use mainstay_routing::rules::{FastRoute, Rule};
use mainstay_routing::{Firewall, HostgroupId, Hostgroups};
use mainstay_session::policy::{
    Algorithms, AuthPlugin, BinlogSource, Causal, Choice, ClientTls, Compression, CompressionWish,
    Credential, NoReader, PassThrough, Plugin, Require, Secret, ServerTls,
};
use mainstay_topology::{Address, Intent, Part, Promotion, ServerName};

use crate::alert::AlertSettings;
use crate::balancing::BalancerSettings;
use crate::control::Control;
use crate::dns::DnsSettings;
use crate::error::SettingsError;
use crate::hook::HookSettings;
use crate::sections;
use crate::vip::{AddressRoles, VipRole};

/// One settings file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[cluster]`.
    pub cluster: ClusterSettings,
    /// `[[server]]`, in the order of the file.
    pub servers: Vec<ServerSettings>,
    /// `[manager]` or `[monitor]`.
    pub control: Control,
    /// `[proxy]`, where one is to run.
    pub proxy: Option<ProxySettings>,
    /// `[[user]]`: who may log in to the proxy.
    pub users: Vec<UserSettings>,
    /// `[[hostgroups]]`, `[[query_rules]]`, `[[fast_routing]]`, `[[firewall_users]]`,
    /// `[[firewall_rules]]`.
    pub routing: RoutingSettings,
    /// `[vrrp]` and `[[vip]]`.
    pub vip: VipRole,
    /// `[address_roles]`.
    pub address_roles: Option<AddressRoles>,
    /// `[balancer]` and `[[virtual_server]]`.
    pub balancer: BalancerSettings,
    /// `[[scheduler]]`.
    pub scheduler: Vec<SchedulerSettings>,
    /// `[logs]`.
    pub logs: LogSettings,
    /// `[dns]`, where names are to be answered.
    pub dns: Option<DnsSettings>,
    /// `[[alert]]`.
    pub alerts: Vec<AlertSettings>,
    /// `[[hook]]`.
    pub hooks: Vec<HookSettings>,
    /// `[api]`.
    pub api: ApiSettings,
    /// `[admin]`; none: there is no such port.
    pub admin: Option<AdminSettings>,
    /// Where the file is: what is made for it is kept here too.
    pub folder: PathBuf,
}

/// `[[scheduler]]`: a program that runs again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerSettings {
    /// `id`.
    pub id: u32,
    /// `active`; default true.
    pub active: bool,
    /// `interval_ms`: from one start to the next.
    pub interval: Duration,
    /// `filename`: the program.
    pub filename: PathBuf,
    /// `arguments`: up to five.
    pub arguments: Vec<String>,
    /// `limit`: it is ended after so long; default 1 min.
    pub limit: Duration,
}

/// Where statements go, and which may pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingSettings {
    /// `[[hostgroups]]`, and the two that are always there.
    pub hostgroups: Hostgroups,
    /// `[[query_rules]]` that are active.
    pub rules: Vec<Rule>,
    /// `[[fast_routing]]`.
    pub fast_routes: Vec<FastRoute>,
    /// `[[firewall_users]]` and `[[firewall_rules]]`; `None` when the file has neither.
    pub firewall: Option<Firewall>,
}

/// `[cluster]`: the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent permissions")]
pub struct ClusterSettings {
    /// Its name; default `main`.
    pub name: String,
    /// `durability = "lossless"` (the default) with `acknowledgements` (default 1), or `"async"`.
    pub durability: Durability,
    /// Fail over without being asked; default true.
    pub auto_failover: bool,
    /// Attach clean servers without being asked; default true.
    pub auto_rejoin: bool,
    /// Replace the data of diverged servers without being asked; default false.
    pub auto_reseed: bool,
    /// Undo what only a diverged server has without being asked, after saving it; default true with
    /// lossless durability, under which nobody was promised it.
    pub auto_rewind: bool,
    /// For so long after a failover that nobody has acknowledged, another one for a silent primary
    /// is held back; default 0 s: never.
    pub failover_pause: Duration,
    /// Silence of the primary after which it may be confirmed as hung; default 2 s.
    pub hang_after: Duration,
    /// How long a switchover waits for writes in flight; default 1 s.
    pub drain_limit: Duration,
    /// How long a switchover waits for the next primary to catch up; default 10 s.
    pub catch_up_limit: Duration,
    /// How long a failover waits for received transactions to be applied; default 30 s.
    pub apply_limit: Duration,
    /// Replicas that are further behind get no reads; default 10 s.
    pub reader_lag_max: Duration,
    /// `dual_primary = ["db1", "db2"]`: two servers that replicate from each other, one of which is
    /// the primary; default none.
    pub dual_primary: Option<[ServerName; 2]>,
}

/// `[[server]]`: one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// Its name.
    pub name: String,
    /// `address = "host:port"`.
    pub address: Address,
    /// `prefer`, `neutral` (the default), `prefer-not` or `never`.
    pub promotion: Promotion,
    /// `weight`: its share of the reads; default 1, 0 only when there is no other.
    pub weight: u32,
    /// `zone`: where it is.
    pub zone: Option<String>,
    /// `socket`: a path on this machine that the proxy connects to instead.
    pub socket: Option<String>,
    /// Its data, where they can be read on this host: without lossless durability a failover takes
    /// from there what no replica has received.
    pub data_directory: Option<PathBuf>,
    /// `intent`: `in-service` (the default), `draining` or `out`.
    pub intent: Intent,
    /// `connections_max`: of the whole proxy; `None` for what `[proxy]` says.
    pub connections_max: Option<usize>,
    /// `replication_lag_max`: a duration or `off`; `None` for what `[cluster]` says.
    pub replication_lag_max: Option<LagMax>,
    /// `latency_max`: with a slower ping it gets no reads; default off.
    pub latency_max: Option<Duration>,
    /// `tls`: `disabled`, `preferred` or `required`; `None` for what `[proxy.server_tls]` says.
    pub tls: Option<ServerTls>,
    /// `compression`: `off`, `zlib` or `zstd`; `None` for what `[proxy]` says.
    pub compression: Option<CompressionWish>,
    /// `source`, `channel`, `foreign_domains`, `foreign_servers`, `delay`, `acknowledges`, `reads`
    /// and `promote_filtered`: its part in the cluster.
    pub part: Part,
}

/// The lag with which a server still serves reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LagMax {
    /// Any.
    Off,
    /// Up to this.
    Within(Duration),
}

/// An account on the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// What the proxy reads and writes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyIo {
    /// epoll.
    #[default]
    Auto,
    /// epoll.
    Epoll,
    /// `io_uring`, or no start.
    IoUring,
}

/// `[proxy]`: counts are those of the whole process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub struct ProxySettings {
    /// Where it listens; default `127.0.0.1:6033`.
    pub listen: SocketAddr,
    /// Worker threads; `None` for one for each processor.
    pub workers: Option<usize>,
    /// What the workers read and write with; default auto.
    pub io: ProxyIo,
    /// The version it announces; `None` for that of the primary.
    pub server_version: Option<String>,
    /// The plugin it announces; `None` for that of the primary's family.
    pub auth_plugin: Option<AuthPlugin>,
    /// Send reads to replicas; default true.
    pub split_reads: bool,
    /// Run a read again elsewhere when its server is lost; default true.
    pub retry_reads: bool,
    /// Stored functions that only read, with or without their schema.
    pub read_functions: Vec<String>,
    /// Stored procedures that only read, with or without their schema.
    pub read_procedures: Vec<String>,
    /// Digests of statements kept by each worker; 0 for none; default 10 000.
    pub digests_max: usize,
    /// Keep a row of statistics for each address of a client; default false.
    pub digest_client_address: bool,
    /// How long a statement waits for its turn under a limit; default 1 s.
    pub limit_wait: Duration,
    /// Clients at the same time; default 10 000.
    pub clients_max: usize,
    /// Connections to one server; default 64.
    pub server_connections_max: usize,
    /// Connections kept open to one server; default 0.
    pub server_connections_min: usize,
    /// Idle connections kept to one server; default 64.
    pub idle_connections_max: usize,
    /// An idle connection older than this is closed; default 5 min.
    pub idle_connection_age: Duration,
    /// Sessions held at the same time; default 10 000.
    pub hold_sessions_max: usize,
    /// Bytes of statements held at the same time; default 64 MiB.
    pub hold_bytes_max: usize,
    /// The longest a statement is held; default 30 s.
    pub hold_time_max: Duration,
    /// A client that has not logged in by then is closed; default 10 s.
    pub handshake_limit: Duration,
    /// A client that has sent nothing for so long is closed; default 8 h.
    pub idle_client_limit: Duration,
    /// A server that has not let the proxy in by then is given up; default 1 s.
    pub connect_limit: Duration,
    /// The longest wait for a connection when all are in use; default 30 s.
    pub pool_wait_limit: Duration,
    /// How a replica is chosen for a read; default the one with the fewest statements in flight.
    pub readers_choice: Choice,
    /// What happens to a read when no replica may serve it; default the writer serves it.
    pub readers_none_left: NoReader,
    /// Where the proxy is: replicas of the same zone come first.
    pub zone: Option<String>,
    /// A connection to a server that is older is closed when it is free; default off.
    pub connection_age_max: Option<Duration>,
    /// Prepared statements kept on one server connection; default 200.
    pub connection_statements_max: usize,
    /// Bytes kept of one open transaction that may have to be replayed; default 1 MiB.
    pub transaction_replay_bytes_max: usize,
    /// What reads on replicas must see; default the earlier writes of their session.
    pub causal_reads: Causal,
    /// The longest that a replica is waited for; default 500 ms, then the writer serves the read.
    pub causal_wait: Duration,
    /// Clients have so long to finish at the end of the process, or to come to rest and go over to
    /// the next one; default 30 s.
    pub stop_limit: Duration,
    /// Copies of queries under way at the same time; default 32.
    pub mirrors_max: usize,
    /// Keep results of reads for so long; default 0 s: none.
    pub cache_ttl: Duration,
    /// Keep results without rows too; default true.
    pub cache_empty_results: bool,
    /// Bytes of all results kept; default 64 MiB.
    pub cache_bytes_max: usize,
    /// Bytes of one result kept; default 1 MiB.
    pub cache_entry_bytes_max: usize,
    /// A replica's result is kept when its tables were not written for so long; default 2 s.
    pub cache_settle: Duration,
    /// A client that does not take its replies for so long is closed; default 5 min.
    pub write_limit: Duration,
    /// A statement that runs longer is interrupted; default off.
    pub query_limit: Option<Duration>,
    /// A reader that owes an answer for longer is asked for a sign of life; default 2 s.
    pub reader_limit: Option<Duration>,
    /// A client whose transaction is open for longer is closed; default off.
    pub transaction_limit: Option<Duration>,
    /// A client that is idle in a transaction for longer is closed; default off.
    pub transaction_idle_limit: Option<Duration>,
    /// Whether clients may send files (`LOAD DATA LOCAL`); default no.
    pub local_infile: bool,
    /// Where binlogs are read from; default a reader.
    pub binlog_from: BinlogSource,
    /// `[proxy.tls]`: towards clients.
    pub client_tls: ClientTlsSettings,
    /// `[proxy.server_tls]`: towards servers.
    pub server_tls: ServerTlsSettings,
    /// What clients may ask for; default zlib and zstd.
    pub compression: Algorithms,
    /// What is asked of servers; default nothing.
    pub server_compression: Option<Compression>,
    /// Networks from which clients may come; default any.
    pub allow_from: Option<Vec<String>>,
    /// Networks whose word about the addresses of clients is believed; default none.
    pub proxy_protocol_from: Vec<String>,
    /// Tell servers the addresses of clients; default false.
    pub proxy_protocol_to_servers: bool,
    /// `passthrough`, `passthrough_kept`, `passthrough_users_max`: who is not in `[[user]]`, as
    /// servers let them in.
    pub passthrough: Option<PassThrough>,
    /// The longest packet taken from a client; default 1 GiB, and servers have limits of their own.
    pub max_allowed_packet: usize,
}

/// `[proxy.tls]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTlsSettings {
    /// `off`, `offered` (the default) or `required`.
    pub mode: ClientTls,
    /// `certificate` and `key`; `None` for those that the proxy makes for itself.
    pub own: Option<(PathBuf, PathBuf)>,
    /// `client_ca`, and whether `client_certificates` are required.
    pub client_ca: Option<(PathBuf, bool)>,
}

/// `[proxy.server_tls]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTlsSettings {
    /// What is asked of servers.
    pub mode: ServerTlsMode,
    /// `ca`: there where certificates are verified.
    pub ca: Option<PathBuf>,
    /// `certificate` and `key`, for servers that ask for one.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// The `ssl-mode` of clients of MySQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerTlsMode {
    /// No TLS.
    Disabled,
    /// With servers that offer it.
    Preferred,
    /// With all servers, whatever certificate they have.
    Required,
    /// With servers whose certificate an authority has signed.
    VerifyCa,
    /// With servers whose certificate an authority has signed for their host.
    VerifyIdentity,
}

/// `[[user]]`: one user of the proxy, with the same account on the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSettings {
    /// `name`.
    pub name: String,
    /// `password`, `password_file` or `password_hash`.
    pub credential: Credential,
    /// `default_schema`: where a client starts that names none.
    pub default_schema: Option<String>,
    /// `connections_max`: clients at the same time.
    pub connections_max: Option<usize>,
    /// `require`: `nothing` (the default), `tls` or `certificate`.
    pub require: Require,
    /// `plugin`: how its clients prove the password; `None` for what they speak.
    pub plugin: Option<Plugin>,
    /// `causal_reads`, where it differs from the proxy's.
    pub causal_reads: Option<Causal>,
    /// `transaction_replay`: its open transactions are run again on a new primary; default no.
    pub transaction_replay: bool,
    /// `default_hostgroup`: where its reads go when no rule says so.
    pub default_hostgroup: Option<HostgroupId>,
    /// `schema_locked`: its clients stay in their schema; default false.
    pub schema_locked: bool,
    /// `fast_forward`: each of its clients gets a server for itself; default false.
    pub fast_forward: bool,
    /// `queries_per_second`.
    pub queries_per_second: Option<u64>,
    /// `bytes_per_second`.
    pub bytes_per_second: Option<u64>,
}

/// `[logs]`: files in which statements and clients are recorded; without one nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// `queries`: the file of the query log.
    pub queries: Option<PathBuf>,
    /// `queries_of`: `rules` (the default: those with `log = true`), or `all` others too.
    pub all_queries: bool,
    /// `slow`: the file of the slow log.
    pub slow: Option<PathBuf>,
    /// Statements that take so long are slow; default 1 s.
    pub slow_after: Duration,
    /// `audit`: the file of the audit log.
    pub audit: Option<PathBuf>,
    /// A file that is larger begins anew; default 100 MiB.
    pub file_bytes_max: usize,
    /// Older files that are kept; default 5.
    pub files_kept: usize,
    /// Bytes kept of the text of a statement; default 64 KiB.
    pub text_bytes_max: usize,
}

/// `[api]`: who may ask the manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    /// Where it listens; default `127.0.0.1:6080`.
    pub listen: SocketAddr,
    /// `user` (default `admin`), and `password` or `password_file`.
    pub account: Account,
}

/// `[admin]`: who may log in to the port that speaks SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// Where it listens; default `127.0.0.1:6032`.
    pub listen: SocketAddr,
    /// `user` (default `admin`), and `password` or `password_file`: may do everything.
    pub account: Account,
    /// `stats_user` (default `stats`), and `stats_password` or `stats_password_file`: sees figures.
    pub stats: Option<Account>,
}

impl Settings {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|reason| SettingsError::Unreadable {
            path: path.to_owned(),
            reason,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file. Paths in it are relative to the file's folder.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        sections::parse(text, path).map_err(|problems| SettingsError::Invalid {
            path: path.to_owned(),
            problems,
        })
    }
}
