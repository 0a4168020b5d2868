//! A client, a balancer and three servers, each on a host of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use mainstay_e2e::{Home, Network, mainstay_binary, processes, run, wait_for, wait_until};
use rustix::process::Signal;
use serde_json::Value;

const VIP: &str = "10.77.1.100:3306";
const PROGRAM: &str = env!("CARGO_BIN_EXE_named-server");

pub(crate) struct Balanced {
    network: Network,
    servers: BTreeMap<String, u32>,
    balancer: u32,
    home: Home,
}

impl Balanced {
    /// `each` are the options of the real servers r1 and r2; r3 is there to say sorry.
    pub(crate) fn start(name: &str, options: &str, each: &[&str; 2]) -> Self {
        let mut network = Network::new(name);
        let clients: Vec<_> = (50..60).map(|last| format!("10.77.0.{last}/16")).collect();
        let clients: Vec<_> = clients.iter().map(String::as_str).collect();
        network.host("cl", &clients);
        // NAT: the way back leads through the balancer, so clients are behind it for the servers.
        network.host("lb", &["10.77.0.1/16", "10.77.1.100/32"]);
        let forward = ["sysctl", "-qw", "net.ipv4.ip_forward=1"];
        network.run("lb", &forward).succeeded();
        let direct = options.contains("\"dr\"");
        let home = Home::new();
        let mut balanced = Self {
            network,
            servers: BTreeMap::new(),
            balancer: 0,
            home,
        };
        for number in 1..=3 {
            let name = format!("r{number}");
            let address = format!("10.77.0.2{number}/16");
            balanced.network.host(&name, &[&address]);
            let set_up: &[&[&str]] = if direct {
                &[
                    // The address is the balancer's: a real server must neither answer for it nor
                    // say that it has it.
                    &["sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1"],
                    &["sysctl", "-qw", "net.ipv4.conf.all.arp_announce=2"],
                    &["ip", "addr", "add", "10.77.1.100/32", "dev", "lo"],
                ]
            } else {
                &[&["ip", "route", "add", "10.77.0.48/28", "via", "10.77.0.1"]]
            };
            for command in set_up {
                balanced.network.run(&name, command).succeeded();
            }
            balanced.revive(&name);
        }
        balanced.write(options, each);
        let mut command = Command::new(mainstay_binary());
        command.args(["serve", "--config"]).arg(balanced.file());
        balanced.balancer = balanced.network.spawn("lb", &mut command);
        wait_until("the balancer", || !balanced.counts(1).contains_key("-"));
        balanced
    }

    fn file(&self) -> PathBuf {
        self.home.join("mainstay.toml")
    }

    fn write(&self, options: &str, each: &[&str; 2]) {
        let mut text = format!(
            "[balancer]\nengine = \"nftables\"\n\
             [[virtual_server]]\nname = \"mysql\"\naddress = \"{VIP}\"\n{options}\n\
             [virtual_server.probe]\nkind = \"tcp\"\ninterval = \"200ms\"\nfall = 1\nrise = 1\n"
        );
        for (number, options) in (1..).zip(each) {
            text += &format!(
                "[[virtual_server.real_server]]\naddress = \"10.77.0.2{number}:3306\"\n{options}\n"
            );
        }
        text += "[api]\npassword = \"secret\"\n";
        fs::write(self.file(), text).expect("a file can be written");
    }

    /// Other settings, read by the running balancer.
    pub(crate) fn rewrite(&mut self, options: &str, each: &[&str; 2]) {
        self.write(options, each);
        processes::signal(self.balancer, Signal::HUP);
    }

    /// The answers to so many connections from a host.
    pub(crate) fn asked(&self, host: &str, times: usize, source: Option<&str>) -> Vec<String> {
        let times = times.to_string();
        let mut command = vec![PROGRAM, "ask", VIP, &times];
        command.extend(source);
        let said = self.network.run(host, &command).succeeded();
        said.lines().map(str::to_owned).collect()
    }

    /// How often each server has answered.
    pub(crate) fn counts(&self, times: usize) -> BTreeMap<String, usize> {
        super::count(&self.asked("cl", times, None))
    }

    pub(crate) fn wait_for_only(&self, server: &str) {
        wait_for(&format!("{server} alone"), || {
            let counts = self.counts(6);
            let alone = counts.len() == 1 && counts.contains_key(server);
            if alone {
                Ok(())
            } else {
                Err(format!("{counts:?}"))
            }
        });
    }

    /// What it says of itself.
    fn status(&self) -> Value {
        let mut command = self.network.command("lb", mainstay_binary());
        let finished = run(command
            .args(["status", "--json", "--config"])
            .arg(self.file()));
        match finished.code {
            Some(0) => finished.json()["virtual_servers"][0].clone(),
            _ => Value::Null,
        }
    }

    pub(crate) fn wait_for_status(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        wait_for(what, || {
            let status = self.status();
            if holds(&status) {
                Ok(())
            } else {
                Err(status.to_string())
            }
        });
    }

    pub(crate) fn kill(&mut self, server: &str) {
        let pid = self.servers.remove(server).expect("it runs");
        self.network.kill(pid);
    }

    pub(crate) fn revive(&mut self, server: &str) {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", server, "0.0.0.0:3306"]);
        let pid = self.network.spawn(server, &mut command);
        self.servers.insert(server.to_owned(), pid);
    }

    pub(crate) fn nft(&self, arguments: &[&str]) -> String {
        let command: Vec<_> = ["nft"].iter().chain(arguments).copied().collect();
        self.network.run("lb", &command).succeeded()
    }

    /// Ends the balancer politely.
    pub(crate) fn stop(&mut self) {
        processes::signal(self.balancer, Signal::TERM);
        wait_until("its end", || !processes::runs(self.balancer));
    }
}
