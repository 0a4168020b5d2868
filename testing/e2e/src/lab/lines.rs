//! The lines between hosts: cut, lossy, slow. The rules are on the server's own host.

use super::{Lab, MANAGER, SERVERS, address, name};

/// Which packets of a server do not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To it and from it.
    Both,
    /// To it.
    Incoming,
    /// From it.
    Outgoing,
}

/// All hosts but the clients', from where a person still reaches the server.
pub const EVERYONE: [&str; 4] = ["db1", "db2", "db3", MANAGER];

const TABLE: &str = "add table inet lab; \
    add chain inet lab incoming { type filter hook input priority 0; }; \
    add chain inet lab outgoing { type filter hook output priority 0; }; ";

impl Lab {
    /// Packets between a server and these hosts are lost from now on.
    #[track_caller]
    pub fn cut(&self, server: usize, from: &[&str], way: Way) {
        self.drop_packets(server, from, way, "");
    }

    /// This share of the packets between a server and all other hosts is lost.
    #[track_caller]
    pub fn lose_packets(&self, server: usize, percent: u8) {
        let some = format!("numgen random mod 100 < {percent} ");
        self.drop_packets(server, &EVERYONE, Way::Both, &some);
    }

    fn drop_packets(&self, server: usize, from: &[&str], way: Way, which: &str) {
        let own = name(server);
        let others = from.iter().filter(|host| **host != own);
        let others: Vec<_> = others.map(|host| address_of(host)).collect();
        let others = others.join(", ");
        let mut rules = TABLE.to_owned();
        if way != Way::Outgoing {
            rules += &format!("add rule inet lab incoming ip saddr {{ {others} }} {which}drop; ");
        }
        if way != Way::Incoming {
            rules += &format!("add rule inet lab outgoing ip daddr {{ {others} }} {which}drop; ");
        }
        self.network.run(&own, &["nft", &rules]).succeeded();
    }

    /// All packets of a server arrive again.
    #[track_caller]
    pub fn mend(&self, server: usize) {
        let rules = format!("{TABLE} delete table inet lab");
        let host = name(server);
        self.network.run(&host, &["nft", &rules]).succeeded();
    }

    /// What a server sends goes through a thin line: `kbit` per second, and what waits for more
    /// than a second is dropped.
    #[track_caller]
    pub fn make_slow(&self, server: usize, kbit: u32) {
        let rate = format!("{kbit}kbit");
        let command = [
            "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", &rate, "burst", "4kb",
            "latency", "1s",
        ];
        self.network.run(&name(server), &command).succeeded();
    }

    /// The line is as fast as ever.
    #[track_caller]
    pub fn make_fast(&self, server: usize) {
        let command = ["tc", "qdisc", "del", "dev", "eth0", "root"];
        self.network.run(&name(server), &command).succeeded();
    }
}

fn address_of(host: &str) -> String {
    let server = SERVERS.into_iter().find(|number| name(*number) == host);
    server.map_or_else(|| "10.125.0.9".to_owned(), address)
}
