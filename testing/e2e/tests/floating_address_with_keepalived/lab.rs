//! Two routers of one floating address on a network of their own, each Mainstay or keepalived.

use std::fs;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use mainstay_e2e::{Network, mainstay_binary, processes, run, wait_until};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const ADDRESS: &str = "10.124.0.100";

/// How the two speak.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) version: u8,
    pub(crate) unicast: bool,
    pub(crate) six: bool,
}

impl Manner {
    pub(crate) const V2: Self = Self {
        version: 2,
        unicast: false,
        six: false,
    };
    pub(crate) const V3: Self = Self {
        version: 3,
        unicast: false,
        six: false,
    };
    pub(crate) const ALL: [Self; 5] = [
        Self::V2,
        Self::V3,
        Self {
            unicast: true,
            ..Self::V2
        },
        Self {
            unicast: true,
            ..Self::V3
        },
        Self {
            six: true,
            ..Self::V3
        },
    ];

    pub(crate) fn address(self) -> &'static str {
        if self.six { "fd00:124::100" } else { ADDRESS }
    }
}

/// What one router is told, besides the manner.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) priority: u8,
    pub(crate) password: &'static str,
    pub(crate) address: Option<&'static str>,
    /// More lines of its `[[vip]]`, or of its instance.
    pub(crate) more: String,
    /// Lines before it.
    pub(crate) before: String,
}

impl Told {
    pub(crate) fn priority(priority: u8) -> Self {
        Self {
            priority,
            password: "s3cret",
            address: None,
            more: String::new(),
            before: String::new(),
        }
    }
}

/// The network, and a folder for files.
pub(crate) struct Lab {
    network: Network,
    pub(crate) folder: TempDir,
    manner: Manner,
}

/// A router that was started.
pub(crate) struct Router<'a> {
    lab: &'a Lab,
    host: usize,
    child: Child,
    /// The process that took over from the one that was started.
    successor: Option<Pid>,
    is_keepalived: bool,
}

impl Lab {
    pub(crate) fn new(manner: Manner) -> Self {
        let mut network = Network::new("fa");
        for host in 1..=3 {
            let four = format!("10.124.0.{host}/24");
            let six = format!("fd00:124::{host}/64");
            network.host(&format!("h{host}"), &[&four, &six]);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let lab = Self {
            network,
            folder,
            manner,
        };
        for host in 1..=3 {
            // An address of a link cannot be sent from until it was asked for in vain.
            wait_until("addresses that can be used", || {
                !lab.ip(host, &["-6", "addr", "show", "tentative"])
                    .contains("inet6")
            });
        }
        lab
    }

    pub(crate) fn ip(&self, host: usize, arguments: &[&str]) -> String {
        let command = [&["ip"], arguments].concat();
        self.network.run(&format!("h{host}"), &command).succeeded()
    }

    /// Writes each change of an address on a host into a file, from now on.
    pub(crate) fn watch_addresses(&mut self, host: usize) -> PathBuf {
        let path = self.path(&format!("{host}.addresses"));
        let script = format!("exec ip -o monitor address >{}", path.display());
        let mut command = std::process::Command::new("/bin/sh");
        let host = format!("h{host}");
        self.network.spawn(&host, command.args(["-c", &script]));
        wait_until("the watch", || path.exists());
        path
    }

    /// Gives a host the address as one that does not float.
    pub(crate) fn give_address(&self, host: usize) {
        let prefix = if self.manner.six { 64 } else { 24 };
        let held = format!("{}/{prefix}", self.manner.address());
        let nodad: &[&str] = if self.manner.six { &["nodad"] } else { &[] };
        let add = ["addr", "add", &held, "dev", "eth0"];
        self.ip(host, &[&add[..], nodad].concat());
    }

    /// The rules of nftables on a host.
    pub(crate) fn rules(&self, host: usize) -> String {
        let command = ["nft", "list", "ruleset"];
        self.network.run(&format!("h{host}"), &command).succeeded()
    }

    /// Whether some host answers for the address: that nothing listens there is an answer too.
    pub(crate) fn answers(&self, from: usize) -> bool {
        let script = format!("exec 3<>/dev/tcp/{}/9", self.manner.address());
        let command = ["timeout", "1", "bash", "-c", &script];
        let finished = self.network.run(&format!("h{from}"), &command);
        finished.stderr.contains("refused")
    }

    /// Whether a host has the address.
    pub(crate) fn holds(&self, host: usize) -> bool {
        let shown = self.ip(host, &["-o", "addr", "show"]);
        shown.contains(&format!(" {}/", self.manner.address()))
    }

    /// Waits until this host has the address, and no other.
    #[track_caller]
    pub(crate) fn only(&self, host: usize) {
        wait_until("the address on one host", || {
            (1..=2).all(|each| self.holds(each) == (each == host))
        });
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn mainstay(&self, host: usize, told: &Told) -> Router<'_> {
        self.settings(host, told);
        let file = self.path(&format!("{host}.toml"));
        let mut command = self.network.command(&format!("h{host}"), mainstay_binary());
        command.arg("serve").arg("--config").arg(file);
        self.start(host, command, false)
    }

    /// Writes the settings of a Mainstay.
    pub(crate) fn settings(&self, host: usize, told: &Told) {
        let Manner {
            version,
            unicast,
            six,
        } = self.manner;
        let other = 3 - host;
        let address = told.address.unwrap_or(self.manner.address());
        let prefix = if six { 64 } else { 24 };
        let interval = if version == 2 { "1s" } else { "100ms" };
        let password = match version {
            2 => format!("password = {:?}", told.password),
            _ => String::new(),
        };
        let peers = if unicast {
            format!("peers = [\"10.124.0.{other}\"]")
        } else {
            String::new()
        };
        let Told {
            priority,
            more,
            before,
            ..
        } = told;
        let text = format!(
            "[vrrp]\nstate = \"{host}.vip\"\n{before}\n[api]\npassword = \"x\"\n[[vip]]\n\
             name = \"floating\"\ninterface = \"eth0\"\nvirtual_router_id = 51\n\
             addresses = [\"{address}/{prefix}\"]\nversion = {version}\n\
             advert_interval = \"{interval}\"\npriority = {priority}\n{password}\n{peers}\n\
             {more}\n"
        );
        fs::write(self.path(&format!("{host}.toml")), text).expect("it can be written");
    }

    pub(crate) fn keepalived(&self, host: usize, told: &Told) -> Router<'_> {
        let Manner {
            version,
            unicast,
            six,
        } = self.manner;
        let other = 3 - host;
        let address = told.address.unwrap_or(self.manner.address());
        let prefix = if six { 64 } else { 24 };
        let interval = if version == 2 { "1" } else { "0.1" };
        let password = told.password;
        let password = match version {
            2 => format!("authentication {{\n auth_type PASS\n auth_pass {password}\n}}"),
            _ => String::new(),
        };
        let peers = if unicast {
            format!("unicast_src_ip 10.124.0.{host}\nunicast_peer {{\n 10.124.0.{other}\n}}")
        } else {
            String::new()
        };
        let Told { priority, more, .. } = told;
        let text = format!(
            "global_defs {{\n router_id h{host}\n script_user root\n vrrp_version {version}\n}}\n\
             vrrp_instance V {{\n state BACKUP\n interface eth0\n virtual_router_id 51\n \
             priority {priority}\n advert_int {interval}\n {password}\n {peers}\n {more}\n \
             virtual_ipaddress {{\n  {address}/{prefix}\n }}\n}}\n"
        );
        let file = self.path(&format!("{host}.conf"));
        fs::write(&file, text).expect("it can be written");
        let mut command = self.network.command(&format!("h{host}"), "keepalived");
        command.args(["-n", "-l", "-D", "-f"]).arg(file);
        for (option, name) in [
            ("-p", "pid"),
            ("-r", "vrrp"),
            ("-c", "check"),
            ("-b", "bfd"),
        ] {
            command
                .arg(option)
                .arg(self.path(&format!("{host}.{name}")));
        }
        self.start(host, command, true)
    }

    fn start(
        &self,
        host: usize,
        mut command: std::process::Command,
        keepalived: bool,
    ) -> Router<'_> {
        let log = self.path(&format!("{host}.log"));
        let log = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let child = command.spawn().expect("it can be started");
        Router {
            lab: self,
            host,
            child,
            successor: None,
            is_keepalived: keepalived,
        }
    }
}

impl Router<'_> {
    /// What Mainstay says of its address; nothing while it does not answer.
    pub(crate) fn vip(&self) -> Option<Value> {
        let file = self.lab.path(&format!("{}.toml", self.host));
        let host = format!("h{}", self.host);
        let mut command = self.lab.network.command(&host, mainstay_binary());
        let finished = run(command.args(["status", "--json", "--config"]).arg(file));
        (finished.code == Some(0)).then(|| finished.json()["vips"][0].clone())
    }

    /// Waits until Mainstay says something of its address.
    #[track_caller]
    pub(crate) fn says(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = None;
        wait_until(what, || {
            last = self.vip();
            last.as_ref().is_some_and(&holds)
        });
        last.expect("it was said")
    }

    /// Waits until it is found that something is wrong.
    #[track_caller]
    pub(crate) fn finds(&self, sentence: &str) {
        self.says(sentence, |vip| {
            vip["findings"].to_string().contains(sentence)
        });
    }

    pub(crate) fn pid(&self) -> Pid {
        self.successor.unwrap_or(Pid::from_child(&self.child))
    }

    /// Lets a new process take over, and waits until the one before it has ended.
    pub(crate) fn upgrade(&mut self) {
        let before = self.pid();
        let file = self.lab.path(&format!("{}.toml", self.host));
        self.signal(Signal::USR2);
        let mut found = None;
        wait_until("a new process", || {
            let all = processes::naming(&file);
            let mut new = all.into_iter().map(|process| process.pid.cast_signed());
            found = new.find(|pid| *pid != before.as_raw_nonzero().get());
            found.is_some()
        });
        self.successor = found.and_then(Pid::from_raw);
        self.wait_for_end(before);
    }

    fn wait_for_end(&mut self, pid: Pid) {
        if pid == Pid::from_child(&self.child) {
            self.child.wait().expect("it is our child");
        } else {
            let pid = pid.as_raw_nonzero().get().cast_unsigned();
            wait_until("its end", || !processes::runs(pid));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        self.wait_for_end(self.pid());
    }

    /// Its children: keepalived's workers, or Mainstay's guard.
    pub(crate) fn children(&self) -> Vec<Pid> {
        let pid = self.pid().as_raw_nonzero();
        let path = format!("/proc/{pid}/task");
        let tasks = fs::read_dir(path).into_iter().flatten().flatten();
        let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let words = lists.flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        words
            .filter_map(|word| Pid::from_raw(word.parse().ok()?))
            .collect()
    }

    /// Ends it at once. keepalived's worker would else be told by the death of its parent.
    pub(crate) fn kill(mut self) {
        if self.is_keepalived {
            self.signal(Signal::STOP);
            for child in self.children() {
                // It may have ended by itself.
                let _ = kill_process(child, Signal::KILL);
            }
        }
        self.signal(Signal::KILL);
        self.wait_for_end(self.pid());
    }
}

impl Drop for Router<'_> {
    /// Nothing that was started remains, however a test ends.
    fn drop(&mut self) {
        let has_ended = matches!(self.child.try_wait(), Ok(Some(_)));
        let pid = self.pid();
        if has_ended && (self.successor.is_none() || test_kill_process(pid).is_err()) {
            return;
        }
        let children = self.children();
        let _ = kill_process(pid, Signal::CONT);
        let _ = kill_process(pid, Signal::TERM);
        self.wait_for_end(pid);
        for child in children {
            wait_until("the end of its children", || {
                test_kill_process(child).is_err()
            });
        }
    }
}
