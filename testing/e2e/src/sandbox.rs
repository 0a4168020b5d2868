//! A sandbox of a test: started by the command line, stopped whatever becomes of the test, and
//! nothing of it left running.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use crate::processes::{self, Process};
use crate::program::{Finished, mainstay_binary, run};
use crate::start::{environment, start_command};
use crate::wait::{wait_for, wait_until};
use crate::{Family, Home, Login, Status, logs, wait_for_status};

/// A server, as the sandbox announced it.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// The application's user on it.
    pub login: Login,
    /// Its first process.
    pub pid: u32,
    /// Its first role.
    pub role: String,
}

/// A detached sandbox with ports of its own.
pub struct Sandbox {
    family: Family,
    dir: PathBuf,
    announced: Value,
    _home: Home,
}

impl Sandbox {
    /// A new one, whole.
    #[track_caller]
    pub fn start(family: Family) -> Self {
        Self::start_with(family, &[])
    }

    /// The same with more arguments.
    #[track_caller]
    pub fn start_with(family: Family, more: &[&str]) -> Self {
        let home = Home::new();
        let dir = home.join("sandbox");
        let mut command = start_command(family, Some(&dir));
        command.args(["--detach", "--json"]).args(more);
        let mut sandbox = Self {
            family,
            dir,
            announced: Value::Null,
            _home: home,
        };
        sandbox.announced = run(&mut command).json();
        sandbox
    }

    /// Starts it again in its directory, with no other argument.
    #[track_caller]
    pub fn start_again(&mut self) {
        let mut command = Command::new(mainstay_binary());
        command
            .args(["sandbox", "--detach", "--json", "--dir"])
            .arg(&self.dir)
            .envs(environment(self.family));
        self.announced = run(&mut command).json();
    }

    /// The name of the present primary.
    #[track_caller]
    pub fn primary(&self) -> String {
        let status = self.status();
        let primary = status.primary();
        primary
            .unwrap_or_else(|| panic!("no primary in {status}"))
            .to_owned()
    }

    /// The family of its servers.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The object that its start printed.
    pub fn announced(&self) -> &Value {
        &self.announced
    }

    /// Its own process.
    pub fn pid(&self) -> u32 {
        number(&self.announced["pid"])
    }

    /// The proxy, with the schema `app`.
    pub fn proxy(&self) -> Login {
        let proxy = &self.announced["proxy"];
        Login {
            host: text(&proxy["host"]),
            port: u16::try_from(number(&proxy["port"])).expect("a port"),
            user: text(&proxy["user"]),
            password: text(&proxy["password"]),
            database: Some("app".to_owned()),
        }
    }

    /// The admin interface.
    pub fn admin(&self) -> Login {
        let admin = &self.announced["admin"];
        Login {
            host: text(&admin["host"]),
            port: u16::try_from(number(&admin["port"])).expect("a port"),
            user: text(&admin["user"]),
            password: text(&admin["password"]),
            database: None,
        }
    }

    /// The servers, as they were announced.
    pub fn servers(&self) -> Vec<Server> {
        let servers = self.announced["servers"].as_array();
        servers
            .expect("servers are a list")
            .iter()
            .map(|server| self.described(server))
            .collect()
    }

    /// One of them.
    #[track_caller]
    pub fn server(&self, name: &str) -> Server {
        let mut servers = self.servers().into_iter();
        servers
            .find(|server| server.name == name)
            .unwrap_or_else(|| panic!("no server {name} in {}", self.announced))
    }

    /// The account of the manager on a server, which has every privilege.
    pub fn manager_login(&self, name: &str) -> Login {
        let (user, password) = self.account("manager");
        Login {
            user,
            password,
            database: None,
            ..self.server(name).login
        }
    }

    /// User and password of `manager`, `replication` or `app`.
    pub fn account(&self, which: &str) -> (String, String) {
        let account = &self.description()["credentials"][which];
        (text(&account["user"]), text(&account["password"]))
    }

    /// Every password that this sandbox has made.
    pub fn passwords(&self) -> Vec<String> {
        let accounts = ["manager", "replication", "app"].map(|which| self.account(which));
        let mut passwords: Vec<_> = accounts.map(|(_, password)| password).into();
        passwords.push(text(&self.announced["api"]["password"]));
        passwords
    }

    /// Runs `mainstay ARGUMENTS --dir DIR`.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new(mainstay_binary());
        run(command.args(arguments).arg("--dir").arg(&self.dir))
    }

    /// What `mainstay status` says now.
    #[track_caller]
    pub fn status(&self) -> Status {
        Status(self.run(&["status", "--json"]).json())
    }

    /// Waits until the status is as it should be.
    #[track_caller]
    pub fn wait(&self, what: &str, holds: impl FnMut(&Status) -> bool) -> Status {
        wait_for_status(what, |arguments| self.run(arguments), holds)
    }

    /// Waits until a primary serves, and all others replicate from it.
    #[track_caller]
    pub fn wait_until_whole(&self) -> Status {
        self.wait("a whole cluster", Status::is_whole)
    }

    /// What the manager did, newest first.
    #[track_caller]
    pub fn history(&self) -> Vec<Value> {
        let history = self.run(&["status", "--history", "--json"]).json();
        history.as_array().expect("a list of operations").clone()
    }

    /// The process that a server has now.
    pub fn pid_of(&self, name: &str) -> Option<u32> {
        let folder = self.dir.join(name);
        processes::naming(&folder).first().map(|found| found.pid)
    }

    /// Kills the present process of a server.
    #[track_caller]
    pub fn kill_server(&self, name: &str) {
        let pid = self.pid_of(name);
        let pid = pid.unwrap_or_else(|| panic!("{name} does not run"));
        processes::signal(pid, Signal::KILL);
        wait_until("the end of a killed server", || !processes::runs(pid));
    }

    /// Kills the process that holds proxy, manager and supervisor, and waits until its servers
    /// are gone too.
    #[track_caller]
    pub fn kill(&self) {
        let all = self.processes();
        processes::signal(self.pid(), Signal::KILL);
        wait_for("the end of all processes", || {
            let mut left = all.clone();
            left.retain(|process| processes::runs(process.pid));
            // A command that was just being started ends when it finds nobody to talk to.
            left.extend(self.processes());
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("there are still {left:?}"))
            }
        });
    }

    /// Stops it as a person does, and nothing is left.
    #[track_caller]
    pub fn stop(&self) {
        self.run(&["sandbox", "stop"]).succeeded();
        assert_eq!(self.processes(), [], "processes survived `sandbox stop`");
    }

    /// Its processes: those that name its directory.
    pub fn processes(&self) -> Vec<Process> {
        processes::naming(&self.dir)
    }

    fn described(&self, server: &Value) -> Server {
        let address = text(&server["address"]);
        let (host, port) = address.rsplit_once(':').expect("an address has a port");
        Server {
            name: text(&server["name"]),
            login: Login {
                host: host.to_owned(),
                port: port.parse().expect("a port is a number"),
                ..self.proxy()
            },
            pid: number(&server["pid"]),
            role: text(&server["role"]),
        }
    }

    fn description(&self) -> Value {
        let file = fs::read_to_string(self.dir.join("sandbox.json"));
        serde_json::from_str(&file.expect("a sandbox describes itself")).expect("JSON")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let failed = thread::panicking();
        let stopped = catch_unwind(AssertUnwindSafe(|| {
            if self.processes().is_empty() {
                return;
            }
            let stop = self.run(&["sandbox", "stop"]);
            assert_eq!(stop.code, Some(0), "{stop}");
            assert_eq!(self.processes(), [], "processes survived `sandbox stop`");
        }));
        for left in self.processes() {
            let ours = catch_unwind(|| processes::signal(left.pid, Signal::KILL));
            drop(ours);
        }
        if failed {
            logs::show(&self.dir);
        }
        assert!(failed || stopped.is_ok(), "the sandbox did not stop");
    }
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not text"))
        .to_owned()
}

#[track_caller]
fn number(value: &Value) -> u32 {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.unwrap_or_else(|| panic!("{value} is not a number"))
}
