//! A running `mainstay serve` for the servers of a sandbox whose own manager stands still.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use mainstay_e2e::settings::{managed, write_private};
use mainstay_e2e::{
    Finished, Home, Login, Sandbox, Status, free_port, mainstay, mainstay_binary, processes,
    wait_for, wait_for_status, wait_until,
};
use rustix::process::Signal;

fn serve(home: &Home, file: &Path, die_at: Option<&str>) -> Child {
    let mut log = fs::File::options();
    let log = log.create(true).append(true).open(home.join("serve.log"));
    let mut command = Command::new(mainstay_binary());
    command
        .args(["serve", "--config"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("a file can be made"));
    if let Some(die_at) = die_at {
        command.env("MAINSTAY_DIE_AT", die_at);
    }
    command.spawn().expect("it can be started")
}

/// A running `mainstay serve`.
pub(crate) struct Served {
    child: Child,
    pub(crate) file: PathBuf,
    proxy: u16,
    /// Where names are answered.
    pub(crate) dns: u16,
    home: Home,
}

impl Served {
    pub(crate) fn start(sandbox: &Sandbox, addresses: &[String]) -> Self {
        Self::start_as(sandbox, addresses, &sandbox.account("manager"))
    }

    /// With another account of the manager: its user and password.
    pub(crate) fn start_as(
        sandbox: &Sandbox,
        addresses: &[String],
        manager: &(String, String),
    ) -> Self {
        let home = Home::new();
        let file = home.join("mainstay.toml");
        let (proxy, api, dns) = (free_port(), free_port(), free_port());
        let mut text = "[cluster]\nname = \"served\"\n".to_owned();
        for (number, address) in (1..).zip(addresses) {
            text += &format!("[[server]]\nname = \"db{number}\"\naddress = \"{address}\"\n");
        }
        text += &managed(sandbox, manager, (proxy, api));
        let alerts = home.join("alerts");
        text += &format!(
            "[[alert]]\ncommand = \"/bin/sh\"\nafter = \"0s\"\narguments = [\"-c\", \
             'echo \"$MAINSTAY_EVENT $MAINSTAY_CODE $MAINSTAY_CLUSTER\" >> {}']\n",
            alerts.display()
        );
        for (when, word) in [("before", "asked"), ("after", "$MAINSTAY_RESULT")] {
            text += &format!(
                "[[hook]]\nwhen = \"{when}-switchover\"\ncommand = \"/bin/sh\"\nlimit = \"1min\"\n\
                 arguments = [\"-c\", 'echo {word} $MAINSTAY_OLD_PRIMARY $MAINSTAY_NEW_PRIMARY']\n"
            );
        }
        text += &format!("[dns]\nlisten = \"127.0.0.1:{dns}\"\nzone = \"db.example\"\n");
        write_private(&file, &text);
        let child = serve(&home, &file, None);
        Self {
            child,
            file,
            proxy,
            dns,
            home,
        }
    }

    /// Another process for the same file, when the last one has ended: with an order of where to
    /// die.
    pub(crate) fn start_again(&mut self, die_at: Option<&str>) {
        for pid in self.pids() {
            processes::signal(pid, Signal::KILL);
        }
        let _ = self.child.wait();
        self.child = serve(&self.home, &self.file, die_at);
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let file = self.file.to_str().expect("a path of text");
        mainstay(arguments.iter().copied().chain(["--config", file]))
    }

    pub(crate) fn wait(&self, what: &str, holds: impl FnMut(&Status) -> bool) -> Status {
        wait_for_status(what, |arguments| self.run(arguments), holds)
    }
}

impl Served {
    /// The account of the sandbox's applications, at this proxy.
    pub(crate) fn login(&self, sandbox: &Sandbox) -> Login {
        Login {
            port: self.proxy,
            ..sandbox.proxy()
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All processes that serve this file.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let all = processes::naming(self.home.path());
        let serving = all.iter().filter(|one| one.command_line.contains("serve"));
        serving.map(|process| process.pid).collect()
    }

    /// Waits until this was told: what happened, its kind, the cluster.
    pub(crate) fn wait_until_told(&self, line: &str) {
        wait_for("an alert", || {
            let told = fs::read_to_string(self.home.join("alerts")).unwrap_or_default();
            if told.lines().any(|one| one == line) {
                Ok(())
            } else {
                Err(format!("{line} is not among: {told}"))
            }
        });
    }

    /// Waits until the log says this.
    pub(crate) fn wait_for_log(&self, words: &str) {
        wait_for("a line of the log", || {
            let log = fs::read_to_string(self.home.join("serve.log")).unwrap_or_default();
            if log.contains(words) {
                Ok(())
            } else {
                Err(log)
            }
        });
    }

    /// Waits until the process has ended in the middle of what it did.
    pub(crate) fn wait_for_death(&mut self) {
        let ended = self.wait_for_end();
        assert!(!ended.success(), "{ended}");
    }

    /// Waits until the first process has ended by itself.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        wait_for("the end of the process", || {
            let ended = self.child.try_wait().expect("it is our child");
            ended.ok_or_else(|| fs::read_to_string(self.home.join("serve.log")).unwrap_or_default())
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        for pid in self.pids() {
            processes::signal(pid, Signal::KILL);
        }
        let _ = self.child.wait();
        wait_until("the end of its successors", || self.pids().is_empty());
    }
}

pub(crate) fn addresses(sandbox: &Sandbox) -> Vec<String> {
    let servers = sandbox.servers().into_iter().map(|server| server.login);
    servers
        .map(|login| format!("{}:{}", login.host, login.port))
        .collect()
}
