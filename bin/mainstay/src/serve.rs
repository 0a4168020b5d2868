//! `mainstay serve`: the proxy and the manager for the servers of a configuration file.

mod addresses;
mod asks;
mod monitor;
pub(crate) mod reload;
mod running;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use mainstay_dashboard::{Access, Server as ApiServer};
use mainstay_manager::{Config, HostControl, Login, Timing};
use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_proxy::{Filters, Io, Proxy, ProxyOptions};
use mainstay_session::{AuthPlugin, Policy};
use mainstay_settings::{
    Account, ApiSettings, Control, ManagerSettings, ProxyIo, ProxySettings, Roles, Settings,
};
use mainstay_store::Store;
use mainstay_wire::Greeting;
use mainstay_wire::auth::{Plugin, ServerKey};
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::address_roles::AddressRoles;
use crate::admin::{self, AdminPort, Living, Opening, Order};
use crate::alerting;
use crate::args::ServeArgs;
use crate::balancing::Balance;
use crate::certificates::Certificates;
use crate::control::ControlParts;
use crate::floating::Floating;
use crate::hooks::Hooks;
use crate::logs::Logs;
use crate::naming::Naming;
use crate::output::{BadInput, emit};
use crate::runfile::Endpoint;
use crate::scheduler::Scheduler;
use crate::service::{Parts, Service, raise_file_limit, start_logging};
use crate::signals::{Request, Signals};
use crate::upgrade::{Itself, Predecessor};
use asks::{Ask, Asker};
use running::{Running, Upgraded, leave};

/// How long a server has to tell its version before the proxy starts without knowing it.
const GREETING_LIMIT: Duration = Duration::from_secs(2);

/// How often it is looked whether a certificate has changed.
const CERTIFICATES_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode> {
    let roles = Roles::load(&args.config).map_err(|error| BadInput(error.to_string()))?;
    if args.check {
        emit(&format!("{} is right.\n", args.config.display()));
        return Ok(ExitCode::SUCCESS);
    }
    start_logging(false);
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    match roles {
        Roles::Cluster(settings) => runtime.block_on(serve(&args.config, *settings))?,
        Roles::Addresses(settings) => runtime.block_on(addresses::serve(&args.config, settings))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where other commands find the API of these settings.
pub(crate) fn api_endpoint(api: &ApiSettings) -> Endpoint {
    Endpoint {
        host: api.listen.ip().to_string(),
        port: api.listen.port(),
        user: Some(api.account.user.clone()),
        password: Some(api.account.password.reveal().to_owned()),
    }
}

async fn serve(path: &Path, settings: Settings) -> Result<()> {
    let itself = Itself::find()?;
    let signals = Signals::listen()?;
    let predecessor = Predecessor::find()?;
    let (certificates, filters) = certificates_of(&settings)?;
    let logs = Arc::new(Logs::default());
    logs.open(&settings.logs)
        .map_err(|error| BadInput(format!("{error:#}")))?;
    let options = options(&settings, filters).await?;
    let options = options.map(|options| ProxyOptions {
        recorder: Some(logs.clone()),
        ..options
    });
    let policy = options.as_ref().map(|options| Arc::clone(&options.policy));
    let (predecessor, listeners) = match predecessor {
        Some(before) => spawn_blocking(move || before.take_over().map(|port| (Some(before), port))),
        None => spawn_blocking(|| Ok((None, Vec::new()))),
    }
    .await??;
    let proxy = options.map(|options| Proxy::inherit(options, listeners));
    let proxy = proxy
        .transpose()
        .map_err(|error| BadInput(error.to_string()))?;
    let floating = Floating::begin(&settings.vip, predecessor.is_some()).await?;
    let (asker, questions) = asks::channel();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let proxy = proxy.map(Arc::new);
    let balance = Balance::default();
    let kept = (floating.clone(), balance.clone());
    let service = start(&settings, proxy, kept, &asker).await?;
    if let Some(before) = predecessor {
        before.serving(service.proxy().cloned())?;
    }
    balance.begin(&settings.balancer)?;
    let naming = Some(Naming::begin(&settings, &service.control, &floating).await?);
    announce(&settings, &service);
    let (orders, ordered) = mpsc::channel(1);
    let admin = open_admin(path, &settings, (&service, &certificates, &logs), &orders).await?;
    let running = Running {
        scheduler: Scheduler::start(&settings.scheduler),
        text,
        asker,
        alerting: alerting::begin(&settings, &service),
        settings,
        policy,
        certificates,
        logs,
        service,
        balance,
        floating,
        admin,
        orders,
        naming,
    };
    attend(path, running, signals, (&itself, ordered, questions)).await
}

/// Where upgrades are from, and what the admin interface and the API ask for.
type Attended<'a> = (&'a Itself, mpsc::Receiver<Order>, mpsc::Receiver<Ask>);

/// Does what signals, the admin interface and the API ask for, until the end.
async fn attend(
    path: &Path,
    mut running: Running,
    mut signals: Signals,
    (itself, mut ordered, mut questions): Attended<'_>,
) -> Result<()> {
    let mut look = tokio::time::interval(CERTIFICATES_INTERVAL);
    loop {
        let stop_limit = running.stop_limit();
        let request = tokio::select! {
            _ = look.tick() => {
                running.renew_certificates();
                continue;
            }
            Some(order) = ordered.recv() => {
                running.obey(order).await;
                continue;
            }
            Some(ask) = questions.recv() => {
                running.answer(path, ask).await;
                continue;
            }
            request = signals.next() => request,
        };
        match request {
            Request::End => return running.end(&mut signals).await,
            Request::Reload => running.reload(path).await,
            Request::Upgrade => match running.upgrade(itself, path).await? {
                Upgraded::Not(kept) => running = *kept,
                Upgraded::To(successor, proxy) => {
                    let limit = stop_limit;
                    return leave(successor, proxy, limit, &mut signals).await;
                }
            },
        }
    }
}

/// The certificates, read.
fn certificates_of(settings: &Settings) -> Result<(Certificates, Arc<Filters>)> {
    let mut certificates = match &settings.proxy {
        Some(proxy) => Certificates::of(proxy, &settings.home())?,
        None => Certificates::default(),
    };
    let filters = certificates.load()?;
    Ok((certificates, filters))
}

/// Opens the admin interface, where the settings ask for it.
async fn open_admin(
    path: &Path,
    settings: &Settings,
    (service, certificates, logs): (&Service, &Certificates, &Arc<Logs>),
    orders: &mpsc::Sender<Order>,
) -> Result<Option<AdminPort>> {
    let Some(accounts) = settings.admin.clone() else {
        return Ok(None);
    };
    let port = TcpListener::bind(accounts.listen).await;
    let port = port.map_err(|error| {
        let address = accounts.listen;
        BadInput(format!(
            "the admin interface cannot listen on {address}: {error}; [admin] listen names another"
        ))
    })?;
    let text = std::fs::read_to_string(path)?;
    let living = Living {
        logs: Some(Arc::clone(logs)),
        file: Some(path.to_owned()),
        orders: orders.clone(),
        proxy: service.proxy().cloned(),
        metrics: service.metrics(),
        runtime: tokio::runtime::Handle::current(),
    };
    let in_force = admin::in_force(&text, path, settings.clone(), Arc::new(living))?;
    Ok(Some(AdminPort::open(Opening {
        port,
        accounts,
        folder: settings.home(),
        in_force,
        figures: service.figures(),
        tls: certificates.clients(),
    })))
}

async fn start(
    settings: &Settings,
    proxy: Option<Arc<Proxy>>,
    kept: (Floating, Balance),
    asker: &Asker,
) -> Result<Service> {
    let parts = parts(settings, proxy, kept).await?;
    let service = Service::start(parts, |_| asks::routes(asker));
    Ok(service.map_err(|error| BadInput(format!("{error:#}")))?)
}

fn announce(settings: &Settings, service: &Service) {
    if let Some(address) = service.proxy_address() {
        tracing::info!(%address, "the proxy listens");
    }
    tracing::info!(address = %settings.api.listen, "the API listens");
    // Nobody may be listening: then it is no service of systemd.
    let _ = sd_notify::notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
}

async fn parts(
    settings: &Settings,
    proxy: Option<Arc<Proxy>>,
    (floating, balance): (Floating, Balance),
) -> Result<Parts> {
    let api = ApiServer::bind(settings.api.listen)
        .await
        .map_err(|error| BadInput(error.to_string()))?;
    let account = &settings.api.account;
    let roles = settings.address_roles.as_ref();
    let roles = roles.map(|roles| Arc::new(AddressRoles::new(roles)));
    Ok(Parts {
        cluster: settings.cluster.name.clone(),
        control: match &settings.control {
            Control::Manager(manager) => ControlParts::Manager {
                config: Box::new(manager_config(settings, manager)),
                store: Store::open(&manager.state)?,
                host: roles.clone().map(|roles| roles as Arc<dyn HostControl>),
                hooks: Some(Arc::new(Hooks::of(settings))),
            },
            Control::Monitor(monitor) => {
                ControlParts::Monitor(Box::new(monitor::config(settings, monitor)))
            }
        },
        intents: settings.intents(),
        proxy,
        floating,
        balance,
        roles,
        api,
        access: Some(Access::new(&account.user, account.password.reveal())),
    })
}

fn manager_config(settings: &Settings, manager: &ManagerSettings) -> Config {
    let login = |account: &Account| Login {
        user: account.user.clone(),
        password: account.password.reveal().to_owned(),
    };
    Config {
        policy: settings.failover_policy(manager),
        members: settings.members(),
        login: login(&manager.account),
        replication: login(&manager.replication),
        timing: Timing {
            connect_limit: manager.connect_limit,
            probe_limit: manager.probe_limit,
            write_interval: manager.write_interval,
        },
        salvage: manager.state.with_file_name("salvage"),
        data_directories: settings.data_directories(),
    }
}

/// What the proxy is started with, where one runs.
async fn options(settings: &Settings, filters: Arc<Filters>) -> Result<Option<ProxyOptions>> {
    let (Some(proxy), Some(policy)) = (&settings.proxy, settings.session_policy()) else {
        return Ok(None);
    };
    let options = proxy_options(settings, proxy, policy).await?;
    Ok(Some(ProxyOptions { filters, ..options }))
}

/// What the proxy is started with.
pub(crate) async fn proxy_options(
    settings: &Settings,
    proxy: &ProxySettings,
    mut policy: Policy,
) -> Result<ProxyOptions> {
    if let Some(said) = greetings(settings).await {
        policy.capabilities = Some(said.capabilities);
        policy.collation = said.charset;
        let version = proxy.server_version.clone();
        policy.server_version = version.unwrap_or_else(|| said.server_version.clone());
        // As the servers do: of MySQL, those before 8.0 do not name the newer one.
        let plugin = match Plugin::from_name(&said.auth_plugin) {
            Some(Plugin::CachingSha2) => AuthPlugin::CachingSha2,
            _ => AuthPlugin::NativePassword,
        };
        policy.auth_plugin = proxy.auth_plugin.unwrap_or(plugin);
    } else {
        tracing::warn!(
            version = policy.server_version,
            "no server tells its version; clients are greeted with this one"
        );
    }
    policy.key = login_key(&policy).await?;
    let default = ProxyOptions::default();
    Ok(ProxyOptions {
        listen: proxy.listen,
        workers: proxy.workers.unwrap_or(default.workers),
        io: match proxy.io {
            ProxyIo::Auto => Io::Auto,
            ProxyIo::Epoll => Io::Epoll,
            ProxyIo::IoUring => Io::IoUring,
        },
        policy: Arc::new(policy),
        ..default
    })
}

/// The key with which clients encrypt their passwords, where they may be asked for them. It takes
/// a while to make.
async fn login_key(policy: &Policy) -> Result<Option<Arc<ServerKey>>> {
    if !policy.needs_key() {
        return Ok(None);
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random bytes")?;
    let key = spawn_blocking(move || ServerKey::generate(seed)).await?;
    let key = key.context("no key for the logins of clients")?;
    Ok(Some(Arc::new(key)))
}

/// What the first server that answers says about itself, with the capabilities that all have which
/// answer: clients are greeted in its name.
async fn greetings(settings: &Settings) -> Option<Greeting> {
    let account = settings.control.account();
    let mut said: Option<Greeting> = None;
    for server in &settings.servers {
        let address = &server.address;
        let password = account.password.reveal();
        let options = ConnectOptions::new(&address.host, address.port, &account.user, password)
            .with_connect_timeout(GREETING_LIMIT);
        let Ok(connection) = Connection::connect(&options).await else {
            continue;
        };
        let greeting = connection.greeting();
        match &mut said {
            Some(first) => first.capabilities = first.capabilities & greeting.capabilities,
            None => said = Some(greeting.clone()),
        }
    }
    said
}
