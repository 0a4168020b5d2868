//! `[cluster]`.

use std::time::Duration;

use mainstay_failover::{Durability, Policy};
use mainstay_topology::ServerName;

use crate::reader::Section;
use crate::settings::ClusterSettings;

/// Twice the heartbeat period of the replicas, which testify with it.
const HANG_AFTER_LEAST: Duration = Duration::from_secs(1);

const LIMIT_LEAST: Duration = Duration::from_millis(10);

pub(super) fn read(mut section: Section<'_, '_, '_>, servers: usize) -> ClusterSettings {
    let default = Policy::default();
    let durability = durability(&mut section, servers);
    // What lossless replication leaves behind was promised to nobody.
    let unpromised = durability != Durability::Async;
    let settings = ClusterSettings {
        name: section
            .text("name", "a name")
            .unwrap_or_else(|| "main".to_owned()),
        durability,
        auto_failover: section.boolean("auto_failover", default.auto_failover),
        auto_rejoin: section.boolean("auto_rejoin", default.auto_rejoin),
        auto_rewind: section.boolean("auto_rewind", unpromised),
        auto_reseed: section.boolean("auto_reseed", default.auto_reseed),
        failover_pause: section.duration("failover_pause", default.failover_pause, Duration::ZERO),
        hang_after: section.duration("hang_after", default.hang_after, HANG_AFTER_LEAST),
        drain_limit: section.duration("drain_limit", default.drain_limit, LIMIT_LEAST),
        catch_up_limit: section.duration("catch_up_limit", default.catch_up_limit, LIMIT_LEAST),
        apply_limit: section.duration("apply_limit", default.apply_limit, LIMIT_LEAST),
        reader_lag_max: section.duration("reader_lag_max", default.reader_lag_max, LIMIT_LEAST),
        dual_primary: pair(&mut section),
    };
    section.end();
    settings
}

/// Without a manager nobody is promoted: what is said of that would have no effect.
pub(super) fn read_alone(mut section: Section<'_, '_, '_>) -> ClusterSettings {
    const MANAGED: [&str; 12] = [
        "durability",
        "acknowledgements",
        "auto_failover",
        "auto_rejoin",
        "auto_rewind",
        "auto_reseed",
        "failover_pause",
        "hang_after",
        "drain_limit",
        "catch_up_limit",
        "apply_limit",
        "dual_primary",
    ];
    for key in MANAGED {
        if section.has(key) {
            section.wrong(key, "has no meaning without [manager]".to_owned());
        }
    }
    read(section, usize::MAX)
}

fn pair(section: &mut Section<'_, '_, '_>) -> Option<[ServerName; 2]> {
    let expected = "the names of two servers, such as [\"db1\", \"db2\"]";
    section.value("dual_primary", expected, |value| {
        let names = value.as_array()?.iter();
        let names: Option<Vec<_>> = names
            .map(|name| name.get_ref().as_str().map(ServerName::new))
            .collect();
        let pair: [ServerName; 2] = names?.try_into().ok()?;
        (pair[0] != pair[1]).then_some(pair)
    })
}

fn durability(section: &mut Section<'_, '_, '_>, servers: usize) -> Durability {
    let key = "acknowledgements";
    let lossless = section.choice("durability", &[("lossless", true), ("async", false)]);
    let acknowledgements = section.count(key, 1, 1);
    if lossless == Some(false) {
        if section.has(key) {
            let sentence = "has no meaning with durability = \"async\"";
            section.wrong(key, sentence.to_owned());
        }
        return Durability::Async;
    }
    if servers > 1 && acknowledgements >= servers {
        let sentence = format!(
            "a commit cannot get {acknowledgements} acknowledgements from {servers} servers, of \
             which one is the primary"
        );
        section.wrong(key, sentence);
    }
    Durability::Lossless {
        acknowledgements: acknowledgements as u32,
    }
}
