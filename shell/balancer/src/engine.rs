//! What moves the packets: one of two.

use mainstay_balance::{Engine as Kind, Table};

use crate::error::BalancerError;
use crate::{ipvs, nft};

/// A running engine.
#[derive(Debug)]
pub(crate) enum Engine {
    Nftables(nft::Nftables),
    Ipvs(ipvs::Ipvs),
}

impl Engine {
    pub(crate) fn new(kind: Kind) -> Result<Self, BalancerError> {
        match kind {
            Kind::Nftables => Ok(Self::Nftables(nft::Nftables::default())),
            Kind::Ipvs => ipvs::Ipvs::open().map(Self::Ipvs),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Nftables(_) => "nftables",
            Self::Ipvs(_) => "IPVS",
        }
    }

    /// Puts a table in force.
    pub(crate) async fn apply(&mut self, table: &Table) -> Result<(), BalancerError> {
        match self {
            Self::Nftables(nft) => nft.apply(table).await,
            Self::Ipvs(ipvs) => ipvs.apply(table),
        }
    }

    /// Whether the table has to be put in force again, because another hand has changed it or the
    /// network has.
    pub(crate) async fn is_stale(&mut self, table: &Table) -> Result<bool, BalancerError> {
        match self {
            Self::Nftables(nft) => nft.is_stale(table).await,
            Self::Ipvs(ipvs) => ipvs.is_stale(table),
        }
    }

    /// Takes everything away.
    pub(crate) async fn remove(&mut self) -> Result<(), BalancerError> {
        match self {
            Self::Nftables(nft) => nft.remove().await,
            Self::Ipvs(ipvs) => ipvs.apply(&Table::default()),
        }
    }
}
