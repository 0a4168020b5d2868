//! The manager dies after each step of each plan, and its successor finishes or undoes.
//!
//! Nothing is listed by hand but the plans: each is played once to count its steps, then once for
//! each of them with a death before the step has done its work, once after it, and once with a
//! successor that dies at its own first step.

use std::collections::BTreeMap;

use crate::player::{End, play_with_deaths};

/// Three servers, all well.
const WELL: &str = "server db1 0-1-100\nreplica db2 of db1 0-1-100\n\
    replica db3 of db1 0-1-100\nrecord 1 db1 joined db2 db3\n\
    hook db1 reseed\nhook db1 address\nhook db2 address\nhook db3 address\n";

/// The same of MySQL.
const WELL_MYSQL: &str = "family mysql\nserver db1 A:1-100\nreplica db2 of db1 A:1-100\n\
    replica db3 of db1 A:1-100\nrecord 1 db1 joined db2 db3\n";

/// What is begun, and what happens around it. In the end all servers answer.
const PLANS: [(&str, &str); 14] = [
    (WELL, "at 1000 request switchover db2"),
    (WELL_MYSQL, "at 1000 request switchover db3"),
    (WELL, "at 1000 request failover"),
    (WELL, "at 1000 db1 refuses\nat 4000 db1 restarts"),
    (WELL_MYSQL, "at 1000 db1 refuses\nat 4000 db1 restarts"),
    // A failover, then new data for the old primary.
    (
        WELL,
        "policy auto_reseed on\nat 1000 db1 refuses\n\
         at 4000 db1 executed 0-1-101\nat 4000 db1 restarts",
    ),
    // The first start.
    ("server db1 -\nserver db2 -\nserver db3 -\n", ""),
    (WELL, "at 1000 request maintain db3"),
    (
        WELL,
        "at 1000 request maintain db3\nat 2000 request restart db3\n\
         at 4000 request serve db3",
    ),
    (WELL, "at 1000 request move db3 under db2"),
    (
        WELL,
        "at 1000 request move db3 under db2\nat 3000 request regroup db1",
    ),
    (WELL, "at 1000 request regroup db3"),
    (WELL, "at 1000 request stop db3\nat 3000 request start db3"),
    (WELL, "at 1000 request decommission db2"),
];

#[test]
fn a_successor_finishes_or_undoes_whatever_step_the_manager_died_at() {
    let mut deaths = 0;
    let mut wrong = String::new();
    for (servers, events) in PLANS {
        let script = format!("{servers}{events}\nend 12000\n");
        let calm = end_of(&script, BTreeMap::new());
        assert_eq!(calm.wrong, None, "{events}:\n{}", calm.log);
        assert!(
            calm.steps > 0 || events.contains("regroup"),
            "{events}: no step"
        );
        for step in 1..=calm.steps {
            for at in [
                [(step, false)].as_slice(),
                &[(step, true)],
                &[(step, true), (step + 1, false)],
            ] {
                deaths += 1;
                let end = end_of(&script, at.iter().copied().collect());
                if let Some(why) = end.wrong {
                    wrong += &format!("--- {events}, {at:?}: {why}\n{}\n", end.log);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(deaths > 300, "only {deaths} deaths were played");
}

fn end_of(script: &str, deaths: BTreeMap<usize, bool>) -> End {
    play_with_deaths(script, deaths).unwrap_or_else(|error| panic!("{script}: {error}"))
}
