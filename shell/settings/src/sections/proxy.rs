//! `[proxy]`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use mainstay_session::policy::{
    Algorithms, AuthPlugin, BinlogSource, Causal, Choice, Compression, NoReader, PassThrough,
    Policy, Pool,
};
use mainstay_topology::ServerName;

use super::api::listen;
use super::tls;
use crate::reader::Section;
use crate::settings::{ProxyIo, ProxySettings};
use crate::value;

const LEAST: Duration = Duration::from_millis(10);

/// How long a password that a server took is believed.
const PASSWORD_KEPT: Duration = Duration::from_mins(10);

/// Below what service managers allow before they kill: systemd gives 90 s.
const STOP_LIMIT: Duration = Duration::from_secs(30);

const PLUGINS: [(&str, AuthPlugin); 2] = [
    ("mysql_native_password", AuthPlugin::NativePassword),
    ("caching_sha2_password", AuthPlugin::CachingSha2),
];

const IO: [(&str, ProxyIo); 3] = [
    ("auto", ProxyIo::Auto),
    ("epoll", ProxyIo::Epoll),
    ("io_uring", ProxyIo::IoUring),
];

/// The level of zstd towards servers: the default of clients of MySQL.
const ZSTD_LEVEL: u8 = 3;

pub(super) const SERVER_COMPRESSION: [(&str, Option<Compression>); 3] = [
    ("off", None),
    ("zlib", Some(Compression::Zlib)),
    ("zstd", Some(Compression::Zstd { level: ZSTD_LEVEL })),
];

const CHOICES: [(&str, Choice); 3] = [
    ("least-outstanding", Choice::LeastOutstanding),
    ("latency", Choice::Latency),
    ("weight", Choice::Weight),
];

const NONE_LEFT: [(&str, NoReader); 3] = [
    ("writer", NoReader::Writer),
    ("wait", NoReader::Wait),
    ("error", NoReader::Error),
];

/// What reads must see: also of a user.
pub(super) const CAUSAL: [(&str, Causal); 3] = [
    ("none", Causal::None),
    ("session", Causal::Session),
    ("global", Causal::Global),
];

pub(super) fn read(mut section: Section<'_, '_, '_>, folder: &Path) -> ProxySettings {
    let default = Policy::default();
    let (pool, hold, cache) = (&default.pool, &default.hold, &default.cache);
    let wait = &default.timeouts;
    let (connections, connection_statements_max) = connections(&mut section, pool);
    let [
        server_connections_max,
        server_connections_min,
        idle_connections_max,
    ] = connections;
    let replay_bytes_max = replay_bytes(&mut section, &default);
    let settings = ProxySettings {
        listen: listen(&mut section, 6033),
        workers: workers(&mut section),
        io: word(&mut section, "io", &IO),
        server_version: section.text("server_version", "a version, such as \"10.11.6-MariaDB\""),
        auth_plugin: section.choice("auth_plugin", &PLUGINS),
        split_reads: section.boolean("split_reads", default.split_reads),
        retry_reads: section.boolean("retry_reads", default.retry_reads),
        read_functions: section.texts("read_functions", "[\"price\", \"shop.tax\"]"),
        read_procedures: section.texts("read_procedures", "[\"report\", \"shop.totals\"]"),
        digests_max: section.count("digests_max", default.queries.digests_max, 0),
        digest_client_address: section
            .boolean("digest_client_address", default.queries.client_address),
        limit_wait: section.duration("limit_wait", default.limit_wait, Duration::ZERO),
        clients_max: section.count("clients_max", default.clients_max, 1),
        server_connections_max,
        server_connections_min,
        idle_connections_max,
        idle_connection_age: section.duration("idle_connection_age", pool.idle_age_max, LEAST),
        hold_sessions_max: section.count("hold_sessions_max", hold.sessions_max, 0),
        hold_bytes_max: size(&mut section, "hold_bytes_max", hold.bytes_max),
        hold_time_max: section.duration("hold_time_max", hold.time_max, LEAST),
        handshake_limit: section.duration("handshake_limit", wait.handshake, LEAST),
        idle_client_limit: section.duration("idle_client_limit", wait.idle_client, LEAST),
        connect_limit: section.duration("connect_limit", wait.connect, LEAST),
        pool_wait_limit: section.duration("pool_wait_limit", wait.pool_wait, LEAST),
        readers_choice: word(&mut section, "readers_choice", &CHOICES),
        readers_none_left: word(&mut section, "readers_none_left", &NONE_LEFT),
        zone: section.text("zone", "a name, such as \"eu-1a\""),
        connection_age_max: limit(&mut section, "connection_age_max", None),
        connection_statements_max,
        transaction_replay_bytes_max: replay_bytes_max,
        causal_reads: causal_reads(&mut section),
        causal_wait: section.duration("causal_wait", default.causal.wait, LEAST),
        stop_limit: section.duration("stop_limit", STOP_LIMIT, Duration::ZERO),
        mirrors_max: section.count("mirrors_max", default.mirrors_max, 0),
        cache_ttl: section.duration("cache_ttl", cache.ttl, Duration::ZERO),
        cache_empty_results: section.boolean("cache_empty_results", cache.empty),
        cache_bytes_max: size(&mut section, "cache_bytes_max", cache.bytes_max),
        cache_entry_bytes_max: size(&mut section, "cache_entry_bytes_max", cache.entry_bytes_max),
        cache_settle: section.duration("cache_settle", cache.settle, Duration::ZERO),
        write_limit: section.duration("write_limit", wait.write, LEAST),
        query_limit: limit(&mut section, "query_limit", None),
        reader_limit: limit(&mut section, "reader_limit", wait.reader),
        transaction_limit: limit(&mut section, "transaction_limit", None),
        transaction_idle_limit: limit(&mut section, "transaction_idle_limit", None),
        local_infile: section.boolean("local_infile", default.local_infile),
        binlog_from: binlog_from(&mut section),
        client_tls: tls::clients(&mut section, folder),
        server_tls: tls::servers(&mut section, folder),
        compression: compression(&mut section),
        server_compression: word(&mut section, "server_compression", &SERVER_COMPRESSION),
        proxy_protocol_from: networks(&mut section, "proxy_protocol_from").unwrap_or_default(),
        allow_from: networks(&mut section, "allow_from"),
        proxy_protocol_to_servers: section.boolean("proxy_protocol_to_servers", false),
        max_allowed_packet: size(&mut section, "max_allowed_packet", default.packet_max),
        passthrough: passthrough(&mut section),
    };
    section.end();
    settings
}

fn replay_bytes(section: &mut Section<'_, '_, '_>, default: &Policy) -> usize {
    let key = "transaction_replay_bytes_max";
    size(section, key, default.replay_bytes_max)
}

/// Off unless it is asked for: it lets any account of the servers in.
fn passthrough(section: &mut Section<'_, '_, '_>) -> Option<PassThrough> {
    let on = section.boolean("passthrough", false);
    let kept = section.duration("passthrough_kept", PASSWORD_KEPT, Duration::ZERO);
    let users_max = section.count("passthrough_users_max", 1_000, 1);
    on.then(|| PassThrough {
        kept,
        users_max,
        never: BTreeSet::new(),
    })
}

/// The most and the fewest connections to a server, and the most that are idle; then the most
/// statements of one.
fn connections(section: &mut Section<'_, '_, '_>, default: &Pool) -> ([usize; 3], usize) {
    let max = section.count("server_connections_max", default.server_connections_max, 1);
    let min = section.count("server_connections_min", default.server_connections_min, 0);
    let idle = section.count("idle_connections_max", default.idle_max, 0);
    if min > max.min(idle) {
        let sentence = "is more than server_connections_max or idle_connections_max allow";
        section.wrong("server_connections_min", sentence.to_owned());
    }
    let statements = section.count("connection_statements_max", default.statements_max, 1);
    ([max, min, idle], statements)
}

/// One of a few words; the default when there is none.
fn word<T: Copy + Default>(
    section: &mut Section<'_, '_, '_>,
    key: &'static str,
    words: &[(&'static str, T)],
) -> T {
    section.choice(key, words).unwrap_or_default()
}

/// Sessions read their own writes, as on one server.
fn causal_reads(section: &mut Section<'_, '_, '_>) -> Causal {
    let read = section.choice("causal_reads", &CAUSAL);
    read.unwrap_or(Causal::Session)
}

/// What clients may ask for: by default all of it, as servers allow.
fn compression(section: &mut Section<'_, '_, '_>) -> Algorithms {
    let expected = "a list of \"zlib\" and \"zstd\", or an empty one";
    let all = Algorithms {
        zlib: true,
        zstd: true,
    };
    let listed = section.value("compression", expected, |value| {
        let mut listed = Algorithms::default();
        for item in value.as_array()? {
            match item.get_ref().as_str()? {
                "zlib" => listed.zlib = true,
                "zstd" => listed.zstd = true,
                _ => return None,
            }
        }
        Some(listed)
    });
    listed.unwrap_or(all)
}

/// Who is believed about the addresses of clients.
fn networks(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<Vec<String>> {
    let expected = "a list of networks, such as [\"10.0.0.0/8\"]";
    section.value(key, expected, |value| {
        let items = value.as_array()?.iter();
        items
            .map(|item| {
                let text = item.get_ref().as_str()?;
                value::is_network(text).then(|| text.to_owned())
            })
            .collect()
    })
}

/// `"off"`, or a duration.
fn limit(
    section: &mut Section<'_, '_, '_>,
    key: &'static str,
    default: Option<Duration>,
) -> Option<Duration> {
    let found = section.value(key, "\"off\" or a duration, such as \"60s\"", |value| {
        let text = value.as_str()?;
        if text == "off" {
            return Some(None);
        }
        value::duration(text)
            .filter(|limit| *limit >= LEAST)
            .map(Some)
    });
    found.unwrap_or(default)
}

fn binlog_from(section: &mut Section<'_, '_, '_>) -> BinlogSource {
    let expected = "\"reader\", \"writer\" or the name of a server";
    match section.text("binlog_from", expected).as_deref() {
        None | Some("reader") => BinlogSource::Reader,
        Some("writer") => BinlogSource::Writer,
        Some(name) => BinlogSource::Server(ServerName::new(name)),
    }
}

fn workers(section: &mut Section<'_, '_, '_>) -> Option<usize> {
    section
        .value("workers", "\"auto\" or a whole number from 1", |value| {
            if value.as_str() == Some("auto") {
                return Some(None);
            }
            let number: usize = value.as_integer()?.as_str().parse().ok()?;
            (number > 0).then_some(Some(number))
        })
        .flatten()
}

fn size(section: &mut Section<'_, '_, '_>, key: &'static str, default: usize) -> usize {
    section
        .value(key, "a size, such as \"64MiB\"", |value| {
            value::size(value.as_str()?)
        })
        .unwrap_or(default)
}
