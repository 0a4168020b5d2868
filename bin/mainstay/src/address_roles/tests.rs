//! Where addresses are to be, and who is told.

use mainstay_clock::Timestamp;
use mainstay_dashboard::views::VipTrackView;
use mainstay_failover::Durability;
use mainstay_settings::{Account, AddressHost};
use mainstay_topology::{Address, Member, Promotion, Record, Routes, Target, Topology};

use super::*;

fn vip(track: &str, ok: Option<bool>) -> VipView {
    VipView {
        tracks: vec![VipTrackView {
            name: track.to_owned(),
            ok,
            weight: Some(0),
        }],
        manager_track: Some(track.to_owned()),
        ..VipView::default()
    }
}

#[test]
fn a_host_that_was_told_to_drop_is_not_told_again_whatever_its_track_is_called() {
    for name in ["manager", "mainstay"] {
        assert!(!may_serve(&vip(name, Some(false))));
        assert!(may_serve(&vip(name, Some(true))));
        assert!(may_serve(&vip(name, None)), "it was not told yet");
    }
    let earlier = VipView {
        manager_track: None,
        ..vip("manager", Some(false))
    };
    assert!(!may_serve(&earlier));
}

fn member(name: &str) -> Member {
    Member {
        name: ServerName::new(name),
        address: address(name),
        promotion: Promotion::Neutral,
        part: mainstay_topology::Part::default(),
    }
}

fn address(host: &str) -> Address {
    Address {
        host: host.to_owned(),
        port: 3306,
    }
}

/// Of db1, the primary, and two replicas; `unknown` was not looked at yet, and serves no reads.
fn snapshot(unknown: Option<&str>) -> Snapshot {
    let names = ["db1", "db2", "db3"];
    let members: Vec<_> = names.iter().map(|name| member(name)).collect();
    let mut topology = Topology::new(&members, Record::default());
    for server in topology.servers.values_mut() {
        server.reachability = Reachability::Reachable;
    }
    let target = |name: &str| Target {
        name: ServerName::new(name),
        address: address(name),
    };
    if let Some(name) = unknown {
        let server = topology.servers.get_mut(&ServerName::new(name));
        server.expect("a member").reachability = Reachability::Unknown;
    }
    let readers = names[1..].iter().filter(|name| Some(**name) != unknown);
    let routes = Routes {
        epoch: Epoch(3),
        version: 1,
        writer: Some(target("db1")),
        readers: readers.map(|name| target(name)).collect(),
        draining: Vec::new(),
        hold_writes: false,
    };
    Snapshot {
        at: Timestamp::ZERO,
        phase: Phase::Watching,
        reason: String::new(),
        topology,
        findings: Vec::new(),
        routes: Some(routes),
        durability: Durability::Async,
        operation: None,
        last_operation: None,
        paused: None,
    }
}

/// What the hosts say: this one has the readers' addresses `r1` and `r2`.
fn held_by(holder: &str) -> BTreeMap<ServerName, Vec<VipView>> {
    let of = |host: &str, name: &str| VipView {
        name: name.to_owned(),
        state: if host == holder { "active" } else { "fault" }.to_owned(),
        ..vip("manager", Some(host == holder))
    };
    let hosts = ["db1", "db2", "db3"].into_iter();
    hosts
        .map(|host| (ServerName::new(host), vec![of(host, "r1"), of(host, "r2")]))
        .collect()
}

#[test]
fn nothing_moves_before_every_server_was_looked_at() {
    let host = |server: &str| AddressHost {
        server: server.to_owned(),
        api: address(server),
    };
    let roles = AddressRoles::new(&mainstay_settings::AddressRoles {
        account: Account {
            user: "admin".to_owned(),
            password: mainstay_session::Secret::new("x"),
        },
        writer: None,
        readers: ["r1", "r2"].map(str::to_owned).to_vec(),
        hosts: ["db1", "db2", "db3"].map(host).to_vec(),
    });
    let told = |unknown: Option<&str>| {
        let orders = roles.orders(&snapshot(unknown), &held_by("db3"));
        let text = |order: &Order| format!("{} {} {}", order.name, order.host, order.here);
        orders.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(told(Some("db3")), Vec::<String>::new());
    assert_eq!(told(Some("db2")), Vec::<String>::new());
    // Found on db3, and spread from there on.
    assert_eq!(told(None), ["r1 db2 true", "r1 db3 false"]);
}
