//! Why balancing cannot start, or a table cannot be put in force.

use std::io;
use std::time::Duration;

use mainstay_balance::Unsupported;
use mainstay_balance::ipvs::BadMessage;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BalancerError {
    /// The engine cannot do what the settings ask for.
    #[error("{}", sentences(.0))]
    Unsupported(Vec<Unsupported>),
    /// `nft` cannot be run.
    #[error("`nft` cannot be run ({0}); install the package nftables")]
    NoNft(io::Error),
    /// `nft` refused.
    #[error("nftables did not take the rules: {0}")]
    Nft(String),
    /// `nft` hangs.
    #[error("`nft` did not end within {} s", .0.as_secs())]
    NftLate(Duration),
    /// The kernel has no IPVS.
    #[error("this kernel has no IPVS (module ip_vs)")]
    NoIpvs,
    /// No word with the kernel.
    #[error("no word with the kernel over netlink: {0}")]
    Netlink(io::Error),
    /// An answer that cannot be read.
    #[error("{0}")]
    BadMessage(#[from] BadMessage),
    /// IPVS refused.
    #[error("IPVS refused {what}: {reason}")]
    Ipvs {
        /// What it was told.
        what: String,
        /// What the system says.
        reason: io::Error,
    },
}

fn sentences(all: &[Unsupported]) -> String {
    let all: Vec<_> = all.iter().map(ToString::to_string).collect();
    all.join("\n")
}
