//! A laboratory for faults: three real servers on hosts of their own, one host with the manager
//! and the proxy, and one from which clients come and a person looks.
//!
//! Hosts are network namespaces, so that a cut is a cut. Each server has a disk of its own, which
//! can be full. Servers are started by nobody but the test, which is their service manager: see
//! [`Lab::tend`].

mod dialect;
mod disks;
mod hosted;
mod lines;
mod person;
mod settings;

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::processes::signal;
use crate::program::{Finished, mainstay_binary, run};
use crate::wait::{wait_for, wait_until};
use crate::{Client, Family, Home, Login, Network, Status};

pub use hosted::Start;
pub use lines::{EVERYONE, Way};

use hosted::Hosted;

/// The numbers of the servers.
pub const SERVERS: [usize; 3] = [1, 2, 3];
/// The host of the manager and the proxy.
pub const MANAGER: &str = "mgr";
/// The host of the clients and of whoever looks.
pub const CLIENTS: &str = "app";

/// How long a cluster may take to be whole again.
const LIMIT: Duration = Duration::from_secs(100);
const PAUSE: Duration = Duration::from_millis(100);

/// The laboratory.
#[derive(Debug)]
pub struct Lab {
    family: Family,
    servers: Vec<Hosted>,
    mainstay: Option<Child>,
    helped: u64,
    helped_at: Option<Instant>,
    network: Network,
    home: Home,
}

impl Lab {
    /// A new one, whole. The calling thread moves to the host of the clients.
    #[track_caller]
    pub fn start(family: Family) -> Self {
        let mut network = Network::new(family.short());
        for server in SERVERS {
            network.host(&name(server), &[&format!("{}/24", address(server))]);
        }
        network.host(MANAGER, &["10.125.0.9/24"]);
        network.host(CLIENTS, &["10.125.0.8/24"]);
        network.enter(CLIENTS);
        let home = Home::new();
        let mut lab = Self {
            family,
            servers: Vec::new(),
            mainstay: None,
            helped: 0,
            helped_at: None,
            network,
            home,
        };
        lab.install();
        lab.start_mainstay();
        lab.heal().unwrap_or_else(|wrong| panic!("{wrong}"));
        lab
    }

    fn install(&mut self) {
        hosted::make_template(self.family, self.home.path());
        for number in SERVERS {
            let server = Hosted::install(self.family, number, self.home.path());
            self.servers.push(server);
            self.spawn_server(number, Start::First);
        }
        for number in SERVERS {
            wait_for("a new server", || self.answers(number));
        }
        settings::write(self.home.path());
    }

    /// The family of its servers.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Starts the manager and the proxy.
    #[track_caller]
    pub fn start_mainstay(&mut self) {
        assert!(self.mainstay.is_none(), "it runs");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.home.join("mainstay.log"));
        let child = self
            .network
            .command(MANAGER, mainstay_binary())
            .args(["serve", "--config"])
            .arg(settings::file(self.home.path()))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn();
        self.mainstay = Some(child.expect("it can be started"));
    }

    /// SIGKILL to the manager and the proxy.
    #[track_caller]
    pub fn kill_mainstay(&mut self) {
        let mut child = self.mainstay.take().expect("it runs");
        child.kill().expect("it runs");
        child.wait().expect("it is our child");
    }

    /// Stops the manager and the proxy where they are; [`Signal::CONT`] lets them go on.
    #[track_caller]
    pub fn signal_mainstay(&self, what: Signal) {
        signal(self.mainstay.as_ref().expect("it runs").id(), what);
    }

    /// Ends a server's process with a signal, and waits until it is gone. It stays down.
    #[track_caller]
    pub fn end_server(&mut self, number: usize, how: Signal) {
        let was_primary = self.try_status().is_some_and(|status| {
            let primary = status.primary().map(str::to_owned);
            primary == Some(name(number))
        });
        self.servers[number - 1].end(how, was_primary);
    }

    /// A signal to a server's process.
    #[track_caller]
    pub fn signal_server(&self, number: usize, what: Signal) {
        signal(self.servers[number - 1].pid(), what);
    }

    /// Starts a server again, and waits until it answers.
    #[track_caller]
    pub fn start_server(&mut self, number: usize) {
        self.launch_server(number);
        wait_for("a server that was started", || {
            self.tend();
            self.answers(number)
        });
    }

    /// Starts a server again, and does not wait. An old primary of MariaDB that was replaced comes
    /// back as its service manager should let it (docs/runbooks/diverged-server.md): without what
    /// nobody acknowledged.
    #[track_caller]
    pub fn launch_server(&mut self, number: usize) {
        let primary = self
            .try_status()
            .and_then(|status| status.primary().map(str::to_owned));
        let replaced = primary.is_some_and(|primary| primary != name(number));
        let how = self.servers[number - 1].next_start(replaced);
        self.spawn_server(number, how);
    }

    /// Starts a server again with more options, this time only, and waits until it answers.
    #[track_caller]
    pub fn start_server_with(&mut self, number: usize, options: &[&str]) {
        let how = self.servers[number - 1].next_start(true);
        self.spawn_server_with(number, how, options);
        wait_for("a server that was started", || self.answers(number));
    }

    fn spawn_server(&mut self, number: usize, how: Start) {
        self.spawn_server_with(number, how, &[]);
    }

    fn spawn_server_with(&mut self, number: usize, how: Start, options: &[&str]) {
        let command = self
            .network
            .command(&name(number), self.family.server_program());
        self.servers[number - 1].spawn(command, how, options);
    }

    /// Starts servers again whose process ended by itself, as their service manager does: MySQL
    /// ends itself after a clone.
    pub fn tend(&mut self) {
        for number in SERVERS {
            if self.servers[number - 1].ended_by_itself() {
                self.launch_server(number);
            }
        }
    }

    fn answers(&self, number: usize) -> Result<(), String> {
        Client::try_connect(&self.person(number))
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// A session of the manager's account on a server, which may do everything.
    #[track_caller]
    pub fn client(&self, number: usize) -> Client {
        Client::connect(&self.person(number))
    }

    /// The account of a person who may do everything, on a server.
    pub fn person(&self, number: usize) -> Login {
        login(address(number), 3306, settings::PERSON)
    }

    /// The account of the application, on a server.
    pub fn beside_the_proxy(&self, number: usize) -> Login {
        login(address(number), 3306, settings::APP).with_database("app")
    }

    /// The proxy.
    pub fn proxy(&self) -> Login {
        login("10.125.0.9".to_owned(), 6033, settings::APP).with_database("app")
    }

    /// Runs `mainstay ARGUMENTS --config FILE`.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments))
    }

    /// The same, to be started by the caller.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(mainstay_binary());
        command
            .args(arguments)
            .arg("--config")
            .arg(settings::file(self.home.path()));
        command
    }

    /// What `mainstay status` says, if anybody answers.
    pub fn try_status(&self) -> Option<Status> {
        let answer = self.run(&["status", "--json"]);
        (answer.code == Some(0)).then(|| Status(answer.json()))
    }

    /// Waits until the status is as it should be.
    #[track_caller]
    pub fn wait(&mut self, what: &str, mut holds: impl FnMut(&Status) -> bool) -> Status {
        wait_for(what, || {
            self.tend();
            match self.try_status() {
                Some(status) if holds(&status) => Ok(status),
                Some(status) => Err(format!("the status is {}", short(&status))),
                None => Err("no status".to_owned()),
            }
        })
    }

    /// Waits until a finding or the phase's reason has these words.
    #[track_caller]
    pub fn wait_until_told(&mut self, words: &str) -> Status {
        self.wait(&format!("the words \"{words}\""), |status| {
            status.0.to_string().contains(words)
        })
    }

    /// Waits until a primary serves, all others replicate from it, and the manager is at rest.
    pub fn heal(&mut self) -> Result<Status, String> {
        let began = Instant::now();
        loop {
            self.tend();
            let status = self.try_status();
            if let Some(status) = &status {
                self.help(status);
            }
            let whole = |status: &Status| status.is_whole() && status.0["phase"] == "watching";
            match status {
                Some(status) if whole(&status) => return Ok(status),
                Some(status) if began.elapsed() > LIMIT => {
                    let shown = short(&status);
                    return Err(format!("not whole after {} s: {shown}", LIMIT.as_secs()));
                }
                None if began.elapsed() > LIMIT => return Err("the manager is gone".to_owned()),
                Some(_) | None => std::thread::sleep(PAUSE),
            }
        }
    }

    /// What the manager did, newest first.
    pub fn history(&self) -> Vec<serde_json::Value> {
        let history = self.run(&["status", "--history", "--json"]).json();
        history.as_array().expect("a list of operations").clone()
    }

    /// Ends everything, and keeps the logs.
    pub fn keep(&mut self) -> std::path::PathBuf {
        self.end();
        self.home.keep()
    }

    fn end(&mut self) {
        if let Some(mut child) = self.mainstay.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.servers.clear();
    }

    /// The files: logs, data, the manager's state.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Waits until a server's process has ended by itself or by somebody else.
    #[track_caller]
    pub fn wait_for_end_of_server(&mut self, number: usize) {
        let server = &mut self.servers[number - 1];
        wait_until("the end of a server", || server.has_ended());
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.end();
    }
}

/// `db1`.
pub fn name(number: usize) -> String {
    format!("db{number}")
}

/// The number of `db1`.
#[track_caller]
pub fn number(name: &str) -> usize {
    let number = name.strip_prefix("db").and_then(|digit| digit.parse().ok());
    number.unwrap_or_else(|| panic!("{name} is none of the servers"))
}

pub(crate) fn address(number: usize) -> String {
    format!("10.125.0.{number}")
}

fn login(host: String, port: u16, (user, password): (&str, &str)) -> Login {
    Login {
        host,
        port,
        user: user.to_owned(),
        password: password.to_owned(),
        database: None,
    }
}

/// What is worth reading when something was waited for in vain.
pub fn short(status: &Status) -> String {
    let all = &status.0;
    let sentences = all["findings"].as_array().into_iter().flatten();
    let sentences: Vec<_> = sentences
        .filter_map(|finding| finding["sentence"].as_str())
        .collect();
    format!(
        "epoch {}, primary {}, {} ({}), operation {}, held {}, findings {sentences:?}",
        all["epoch"],
        all["primary"],
        all["phase"],
        all["reason"],
        all["operation"]["purpose"],
        all["writes_held"]
    )
}
