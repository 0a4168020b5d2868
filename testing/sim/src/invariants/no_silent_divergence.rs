//! No silent divergence: at rest all servers have the same transactions with the same content.

use std::collections::BTreeSet;

use crate::gtids::Transaction;
use crate::server::Server;

pub(crate) const NAME: &str = "no_silent_divergence";

pub(crate) fn check(servers: &[Server]) -> Result<(), String> {
    let content = |server: &Server| {
        server
            .log
            .iter()
            .copied()
            .collect::<BTreeSet<Transaction>>()
    };
    let Some((first, others)) = servers.split_first() else {
        return Ok(());
    };
    let wanted = content(first);
    for other in others {
        let found = content(other);
        if let Some(one) = wanted.symmetric_difference(&found).next() {
            let (has, lacks) = if wanted.contains(one) {
                (first, other)
            } else {
                (other, first)
            };
            let (has, lacks) = (has.name(), lacks.name());
            return Err(format!(
                "{has} has {}-{} (write {}), {lacks} has not",
                one.origin, one.number, one.write
            ));
        }
    }
    Ok(())
}
