//! The proxy, the manager and the API of one process, wired together: `serve` runs them for
//! configured servers, `sandbox` for its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use mainstay_admin::Figures;
use mainstay_dashboard::views::{
    AnswerView, ExplainRequest, OperationView, PlanView, QueriesView, RouteStepView, SessionsView,
    StatusView, SwitchoverRequest,
};
use mainstay_dashboard::{Access, ApiError, Pending as Answer, Server as ApiServer, Source};
use mainstay_failover::Request;
use mainstay_proxy::{Filters, Proxy};
use mainstay_session::Policy;
use mainstay_telemetry::Format;
use mainstay_topology::{Intent, ServerName};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::address_roles::{self, AddressRoles};
use crate::balancing::Balance;
use crate::control::{Control, ControlParts, api_error};
use crate::figures::Counted;
use crate::floating::{self, Floating};
use crate::hand::ProxyHand;
use crate::{change, metrics, pause, schedule, servers, sessions, view};

/// What a service is made of.
pub(crate) struct Parts {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// Who says where statements may go.
    pub(crate) control: ControlParts,
    /// What the operator wants with single servers, where that is not to use them.
    pub(crate) intents: BTreeMap<ServerName, Intent>,
    /// The proxy, where one runs.
    pub(crate) proxy: Option<Arc<Proxy>>,
    /// The floating addresses.
    pub(crate) floating: Floating,
    /// The balancer.
    pub(crate) balance: Balance,
    /// The floating addresses that the manager moves.
    pub(crate) roles: Option<Arc<AddressRoles>>,
    /// The API, bound already.
    pub(crate) api: ApiServer,
    /// Who may use the API.
    pub(crate) access: Option<Access>,
}

/// The running parts.
pub(crate) struct Service {
    pub(crate) control: Control,
    hand: Arc<ProxyHand>,
    shown: Arc<Shown>,
    proxy: Option<Arc<Proxy>>,
    api: JoinHandle<()>,
    /// Looks after the addresses that the manager moves.
    keeper: Option<JoinHandle<()>>,
    stop_api: oneshot::Sender<()>,
}

impl Service {
    /// Starts everything. `extra` makes more routes of the API, given what is shown.
    pub(crate) fn start(parts: Parts, extra: impl FnOnce(&Arc<Shown>) -> Router) -> Result<Self> {
        let proxy = parts.proxy;
        let hand = Arc::new(ProxyHand::new(proxy.clone()));
        hand.set_intents(parts.intents);
        let control = Control::start(parts.control, Arc::clone(&hand))?;
        let shown = Arc::new(Shown {
            cluster: parts.cluster,
            control: control.clone(),
            counted: proxy
                .clone()
                .map(|proxy| Arc::new(Counted::new(proxy, control.clone()))),
            proxy: proxy.clone(),
            floating: parts.floating.clone(),
            balance: parts.balance,
            roles: parts.roles.clone(),
        });
        let kept = parts.roles.clone().zip(control.manager().cloned());
        let keeper = kept.map(|(roles, manager)| roles.keep(manager));
        let extra = extra(&shown)
            .merge(floating::routes(parts.floating))
            .merge(servers::routes(control.clone()))
            .merge(change::routes(control.clone()))
            .merge(schedule::routes(control.clone()))
            .merge(pause::routes(control.clone()))
            .merge(address_roles::routes(parts.roles));
        let router = mainstay_dashboard::router(shown.clone(), parts.access, extra);
        let (stop_api, stopped) = oneshot::channel::<()>();
        let api = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            if let Err(error) = parts.api.serve(router, stop).await {
                tracing::error!(%error, "the API has ended");
            }
        });
        Ok(Self {
            control,
            hand,
            shown,
            proxy,
            api,
            keeper,
            stop_api,
        })
    }

    /// What the API shows.
    pub(crate) fn status(&self) -> StatusView {
        self.shown.status()
    }

    /// Where clients connect.
    pub(crate) fn proxy_address(&self) -> Option<SocketAddr> {
        self.proxy.as_ref().map(|proxy| proxy.local_addr())
    }

    /// Puts other settings of the proxy in force for everything that begins from now on.
    pub(crate) fn set_policy(&self, policy: &Policy) {
        if let Some(proxy) = &self.proxy {
            proxy.set_policy(policy);
        }
    }

    /// Puts in force what the operator wants with single servers from now on.
    pub(crate) fn set_intents(&self, intents: BTreeMap<ServerName, Intent>) {
        self.hand.set_intents(intents);
    }

    /// Puts other certificates in force for connections that begin from now on.
    pub(crate) fn set_filters(&self, filters: &Arc<Filters>) {
        if let Some(proxy) = &self.proxy {
            proxy.set_filters(filters);
        }
    }

    /// What `/metrics` tells, for others who ask for it.
    pub(crate) fn metrics(&self) -> Box<dyn Fn() -> String + Send + Sync> {
        let shown = Arc::clone(&self.shown);
        Box::new(move || shown.metrics().1)
    }

    /// Who fills the tables of figures of the admin interface.
    pub(crate) fn figures(&self) -> Vec<Arc<dyn Figures>> {
        let counted = self.shown.counted.iter();
        counted.map(|counted| Arc::clone(counted) as _).collect()
    }

    /// The proxy, where one runs.
    pub(crate) fn proxy(&self) -> Option<&Arc<Proxy>> {
        self.proxy.as_ref()
    }

    /// Ends everything but the proxy, which goes on with the routes it has.
    pub(crate) async fn stop_managing(self) -> Option<Arc<Proxy>> {
        if let Some(keeper) = self.keeper {
            keeper.abort();
        }
        let _ = self.stop_api.send(());
        self.api.abort();
        let _ = self.api.await;
        self.control.shutdown().await;
        self.proxy
    }

    /// Ends the parts in the order in which they depend on each other.
    pub(crate) async fn stop(self) {
        end(self.stop_managing().await).await;
    }
}

/// Ends a proxy. The last owner's drop joins its threads.
pub(crate) async fn end(proxy: Option<Arc<Proxy>>) {
    let _ = spawn_blocking(move || drop(proxy)).await;
}

/// Each client and each server connection takes a file descriptor; the usual soft limit is 1024.
pub(crate) fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// Logs for a person on a terminal, as lines in a file otherwise.
pub(crate) fn start_logging(to_file: bool) {
    let format = if to_file { Format::Json } else { Format::Auto };
    if let Err(error) = mainstay_telemetry::init(format, "info") {
        eprintln!("mainstay: {error}");
    }
}

/// What the API shows, made from the manager's and the proxy's present state.
pub(crate) struct Shown {
    cluster: String,
    control: Control,
    proxy: Option<Arc<Proxy>>,
    /// What the tables of figures are filled from.
    pub(crate) counted: Option<Arc<Counted>>,
    floating: Floating,
    balance: Balance,
    roles: Option<Arc<AddressRoles>>,
}

impl Shown {
    pub(crate) fn status(&self) -> StatusView {
        let mut status = self.control.status(&self.cluster);
        let proxy = self.proxy.as_ref();
        status.proxy = proxy.map(|proxy| view::proxy(proxy.local_addr(), &proxy.stats()));
        status.vips = self.floating.views();
        status.virtual_servers = self.balance.views();
        let roles = self.roles.as_ref();
        status.roles = roles.map(|roles| roles.views()).unwrap_or_default();
        status
    }

    /// Asks the workers of the proxy, which takes up to one of their turns.
    async fn ask_proxy<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Proxy) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let missing = || ApiError::NotFound("this process has no proxy".to_owned());
        let proxy = self.proxy.clone().ok_or_else(missing)?;
        let answer = spawn_blocking(move || question(&proxy)).await;
        answer.map_err(|error| ApiError::Internal(error.to_string()))
    }
}

impl Source for Shown {
    fn metrics(&self) -> (&'static str, String) {
        let counted = self.counted.as_ref();
        let numbers = counted.map(|counted| counted.numbers());
        let text = metrics::text(&self.status(), numbers.as_ref());
        (mainstay_telemetry::exposition::CONTENT_TYPE, text)
    }

    fn status(&self) -> StatusView {
        Self::status(self)
    }

    fn plan_failover(&self) -> Answer<'_, PlanView> {
        Box::pin(async {
            let manager = self.control.managed()?;
            let planned = manager.plan(Request::Failover, manager.terms()).await;
            Ok(view::plan(&planned.map_err(api_error)?))
        })
    }

    fn plan_switchover(&self, request: SwitchoverRequest) -> Answer<'_, PlanView> {
        Box::pin(async {
            let terms = self.control.terms(&request)?;
            let to = self.control.server(request.to)?;
            let manager = self.control.managed()?;
            let planned = manager.plan(Request::Switchover { to }, terms).await;
            Ok(view::plan(&planned.map_err(api_error)?))
        })
    }

    fn why(&self, about: Option<String>) -> Answer<'_, Vec<AnswerView>> {
        Box::pin(async {
            let about = self.control.server(about)?;
            let answers = self.control.managed()?.why(about).await;
            let answers = answers.map_err(api_error)?;
            Ok(answers.iter().map(AnswerView::from).collect())
        })
    }

    fn switchover(&self, request: SwitchoverRequest) -> Answer<'_, OperationView> {
        Box::pin(async {
            let terms = self.control.terms(&request)?;
            let to = self.control.server(request.to)?;
            let manager = self.control.managed()?;
            let done = manager
                .request_under(Request::Switchover { to }, terms)
                .await;
            Ok(view::operation(&done.map_err(api_error)?))
        })
    }

    fn failover(&self) -> Answer<'_, OperationView> {
        Box::pin(async {
            let done = self.control.request(Request::Failover).await?;
            Ok(view::operation(&done))
        })
    }

    fn queries(&self, reset: bool) -> Answer<'_, QueriesView> {
        Box::pin(async move {
            let stats = self.ask_proxy(move |proxy| proxy.queries(reset)).await?;
            Ok(crate::queries::view(&stats))
        })
    }

    fn sessions(&self) -> Answer<'_, SessionsView> {
        Box::pin(async move {
            let ask = |proxy: &Proxy| proxy.sessions(sessions::ROWS_MAX);
            Ok(sessions::view(self.ask_proxy(ask).await?))
        })
    }

    fn explain(&self, request: ExplainRequest) -> Answer<'_, Vec<RouteStepView>> {
        Box::pin(async move {
            let ask = move |proxy: &Proxy| crate::explain::explained(proxy, request);
            let step = |(step, found)| RouteStepView { step, found };
            Ok(self.ask_proxy(ask).await?.into_iter().map(step).collect())
        })
    }

    fn operations(&self, limit: usize) -> Answer<'_, Vec<OperationView>> {
        Box::pin(async move {
            let Some(manager) = self.control.manager() else {
                return Ok(Vec::new());
            };
            let operations = manager.operations(limit).await.map_err(api_error)?;
            Ok(operations.iter().map(view::operation).collect())
        })
    }

    fn operation(&self, id: u64) -> Answer<'_, OperationView> {
        Box::pin(async move {
            let found = self.control.managed()?.operation(id).await;
            let found = found.map_err(api_error)?;
            let missing = || ApiError::NotFound(format!("there is no operation {id}"));
            found.as_ref().map(view::operation).ok_or_else(missing)
        })
    }
}
