//! What follows the cluster outside of the proxy, where the settings ask for it: its names, and
//! addresses that a cloud moves. Both take what manager or monitor have said last of who may be
//! written to and read from.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use mainstay_dns::{Config, Host, Names, Responder};
use mainstay_settings::Settings;
use mainstay_topology::Routes;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::cloud::Clouds;
use crate::control::Control;
use crate::floating::Floating;
use crate::output::BadInput;

/// How old the names may be: next to nothing beside the shortest life of an answer, a second.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// What runs of both.
#[derive(Debug)]
pub(crate) struct Naming {
    _clouds: Clouds,
    _answers: Option<Answers>,
}

/// A responder that runs, and who tells it what is new.
#[derive(Debug)]
struct Answers {
    _responder: Responder,
    teller: JoinHandle<()>,
}

impl Naming {
    /// Starts what the settings ask for.
    pub(crate) async fn begin(
        settings: &Settings,
        control: &Control,
        floating: &Floating,
    ) -> Result<Self> {
        Ok(Self {
            _answers: Answers::begin(settings, control).await?,
            _clouds: Clouds::start(&settings.vip.cloud, Some(control), floating),
        })
    }

    /// Whether it would be the same with these settings.
    pub(crate) fn is_same(before: &Settings, after: &Settings) -> bool {
        let one = |settings: &Settings| (settings.dns.clone(), settings.vip.cloud.clone());
        one(before) == one(after) && before.servers == after.servers
    }
}

impl Answers {
    async fn begin(settings: &Settings, control: &Control) -> Result<Option<Self>> {
        let Some(dns) = &settings.dns else {
            return Ok(None);
        };
        let config = Config {
            listen: dns.listen,
            zone: dns.zone.clone(),
            ttl: dns.ttl,
            name_servers: dns.name_servers.clone(),
            queries_per_second: dns.queries_per_second,
        };
        let servers = settings.servers.iter();
        let servers = servers.map(|server| {
            let host = Host::new(&server.address.host);
            (server.name.to_ascii_lowercase(), host)
        });
        let servers: BTreeMap<_, _> = servers.collect();
        let control = control.clone();
        let (tell, receiver) = watch::channel(names(&servers, control.routes().as_ref()));
        let responder = mainstay_dns::start(&config, receiver).await;
        let responder = responder.map_err(|error| BadInput(error.to_string()))?;
        tracing::info!(address = %responder.address(), zone = dns.zone, "DNS is answered");
        let teller = tokio::spawn(async move {
            let mut look = interval(LOOK_INTERVAL);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                look.tick().await;
                let now = names(&servers, control.routes().as_ref());
                tell.send_if_modified(|before| {
                    let changed = *before != now;
                    *before = now;
                    changed
                });
            }
        });
        Ok(Some(Self {
            _responder: responder,
            teller,
        }))
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.teller.abort();
    }
}

/// Who is what. Routes, not roles: a server is the primary here when it may be written to.
fn names(servers: &BTreeMap<String, Host>, routes: Option<&Routes>) -> Names {
    let servers = servers.clone();
    let Some(routes) = routes else {
        return Names {
            servers,
            ..Names::default()
        };
    };
    // Published a few times in each reign: the number grows, as resolvers expect of a serial.
    let serial = (routes.epoch.0 << 12).wrapping_add(routes.version);
    let writer = routes.writer.as_ref();
    let readers = routes.readers.iter();
    Names {
        serial: (serial & u64::from(u32::MAX)) as u32,
        primary: writer.map(|writer| Host::new(&writer.address.host)),
        replicas: readers.map(|one| Host::new(&one.address.host)).collect(),
        servers,
    }
}
