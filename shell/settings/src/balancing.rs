//! What the file says of balancing.

#[cfg(test)]
mod tests;

use mainstay_balance::{Engine, VirtualServer};

/// `[balancer]` and `[[virtual_server]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BalancerSettings {
    /// `engine`: `ipvs` or `nftables`; `None` for `auto`, the default: IPVS where the kernel has it
    /// and it can do what is asked for.
    pub engine: Option<Engine>,
    /// `[[virtual_server]]`, in the order of the file.
    pub virtual_servers: Vec<VirtualServer>,
}
