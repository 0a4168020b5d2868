//! The proxy of this process as the means of manager and monitor to tell clients where to go, under
//! what the operator wants with single servers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mainstay_manager::{Pending, ProxyControl};
use mainstay_proxy::Proxy;
use mainstay_topology::{Epoch, Intent, Routes, ServerName};
use tokio::task::spawn_blocking;

/// The hand.
pub(crate) struct ProxyHand {
    proxy: Option<Arc<Proxy>>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// What the control has said last.
    routes: Option<Routes>,
    intents: BTreeMap<ServerName, Intent>,
    /// What the operator wants changes within a version of the control: versions are counted here.
    version: u64,
}

impl ProxyHand {
    pub(crate) fn new(proxy: Option<Arc<Proxy>>) -> Self {
        // A proxy that goes on under another control ignores what is not newer.
        let version = proxy.as_ref().map_or(0, |proxy| proxy.routes().version);
        Self {
            proxy,
            told: Mutex::new(Told {
                version,
                ..Told::default()
            }),
        }
    }

    /// The reign of the routes that the proxy has.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        Some(self.proxy.as_ref()?.routes().epoch)
    }

    /// What the operator wants from now on; those that are not named are in service.
    pub(crate) fn set_intents(&self, intents: BTreeMap<ServerName, Intent>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.intents != intents {
            told.intents = intents;
            self.tell(&mut told);
        }
    }

    /// What the operator wants with a server.
    pub(crate) fn intent(&self, server: &ServerName) -> Intent {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.intents.get(server).copied().unwrap_or_default()
    }

    fn tell(&self, told: &mut Told) {
        let (Some(proxy), Some(routes)) = (&self.proxy, &told.routes) else {
            return;
        };
        let intents = &told.intents;
        let mut routes = routes
            .clone()
            .under(|name| intents.get(name).copied().unwrap_or_default());
        told.version += 1;
        routes.version = told.version;
        let (epoch, version) = (routes.epoch.0, routes.version);
        if !proxy.publish(routes) {
            tracing::warn!(epoch, version, "routes are not newer");
        }
    }
}

impl ProxyControl for ProxyHand {
    fn publish(&self, routes: &Routes) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = told
            .routes
            .as_ref()
            .is_none_or(|old| routes.is_newer_than(old));
        if !newer {
            let (epoch, version) = (routes.epoch.0, routes.version);
            return tracing::warn!(epoch, version, "routes are not newer");
        }
        told.routes = Some(routes.clone());
        self.tell(&mut told);
    }

    fn drained(&self, limit: Duration) -> Pending<'_, bool> {
        let proxy = self.proxy.clone();
        Box::pin(async move {
            let Some(proxy) = proxy else { return true };
            let deadline = Instant::now() + limit;
            let waited = spawn_blocking(move || proxy.drained(deadline)).await;
            match waited {
                Ok(Ok(())) => true,
                Ok(Err(busy)) => {
                    tracing::warn!(%busy, "the writer is not drained");
                    false
                }
                Err(_) => false,
            }
        })
    }
}
