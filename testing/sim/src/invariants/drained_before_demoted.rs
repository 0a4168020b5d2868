//! Drained before demoted: when a switchover makes the primary read-only, no client of a proxy has
//! a write in flight there, so none is answered with an error.

pub(crate) const NAME: &str = "drained_before_demoted";

/// A demotion begins.
pub(crate) fn demotion(server: usize, in_flight: usize) -> Result<(), String> {
    if in_flight == 0 {
        return Ok(());
    }
    Err(format!(
        "db{} is demoted while {in_flight} write(s) of the proxies are in flight on it",
        server + 1
    ))
}
