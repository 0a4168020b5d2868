//! The running sandbox: its servers, and the service in front of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::routing::get;
use axum::{Json, Router};
use mainstay_admin::Refused;
use mainstay_dashboard::views::StatusView;
use mainstay_failover::Policy;
use mainstay_manager::{Config, HostControl, Login, ManagerHandle, Timing};
use mainstay_proxy::Proxy;
use mainstay_sandbox::Sandbox;
use mainstay_session::policy::Secret;
use mainstay_settings::{Account, AdminSettings};
use mainstay_store::Store;
use mainstay_topology::{Member, Part, Promotion};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::access::{Access, Ports};
use super::proxy::Run;
use crate::admin::{self, AdminPort, Living, Opening, Order};
use crate::args::SandboxArgs;
use crate::balancing::Balance;
use crate::control::{Control, ControlParts};
use crate::drill::{SANDBOX_PATH, wrong_with};
use crate::floating::Floating;
use crate::host::SandboxHost;
use crate::runfile::{Endpoint, RunFile, RunServer};
use crate::serve::reload;
use crate::service::{Parts, Service};

/// Whom the admin interface lets in, besides `stats`.
const ADMIN_USER: &str = "admin";

/// Everything that runs.
pub(super) struct Live {
    sandbox: Arc<Sandbox>,
    service: Service,
    admin: AdminPort,
    frame: Frame,
}

/// What does not change while the sandbox runs, for its announcement.
#[derive(Clone)]
struct Frame {
    proxy: Endpoint,
    admin: Endpoint,
    api: Endpoint,
}

impl Live {
    pub(super) fn start(
        args: &SandboxArgs,
        sandbox: Arc<Sandbox>,
        access: &Access,
        ports: Ports,
        (run, store): (Run, Store),
    ) -> Result<Self> {
        let frame = frame(&sandbox, access, &ports)?;
        let host: Arc<dyn HostControl> = Arc::new(SandboxHost {
            sandbox: Arc::clone(&sandbox),
        });
        let service = Parts {
            floating: Floating::default(),
            balance: Balance::default(),
            roles: None,
            cluster: "sandbox".to_owned(),
            control: ControlParts::Manager {
                config: Box::new(manager_config(args, &sandbox)),
                store,
                host: Some(host),
                hooks: None,
            },
            intents: std::collections::BTreeMap::new(),
            proxy: Some(Arc::new(Proxy::start(run.options.clone())?)),
            api: ports.api,
            access: Some(mainstay_dashboard::Access::new(
                &access.api_user,
                &access.api_password,
            )),
        };
        let (servers, shown_frame) = (Arc::clone(&sandbox), frame.clone());
        let service = Service::start(service, |shown| {
            let shown = Arc::clone(shown);
            let show =
                move || async move { Json(describe(&shown_frame, &servers, &shown.status())) };
            Router::new().route(SANDBOX_PATH, get(show))
        })?;
        let admin = open_admin(run, &service, access, ports.admin, sandbox.dir())?;
        Ok(Self {
            sandbox,
            service,
            admin,
            frame,
        })
    }

    pub(super) fn manager(&self) -> &ManagerHandle {
        let manager = self.service.control.manager();
        manager.expect("a sandbox has a manager")
    }

    pub(super) fn status(&self) -> StatusView {
        self.service.status()
    }

    pub(super) fn wrong(&self) -> Option<String> {
        wrong_with(&self.status())
    }

    /// Waits until a primary serves and all others replicate from it.
    pub(super) async fn whole(&self) {
        let mut changes = self.manager().watch();
        while self.wrong().is_some() {
            // Lag is told by the servers, not by a change of the manager's mind.
            let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
        }
    }

    /// The announcement, as of now.
    pub(super) fn run_file(&self) -> RunFile {
        describe(&self.frame, &self.sandbox, &self.status())
    }

    /// Ends the service; the servers are left to the caller.
    pub(super) async fn stop(self) {
        drop(self.admin);
        self.service.stop().await;
    }
}

/// Opens the admin interface with the sandbox's own accounts. What it orders is done here: only the
/// proxy can be changed, the servers are the sandbox's.
fn open_admin(
    run: Run,
    service: &Service,
    access: &Access,
    port: TcpListener,
    dir: &Path,
) -> Result<AdminPort> {
    let (orders, mut ordered) = mpsc::channel::<Order>(1);
    let proxy = service.proxy().cloned();
    let control = service.control.clone();
    let living = Living {
        logs: Some(run.logs),
        file: None,
        orders,
        proxy: proxy.clone(),
        metrics: service.metrics(),
        runtime: tokio::runtime::Handle::current(),
    };
    tokio::spawn(async move {
        while let Some(order) = ordered.recv().await {
            let done = match &proxy {
                Some(proxy) => obey(&order, proxy, &control).await,
                None => Ok(Vec::new()),
            };
            // Whoever ordered it may have gone.
            let _ = order.done.send(done);
        }
    });
    let account = |user: &str| Account {
        user: user.to_owned(),
        password: Secret::new(&access.api_password),
    };
    let accounts = AdminSettings {
        listen: port.local_addr()?,
        account: account(ADMIN_USER),
        stats: Some(account("stats")),
    };
    let in_force = admin::in_force(&run.text, &run.path, run.settings, Arc::new(living))?;
    Ok(AdminPort::open(Opening {
        port,
        accounts,
        folder: dir.to_owned(),
        in_force,
        figures: service.figures(),
        tls: run.tls,
    }))
}

async fn obey(order: &Order, proxy: &Proxy, control: &Control) -> Result<Vec<String>, Refused> {
    if order.members {
        return Err(Refused::because("the servers of a sandbox are its own"));
    }
    if let Control::Manager(_, hand) = control {
        hand.set_intents(order.settings.intents());
    }
    if let Some(policy) = reload::policy(&order.settings, &proxy.policy()) {
        proxy.set_policy(&reload::with_key(policy).await);
    }
    Ok(Vec::new())
}

fn frame(sandbox: &Sandbox, access: &Access, ports: &Ports) -> Result<Frame> {
    let app = &sandbox.credentials().app;
    let endpoint = |address: std::net::SocketAddr, login: Option<(&str, &str)>| Endpoint {
        host: address.ip().to_string(),
        port: address.port(),
        user: login.map(|(user, _)| user.to_owned()),
        password: login.map(|(_, password)| password.to_owned()),
    };
    let api = ports.api.address().unwrap_or(ports.proxy);
    Ok(Frame {
        proxy: endpoint(ports.proxy, Some((&app.user, &app.password))),
        admin: endpoint(
            ports.admin.local_addr()?,
            Some((ADMIN_USER, &access.api_password)),
        ),
        api: endpoint(api, Some((&access.api_user, &access.api_password))),
    })
}

fn describe(frame: &Frame, sandbox: &Sandbox, status: &StatusView) -> RunFile {
    let role = |name: &str| {
        let server = status.servers.iter().find(|server| server.name == name);
        server.map_or_else(|| "unknown".to_owned(), |server| server.role.clone())
    };
    let servers = sandbox.servers().into_iter().map(|server| RunServer {
        role: role(server.name.as_str()),
        name: server.name.to_string(),
        address: server.address.to_string(),
        pid: server.pid,
    });
    RunFile {
        dir: sandbox.dir().to_owned(),
        flavor: sandbox.flavor().to_string().to_lowercase(),
        version: sandbox.version().to_string(),
        pid: std::process::id(),
        proxy: frame.proxy.clone(),
        admin: frame.admin.clone(),
        api: frame.api.clone(),
        servers: servers.collect(),
    }
}

fn manager_config(args: &SandboxArgs, sandbox: &Sandbox) -> Config {
    let login = |login: &mainstay_sandbox::Login| Login {
        user: login.user.clone(),
        password: login.password.clone(),
    };
    let members = sandbox.servers().into_iter().map(|server| Member {
        name: server.name,
        address: server.address,
        promotion: Promotion::Neutral,
        part: Part::default(),
    });
    Config {
        policy: Policy {
            auto_reseed: true,
            hang_after: args.hang_after,
            drain_limit: args.drain_limit,
            ..Policy::default()
        },
        members: members.collect(),
        login: login(&sandbox.credentials().manager),
        replication: login(&sandbox.credentials().replication),
        timing: Timing::default(),
        salvage: sandbox.dir().join("salvage"),
        data_directories: std::collections::BTreeMap::new(),
    }
}
