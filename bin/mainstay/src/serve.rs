//! `mainstay serve`: the proxy and the manager for the servers of a configuration file.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use mainstay_dashboard::{Access, Server as ApiServer};
use mainstay_manager::{Config, Login, Timing};
use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_proxy::{Filters, Io, ProxyOptions};
use mainstay_session::{AuthPlugin, Policy};
use mainstay_settings::{Account, ApiSettings, ProxyIo, ProxySettings, Settings};
use mainstay_store::Store;
use mainstay_wire::Greeting;
use mainstay_wire::auth::ServerKey;

use crate::args::ServeArgs;
use crate::certificates::{self, Certificates};
use crate::output::{BadInput, emit};
use crate::reload;
use crate::runfile::Endpoint;
use crate::service::{Parts, Service, raise_file_limit, start_logging};
use crate::signals::{Hangups, Interruptions};

/// How long a server has to tell its version before the proxy starts without knowing it.
const GREETING_LIMIT: Duration = Duration::from_secs(2);

/// How often it is looked whether a certificate has changed.
const CERTIFICATES_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode> {
    let settings = Settings::load(&args.config).map_err(|error| BadInput(error.to_string()))?;
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
    runtime.block_on(serve(&args.config, settings))?;
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

async fn serve(path: &Path, mut settings: Settings) -> Result<()> {
    let mut interrupted = Interruptions::listen()?;
    let mut hangups = Hangups::listen()?;
    let home = certificates::home(&settings.manager.state);
    let mut certificates = match &settings.proxy {
        Some(proxy) => Certificates::of(proxy, &home)?,
        None => Certificates::default(),
    };
    let parts = parts(&settings, certificates.load()?).await?;
    let mut greeting = parts.proxy.as_ref().map(|proxy| Arc::clone(&proxy.policy));
    let service =
        Service::start(parts, |_| Router::new()).map_err(|error| BadInput(format!("{error:#}")))?;
    if let Some(address) = service.proxy_address() {
        tracing::info!(%address, "the proxy listens");
    }
    tracing::info!(address = %settings.api.listen, "the API listens");
    let mut look = tokio::time::interval(CERTIFICATES_INTERVAL);
    loop {
        tokio::select! {
            _ = look.tick() => {
                if let Some(filters) = certificates.changed() {
                    service.set_filters(&filters);
                }
            }
            () = interrupted.recv() => break,
            () = hangups.recv() => {
                if let Some((read, policy)) = reload::read(path, &settings, greeting.as_deref()) {
                    settings = read;
                    let filters = settings.proxy.as_ref();
                    let filters = filters.and_then(|proxy| certificates.replace(proxy, &home));
                    if let Some(filters) = filters {
                        service.set_filters(&filters);
                    }
                    if let Some(policy) = policy {
                        service.set_policy(&policy);
                        greeting = Some(Arc::new(policy));
                    }
                }
            }
        }
    }
    tracing::info!("stopping");
    service.stop().await;
    Ok(())
}

async fn parts(settings: &Settings, filters: Arc<Filters>) -> Result<Parts> {
    let api = ApiServer::bind(settings.api.listen)
        .await
        .map_err(|error| BadInput(error.to_string()))?;
    let account = &settings.api.account;
    Ok(Parts {
        cluster: settings.cluster.name.clone(),
        manager: manager_config(settings),
        store: Store::open(&settings.manager.state)?,
        host: None,
        proxy: match (&settings.proxy, settings.session_policy()) {
            (Some(proxy), Some(policy)) => Some(ProxyOptions {
                filters,
                ..proxy_options(settings, proxy, policy).await?
            }),
            (None, _) | (_, None) => None,
        },
        admin: None,
        api,
        access: Some(Access::new(&account.user, account.password.reveal())),
    })
}

fn manager_config(settings: &Settings) -> Config {
    let login = |account: &Account| Login {
        user: account.user.clone(),
        password: account.password.reveal().to_owned(),
    };
    let manager = &settings.manager;
    Config {
        policy: settings.failover_policy(),
        members: settings.members(),
        login: login(&manager.account),
        replication: login(&manager.replication),
        timing: Timing {
            connect_limit: manager.connect_limit,
            probe_limit: manager.probe_limit,
            write_interval: manager.write_interval,
        },
    }
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
        let plugin = if said.is_mariadb() {
            AuthPlugin::NativePassword
        } else {
            AuthPlugin::CachingSha2
        };
        policy.auth_plugin = proxy.auth_plugin.unwrap_or(plugin);
    } else {
        tracing::warn!(
            version = policy.server_version,
            "no server tells its version; clients are greeted with this one"
        );
    }
    if policy.has_hashes() {
        policy.key = Some(Arc::new(login_key().await?));
    }
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

/// The key with which clients encrypt passwords that are known here by a hash only.
async fn login_key() -> Result<ServerKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random bytes")?;
    let key = tokio::task::spawn_blocking(move || ServerKey::generate(seed)).await?;
    key.context("no key for the logins of clients")
}

/// What the first server that answers says about itself, with the capabilities that all have which
/// answer: clients are greeted in its name.
async fn greetings(settings: &Settings) -> Option<Greeting> {
    let account = &settings.manager.account;
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
