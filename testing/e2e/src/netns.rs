//! Networks of a test's own: namespaces on one bridge, gone when the test ends.
//!
//! Needs the rights of root, as the product does for what is tested here.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::program::{Finished, run};

/// Namespaces on one Ethernet.
#[derive(Debug)]
pub struct Network {
    prefix: String,
    hosts: Vec<String>,
    children: Vec<Child>,
}

impl Network {
    /// An Ethernet without hosts. `name` tells it from others of the same process: at most 4
    /// letters.
    pub fn new(name: &str) -> Self {
        let prefix = format!("mt{}{name}", std::process::id());
        let mut network = Self {
            prefix,
            hosts: Vec::new(),
            children: Vec::new(),
        };
        network.namespace("sw");
        ip(&[
            "-n",
            &network.full("sw"),
            "link",
            "add",
            "br0",
            "type",
            "bridge",
        ]);
        ip(&["-n", &network.full("sw"), "link", "set", "br0", "up"]);
        network
    }

    /// A host with these addresses on its `eth0`.
    pub fn host(&mut self, name: &str, addresses: &[&str]) {
        self.namespace(name);
        let (switch, host) = (self.full("sw"), self.full(name));
        let port = format!("p-{name}");
        ip(&[
            "link", "add", &port, "netns", &switch, "type", "veth", "peer", "name", "eth0",
            "netns", &host,
        ]);
        ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"]);
        ip(&["-n", &host, "link", "set", "eth0", "up"]);
        for address in addresses {
            ip(&["-n", &host, "addr", "add", address, "dev", "eth0"]);
        }
    }

    /// From now on the calling thread is on a host, and so is every thread and process that it
    /// starts.
    #[track_caller]
    pub fn enter(&self, host: &str) {
        let file = File::open(Path::new("/run/netns").join(self.full(host)));
        let file = file.expect("a namespace has a file");
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("root may enter a namespace");
    }

    /// Runs a command on a host, to its end.
    pub fn run(&self, host: &str, command: &[&str]) -> Finished {
        run(self.on(host).args(command))
    }

    /// Starts a command on a host; it ends with the network, or by [`kill`](Self::kill).
    #[track_caller]
    pub fn spawn(&mut self, host: &str, command: &mut Command) -> u32 {
        let mut wrapped = self.on(host);
        wrapped.arg(command.get_program()).args(command.get_args());
        let child = wrapped.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.expect("it can be started");
        let pid = child.id();
        self.children.push(child);
        pid
    }

    /// A command that is to run on a host.
    pub fn command(&self, host: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.on(host);
        command.arg(program);
        command
    }

    /// Ends what was started.
    pub fn kill(&mut self, pid: u32) {
        let Some(at) = self.children.iter().position(|child| child.id() == pid) else {
            panic!("process {pid} was not started here");
        };
        let mut child = self.children.remove(at);
        child.kill().expect("it runs");
        child.wait().expect("it is our child");
    }

    fn on(&self, host: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.full(host)]);
        command
    }

    fn full(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    fn namespace(&mut self, name: &str) {
        let full = self.full(name);
        ip(&["netns", "add", &full]);
        self.hosts.push(full.clone());
        ip(&["-n", &full, "link", "set", "lo", "up"]);
    }
}

#[track_caller]
fn ip(arguments: &[&str]) {
    run(Command::new("ip").args(arguments)).succeeded();
}

impl Drop for Network {
    fn drop(&mut self) {
        for mut child in self.children.drain(..) {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        for host in self.hosts.drain(..) {
            let _ = run(Command::new("ip").args(["netns", "del", &host]));
        }
    }
}
