//! Which of the readers takes a read.

/// Picks the reader with the fewest statements in flight; among equals they take turns by `turn`,
/// which the caller counts up. `None` when there is no reader.
pub fn pick_reader(in_flight: &[u32], turn: u64) -> Option<usize> {
    let least = in_flight.iter().min()?;
    let idle = || {
        in_flight
            .iter()
            .enumerate()
            .filter(|(_, load)| *load == least)
    };
    let nth = turn % u64::try_from(idle().count()).ok()?;
    idle()
        .nth(usize::try_from(nth).ok()?)
        .map(|(index, _)| index)
}
