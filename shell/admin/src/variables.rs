//! The names of `ProxySQL`'s variables and their defaults: all are known, whatever they do here.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Names and defaults.
pub fn defaults() -> &'static BTreeMap<&'static str, &'static str> {
    static DEFAULTS: OnceLock<BTreeMap<&str, &str>> = OnceLock::new();
    DEFAULTS.get_or_init(|| {
        let lines = include_str!("variables.txt").lines();
        let known = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        known
            .map(|line| line.split_once(' ').unwrap_or((line, "")))
            .collect()
    })
}
