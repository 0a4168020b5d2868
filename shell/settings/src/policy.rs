//! From what the file says to what each core crate takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mainstay_alone::Terms;
use mainstay_failover::Policy;
use mainstay_routing::Rules;
use mainstay_session::policy as session;
use mainstay_sql::Trusted;
use mainstay_topology::{Intent, Member, ServerName};

use crate::control::ManagerSettings;
use crate::hook::HookSettings;
use crate::settings::{LagMax, LogSettings, ProxySettings, ServerTlsMode, Settings};

/// A replica that has heard nothing for this long no longer testifies for its source: three of its
/// heartbeat periods.
const SILENT_AFTER: Duration = Duration::from_millis(1500);

impl Settings {
    /// The rules of the failover machine under this manager.
    pub fn failover_policy(&self, manager: &ManagerSettings) -> Policy {
        let cluster = &self.cluster;
        Policy {
            durability: cluster.durability,
            auto_failover: cluster.auto_failover,
            auto_rejoin: cluster.auto_rejoin,
            auto_reseed: cluster.auto_reseed,
            auto_rewind: cluster.auto_rewind,
            failover_pause: cluster.failover_pause,
            probe_interval: manager.probe_interval,
            hang_after: cluster.hang_after,
            silent_after: SILENT_AFTER.min(cluster.hang_after),
            drain_limit: cluster.drain_limit,
            catch_up_limit: cluster.catch_up_limit,
            apply_limit: cluster.apply_limit,
            reader_lag_max: cluster.reader_lag_max,
            pair: cluster.dual_primary.clone(),
            hooks: self.hooks.iter().map(HookSettings::hook).collect(),
        }
    }

    /// The servers as the topology takes them.
    pub fn members(&self) -> Vec<Member> {
        let member = |server: &crate::settings::ServerSettings| Member {
            name: ServerName::new(&server.name),
            address: server.address.clone(),
            promotion: server.promotion,
            part: server.part.clone(),
        };
        self.servers.iter().map(member).collect()
    }

    /// Data directories of servers that can be read on this host.
    pub fn data_directories(&self) -> BTreeMap<ServerName, PathBuf> {
        let named = self.servers.iter().filter_map(|server| {
            let directory = server.data_directory.clone()?;
            Some((ServerName::new(&server.name), directory))
        });
        named.collect()
    }

    /// The folder for files that are made: that of the manager's state, else that of the file.
    pub fn home(&self) -> PathBuf {
        let state = self.control.manager().map(|manager| &*manager.state);
        let folder = state.and_then(Path::parent).unwrap_or(&self.folder);
        folder.to_owned()
    }

    /// The servers that the operator does not want to be used as others are.
    pub fn intents(&self) -> BTreeMap<ServerName, Intent> {
        let wanted = self.servers.iter();
        let wanted = wanted.filter(|server| server.intent != Intent::InService);
        wanted
            .map(|server| (ServerName::new(&server.name), server.intent))
            .collect()
    }

    /// Wants exactly this of the servers.
    pub fn set_intents(&mut self, intents: &BTreeMap<ServerName, Intent>) {
        for server in &mut self.servers {
            let wanted = intents.get(&ServerName::new(&server.name));
            server.intent = wanted.copied().unwrap_or_default();
        }
    }

    /// The servers as a proxy without a manager takes them.
    pub fn terms(&self) -> Vec<Terms> {
        let servers = self.members().into_iter().zip(&self.servers);
        let terms = servers.map(|(member, server)| Terms {
            member,
            intent: server.intent,
            lag_max: match server.replication_lag_max {
                Some(LagMax::Off) => None,
                Some(LagMax::Within(most)) => Some(most),
                None => Some(self.cluster.reader_lag_max),
            },
            latency_max: server.latency_max,
        });
        terms.collect()
    }

    /// The rules of the proxy's machine, for the whole process; `None` where no proxy runs.
    ///
    /// # Panics
    /// If the query rules were not read from a file, which would have refused those that do not
    /// compile.
    pub fn session_policy(&self) -> Option<session::Policy> {
        let proxy = self.proxy.as_ref()?;
        let users = self.users.iter().map(|user| {
            let entry = session::User {
                credential: user.credential.clone(),
                schema: user.default_schema.clone(),
                connections_max: user.connections_max,
                require: user.require,
                plugin: user.plugin,
                causal: user.causal_reads,
                replays_transactions: user.transaction_replay,
                default_hostgroup: user.default_hostgroup,
                schema_locked: user.schema_locked,
                fast_forward: user.fast_forward,
                queries_per_second: user.queries_per_second,
                bytes_per_second: user.bytes_per_second,
            };
            (user.name.clone(), entry)
        });
        let mut policy = proxy.session_policy();
        policy.users = users.collect();
        let readers = self.servers.iter().map(|server| {
            let traits = session::ReaderTraits {
                weight: server.weight,
                zone: server.zone.clone(),
            };
            (ServerName::new(&server.name), traits)
        });
        policy.readers.servers = readers.collect();
        let routing = &self.routing;
        let rules = Rules::compile(routing.rules.clone(), routing.fast_routes.clone());
        policy.cache.on |= routing
            .rules
            .iter()
            .any(|rule| rule.actions.cache_ttl_ms.is_some());
        policy.rules = Arc::new(rules.expect("they were compiled when they were read"));
        policy.hostgroups = Arc::new(routing.hostgroups.clone());
        policy.firewall = routing.firewall.clone().map(Arc::new);
        policy.listen = Some(proxy.listen);
        let traits = self.servers.iter().map(|server| {
            let traits = session::ServerTraits {
                connections_max: server.connections_max,
                tls: server.tls,
                compression: server.compression,
            };
            (ServerName::new(&server.name), traits)
        });
        policy.servers = traits.collect();
        policy.log = self.logs.policy();
        let sockets = self.servers.iter().filter_map(|server| {
            let path = server.socket.clone()?;
            Some((ServerName::new(&server.name), path))
        });
        policy.sockets = sockets.collect();
        Some(policy)
    }
}

impl LogSettings {
    fn policy(&self) -> session::LogPolicy {
        session::LogPolicy {
            by_rule: self.queries.is_some(),
            statements: self.queries.is_some() && self.all_queries,
            slow_after: self.slow_after,
            slow: self.slow.is_some(),
            audit: self.audit.is_some(),
            text_bytes_max: self.text_bytes_max,
        }
    }
}

impl ProxySettings {
    fn session_policy(&self) -> session::Policy {
        let default = session::Policy::default();
        session::Policy {
            server_version: self
                .server_version
                .clone()
                .unwrap_or(default.server_version),
            auth_plugin: self.auth_plugin.unwrap_or(default.auth_plugin),
            clients_max: self.clients_max,
            pool: session::Pool {
                server_connections_max: self.server_connections_max,
                server_connections_min: self.server_connections_min,
                age_max: self.connection_age_max,
                statements_max: self.connection_statements_max,
                idle_max: self.idle_connections_max,
                idle_age_max: self.idle_connection_age,
                ..default.pool
            },
            hold: session::Hold {
                sessions_max: self.hold_sessions_max,
                bytes_max: self.hold_bytes_max,
                time_max: self.hold_time_max,
            },
            timeouts: self.timeouts(),
            split_reads: self.split_reads,
            retry_reads: self.retry_reads,
            readers: session::Readers {
                choice: self.readers_choice,
                none_left: self.readers_none_left,
                zone: self.zone.clone(),
                ..default.readers
            },
            replay_bytes_max: self.transaction_replay_bytes_max,
            causal: session::CausalPolicy {
                reads: self.causal_reads,
                wait: self.causal_wait,
                ..default.causal
            },
            mirrors_max: self.mirrors_max,
            cache: session::CachePolicy {
                on: !self.cache_ttl.is_zero(),
                ttl: self.cache_ttl,
                empty: self.cache_empty_results,
                bytes_max: self.cache_bytes_max,
                entry_bytes_max: self.cache_entry_bytes_max,
                settle: self.cache_settle,
                ..default.cache
            },
            local_infile: self.local_infile,
            binlog: self.binlog_from.clone(),
            packet_max: self.max_allowed_packet,
            allow_from: self.allow_from.as_ref().map(|networks| {
                let networks = networks.iter();
                networks
                    .filter_map(|text| session::Subnet::parse(text))
                    .collect()
            }),
            limit_wait: self.limit_wait,
            trusted: Trusted::new(&self.read_functions, &self.read_procedures),
            queries: session::QueryPolicy {
                digests_max: self.digests_max,
                client_address: self.digest_client_address,
            },
            client_tls: self.client_tls.mode,
            server_tls: server_tls(self.server_tls.mode),
            client_compression: self.compression,
            server_compression: self.server_compression,
            proxy_header: self.proxy_protocol_to_servers,
            pass_through: self.passthrough.clone(),
            ..default
        }
    }

    fn timeouts(&self) -> session::Timeouts {
        session::Timeouts {
            handshake: self.handshake_limit,
            idle_client: self.idle_client_limit,
            connect: self.connect_limit,
            pool_wait: self.pool_wait_limit,
            write: self.write_limit,
            query: self.query_limit,
            reader: self.reader_limit,
            transaction: self.transaction_limit,
            transaction_idle: self.transaction_idle_limit,
        }
    }
}

/// Who verifies certificates insists on TLS.
fn server_tls(mode: ServerTlsMode) -> session::ServerTls {
    match mode {
        ServerTlsMode::Disabled => session::ServerTls::Off,
        ServerTlsMode::Preferred => session::ServerTls::Preferred,
        ServerTlsMode::Required | ServerTlsMode::VerifyCa | ServerTlsMode::VerifyIdentity => {
            session::ServerTls::Required
        }
    }
}
