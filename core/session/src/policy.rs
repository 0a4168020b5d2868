//! What a valid configuration lets the machine do. Reading the file is left to `settings`.

mod log;
mod pass_through;
mod secret;
mod transport;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mainstay_routing::{Firewall, HostgroupId, Hostgroups, Rules};
use mainstay_sql::Trusted;
use mainstay_topology::ServerName;
use mainstay_wire::Capabilities;
pub use mainstay_wire::auth::Plugin;
use mainstay_wire::auth::{ServerKey, caching_sha2, native};
pub use mainstay_wire::compression::Compression;

pub use crate::allowed::Subnet;
pub use crate::budget::Budget;
pub use crate::cache::CachePolicy;
pub use crate::causal::{Causal, CausalPolicy};
pub use crate::places::Places;
pub use log::LogPolicy;
pub use mainstay_routing::Choice;
pub use pass_through::PassThrough;
pub use secret::Secret;
pub use transport::{Algorithms, ClientTls, CompressionWish, Require, ServerTls, ServerTraits};

/// The settings of one machine. Counts are per worker: the shell divides what the file gives for
/// the whole process.
// Each flag is one setting.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone)]
pub struct Policy {
    /// Who may log in, and with what; the same credentials are used towards the servers.
    pub users: BTreeMap<String, User>,
    /// Needed when [`Self::needs_key`]: clients encrypt their passwords with it.
    pub key: Option<Arc<ServerKey>>,
    /// The version announced in the greeting, such as `10.11.6-MariaDB`.
    pub server_version: String,
    /// What the servers offer; where it is not known, what servers of that version do.
    pub capabilities: Option<Capabilities>,
    /// The plugin announced in the greeting: what the servers' own family announces.
    pub auth_plugin: AuthPlugin,
    /// The collation id announced in the greeting.
    pub collation: u8,
    /// Clients accepted at the same time; one more gets error 1040.
    pub clients_max: usize,
    /// Limits of the pools of server connections.
    pub pool: Pool,
    /// Limits of the hold.
    pub hold: Hold,
    /// How long to wait for whom.
    pub timeouts: Timeouts,
    /// Send reads to replicas; when false the writer serves everything.
    pub split_reads: bool,
    /// What is kept of the statements that ran.
    pub queries: QueryPolicy,
    /// What is recorded for the logs.
    pub log: LogPolicy,
    /// Stored functions and procedures that only read.
    pub trusted: Trusted,
    /// Query rules and fast routes.
    pub rules: Arc<Rules>,
    /// The hostgroups that rules, users and comments may name.
    pub hostgroups: Arc<Hostgroups>,
    /// Which statements users may send; `None` for all.
    pub firewall: Option<Arc<Firewall>>,
    /// How long a statement may wait for its turn under a limit, before it gets error 1226.
    pub limit_wait: Duration,
    /// Who is under the limits of connections of hostgroups and rules, for all workers.
    pub places: Arc<Places>,
    /// The workers of the proxy: each has its share of the rates that rules allow.
    pub workers: usize,
    /// Where clients connect, for rules that ask for it.
    pub listen: Option<SocketAddr>,
    /// Run a read again elsewhere when its server is lost before a byte of the reply was forwarded.
    pub retry_reads: bool,
    /// Which replica takes a read.
    pub readers: Readers,
    /// Bytes of statements kept of one open transaction that may have to be replayed.
    pub replay_bytes_max: usize,
    /// What reads on replicas must see.
    pub causal: CausalPolicy,
    /// Copies of queries under way at the same time, for rules with `mirror_hostgroup`.
    pub mirrors_max: usize,
    /// Results that are kept for a while.
    pub cache: CachePolicy,
    /// Clients may be asked for a file by a `LOAD DATA LOCAL` that they sent.
    pub local_infile: bool,
    /// Where binlogs are read from.
    pub binlog: BinlogSource,
    /// TLS towards clients.
    pub client_tls: ClientTls,
    /// TLS towards servers.
    pub server_tls: ServerTls,
    /// The compression that clients may ask for.
    pub client_compression: Algorithms,
    /// The compression asked of servers; one that does not offer it is served without.
    pub server_compression: Option<Compression>,
    /// What differs from the rule, by server.
    pub servers: BTreeMap<ServerName, ServerTraits>,
    /// Tell servers the client's address by the PROXY protocol. A server connection then serves
    /// clients of one address only.
    pub proxy_header: bool,
    /// From where clients may come; from anywhere if nothing is said.
    pub allow_from: Option<Vec<Subnet>>,
    /// Servers on this machine: the paths of their sockets, which the proxy connects to instead of
    /// their addresses.
    pub sockets: BTreeMap<ServerName, String>,
    /// The longest command in bytes: a longer one gets error 1153, and its client is closed.
    pub packet_max: usize,
    /// Users who are not listed are let in as servers let them in; `None`: nobody is.
    pub pass_through: Option<PassThrough>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            users: BTreeMap::new(),
            key: None,
            server_version: "8.0.0-mainstay".to_owned(),
            capabilities: None,
            auth_plugin: AuthPlugin::CachingSha2,
            collation: 45,
            clients_max: 10_000,
            pool: Pool::default(),
            hold: Hold::default(),
            timeouts: Timeouts::default(),
            split_reads: true,
            queries: QueryPolicy::default(),
            log: LogPolicy::default(),
            trusted: Trusted::NONE,
            rules: Arc::default(),
            hostgroups: Arc::default(),
            firewall: None,
            limit_wait: Duration::from_secs(1),
            places: Arc::default(),
            workers: 1,
            listen: None,
            retry_reads: true,
            readers: Readers::default(),
            replay_bytes_max: 1 << 20,
            causal: CausalPolicy::default(),
            mirrors_max: 32,
            cache: CachePolicy::default(),
            local_infile: false,
            binlog: BinlogSource::default(),
            client_tls: ClientTls::default(),
            server_tls: ServerTls::default(),
            client_compression: Algorithms::default(),
            server_compression: None,
            servers: BTreeMap::new(),
            proxy_header: false,
            allow_from: None,
            sockets: BTreeMap::new(),
            packet_max: 1 << 30,
            pass_through: None,
        }
    }
}

impl Policy {
    /// Whether clients outside TLS may be asked for their passwords.
    pub fn needs_key(&self) -> bool {
        let mut plugins = self.users.values().map(|user| user.plugin);
        self.auth_plugin == AuthPlugin::CachingSha2
            || plugins.any(|plugin| plugin == Some(Plugin::CachingSha2))
            || self.has_hashes()
            || self.pass_through.is_some()
    }

    /// Whether some user is known by a hash only.
    pub fn has_hashes(&self) -> bool {
        let mut users = self.users.values();
        users.any(|user| matches!(user.credential, Credential::Hash(_)))
    }
}

/// What is kept of the statements that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryPolicy {
    /// Digests kept by each worker; with 0 none is computed.
    pub digests_max: usize,
    /// Keep a row for each address of a client.
    pub client_address: bool,
}

impl Default for QueryPolicy {
    fn default() -> Self {
        Self {
            digests_max: 10_000,
            client_address: false,
        }
    }
}

/// The authentication plugin a greeting announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthPlugin {
    /// `mysql_native_password`: the default of MariaDB.
    NativePassword,
    /// `caching_sha2_password`: the default of MySQL 8 and later.
    CachingSha2,
}

/// One user of the configuration.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// What its password is checked against.
    pub credential: Credential,
    /// The schema a client starts in when it names none.
    pub schema: Option<String>,
    /// Clients of this user at the same time; one more gets error 1226.
    pub connections_max: Option<usize>,
    /// What its connections must have besides the password.
    pub require: Require,
    /// The plugin by which it proves its password; none for the one that its client speaks.
    pub plugin: Option<Plugin>,
    /// What its reads must see, where that differs from the rule.
    pub causal: Option<Causal>,
    /// Its open transactions are run again on a new primary.
    pub replays_transactions: bool,
    /// Where its reads go when no rule says so; `None` for the built-in split.
    pub default_hostgroup: Option<HostgroupId>,
    /// Its clients stay in its schema.
    pub schema_locked: bool,
    /// Its clients are joined to a server each: nothing is looked at, and nothing shared.
    pub fast_forward: bool,
    /// Statements a second.
    pub queries_per_second: Option<u64>,
    /// Bytes a second, of statements and replies.
    pub bytes_per_second: Option<u64>,
}

/// Which replica takes a read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readers {
    /// How one is chosen.
    pub choice: Choice,
    /// What happens to a read when no replica may serve it.
    pub none_left: NoReader,
    /// Where the proxy is: readers of the same zone come first.
    pub zone: Option<String>,
    /// What differs from the rule, by server.
    pub servers: BTreeMap<ServerName, ReaderTraits>,
}

/// What is said of one server as a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderTraits {
    /// Its share of the reads; 0: only when there is no other.
    pub weight: u32,
    /// Where it is.
    pub zone: Option<String>,
}

/// What happens to a read when no replica may serve it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NoReader {
    /// The writer serves it.
    #[default]
    Writer,
    /// It waits for a replica, as writes wait for a writer.
    Wait,
    /// It gets error 1159.
    Error,
}

/// Which server serves `COM_BINLOG_DUMP`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BinlogSource {
    /// A reader; the writer when there is none.
    #[default]
    Reader,
    /// The writer.
    Writer,
    /// This one.
    Server(ServerName),
}

/// What is known of a password before anybody logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The password itself.
    Clear(Secret),
    /// What `caching_sha2_password` or `mysql_native_password` stores of it; the first login of a
    /// client tells the rest.
    Hash(Secret),
}

impl Credential {
    /// A stored hash, as `mysql.user.authentication_string` shows it; `None` for other text.
    pub fn stored_hash(text: &str) -> Option<Self> {
        let is_hash = caching_sha2::is_stored_hash(text.as_bytes())
            || native::parse_stored_hash(text).is_some();
        is_hash.then(|| Self::Hash(Secret::new(text)))
    }
}

impl Default for Credential {
    fn default() -> Self {
        Self::Clear(Secret::default())
    }
}

/// Limits of the pools of server connections.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Connections to one server, idle or in use.
    pub server_connections_max: usize,
    /// Connections kept open to one server, idle or in use.
    pub server_connections_min: usize,
    /// What all workers of a proxy may open together; without it the cap is for one worker.
    pub budget: Option<Arc<Budget>>,
    /// A connection older than this is closed when it is free; none: never.
    pub age_max: Option<Duration>,
    /// Prepared statements kept on one connection.
    pub statements_max: usize,
    /// Idle connections kept to one server.
    pub idle_max: usize,
    /// An idle connection older than this is closed.
    pub idle_age_max: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            server_connections_max: 64,
            server_connections_min: 0,
            budget: None,
            age_max: None,
            statements_max: 200,
            idle_max: 64,
            idle_age_max: Duration::from_mins(5),
        }
    }
}

/// Limits of the hold: what may wait for a writer, and for how long.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Sessions held at the same time.
    pub sessions_max: usize,
    /// Bytes of statements held at the same time.
    pub bytes_max: usize,
    /// The longest a statement is held.
    pub time_max: Duration,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            sessions_max: 10_000,
            bytes_max: 64 << 20,
            time_max: Duration::from_secs(30),
        }
    }
}

/// How long to wait for whom.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// A client that has not logged in by then is closed.
    pub handshake: Duration,
    /// A client that has sent nothing for so long is closed.
    pub idle_client: Duration,
    /// A server that has not accepted the connection and the login by then is given up.
    pub connect: Duration,
    /// The longest a session waits for a server connection when the pool is at its cap.
    pub pool_wait: Duration,
    /// A client that does not take what is sent to it is closed after so long.
    pub write: Duration,
    /// A statement that runs longer is interrupted at its server with `KILL QUERY`.
    pub query: Option<Duration>,
    /// A reader that owes an answer for longer is asked for a sign of life.
    pub reader: Option<Duration>,
    /// A client whose transaction is open for longer is closed.
    pub transaction: Option<Duration>,
    /// A client that does nothing in an open transaction for longer is closed.
    pub transaction_idle: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            idle_client: Duration::from_hours(8),
            connect: Duration::from_secs(1),
            pool_wait: Duration::from_secs(30),
            write: Duration::from_mins(5),
            query: None,
            reader: Some(Duration::from_secs(2)),
            transaction: None,
            transaction_idle: None,
        }
    }
}
