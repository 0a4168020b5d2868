//! This process as the admin interface uses it: settings go to whoever may change them, and the
//! rest is asked of the proxy, or of the process by its own signals.

use std::path::PathBuf;
use std::sync::Arc;

use mainstay_admin::{Event, Refused};
use mainstay_command::Control;
use mainstay_dashboard::views::ExplainRequest;
use mainstay_proxy::{Door, Proxy};
use mainstay_settings::Settings;
use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::accounts;
use super::process::Process;
use crate::logs::Logs;

/// Settings that are to be put in force, and where to tell what became of it: what has to wait for
/// a restart, or why not.
pub(crate) struct Order {
    pub(crate) settings: Box<Settings>,
    /// Servers come or go.
    pub(crate) members: bool,
    pub(crate) done: oneshot::Sender<Result<Vec<String>, Refused>>,
}

/// This process.
pub(crate) struct Living {
    /// The settings file, where there is one.
    pub(crate) file: Option<PathBuf>,
    /// Who puts settings in force.
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) proxy: Option<Arc<Proxy>>,
    pub(crate) metrics: Box<dyn Fn() -> String + Send + Sync>,
    pub(crate) runtime: Handle,
    /// The logs, where there are any.
    pub(crate) logs: Option<Arc<Logs>>,
}

impl Living {
    fn proxy(&self) -> Result<&Arc<Proxy>, Refused> {
        let missing = || Refused::because("this process has no proxy");
        self.proxy.as_ref().ok_or_else(missing)
    }
}

impl Living {
    fn turn_door(&self, door: Door) -> Result<String, Refused> {
        if !self.proxy()?.turn_door(door) {
            let text = "not every worker of the proxy has answered yet: ask again";
            return Err(Refused::because(text));
        }
        let told = match door {
            Door::Open => "the proxy takes clients",
            Door::Closed => "the proxy takes no clients; those that are there go on",
            Door::Emptied => "the proxy has no clients and takes none",
        };
        tracing::warn!("{told}");
        Ok(told.to_owned())
    }
}

impl Process for Living {
    fn file(&self) -> Option<std::io::Result<String>> {
        self.file.as_ref().map(std::fs::read_to_string)
    }

    fn apply(&self, settings: &Settings, members: bool) -> Result<Vec<String>, Refused> {
        let gone = || Refused::because("the process is about to end");
        let (done, outcome) = oneshot::channel();
        let settings = Box::new(settings.clone());
        let order = Order {
            settings,
            members,
            done,
        };
        self.orders.blocking_send(order).map_err(|_| gone())?;
        outcome.blocking_recv().map_err(|_| gone())?
    }

    fn accounts(&self, settings: &Settings) -> Result<Vec<(String, String)>, Refused> {
        self.runtime.block_on(accounts::of_servers(settings))
    }

    fn control(&self, control: &Control) -> Result<String, Refused> {
        let signal = match control {
            Control::Shutdown { .. } => Signal::TERM,
            Control::Kill => Signal::KILL,
            Control::Restart => Signal::USR2,
            // Certificates are looked at again with the file.
            Control::ReloadTls => Signal::HUP,
            Control::FlushLogs => {
                if let Some(recorder) = self.proxy.as_ref().and_then(|proxy| proxy.recorder()) {
                    recorder.rotate();
                }
                return Ok(String::new());
            }
            Control::FlushQueryCache => {
                let proxy = self.proxy()?;
                let policy = proxy.policy();
                let mut without = (*policy).clone();
                without.cache.on = false;
                proxy.set_policy(&without);
                proxy.set_policy(&policy);
                return Ok(String::new());
            }
            Control::Start | Control::Resume => return self.turn_door(Door::Open),
            Control::Pause => return self.turn_door(Door::Closed),
            Control::Stop => return self.turn_door(Door::Emptied),
            Control::ReadOnly
            | Control::ReadWrite
            | Control::FlushConfigDb
            | Control::FlushClientHosts
            | Control::Inert => return Ok(String::new()),
        };
        if self.file.is_none() && [Signal::HUP, Signal::USR2].contains(&signal) {
            let text = "this process has no settings file to read again: stop it and start it";
            return Err(Refused::because(text));
        }
        let sent = kill_process(getpid(), signal);
        sent.map_err(|error| Refused::because(error.to_string()))?;
        Ok(String::new())
    }

    fn kill(&self, session: u64, only_query: bool) -> Result<bool, Refused> {
        let number = u32::try_from(session);
        let proxy = self.proxy()?;
        Ok(number.is_ok_and(|number| proxy.end(number, only_query)))
    }

    fn explain(
        &self,
        user: Option<&str>,
        statement: &str,
    ) -> Result<Vec<(String, String)>, Refused> {
        let request = ExplainRequest {
            sql: statement.to_owned(),
            user: user.map(str::to_owned),
            schema: None,
        };
        Ok(crate::explain::explained(self.proxy()?, request))
    }

    fn metrics(&self) -> String {
        (self.metrics)()
    }

    fn forget_hosts(&self) {
        if let Some(proxy) = &self.proxy {
            proxy.hosts(true);
        }
    }

    fn note(&self, event: &Event<'_>) {
        if let Some(logs) = &self.logs {
            logs.admin(event);
        }
    }
}
