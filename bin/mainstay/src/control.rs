//! Who says where statements may go in this process: a manager, or, where there is none, the
//! monitor of a proxy that is alone.

use std::sync::Arc;

use anyhow::Result;
use mainstay_alone::{Admission, Part, ServerState};
use mainstay_dashboard::ApiError;
use mainstay_dashboard::views::{FindingView, ServerView, StatusView, SwitchoverRequest};
use mainstay_failover::Request;
use mainstay_failover::preflight::Terms;
use mainstay_manager::{Config, HookControl, HostControl, ManagerHandle, RequestError, Wiring};
use mainstay_monitor::Monitor;
use mainstay_store::{Operation, Store};
use mainstay_topology::{Epoch, Reachability, Routes, ServerName, Topology};

use crate::hand::ProxyHand;
use crate::view;

/// What a control is made of.
pub(crate) enum ControlParts {
    /// A manager.
    Manager {
        config: Box<Config>,
        store: Store,
        /// The hosts of the servers, where something can be done on them.
        host: Option<Arc<dyn HostControl>>,
        /// Whoever runs hooks.
        hooks: Option<Arc<dyn HookControl>>,
    },
    /// A monitor.
    Monitor(Box<mainstay_monitor::Config>),
}

/// A running one.
#[derive(Clone)]
pub(crate) enum Control {
    /// A manager, with its means to tell the proxy.
    Manager(ManagerHandle, Arc<ProxyHand>),
    /// A monitor.
    Monitor(Arc<Monitor>),
}

impl Control {
    pub(crate) fn start(parts: ControlParts, hand: Arc<ProxyHand>) -> Result<Self> {
        match parts {
            ControlParts::Manager {
                config,
                store,
                host,
                hooks,
            } => {
                let wiring = Wiring {
                    store,
                    proxy: Arc::clone(&hand) as Arc<dyn mainstay_manager::ProxyControl>,
                    host,
                    hooks,
                };
                let manager = mainstay_manager::start(&config, wiring)?;
                Ok(Self::Manager(manager, hand))
            }
            ControlParts::Monitor(config) => {
                let epoch = hand.epoch().unwrap_or(Epoch(0));
                let publish: mainstay_monitor::Publish =
                    Arc::new(move |routes| mainstay_manager::ProxyControl::publish(&*hand, routes));
                let monitor = mainstay_monitor::start(*config, epoch, publish);
                Ok(Self::Monitor(Arc::new(monitor)))
            }
        }
    }

    /// The manager, which a sandbox always has.
    pub(crate) fn manager(&self) -> Option<&ManagerHandle> {
        match self {
            Self::Manager(manager, _) => Some(manager),
            Self::Monitor(_) => None,
        }
    }

    /// The monitor, where there is no manager.
    pub(crate) fn monitor(&self) -> Option<&Arc<Monitor>> {
        match self {
            Self::Manager(..) => None,
            Self::Monitor(monitor) => Some(monitor),
        }
    }

    /// The manager, or a word on what to do without.
    pub(crate) fn managed(&self) -> Result<&ManagerHandle, ApiError> {
        self.manager().ok_or_else(|| {
            let sentence = "this proxy has no manager: read_only of the servers decides who is \
                            the writer; change it there";
            ApiError::Refused(sentence.to_owned())
        })
    }

    pub(crate) async fn shutdown(&self) {
        match self {
            Self::Manager(manager, _) => manager.shutdown().await,
            Self::Monitor(monitor) => monitor.shutdown().await,
        }
    }

    /// Who may be written to and read from, as said last.
    pub(crate) fn routes(&self) -> Option<Routes> {
        match self {
            Self::Manager(manager, _) => manager.snapshot().routes.clone(),
            Self::Monitor(monitor) => Some(monitor.routes()),
        }
    }

    /// The cluster, without its proxy.
    pub(crate) fn status(&self, cluster: &str) -> StatusView {
        match self {
            Self::Manager(manager, _) => view::status(cluster, &manager.snapshot()),
            Self::Monitor(monitor) => alone(cluster, monitor),
        }
    }

    /// The server by this name, or the names that there are.
    pub(crate) fn server(&self, name: Option<String>) -> Result<Option<ServerName>, ApiError> {
        let Some(name) = name else { return Ok(None) };
        let snapshot = self.managed()?.snapshot();
        let servers = &snapshot.topology.servers;
        if let Some(found) = servers.keys().find(|known| known.as_str() == name) {
            return Ok(Some(found.clone()));
        }
        let known: Vec<_> = servers.keys().map(ServerName::as_str).collect();
        let known = known.join(", ");
        Err(ApiError::BadRequest(format!(
            "there is no server `{name}`; there are: {known}"
        )))
    }

    /// The picture of the cluster; empty without a manager.
    pub(crate) fn topology(&self) -> Topology {
        let manager = self.manager();
        manager
            .map(|manager| manager.snapshot().topology.clone())
            .unwrap_or_default()
    }

    /// What whoever asks for a switchover allows.
    pub(crate) fn terms(&self, request: &SwitchoverRequest) -> Result<Terms, ApiError> {
        Ok(Terms {
            end_transactions: request.end_transactions,
            allow_newer: request.allow_newer,
            ..self.managed()?.terms()
        })
    }

    pub(crate) async fn request(&self, request: Request) -> Result<Operation, ApiError> {
        let done = self.managed()?.request(request).await;
        done.map_err(api_error)
    }
}

pub(crate) fn api_error(error: RequestError) -> ApiError {
    match error {
        RequestError::Refused(sentence) => ApiError::Refused(sentence),
        RequestError::Store(_) | RequestError::Stopped => ApiError::Internal(error.to_string()),
    }
}

/// What a monitor knows, as the API shows it.
fn alone(cluster: &str, monitor: &Monitor) -> StatusView {
    let (routes, states) = (monitor.routes(), monitor.states());
    let writer = routes.writer.as_ref().map(|writer| writer.name.to_string());
    let told = states.iter().filter(|state| !state.comment.is_empty());
    StatusView {
        cluster: cluster.to_owned(),
        epoch: routes.epoch.0,
        primary: writer,
        phase: "watching".to_owned(),
        reason: "read_only of the servers decides".to_owned(),
        durability: "no manager: read_only decides, and nobody is promoted".to_owned(),
        writes_held: routes.writer.is_none(),
        paused: None,
        operation: None,
        servers: states.iter().map(server).collect(),
        findings: told
            .map(|state| FindingView {
                subject: state.name.to_string(),
                sentence: format!("{}: {}", state.name, state.comment),
            })
            .collect(),
        proxy: None,
        vips: Vec::new(),
        roles: Vec::new(),
        virtual_servers: Vec::new(),
    }
}

fn server(state: &ServerState) -> ServerView {
    let used = state.admission == Admission::Open;
    ServerView {
        name: state.name.to_string(),
        address: state.address.to_string(),
        role: match state.part {
            Part::Writer => "primary",
            Part::Reader => "replica",
            Part::Unknown => "unknown",
        }
        .to_owned(),
        reachability: match state.reachability {
            Reachability::Reachable => "reachable",
            Reachability::Gone => "gone",
            Reachability::Silent => "silent",
            Reachability::Closed => "closed",
            Reachability::Unknown => "unknown",
        }
        .to_owned(),
        since_ms: 0,
        writer: used && state.part == Part::Writer,
        reader: used && state.part == Part::Reader,
        promotion: "neutral".to_owned(),
        follows: None,
        wish: None,
        facts: None,
    }
}
