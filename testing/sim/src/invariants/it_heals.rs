//! It heals: within 90 seconds of virtual time after the last fault the recorded primary is the
//! one writable server, all others replicate from it and are recorded, the proxies write to it, and
//! writes are acknowledged. The look itself is the world's.

pub(crate) const NAME: &str = "it_heals";
