//! A proxy without a manager, and the programs that it runs.

use std::time::Duration;

use super::{EXAMPLE, changed, mistakes, parse};

/// The example, with a monitor in place of the manager.
fn alone(monitor: &str) -> String {
    let (before, rest) = EXAMPLE.split_once("[manager]").unwrap();
    let (_, rest) = rest.split_once("\n[").unwrap();
    let before = before.replace("durability = \"lossless\"\n", "");
    format!("{before}{monitor}\n[{rest}")
}

#[test]
fn a_monitor_stands_in_the_place_of_the_manager() {
    let monitor = "[monitor]\nuser = \"m\"\npassword = \"p\"\ncheck = \"super_read_only\"\n\
                   ping_interval = \"8s\"\nping_failures_max = 5\n";
    let text = alone(monitor).replacen(
        "promotion = \"prefer-not\"",
        "intent = \"draining\"\nreplication_lag_max = \"off\"\nlatency_max = \"50ms\"\n\
         connections_max = 7\ntls = \"required\"\ncompression = \"zlib\"",
        1,
    );
    let settings = parse(&text).unwrap();
    let monitor = settings.control.monitor().expect("a monitor");
    assert_eq!(monitor.ping_interval, Duration::from_secs(8));
    assert_eq!(monitor.policy.ping_failures_max, 5);
    let terms = settings.terms();
    assert_eq!(terms[0].lag_max, Some(Duration::from_secs(10)));
    assert_eq!(
        (terms[2].lag_max, terms[2].latency_max),
        (None, Some(Duration::from_millis(50)))
    );
    assert_eq!(terms[2].intent, mainstay_topology::Intent::Draining);
    let policy = settings.session_policy().unwrap();
    let traits = policy.servers[&mainstay_topology::ServerName::new("db3")];
    assert_eq!(traits.connections_max, Some(7));
}

#[test]
fn what_has_no_effect_without_a_manager_is_a_mistake() {
    let monitor = "[monitor]\nuser = \"m\"\npassword = \"p\"\n";
    let text = alone(monitor).replace("[cluster]", "[cluster]\nauto_failover = false");
    assert!(mistakes(&text).contains("cluster.auto_failover: has no meaning without [manager]"));
    let both = changed(
        "[manager]",
        "[monitor]\nuser = \"m\"\npassword = \"p\"\n[manager]",
    );
    assert!(mistakes(&both).contains("monitor: cannot stand beside [manager]"));
    let text = changed("[[server]]", "[[server]]\nlatency_max = \"1s\"");
    assert!(mistakes(&text).contains("server `db1`: has no meaning with [manager]"));
}

#[test]
fn a_scheduled_program_needs_its_whole_path() {
    let job = "[[scheduler]]\nid = 1\ninterval_ms = 50\nfilename = \"look\"\n[manager]";
    let found = mistakes(&changed("[manager]", job));
    assert!(
        found.contains("scheduler.interval_ms: expected a whole number from 100"),
        "{found}"
    );
    assert!(
        found.contains("scheduler.filename: expected the whole path of a program"),
        "{found}"
    );
    let job = "[[scheduler]]\nid = 1\ninterval_ms = 5000\nfilename = \"/bin/true\"\n\
               arguments = [\"-a\"]\n[manager]";
    let settings = parse(&changed("[manager]", job)).unwrap();
    assert_eq!(settings.scheduler[0].arguments, ["-a"]);
}

#[test]
fn the_example_of_a_proxy_without_a_manager_shows_the_defaults() {
    let example = include_str!("../../../../examples/alone.toml");
    let settings = parse(example).expect("the example is right");
    let spoken = |line: &str| {
        let rest = line.strip_prefix("# ").unwrap_or(line);
        rest.split_once(" = ")
            .is_some_and(|(key, _)| !key.contains(' '))
    };
    let lines = example.lines();
    let shown: Vec<_> = lines
        .map(|line| {
            if spoken(line) {
                line.trim_start_matches("# ")
            } else {
                line
            }
        })
        .collect();
    let shown = parse(&shown.join("\n")).expect("what is commented out is right");
    let text = |settings: &crate::Settings| format!("{:?}", settings.control);
    assert_eq!(text(&settings), text(&shown));
    assert_eq!(settings.terms()[1], shown.terms()[1]);
    assert_eq!(settings.scheduler, shown.scheduler);
}
