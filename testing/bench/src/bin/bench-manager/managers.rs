//! The managers, one for each cluster, as `mainstay serve` runs one: with a store on disk, and a
//! proxy that is told routes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use mainstay_failover::{Policy, Purpose};
use mainstay_manager::{
    Config, Login, ManagerHandle, Pending, ProxyControl, Snapshot, Timing, Wiring, start,
};
use mainstay_store::Store;
use mainstay_topology::{
    Address, Epoch, Member, Part, Promotion, Reachability, Record, Routes, ServerName,
};
use tokio::time::timeout;

use crate::fleet::{CLUSTER_SIZE, address};

/// How often each server is looked at.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// A cluster has settled, or a failover has begun, within this; a loaded machine included.
const LIMIT: Duration = Duration::from_mins(1);

struct NoProxy;

impl ProxyControl for NoProxy {
    fn publish(&self, _: &Routes) {}

    fn drained(&self, _: Duration) -> Pending<'_, bool> {
        Box::pin(async { true })
    }
}

/// A running manager, and the number of its cluster.
pub(crate) struct Manager {
    cluster: usize,
    handle: ManagerHandle,
}

impl Manager {
    /// Starts one whose cluster was served before: its record says by whom.
    pub(crate) fn start(cluster: usize, folder: &Path) -> Result<Self> {
        let path = folder.join(format!("state-{cluster}"));
        // What an earlier manager of this cluster has decided is not this one's past.
        let _ = std::fs::remove_file(&path);
        let store = Store::open(&path)?;
        let names = || (0..CLUSTER_SIZE).map(|server| name(cluster, server));
        store.write_record(&Record {
            epoch: Epoch(1),
            primary: names().next(),
            joined: names().skip(1).collect(),
            acknowledgements: 1,
            ..Record::default()
        })?;
        let wiring = Wiring {
            store,
            proxy: Arc::new(NoProxy),
            host: None,
            hooks: None,
        };
        let handle = start(&config(cluster, folder.join("salvage")), wiring)?;
        Ok(Self { cluster, handle })
    }

    /// Waits until all servers answer, a writer is published and nothing is found or done.
    pub(crate) async fn settle(&self) -> Result<()> {
        let all_is_well = |snapshot: &Arc<Snapshot>| {
            let mut servers = snapshot.topology.servers.values();
            let writer = snapshot.routes.as_ref().and_then(|all| all.writer.as_ref());
            writer.is_some()
                && snapshot.operation.is_none()
                && snapshot.findings.is_empty()
                && servers.all(|server| server.reachability == Reachability::Reachable)
        };
        let mut watched = self.handle.watch();
        let settled = timeout(LIMIT, watched.wait_for(all_is_well)).await;
        if settled.is_err() {
            let snapshot = self.handle.snapshot();
            bail!(
                "cluster {} does not settle: {} ({}), {:?}, {:?}",
                self.cluster,
                snapshot.phase,
                snapshot.reason,
                snapshot.operation,
                snapshot.findings
            );
        }
        Ok(())
    }

    /// Waits until a failover has begun: decided, planned, and in the journal on disk.
    pub(crate) async fn fails_over(&self) -> Result<()> {
        let begun = |snapshot: &Arc<Snapshot>| {
            let purpose = snapshot.operation.as_ref().map(|running| &running.purpose);
            matches!(purpose, Some(Purpose::Failover { .. }))
        };
        let mut watched = self.handle.watch();
        let begun = timeout(LIMIT, watched.wait_for(begun)).await;
        begun.with_context(|| format!("no failover of cluster {}", self.cluster))??;
        Ok(())
    }

    pub(crate) async fn stop(&self) {
        self.handle.shutdown().await;
    }
}

fn name(cluster: usize, server: usize) -> ServerName {
    ServerName::new(&format!("c{cluster}-db{}", server + 1))
}

fn config(cluster: usize, salvage: PathBuf) -> Config {
    let member = |server| {
        let address = address(cluster, server);
        Member {
            name: name(cluster, server),
            address: Address {
                host: address.ip().to_string(),
                port: address.port(),
            },
            promotion: Promotion::Neutral,
            part: Part::default(),
        }
    };
    let login = Login {
        user: "mainstay".to_owned(),
        password: "secret".to_owned(),
    };
    Config {
        policy: Policy {
            probe_interval: PROBE_INTERVAL,
            ..Policy::default()
        },
        members: (0..CLUSTER_SIZE).map(member).collect(),
        login: login.clone(),
        replication: login,
        timing: Timing::default(),
        salvage,
        data_directories: BTreeMap::new(),
    }
}
