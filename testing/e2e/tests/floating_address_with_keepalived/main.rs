//! Mainstay and Debian's keepalived carry one address between them, in network namespaces:
//! whichever is better has it, whichever ends gives it up, and what does not fit together is said.
//!
//! Needs root, for namespaces and raw sockets; `scripts/install-keepalived.sh` installs keepalived.

mod depends;
mod ends;
mod lab;

use std::fs;

use mainstay_e2e::wait_until;
use rustix::process::Signal;

use lab::{ADDRESS, Lab, Manner, Told};

#[test]
fn mainstay_backs_keepalived_up_and_takes_over_when_it_stops_or_is_killed() {
    for manner in Manner::ALL {
        let lab = Lab::new(manner);
        let better = Told::priority(110);
        let mainstay = lab.mainstay(1, &Told::priority(100));
        let keepalived = lab.keepalived(2, &better);
        mainstay.says("who is Active", |vip| {
            vip["state"] == "backup" && !vip["active"].is_null()
        });
        lab.only(2);
        keepalived.stop();
        lab.only(1);
        // It comes back, and is better.
        let keepalived = lab.keepalived(2, &better);
        lab.only(2);
        keepalived.kill();
        wait_until("the address here", || lab.holds(1));
        mainstay.says("that it is Active", |vip| vip["state"] == "active");
        // keepalived leaves it behind when it is killed.
        mainstay.finds(&format!("another host has {} as well", manner.address()));
    }
}

#[test]
fn keepalived_backs_mainstay_up_and_takes_over_when_it_stops_or_is_killed() {
    for manner in Manner::ALL {
        let lab = Lab::new(manner);
        let better = Told::priority(110);
        let _keepalived = lab.keepalived(2, &Told::priority(100));
        let mainstay = lab.mainstay(1, &better);
        lab.only(1);
        wait_until("an answer", || lab.answers(3));
        mainstay.stop();
        assert!(!lab.holds(1), "it gives the address up before it ends");
        lab.only(2);
        wait_until("an answer", || lab.answers(3));
        let mainstay = lab.mainstay(1, &better);
        lab.only(1);
        wait_until("an answer", || lab.answers(3));
        mainstay.kill();
        // Its guard takes the address off.
        lab.only(2);
        wait_until("an answer", || lab.answers(3));
    }
}

#[test]
fn who_does_not_preempt_leaves_the_address_where_it_is() {
    let lab = Lab::new(Manner::V3);
    let keepalived = lab.keepalived(2, &Told::priority(100));
    lab.only(2);
    let told = Told {
        more: "preempt = false".to_owned(),
        ..Told::priority(200)
    };
    let mainstay = lab.mainstay(1, &told);
    // Ten times as many as it would have waited for.
    let seen = mainstay.says("advertisements", |vip| vip["received"].as_u64() > Some(30));
    assert_eq!(seen["state"], "backup");
    assert!(lab.holds(2) && !lab.holds(1));
    drop(keepalived);
    lab.only(1);
}

#[test]
fn a_wrong_password_is_said() {
    let lab = Lab::new(Manner::V2);
    let told = Told {
        password: "other",
        ..Told::priority(110)
    };
    let _keepalived = lab.keepalived(2, &told);
    let mainstay = lab.mainstay(1, &Told::priority(100));
    mainstay.finds("the password of 10.124.0.2 is another");
}

#[test]
fn a_number_that_is_used_for_something_else_is_said_and_both_keep_their_addresses() {
    let lab = Lab::new(Manner::V3);
    let told = Told {
        address: Some("10.124.0.200"),
        ..Told::priority(110)
    };
    let _keepalived = lab.keepalived(2, &told);
    let mainstay = lab.mainstay(1, &Told::priority(100));
    mainstay.finds("10.124.0.2 uses the same `virtual_router_id`");
    wait_until("both addresses", || {
        lab.holds(1) && lab.ip(2, &["addr"]).contains("10.124.0.200/24")
    });
}

#[test]
fn another_interval_is_said_and_there_is_one_holder() {
    let lab = Lab::new(Manner::V2);
    let _keepalived = lab.keepalived(2, &Told::priority(110));
    let mut text = Told::priority(100);
    text.more = "garp_count = 1".to_owned();
    lab.only(2);
    lab.settings(1, &text);
    let path = lab.folder.path().join("1.toml");
    let mainstay = lab.mainstay(1, &text);
    mainstay.says("who is Active", |vip| !vip["active"].is_null());
    let settings = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, settings.replace("\"1s\"", "\"2s\"")).expect("it can be written");
    mainstay.signal(Signal::HUP);
    mainstay.finds("advertises every 1s, this router every 2s");
    let before = mainstay.vip().expect("it answers")["received"].as_u64();
    mainstay.says("more", |vip| {
        vip["received"].as_u64() > before.map(|count| count + 8)
    });
    assert!(lab.holds(2) && !lab.holds(1));
}

#[test]
fn an_address_that_another_host_has_is_said_over_ipv4_and_ipv6() {
    for manner in [
        Manner::V3,
        Manner {
            six: true,
            ..Manner::V3
        },
    ] {
        let lab = Lab::new(manner);
        let mainstay = lab.mainstay(1, &Told::priority(100));
        lab.only(1);
        let said = format!("another host has {} as well", manner.address());
        let vip = mainstay.says("nothing", |vip| vip["state"] == "active");
        assert!(!vip["findings"].to_string().contains(&said), "{vip}");
        // Its announcements ask who else has it.
        lab.give_address(3);
        mainstay.finds(&said);
    }
}

#[test]
fn a_reload_keeps_the_address_and_programs_are_told_of_each_change() {
    let lab = Lab::new(Manner::V3);
    let said = lab.folder.path().join("said");
    let script = lab.folder.path().join("notify.sh");
    let text = format!("#!/bin/sh\necho \"$@\" >>{}\n", said.display());
    fs::write(&script, text).expect("it can be written");
    let notify = format!("notify = [\"/bin/sh\", {script:?}]");
    let told = Told {
        more: notify,
        ..Told::priority(100)
    };
    let mainstay = lab.mainstay(1, &told);
    lab.only(1);
    lab.settings(
        1,
        &Told {
            priority: 120,
            ..told.clone()
        },
    );
    mainstay.signal(Signal::HUP);
    let vip = mainstay.says("the new priority", |vip| vip["priority"] == 120);
    assert_eq!(
        (&vip["became_active"], &vip["state"]),
        (&1.into(), &"active".into())
    );
    assert!(lab.holds(1));
    let expected = "INSTANCE floating BACKUP 100\nINSTANCE floating MASTER 100\n";
    wait_until("what the program was told", || {
        fs::read_to_string(&said).is_ok_and(|text| text == expected)
    });
    mainstay.stop();
    assert!(!lab.holds(1));
}

#[test]
fn with_use_vmac_clients_see_the_hardware_address_of_the_virtual_router() {
    let lab = Lab::new(Manner::V3);
    let told = Told {
        more: "use_vmac = true".to_owned(),
        ..Told::priority(110)
    };
    let mainstay = lab.mainstay(1, &told);
    lab.only(1);
    wait_until("an answer", || lab.answers(3));
    let seen = lab.ip(3, &["neigh", "show", ADDRESS]);
    assert!(seen.contains("00:00:5e:00:01:33"), "{seen}");
    mainstay.kill();
    wait_until("nothing left", || !lab.ip(1, &["link"]).contains("vrrp."));
    assert!(!lab.holds(1));
}

#[test]
fn without_accept_the_address_is_there_and_takes_no_packets() {
    let lab = Lab::new(Manner::V3);
    let told = Told {
        more: "accept = false".to_owned(),
        ..Told::priority(110)
    };
    let mainstay = lab.mainstay(1, &told);
    lab.only(1);
    assert!(!lab.answers(3));
    assert!(lab.rules(1).contains("10.124.0.100"));
    mainstay.kill();
    wait_until("nothing left", || !lab.rules(1).contains("mainstay"));
}
