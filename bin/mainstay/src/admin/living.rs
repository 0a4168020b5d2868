//! This process as the admin interface uses it: settings go to whoever may change them, and the
//! rest is asked of the proxy, or of the process by its own signals.

use std::path::PathBuf;
use std::sync::Arc;

use mainstay_admin::{Event, Refused};
use mainstay_command::Control;
use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_proxy::Proxy;
use mainstay_session::explain::Asked;
use mainstay_session::policy::Credential;
use mainstay_settings::Settings;
use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::accounts;
use super::process::Process;
use crate::logs::Logs;
use crate::sessions::ROWS_MAX;

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
            Control::Start | Control::Resume => {
                return Ok("the proxy takes clients".to_owned());
            }
            Control::Stop | Control::Pause => {
                return Err(Refused::because(
                    "the proxy does not stop taking clients without ending: take its address \
                     away, or PROXYSQL SHUTDOWN SLOW",
                ));
            }
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

    /// Asks the proxy as the session's own user, who may always do so.
    fn kill(&self, session: u64, only_query: bool) -> Result<bool, Refused> {
        let proxy = self.proxy()?;
        let sessions = proxy.sessions(ROWS_MAX).sessions;
        let Some(found) = sessions.iter().find(|one| u64::from(one.number) == session) else {
            return Ok(false);
        };
        let policy = proxy.policy();
        let user = policy.users.get(&*found.user);
        let Some(Credential::Clear(password)) = user.map(|user| &user.credential) else {
            let text = "the session's user has only a hash as its password, so nobody but itself \
                        can be asked to end it";
            return Err(Refused::because(text));
        };
        let address = proxy.local_addr();
        let (host, password) = (address.ip().to_string(), password.reveal());
        let options = ConnectOptions::new(&host, address.port(), &*found.user, password);
        let verb = if only_query { "KILL QUERY" } else { "KILL" };
        let killed = self.runtime.block_on(async {
            let mut connection = Connection::connect(&options).await?;
            connection.query(&format!("{verb} {session}")).await
        });
        killed.map_err(|error| Refused::because(error.to_string()))?;
        Ok(true)
    }

    fn explain(
        &self,
        user: Option<&str>,
        statement: &str,
    ) -> Result<Vec<(String, String)>, Refused> {
        let proxy = self.proxy()?;
        let policy = proxy.policy();
        let first = policy.users.keys().next().map(String::as_str);
        let user = user.or(first).unwrap_or_default();
        let asked = Asked {
            user: user.to_owned(),
            schema: policy.users.get(user).and_then(|user| user.schema.clone()),
            client: "127.0.0.1".to_owned(),
            sql: statement.to_owned(),
        };
        Ok(proxy.explain_route(&asked))
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
