//! One server's process: started, watched, restarted after a while, ended on request.
//!
//! Runs on the supervisor's thread alone. Signals are sent by the same task that reaps the
//! process, so that a process id is never used after it has gone to somebody else.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use mainstay_topology::ServerName;
use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::guard::Guard;
use crate::layout::accounts_file;
use crate::locate::ServerProgram;
use crate::reseed::history;
use crate::supervisor::{RestartRole, RestartRoles, SandboxEvent};
use crate::{SandboxError, dialect};

mod life;

pub(crate) use life::Order;
use life::{Ended, Life, answer};

const PROBE_EVERY: Duration = Duration::from_millis(20);
const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// A server that cannot start is tried ever more rarely, up to this.
const RESTART_LONGEST: Duration = Duration::from_secs(30);
/// Between two questions whether it is decided how a server comes back.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// A server that nobody decides about comes back all the same: it may hold the only copy.
const ASK_LIMIT: Duration = Duration::from_secs(10);

/// What others see of a server's process.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerState {
    pub(crate) pid: Option<u32>,
    /// Greets connections.
    pub(crate) ready: bool,
    /// How the last start ended, if it ended before the server was ready.
    pub(crate) failed: Option<String>,
}

/// A server and the channels to it.
pub(crate) struct ServerTask {
    pub(crate) name: ServerName,
    pub(crate) directory: PathBuf,
    pub(crate) port: u16,
    pub(crate) program: ServerProgram,
    pub(crate) guard: Guard,
    pub(crate) restart_after: Duration,
    pub(crate) roles: RestartRoles,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) state: watch::Sender<ServerState>,
    pub(crate) events: broadcast::Sender<SandboxEvent>,
}

impl ServerTask {
    /// Until an order to stop, or until nobody is left to give one.
    pub(crate) async fn run(mut self) {
        let mut role = (self.roles)(&self.name);
        let mut held = false;
        let mut failures = 0;
        loop {
            let ended = self.live(role, held).await;
            held = ended.held;
            if ended.stop.is_some() || ended.orphaned {
                self.tell_ended(&ended, None);
                if let Some(reply) = ended.stop {
                    let _nobody_waits = reply.send(());
                }
                return;
            }
            let code = ended.status.as_ref().ok().and_then(ExitStatus::code);
            if !ended.was_ready && code.is_some() && self.has_arguments_for(role) {
                // It refuses to start when the tail cannot be truncated: keep the tail, then, and
                // let the manager find what is errant.
                tracing::warn!(server = %self.name, "cannot truncate its tail; started with it");
                self.tell_ended(&ended, Some(Duration::ZERO));
                role = RestartRole::Plain;
                continue;
            }
            if !ended.was_ready {
                self.state
                    .send_modify(|state| state.failed = Some(ended.how()));
            }
            failures = if ended.was_ready { 0 } else { failures + 1 };
            let delay = match code {
                Some(dialect::EXIT_RESTART) => Duration::ZERO,
                _ => (self.restart_after * (1 << failures.min(4))).min(RESTART_LONGEST),
            };
            self.tell_ended(&ended, (!held).then_some(delay));
            let Some(decided) = self.rest(Instant::now() + delay, held).await else {
                return;
            };
            (role, held) = (decided, false);
        }
    }

    fn has_arguments_for(&self, role: RestartRole) -> bool {
        role == RestartRole::Rejoin
            && self.first_statements().is_none()
            && !dialect::rejoin_arguments(self.program.flavor).is_empty()
    }

    /// A file that the server has to run before it takes connections; then it has no tail yet.
    fn first_statements(&self) -> Option<PathBuf> {
        let files = [
            accounts_file(&self.directory),
            history::file(&self.directory),
        ];
        files.into_iter().find(|file| file.exists())
    }

    /// From start to exit.
    async fn live(&mut self, role: RestartRole, held: bool) -> Ended {
        let mut life = match self.spawn(role) {
            Ok(child) => Life::new(child, held),
            Err(error) => return Ended::unborn(error, held),
        };
        let pid = life.child.id();
        self.state
            .send_modify(|state| (state.pid, state.ready) = (pid, false));
        let server = self.name.clone();
        self.tell(SandboxEvent::Started {
            server,
            pid: pid.unwrap_or(0),
            role,
        });
        let mut ready = pin!(greeting(self.port));
        let mut was_ready = false;
        let status = loop {
            let kill_at = life.kill_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                status = life.child.wait() => break status,
                order = self.orders.recv(), if !life.orphaned => life.obey(order),
                () = &mut ready, if !was_ready => {
                    was_ready = true;
                    self.tell_ready(pid.unwrap_or(0));
                }
                () = sleep_until(kill_at), if life.kill_at.is_some() => life.kill(),
            }
        };
        self.state
            .send_modify(|state| (state.pid, state.ready) = (None, false));
        life.end(status, pid, was_ready)
    }

    /// Down, until it is time to start again and known how. `None` is an end for good.
    async fn rest(&mut self, until: Instant, held: bool) -> Option<RestartRole> {
        self.pause(until, held).await?;
        let patience = Instant::now() + ASK_LIMIT;
        loop {
            match (self.roles)(&self.name) {
                RestartRole::Wait if Instant::now() < patience => {
                    self.pause(Instant::now() + ASK_EVERY, false).await?;
                }
                RestartRole::Wait => return Some(RestartRole::Plain),
                role @ (RestartRole::Plain | RestartRole::Replica | RestartRole::Rejoin) => {
                    return Some(role);
                }
            }
        }
    }

    /// Down, until that moment and as long as it is held. `None` is an end for good.
    async fn pause(&mut self, mut until: Instant, mut held: bool) -> Option<()> {
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order? {
                    Order::Signal(signal, reply) => {
                        // A server that is down is as gone as SIGKILL could make it.
                        let down = || SandboxError::ServerDown { server: self.name.to_string() };
                        let result = if signal == Signal::KILL { Ok(()) } else { Err(down()) };
                        let _nobody_waits = reply.send(result);
                    }
                    Order::Hold(reply) => held = answer(reply, true),
                    Order::Release(reply) => {
                        until = Instant::now();
                        held = answer(reply, false);
                    }
                    Order::Stop(_, reply) => {
                        let _nobody_waits = reply.send(());
                        return None;
                    }
                },
                () = sleep_until(until), if !held => return Some(()),
            }
        }
    }

    fn spawn(&self, role: RestartRole) -> io::Result<Child> {
        let mut option_file = OsString::from("--defaults-file=");
        option_file.push(self.directory.join("my.cnf"));
        let mut arguments = vec![option_file];
        if let Some(statements) = self.first_statements() {
            let mut option = OsString::from("--init-file=");
            option.push(statements);
            arguments.push(option);
        } else if role == RestartRole::Rejoin {
            let extra = dialect::rejoin_arguments(self.program.flavor);
            arguments.extend(extra.iter().map(OsString::from));
        }
        let mut options = OpenOptions::new();
        let log = options
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.log())?;
        let mut command = Command::from(self.guard.command(self.program.path.clone(), arguments));
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .current_dir(&self.directory)
            .kill_on_drop(true);
        command.spawn()
    }

    fn log(&self) -> PathBuf {
        self.directory.join("mysqld.log")
    }

    fn tell_ended(&self, ended: &Ended, restart_in: Option<Duration>) {
        let how = ended.how();
        tracing::info!(server = %self.name, %how, ?restart_in, "server ended");
        let (server, pid) = (self.name.clone(), ended.pid.unwrap_or(0));
        self.tell(SandboxEvent::Exited {
            server,
            pid,
            how,
            restart_in,
        });
    }

    fn tell_ready(&self, pid: u32) {
        let server = self.name.clone();
        // The event first: who waits for the state and then listens is not told twice.
        self.tell(SandboxEvent::Ready { server, pid });
        self.state.send_modify(|state| {
            state.ready = true;
            state.failed = None;
        });
    }

    fn tell(&self, event: SandboxEvent) {
        let _nobody_listens = self.events.send(event);
    }
}

/// Until a server on this port sends its greeting, or an error in its place.
async fn greeting(port: u16) {
    loop {
        let attempt = async {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            let mut start = [0; 5];
            stream.read_exact(&mut start).await?;
            io::Result::Ok(start[4])
        };
        // Handshake V10 begins with 10, an ERR packet with 0xff (MySQL "Protocol::HandshakeV10").
        if let Ok(Ok(10 | 0xff)) = timeout(PROBE_LIMIT, attempt).await {
            return;
        }
        sleep(PROBE_EVERY).await;
    }
}
