//! What an address depends on besides who else is there: its interface, another interface, a route,
//! a weight, and the others of its group.

use std::fs;
use std::io::Read;
use std::process::Command;

use mainstay_e2e::{run, wait_until};

use crate::lab::{ADDRESS, Lab, Manner, Told};

const SECOND: &str = "10.124.0.101";

fn track(kind: &str, keys: &str) -> String {
    format!(
        "[[vip.track]]\nkind = \"{kind}\"\n{keys}\ninterval = \"100ms\"\n\
         retry_interval = \"100ms\"\nfall = 1\nrise = 1\n"
    )
}

#[test]
fn an_address_leaves_a_host_whose_interface_or_route_is_gone_or_whose_priority_falls() {
    let lab = Lab::new(Manner::V3);
    let down = lab.path("down");
    lab.ip(
        1,
        &["link", "add", "t0", "type", "veth", "peer", "name", "t1"],
    );
    lab.ip(1, &["link", "set", "t0", "up"]);
    lab.ip(1, &["link", "set", "t1", "up"]);
    let route = ["10.125.0.0/24", "via", "10.124.0.3"];
    lab.ip(1, &[&["route", "add"], &route[..]].concat());
    let more = [
        "[[vip.track]]\nkind = \"interface\"\ninterface = \"t0\"\n".to_owned(),
        track("route", "route = \"10.125.0.0/24\""),
        track("file", &format!("file = {down:?}\nweight = -20")),
    ];
    let told = Told {
        more: more.concat(),
        ..Told::priority(110)
    };
    let _keepalived = lab.keepalived(2, &Told::priority(100));
    let mainstay = lab.mainstay(1, &told);
    lab.only(1);

    // Another interface: a fault.
    lab.ip(1, &["link", "set", "t0", "down"]);
    lab.only(2);
    lab.ip(1, &["link", "set", "t0", "up"]);
    lab.only(1);

    // A route: a fault too.
    lab.ip(1, &[&["route", "del"], &route[..]].concat());
    lab.only(2);
    lab.ip(1, &[&["route", "add"], &route[..]].concat());
    lab.only(1);

    // A weight: 90 is less than 100, and 110 more again.
    fs::write(&down, "1").expect("it can be written");
    lab.only(2);
    mainstay.says("the priority", |vip| {
        vip["priority_now"] == 90 && vip["state"] == "backup"
    });
    fs::write(&down, "0").expect("it can be written");
    lab.only(1);

    // Its own interface; the kernel forgets the route with it.
    lab.ip(1, &["link", "set", "eth0", "down"]);
    lab.only(2);
    lab.ip(1, &["link", "set", "eth0", "up"]);
    mainstay.says("that the route is missing", |vip| {
        vip["reason"].to_string().contains("route")
    });
    lab.ip(1, &[&["route", "add"], &route[..]].concat());
    lab.only(1);
}

#[test]
fn a_group_stays_together_and_a_fifo_gets_each_change() {
    let lab = Lab::new(Manner::V3);
    let down = lab.path("down");
    let fifo = lab.path("changes");
    run(Command::new("mkfifo").arg(&fifo)).succeeded();
    // Open for both, so that nobody waits for the other end.
    let changes = fs::File::options().read(true).write(true).open(&fifo);
    let mut changes = changes.expect("a FIFO");
    let told = Told {
        before: format!("notify_fifo = {fifo:?}"),
        more: format!(
            "sync_group = \"both\"\n{}[[vip]]\nname = \"second\"\ninterface = \"eth0\"\n\
             virtual_router_id = 52\naddresses = [\"{SECOND}/24\"]\nversion = 3\n\
             advert_interval = \"100ms\"\nsync_group = \"both\"\n",
            track("file", &format!("file = {down:?}"))
        ),
        ..Told::priority(100)
    };
    let _mainstay = lab.mainstay(1, &told);
    let holds = |wanted: bool| {
        let shown = lab.ip(1, &["-o", "addr", "show"]);
        let has = |address: &str| shown.contains(&format!(" {address}/")) == wanted;
        has(ADDRESS) && has(SECOND)
    };
    wait_until("both addresses", || holds(true));
    fs::write(&down, "").expect("it can be written");
    wait_until("neither address", || holds(false));
    fs::remove_file(&down).expect("it is there");
    wait_until("both addresses", || holds(true));

    let mut text = String::new();
    for state in ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"] {
        for name in ["floating", "second"] {
            let line = format!("INSTANCE \"{name}\" {state} 100\n");
            let mut buffer = [0; 1_024];
            while !text.contains(&line) {
                let read = changes.read(&mut buffer).expect("it is open");
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            text = text.replacen(&line, "", 1);
        }
    }
}
