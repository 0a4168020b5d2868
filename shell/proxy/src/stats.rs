//! The counters of a whole proxy: those of its workers, added up.

use mainstay_session::{CacheStats, ServerStats, Stats};

use crate::io::Io;

/// What a proxy has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyStats {
    /// What the workers read and write with: never [`Io::Auto`].
    pub io: Io,
    /// The counters of all workers together.
    pub sessions: Stats,
    /// Client connections of each worker.
    pub clients: Vec<usize>,
    /// How often a defect ended the sessions of a worker and made it start again.
    pub restarts: u64,
}

/// Adds the counters of one worker. Every field is named, so that none can be forgotten.
pub(crate) fn add(total: &mut Stats, one: Stats) {
    let Stats {
        sessions,
        held,
        held_bytes,
        accepted,
        logins_refused,
        clients_secured,
        tls_failed,
        garbled,
        statements_writer,
        statements_reader,
        statements_held,
        reads_retried,
        causal_waits,
        causal_to_writer,
        transactions_replayed,
        replays_failed,
        readers_hung,
        transactions_expired,
        refusals_retried,
        mirrored,
        mirrors_dropped,
        errors,
        ties,
        tied,
        cache,
        servers,
        tally,
    } = one;
    total.sessions += sessions;
    total.held += held;
    total.held_bytes += held_bytes;
    total.accepted += accepted;
    total.logins_refused += logins_refused;
    total.clients_secured += clients_secured;
    total.tls_failed += tls_failed;
    total.garbled += garbled;
    total.statements_writer += statements_writer;
    total.statements_reader += statements_reader;
    total.statements_held += statements_held;
    total.reads_retried += reads_retried;
    total.causal_waits += causal_waits;
    total.causal_to_writer += causal_to_writer;
    total.transactions_replayed += transactions_replayed;
    total.replays_failed += replays_failed;
    total.readers_hung += readers_hung;
    total.transactions_expired += transactions_expired;
    total.refusals_retried += refusals_retried;
    total.mirrored += mirrored;
    total.mirrors_dropped += mirrors_dropped;
    for (code, count) in errors {
        *total.errors.entry(code).or_default() += count;
    }
    for (reason, count) in ties {
        *total.ties.entry(reason).or_default() += count;
    }
    for (reason, count) in tied {
        *total.tied.entry(reason).or_default() += count;
    }
    add_cache(&mut total.cache, cache);
    for (name, server) in servers {
        add_server(total.servers.entry(name).or_default(), server);
    }
    total.tally.add(tally);
}

fn add_server(total: &mut ServerStats, one: ServerStats) {
    let ServerStats {
        idle,
        used,
        connecting,
        waiting,
        statements,
        lost,
        writes_in_flight,
        queued,
        queue_time,
        queue_time_max,
        opened,
        failed,
        used_max,
        latency,
        listed,
        left_alone,
    } = one;
    total.queued += queued;
    total.queue_time += queue_time;
    total.queue_time_max = total.queue_time_max.max(queue_time_max);
    total.idle += idle;
    total.used += used;
    total.connecting += connecting;
    total.waiting += waiting;
    total.statements += statements;
    total.lost += lost;
    total.writes_in_flight += writes_in_flight;
    total.opened += opened;
    total.failed += failed;
    total.used_max += used_max;
    total.latency = total.latency.max(latency);
    total.listed |= listed;
    total.left_alone |= left_alone;
}

fn add_cache(total: &mut CacheStats, one: CacheStats) {
    let CacheStats {
        entries,
        bytes,
        hits,
        misses,
        stored,
        outdated,
        evicted,
    } = one;
    total.entries += entries;
    total.bytes += bytes;
    total.hits += hits;
    total.misses += misses;
    total.stored += stored;
    total.outdated += outdated;
    total.evicted += evicted;
}
