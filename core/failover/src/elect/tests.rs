//! Laws of the election, for sets of survivors made up at random.

use std::collections::BTreeSet;

use mainstay_gtid::{Family, GtidSet};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa942956";

/// Transactions 1 to `last` of the primary, and `errant` of the server's own.
fn held(server: usize, last: u8, errant: u8) -> GtidSet {
    let mut text = format!("{UUID}0:1-{}", u16::from(last) + 1);
    if errant > 0 {
        text.push_str(&format!(",{UUID}{}:1-{errant}", server + 1));
    }
    GtidSet::parse(Family::Mysql, &text).expect("a set")
}

fn survivor(server: usize, (last, errant, known, promotion): (u8, u8, bool, u8)) -> Survivor {
    let set = held(server, last, errant);
    let clean = held(server, last, 0);
    Survivor {
        name: ServerName::new(&format!("db{server}")),
        joined: promotion != 4,
        errant: known.then(|| set.missing_from(&clean)),
        held: set,
        promotion: [
            Promotion::Prefer,
            Promotion::Neutral,
            Promotion::PreferNot,
            Promotion::Never,
            Promotion::Neutral,
        ][usize::from(promotion)],
        unfit: (errant == 2).then(|| "is unfit".to_owned()),
        depth: 0,
        applies: last % 7 != 0,
        slow: last % 5 == 0,
        unapplied: u64::from(last % 3),
    }
}

prop_compose! {
    fn ballots()(
        survivors in vec((0..20u8, 0..3u8, any::<bool>(), 0..5u8), 0..5),
        absent in 0..3usize,
        forgetful in 0..2usize,
        acknowledgements in 0..4usize,
        stopped in 0..5usize,
        ended in any::<bool>(),
        baseline in proptest::option::of(0..20u8),
    ) -> Ballot {
        let survivors: Vec<Survivor> = survivors
            .into_iter()
            .enumerate()
            .map(|(server, one)| survivor(server, one))
            .collect();
        let name = |index: usize| ServerName::new(&format!("absent{index}"));
        Ballot {
            primary: ServerName::new("old"),
            others: survivors.len() + absent,
            acknowledgements,
            stopped,
            ended,
            unprotected: false,
            forgetful: survivors.iter().take(forgetful).map(|one| one.name.clone()).collect(),
            survivors,
            absent: (0..absent).map(name).collect(),
            baseline: baseline.map(|last| held(0, last, 0)),
            bugs: Bugs::default(),
        }
    }
}

proptest! {
    #[test]
    fn an_elected_server_holds_everything_that_any_joined_survivor_holds(ballot in ballots()) {
        if let Ok(won) = elect(&ballot) {
            for one in &ballot.survivors {
                let lacks = one.held.missing_from(&won.held);
                let errant = one.errant.as_ref().is_some_and(|errant| covers(errant, &lacks));
                prop_assert!(lacks.is_empty() || errant, "{} lacks {lacks}", won.to);
            }
        }
    }

    #[test]
    fn an_elected_server_holds_what_the_reign_began_with(ballot in ballots()) {
        if let (Ok(won), Some(baseline)) = (elect(&ballot), &ballot.baseline) {
            prop_assert!(won.held.contains(baseline));
        }
    }

    #[test]
    fn of_equals_the_one_that_has_applied_most_is_elected(ballot in ballots()) {
        if let Ok(won) = elect(&ballot) {
            let find = |name: &ServerName| ballot.survivors.iter().find(|one| one.name == *name);
            let one = find(&won.to).expect("a survivor");
            let rank = |one: &Survivor| (one.slow, one.promotion, one.unapplied);
            for other in &ballot.survivors {
                let equal = holds_all(&ballot, other) && unfitness(other).is_none();
                prop_assert!(!equal || rank(one) <= rank(other));
            }
        }
    }

    #[test]
    fn no_errant_server_is_elected(ballot in ballots()) {
        if let Ok(won) = elect(&ballot) {
            let one = ballot.survivors.iter().find(|one| one.name == won.to).expect("a survivor");
            prop_assert!(one.errant.as_ref().is_none_or(Difference::is_empty));
            prop_assert!(one.joined && one.applies && one.promotion != Promotion::Never);
        }
    }

    #[test]
    fn nobody_is_elected_while_the_primary_could_still_be_acknowledged(ballot in ballots()) {
        if elect(&ballot).is_ok() && !ballot.ended {
            let receiving = ballot.others.saturating_sub(ballot.stopped);
            prop_assert!(ballot.acknowledgements > receiving);
        }
    }

    #[test]
    fn nobody_is_elected_while_an_acknowledged_commit_could_be_out_of_sight(ballot in ballots()) {
        if elect(&ballot).is_ok() && ballot.acknowledgements > 0 {
            let silent: BTreeSet<_> = ballot.absent.iter().chain(&ballot.forgetful).collect();
            prop_assert!(silent.len() < ballot.acknowledgements);
        }
    }
}
