//! Floating addresses that the manager moves: the writer's with the steps of its plans, and, once a
//! second, whatever is not where it should be.
//!
//! The hosts are asked by their HTTP API. A host refuses what comes in the name of an earlier reign
//! than it has heard of.

mod routes;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_dashboard::views::{RoleHostView, RoleView, VipRequest, VipView};
use mainstay_failover::spread::{give, spread};
use mainstay_failover::{Hooks, Phase};
use mainstay_manager::{HostControl, ManagerHandle, Pending, Snapshot};
use mainstay_topology::{Epoch, Reachability, ServerName};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use crate::api::{Api, escape};
use crate::runfile::Endpoint;
pub(crate) use routes::routes;
pub(crate) use text::{run, text_of};

/// How often it is looked whether every address is where it should be.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The addresses, and the hosts that can carry them.
pub(crate) struct AddressRoles {
    hosts: BTreeMap<ServerName, Api>,
    writer: Option<String>,
    readers: Vec<String>,
    /// Where each is to be, and what the hosts said last.
    placed: Mutex<Placed>,
    /// Held while anything is moved: what was decided before a plan began cannot overtake its
    /// steps.
    moving: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Placed {
    wanted: BTreeMap<String, ServerName>,
    /// Which servers may have a reader's address.
    fit: Vec<ServerName>,
    seen: BTreeMap<ServerName, Vec<VipView>>,
    /// Said already.
    failures: BTreeMap<ServerName, String>,
}

/// What one host is asked.
#[derive(Debug, Clone)]
struct Order {
    name: String,
    host: ServerName,
    here: bool,
}

impl AddressRoles {
    pub(crate) fn new(settings: &mainstay_settings::AddressRoles) -> Self {
        let hosts = settings.hosts.iter().map(|host| {
            let api = Api::impatient(&Endpoint {
                host: host.api.host.clone(),
                port: host.api.port,
                user: Some(settings.account.user.clone()),
                password: Some(settings.account.password.reveal().to_owned()),
            });
            (ServerName::new(&host.server), api)
        });
        Self {
            hosts: hosts.collect(),
            writer: settings.writer.clone(),
            readers: settings.readers.clone(),
            placed: Mutex::default(),
            moving: tokio::sync::Mutex::default(),
        }
    }

    /// Looks after the addresses for as long as the manager runs.
    pub(crate) fn keep(self: Arc<Self>, manager: ManagerHandle) -> JoinHandle<()> {
        tokio::spawn(async move {
            let mut look = tokio::time::interval(LOOK_INTERVAL);
            look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                look.tick().await;
                self.set_right(&manager).await;
            }
        })
    }

    /// Asks all hosts, and moves what is not where it should be. Nothing while a plan runs.
    async fn set_right(&self, manager: &ManagerHandle) {
        let _moving = self.moving.lock().await;
        let seen = self.look().await;
        let snapshot = manager.snapshot();
        if snapshot.operation.is_some() || snapshot.phase != Phase::Watching {
            self.placed().seen = seen;
            return;
        }
        let orders = self.orders(&snapshot, &seen);
        self.placed().seen = seen;
        let epoch = snapshot.record().epoch;
        // Off the old hosts before on the new ones.
        for here in [false, true] {
            for order in orders.iter().filter(|order| order.here == here) {
                let result = self.order(order.clone(), epoch).await;
                self.said(&order.host, result.err());
            }
        }
    }

    /// What differs from what should be, and where each address is to be from now on.
    fn orders(&self, snapshot: &Snapshot, seen: &BTreeMap<ServerName, Vec<VipView>>) -> Vec<Order> {
        let routes = snapshot.routes.as_ref();
        let writer = routes.and_then(|routes| {
            let writer = routes.writer.as_ref().filter(|_| !routes.hold_writes)?;
            Some(writer.name.clone())
        });
        let there = |name: &ServerName| seen.contains_key(name);
        let readers = routes.into_iter().flat_map(|routes| &routes.readers);
        let mut fit: Vec<_> = readers.map(|one| one.name.clone()).filter(&there).collect();
        if fit.is_empty() {
            fit.extend(writer.clone().filter(&there));
        }
        let mut placed = self.placed();
        // Where a manager that has just started finds them, they stay if they may.
        for name in &self.readers {
            let active = |vip: &VipView| vip.name == *name && vip.state == "active";
            let host = seen.iter().find(|(_, vips)| vips.iter().any(active));
            if let (false, Some((host, _))) = (placed.wanted.contains_key(name), host) {
                placed.wanted.insert(name.clone(), host.clone());
            }
        }
        let settled = self.all_looked_at(snapshot);
        // A replica that was not looked at yet may well serve reads: nothing moves because of it.
        let mut wanted = if settled {
            spread(&self.readers, &fit, &placed.wanted)
        } else {
            placed.wanted.clone()
        };
        if let (Some(name), Some(server)) = (&self.writer, writer) {
            wanted.insert(name.clone(), server);
        }
        placed.wanted = wanted.clone();
        placed.fit = fit;
        drop(placed);
        let mut orders = Vec::new();
        let readers = self.readers.iter().filter(|_| settled);
        for name in readers.chain(&self.writer) {
            // Without a writer the writer's address stays where it is: the plan that replaces the
            // primary takes it off.
            let Some(server) = wanted.get(name) else {
                continue;
            };
            for (host, vips) in seen {
                let Some(vip) = vips.iter().find(|vip| vip.name == *name) else {
                    continue;
                };
                let here = host == server;
                if (here && vip.state != "active") || (!here && may_serve(vip)) {
                    let (name, host) = (name.clone(), host.clone());
                    orders.push(Order { name, host, here });
                }
            }
        }
        orders
    }

    /// Whether each server that has a host was looked at since this manager began.
    fn all_looked_at(&self, snapshot: &Snapshot) -> bool {
        let servers = &snapshot.topology.servers;
        let mut known = self.hosts.keys().filter_map(|name| servers.get(name));
        known.all(|server| server.reachability != Reachability::Unknown)
    }

    /// What every host that answers says of its addresses.
    async fn look(&self) -> BTreeMap<ServerName, Vec<VipView>> {
        let mut asked = JoinSet::new();
        for (name, api) in &self.hosts {
            let (name, api) = (name.clone(), api.clone());
            asked.spawn_blocking(move || (name, api.get::<Vec<VipView>>("/api/v1/vip")));
        }
        let mut seen = BTreeMap::new();
        while let Some(Ok((name, answer))) = asked.join_next().await {
            match answer {
                Ok(vips) => {
                    seen.insert(name, vips);
                }
                Err(error) => self.said(&name, Some(format!("{error:#}"))),
            }
        }
        seen
    }

    async fn order(&self, order: Order, epoch: Epoch) -> Result<(), String> {
        let Order { name, host, here } = order;
        let api = self.hosts.get(&host).cloned();
        let api = api.ok_or_else(|| format!("the host of {host} carries no addresses"))?;
        let verb = if here { "take" } else { "drop" };
        let path = format!("/api/v1/vip/{}/{verb}", escape(&name));
        let request = VipRequest { epoch: epoch.0 };
        let sent = spawn_blocking(move || api.post::<VipView>(&path, &request)).await;
        let sent = sent.map_err(|error| error.to_string())?;
        let now = sent.map_err(|error| format!("{error:#}"))?;
        // Who asks after a switchover is not told how it was before.
        let mut placed = self.placed();
        let seen = placed.seen.get_mut(&host).into_iter().flatten();
        seen.filter(|vip| vip.name == name)
            .for_each(|vip| *vip = now.clone());
        drop(placed);
        tracing::info!(address = name, %host, epoch = epoch.0, "an address was told to {verb}");
        Ok(())
    }

    /// Logs a failure when it comes and when it goes.
    fn said(&self, host: &ServerName, failure: Option<String>) {
        let mut placed = self.placed();
        match failure {
            Some(failure) if placed.failures.get(host) != Some(&failure) => {
                tracing::warn!(%host, "an address cannot be moved: {failure}");
                placed.failures.insert(host.clone(), failure);
            }
            Some(_) => {}
            None => {
                placed.failures.remove(host);
            }
        }
    }

    fn placed(&self) -> MutexGuard<'_, Placed> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What they are as of the last look.
    pub(crate) fn views(&self) -> Vec<RoleView> {
        let placed = self.placed();
        let view = |name: &String, role: &str| RoleView {
            name: name.clone(),
            role: role.to_owned(),
            server: placed.wanted.get(name).map(ToString::to_string),
            hosts: self
                .hosts
                .keys()
                .map(|host| {
                    let vips = placed.seen.get(host);
                    let vip = vips.and_then(|vips| vips.iter().find(|vip| vip.name == *name));
                    RoleHostView {
                        server: host.to_string(),
                        state: vip.map(|vip| vip.state.clone()),
                    }
                })
                .collect(),
        };
        let writer = self.writer.iter().map(|name| view(name, "writer"));
        writer
            .chain(self.readers.iter().map(|name| view(name, "reader")))
            .collect()
    }

    /// Gives a reader's address another server, from now on; one of that goes the other way where
    /// they would not be spread evenly.
    fn prefer(&self, name: &str, server: &str) -> Result<(), String> {
        if self.writer.as_deref() == Some(name) {
            return Err(format!(
                "`{name}` is where the primary is: move that, with `mainstay switchover --to \
                 {server}`"
            ));
        }
        if !self.readers.iter().any(|reader| reader == name) {
            return Err(format!("there is no address `{name}`; there are: {}", {
                let all: Vec<_> = self.writer.iter().chain(&self.readers).cloned().collect();
                all.join(", ")
            }));
        }
        let known = self.hosts.keys().find(|host| host.as_str() == server);
        let known = known.ok_or_else(|| format!("no host of a server `{server}` carries it"))?;
        let mut placed = self.placed();
        if !placed.fit.contains(known) {
            return Err(format!(
                "`{server}` cannot have `{name}` now; these can: {}",
                {
                    let fit: Vec<_> = placed.fit.iter().map(ServerName::as_str).collect();
                    fit.join(", ")
                }
            ));
        }
        give(name, known, &self.readers, &mut placed.wanted);
        Ok(())
    }
}

/// Whether an address could come up where it is not to be, or is not told yet.
fn may_serve(vip: &VipView) -> bool {
    // What a host of an earlier version calls it, unless it has a name of its own.
    let name = vip.manager_track.as_deref().unwrap_or("manager");
    let said = vip.tracks.iter().find(|track| track.name == name);
    said.is_none_or(|track| track.ok != Some(false))
}

impl HostControl for AddressRoles {
    fn hooks(&self, server: &ServerName) -> Hooks {
        Hooks {
            address: self.writer.is_some() && self.hosts.contains_key(server),
            ..Hooks::default()
        }
    }

    fn end_process(&self, server: &ServerName) -> Pending<'_, Result<(), String>> {
        let sentence = format!("there is no means on the host of {server} to end its process");
        Box::pin(async move { Err(sentence) })
    }

    fn drop_address(&self, server: &ServerName, epoch: Epoch) -> Pending<'_, Result<(), String>> {
        self.step(server, false, epoch)
    }

    fn take_address(&self, server: &ServerName, epoch: Epoch) -> Pending<'_, Result<(), String>> {
        self.step(server, true, epoch)
    }
}

impl AddressRoles {
    fn step(
        &self,
        server: &ServerName,
        here: bool,
        epoch: Epoch,
    ) -> Pending<'_, Result<(), String>> {
        let host = server.clone();
        Box::pin(async move {
            let _moving = self.moving.lock().await;
            let name = self.writer.clone().ok_or("there is no writer's address")?;
            if here {
                self.placed().wanted.insert(name.clone(), host.clone());
            }
            self.order(Order { name, host, here }, epoch).await
        })
    }
}
