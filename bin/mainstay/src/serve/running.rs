//! A running `mainstay serve`, and what signals make of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use mainstay_admin::{Refused, Runtime};
use mainstay_proxy::{Leaving, Proxy};
use mainstay_session::Policy;
use mainstay_settings::Settings;
use tokio::sync::mpsc;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::asks::{Ask, Asker, What};
use super::{monitor, open_admin, reload, start};
use crate::admin::{AdminPort, Order, Reread};
use crate::alerting::{self, Alerting};
use crate::balancing::Balance;
use crate::certificates::Certificates;
use crate::config::{ConfigView, differences};
use crate::floating::Floating;
use crate::logs::Logs;
use crate::naming::Naming;
use crate::scheduler::Scheduler;
use crate::service::{Service, end};
use crate::signals::Signals;
use crate::upgrade::{Itself, Successor};

/// How often the clients are counted that are still to go.
const COUNT_INTERVAL: Duration = Duration::from_millis(50);

/// What runs, and from which settings.
pub(super) struct Running {
    pub(super) settings: Settings,
    /// The text of the file that they are from.
    pub(super) text: String,
    /// Given to the API.
    pub(super) asker: Asker,
    pub(super) scheduler: Scheduler,
    /// In force for the proxy.
    pub(super) policy: Option<Arc<Policy>>,
    pub(super) certificates: Certificates,
    pub(super) logs: Arc<Logs>,
    pub(super) service: Service,
    pub(super) balance: Balance,
    pub(super) floating: Floating,
    pub(super) alerting: Alerting,
    pub(super) admin: Option<AdminPort>,
    /// Where the admin interface puts its orders.
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) naming: Option<Naming>,
}

/// What became of an upgrade.
pub(super) enum Upgraded {
    /// Another process serves; this one still has clients.
    To(Successor, Option<Arc<Proxy>>),
    /// This process goes on.
    Not(Box<Running>),
}

impl Running {
    /// Reads the settings again.
    pub(super) async fn reload(&mut self, path: &Path) {
        let (settings, read) = match self.read(path) {
            Ok(read) => read,
            Err(error) => {
                tracing::error!("the settings stay as they were: {error}");
                return;
            }
        };
        let waiting = self.take(settings).await;
        self.text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some((admin, read)) = self.admin.as_ref().zip(read) {
            admin.follow(read, &waiting);
        }
        if waiting.is_empty() {
            tracing::info!("the settings were read again");
        } else {
            let waiting = waiting.join(", ");
            tracing::warn!(
                waiting,
                "the settings were read again; what is listed waits for a restart"
            );
        }
    }

    /// The settings of the file, with what was changed by SQL since it was edited.
    fn read(&self, path: &Path) -> Result<(Settings, Option<Reread>)> {
        let settings = Settings::load(path)?;
        let Some(admin) = &self.admin else {
            return Ok((settings, None));
        };
        let text = std::fs::read_to_string(path)?;
        let read = admin.in_force().reread(&text, &settings)?;
        Ok((read.settings.clone(), Some(read)))
    }

    /// What the admin interface wants in force.
    pub(super) async fn obey(&mut self, order: Order) {
        let waiting = reload::needs_restart(&self.settings, &order.settings);
        if order.members && waiting.contains(&"[[server]]") {
            let text = "a server is added or taken away: with a manager that is done in [[server]] \
                        of the settings file, and a restart";
            let _ = order.done.send(Err(Refused::because(text)));
            return;
        }
        let waiting = self.take(*order.settings).await;
        let waiting = waiting.iter().filter(|name| **name != "[[server]]");
        let waiting = waiting.map(|name| (*name).to_owned());
        // Whoever ordered it may have gone.
        let _ = order.done.send(Ok(waiting.collect()));
    }

    /// Puts other settings in force; returns what waits for a restart.
    async fn take(&mut self, settings: Settings) -> Vec<&'static str> {
        let reload::Taken {
            settings,
            policy,
            waiting,
        } = reload::take(settings, &self.settings, self.policy.as_deref());
        let (before, after) = (&self.settings.balancer, &settings.balancer);
        self.balance.change(before, after).await;
        let (before, after) = (&self.settings.vip, &settings.vip);
        self.floating.change(before, after).await;
        if !Naming::is_same(&self.settings, &settings) {
            // The place may be the same, so the old one goes first.
            drop(self.naming.take());
            let naming = Naming::begin(&settings, &self.service.control, &self.floating).await;
            if let Err(error) = &naming {
                tracing::error!("no names are answered, and no cloud is told: {error:#}");
            }
            self.naming = naming.ok();
        }
        let others = self.settings.alerts != settings.alerts;
        self.settings = settings;
        if others {
            self.alerting = alerting::begin(&self.settings, &self.service);
        }
        self.scheduler.change(&self.settings.scheduler);
        self.service.set_intents(self.settings.intents());
        self.change_monitor();
        if let Some(proxy) = &self.settings.proxy {
            let home = self.settings.home();
            if let Some(filters) = self.certificates.replace(proxy, &home) {
                self.service.set_filters(&filters);
            }
        }
        if let Err(error) = self.logs.open(&self.settings.logs) {
            tracing::error!("the logs stay as they were: {error:#}");
        }
        if let Some(policy) = policy {
            let policy = reload::with_key(policy).await;
            self.service.set_policy(&policy);
            self.policy = Some(Arc::new(policy));
        }
        waiting
    }

    /// Answers what the API has asked.
    pub(super) async fn answer(&mut self, path: &Path, ask: Ask) {
        let found = self.compare(path);
        if found.is_ok() && ask.what == What::Apply {
            self.reload(path).await;
        }
        // Who has asked may be gone.
        let _ = ask.answer.send(found);
    }

    /// The file against what is in force, or its mistakes.
    fn compare(&self, path: &Path) -> Result<ConfigView, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let after = Settings::parse(&text, path).map_err(|error| error.to_string())?;
        let waits = reload::needs_restart(&self.settings, &after);
        // With what was loaded by SQL.
        let in_force = match &self.admin {
            Some(admin) => admin.in_force().text(true),
            None => self.text.clone(),
        };
        Ok(ConfigView {
            path: path.display().to_string(),
            differences: differences(&in_force, &text),
            waits_for_restart: waits.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Puts other servers and other times in force, where a monitor looks at them.
    fn change_monitor(&self) {
        let running = self.service.control.monitor();
        if let Some((running, settings)) = running.zip(self.settings.control.monitor()) {
            let config = monitor::config(&self.settings, settings);
            if !running.change(config) {
                tracing::error!("the monitor is busy: read the settings again");
            }
        }
    }

    /// Puts certificates in force that have changed.
    pub(super) fn renew_certificates(&mut self) {
        if let Some(filters) = self.certificates.changed() {
            self.service.set_filters(&filters);
        }
    }

    /// How long clients may take to go.
    pub(super) fn stop_limit(&self) -> Duration {
        let proxy = self.settings.proxy.as_ref();
        proxy.map(|proxy| proxy.stop_limit).unwrap_or_default()
    }

    /// Hands over to a new process, as far as it gets.
    pub(super) async fn upgrade(self, itself: &Itself, path: &Path) -> Result<Upgraded> {
        let itself = itself.clone();
        let successor = match spawn_blocking(move || Successor::start(&itself)).await? {
            Ok(successor) => successor,
            Err(error) => {
                tracing::error!("no upgrade: {error:#}");
                return Ok(Upgraded::Not(Box::new(self)));
            }
        };
        tracing::info!(pid = successor.pid(), "a new process takes over");
        self.balance.hand_over().await;
        drop((self.admin, self.naming, self.alerting));
        let proxy = self.service.stop_managing().await;
        // Last of all: from here on nobody speaks for the addresses until the new process does.
        self.floating.hand_over().await;
        match block_in_place(|| successor.take_over(proxy.as_deref())) {
            Ok(()) => Ok(Upgraded::To(successor, proxy)),
            Err(error) => {
                tracing::error!("no upgrade, this process goes on: {error:#}");
                block_in_place(|| successor.give_up());
                let floating = Floating::begin(&self.settings.vip, true).await?;
                let kept = (floating.clone(), self.balance.clone());
                let service = start(&self.settings, proxy, kept, &self.asker).await?;
                self.balance.begin(&self.settings.balancer)?;
                let admin = open_admin(
                    path,
                    &self.settings,
                    (&service, &self.certificates, &self.logs),
                    &self.orders,
                )
                .await?;
                let naming = Naming::begin(&self.settings, &service.control, &floating).await?;
                Ok(Upgraded::Not(Box::new(Self {
                    alerting: alerting::begin(&self.settings, &service),
                    service,
                    floating,
                    admin,
                    naming: Some(naming),
                    ..self
                })))
            }
        }
    }

    /// Ends in order: clients may finish what they have begun.
    pub(super) async fn end(self, signals: &mut Signals) -> Result<()> {
        tracing::info!("stopping");
        // First of all: another host may have them at once.
        self.floating.end().await;
        if let Some(proxy) = self.service.proxy() {
            proxy.leave(&Leaving::Dismissed);
            drained(proxy, self.stop_limit(), signals).await;
        }
        self.balance.end().await;
        drop(self.admin);
        self.service.stop().await;
        Ok(())
    }
}

/// Lets the clients go over to the process that serves now, each as it comes to rest.
pub(super) async fn leave(
    successor: Successor,
    proxy: Option<Arc<Proxy>>,
    limit: Duration,
    signals: &mut Signals,
) -> Result<()> {
    let Some(proxy) = proxy else { return Ok(()) };
    let departures = successor.move_clients(&proxy)?;
    drained(&proxy, limit, signals).await;
    end(Some(proxy)).await;
    let _ = spawn_blocking(move || departures.join()).await;
    tracing::info!("the clients have gone over to the new process");
    Ok(())
}

/// Waits until the proxy has no clients, for as long as that may take.
async fn drained(proxy: &Proxy, limit: Duration, signals: &mut Signals) {
    let deadline = Instant::now() + limit;
    while proxy.clients() > 0 && Instant::now() < deadline {
        let pause = sleep_until(deadline.min(Instant::now() + COUNT_INTERVAL));
        tokio::select! {
            () = pause => {}
            () = signals.ended() => break,
        }
    }
    let clients = proxy.clients();
    if clients > 0 {
        tracing::warn!(clients, "clients are cut off in the middle of what they do");
    }
}
