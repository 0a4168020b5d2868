//! `[[hook]]`: programs before and after operations, and the mistakes in naming them.

use std::time::Duration;

use mainstay_failover::hook::Moment;

use super::{RIGHT, failover_policy, mistakes, parse};

fn with(hook: &str) -> String {
    format!("{RIGHT}[[hook]]\n{hook}\n")
}

#[test]
fn hooks_are_rules_of_the_failover_policy() {
    let text = with(
        "when = \"before-failover\"\ncommand = \"/bin/ask\"\narguments = [\"-q\"]\n\
         on_failure = \"stop\"\n[[hook]]\nwhen = \"on-suspicion\"\ncommand = \"/bin/look\"\n\
         limit = \"30s\"",
    );
    let settings = parse(&text).unwrap();
    assert_eq!(settings.hooks[0].arguments, ["-q"]);
    let hooks = failover_policy(&settings).hooks;
    assert_eq!(hooks[0].when, Moment::BeforeFailover);
    assert_eq!(hooks[0].limit, Duration::from_secs(5));
    assert!(hooks[0].stops);
    assert_eq!(hooks[1].when, Moment::OnSuspicion);
    assert_eq!(hooks[1].program, "/bin/look");
    assert!(!hooks[1].stops);
}

#[test]
fn mistakes_in_hooks_are_told() {
    let cases = [
        ("command = \"/bin/ask\"", "hook.when: is missing"),
        ("when = \"after-failover\"", "hook.command: is missing"),
        (
            "when = \"before-breakfast\"\ncommand = \"/bin/ask\"",
            "hook.when: expected one of \"before-failover\"",
        ),
        (
            "when = \"after-failover\"\ncommand = \"ask\"",
            "hook.command: expected the whole path of a program",
        ),
        (
            "when = \"after-failover\"\ncommand = \"/bin/ask\"\non_failure = \"stop\"",
            "hook.on_failure: `stop` is for what was not begun yet, and `after-failover` is",
        ),
        (
            "when = \"before-failover\"\ncommand = \"/bin/ask\"\nlimit = \"2min\"",
            "hook.limit: is longer than",
        ),
        (
            "when = \"before-failover\"\ncommand = \"/bin/ask\"\nshell = true",
            "hook.shell: is not known",
        ),
    ];
    for (text, expected) in cases {
        let found = mistakes(&with(text));
        assert!(found.contains(expected), "{text}: {found}");
    }
}
