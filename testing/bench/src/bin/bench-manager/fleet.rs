//! A fleet of servers that are not there: where each of them listens, and what state each cluster
//! is in. What they answer is in `dialect`, how they speak in `peer`.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::{dialect, peer};

/// A primary and four replicas.
pub(crate) const CLUSTER_SIZE: usize = 5;

/// Every server has an address of its own, so that no client's port is in the way.
const PORT: u16 = 23_306;

/// Where a server listens; the first of a cluster is its primary.
pub(crate) fn address(cluster: usize, server: usize) -> SocketAddrV4 {
    let [high, low] = (cluster as u16).to_be_bytes();
    SocketAddrV4::new(Ipv4Addr::new(127, 64 + high, low, 1 + server as u8), PORT)
}

/// One cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) index: usize,
    /// False while its primary is dead.
    pub(crate) alive: watch::Sender<bool>,
    /// The newest transaction; all servers have it.
    pub(crate) sequence: AtomicU64,
    /// Looks that its servers have answered.
    pub(crate) looks: AtomicU64,
}

/// All clusters.
pub(crate) struct Fleet {
    clusters: Vec<Arc<Cluster>>,
}

impl Fleet {
    /// Listens for all of them.
    pub(crate) async fn start(clusters: usize) -> Result<Self> {
        let recorded = dialect::Recorded::read();
        let mut all = Vec::new();
        for index in 0..clusters {
            let cluster = Arc::new(Cluster {
                index,
                alive: watch::Sender::new(true),
                sequence: AtomicU64::new(8),
                looks: AtomicU64::new(0),
            });
            for server in 0..CLUSTER_SIZE {
                let listener = listen(index, server).await?;
                let answers = recorded.of(&cluster, server);
                tokio::spawn(peer::serve(listener, Arc::clone(&cluster), answers));
            }
            all.push(cluster);
        }
        Ok(Self { clusters: all })
    }

    /// Ends the primary of a cluster as the end of its process does, or lets it come back.
    pub(crate) fn set_alive(&self, cluster: usize, alive: bool) {
        if let Some(cluster) = self.clusters.get(cluster) {
            cluster.alive.send_replace(alive);
        }
    }

    /// Looks that were answered until now.
    pub(crate) fn looks(&self) -> u64 {
        let looks = |one: &Arc<Cluster>| one.looks.load(Ordering::Relaxed);
        self.clusters.iter().map(looks).sum()
    }
}

pub(crate) async fn listen(cluster: usize, server: usize) -> Result<TcpListener> {
    let address = address(cluster, server);
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}; does another bench run?"))
}
