//! `[cluster]`.

use std::time::Duration;

use mainstay_failover::Policy;

use crate::reader::Section;
use crate::settings::ClusterSettings;

/// Twice the heartbeat period of the replicas, which testify with it.
const HANG_AFTER_LEAST: Duration = Duration::from_secs(1);

const LIMIT_LEAST: Duration = Duration::from_millis(10);

pub(super) fn read(mut section: Section<'_, '_, '_>, servers: usize) -> ClusterSettings {
    let default = Policy::default();
    let durability = [("lossless", true), ("async", false)];
    let settings = ClusterSettings {
        name: section
            .text("name", "a name")
            .unwrap_or_else(|| "main".to_owned()),
        lossless: section.choice("durability", &durability).unwrap_or(true),
        acknowledgements: section.count("acknowledgements", 1, 1) as u32,
        auto_failover: section.boolean("auto_failover", default.auto_failover),
        auto_rejoin: section.boolean("auto_rejoin", default.auto_rejoin),
        auto_reseed: section.boolean("auto_reseed", default.auto_reseed),
        hang_after: section.duration("hang_after", default.hang_after, HANG_AFTER_LEAST),
        drain_limit: section.duration("drain_limit", default.drain_limit, LIMIT_LEAST),
        catch_up_limit: section.duration("catch_up_limit", default.catch_up_limit, LIMIT_LEAST),
        apply_limit: section.duration("apply_limit", default.apply_limit, LIMIT_LEAST),
        reader_lag_max: section.duration("reader_lag_max", default.reader_lag_max, LIMIT_LEAST),
    };
    let replicas = servers.saturating_sub(1);
    if section.has("acknowledgements") && !settings.lossless {
        let sentence = "has no meaning with durability = \"async\"";
        section.wrong("acknowledgements", sentence.to_owned());
    } else if settings.lossless && settings.acknowledgements as usize > replicas && replicas > 0 {
        let sentence = format!(
            "a commit cannot get {} acknowledgements from {servers} servers, of which one is the \
             primary",
            settings.acknowledgements
        );
        section.wrong("acknowledgements", sentence);
    }
    section.end();
    settings
}
