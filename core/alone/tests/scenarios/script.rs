//! The words of the scenarios.

use std::time::Duration;

use mainstay_alone::{Admission, Alone, Failure, Following, Part, Place, Policy, Probed, Terms};
use mainstay_clock::Timestamp;
use mainstay_topology::{
    Address, Epoch, Intent, Member, Promotion, Reachability, Receiver, ServerName,
};

struct Play {
    alone: Option<Alone>,
    terms: Vec<Terms>,
    now: Timestamp,
}

/// Plays a scenario; gives it back with the decisions as they are.
pub(crate) fn play(text: &str) -> String {
    let mut play = Play {
        alone: None,
        terms: Vec::new(),
        now: Timestamp::ZERO,
    };
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with("    ") {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            [] | ["#", ..] => {}
            ["show"] => out.push_str(&play.show()),
            other => play.act(other),
        }
    }
    out
}

pub(crate) fn terms(name: &str) -> Terms {
    Terms {
        member: Member {
            name: ServerName::new(name),
            address: address(name),
            promotion: Promotion::Neutral,
            part: mainstay_topology::Part::default(),
        },
        intent: Intent::InService,
        lag_max: Some(Duration::from_secs(10)),
        latency_max: None,
    }
}

pub(crate) fn address(name: &str) -> Address {
    Address {
        host: name.to_owned(),
        port: 3306,
    }
}

pub(crate) fn failure(reachability: Reachability) -> Failure {
    Failure {
        reachability,
        sentence: "no answer".to_owned(),
    }
}

fn seconds(word: &str) -> Duration {
    let number = word.trim_end_matches('s').parse();
    Duration::from_secs(number.expect("seconds, such as 5s"))
}

impl Play {
    fn act(&mut self, words: &[&str]) {
        match words {
            ["server", name, how @ ..] => {
                let mut one = terms(name);
                for word in how {
                    match *word {
                        "preferred" => one.member.promotion = Promotion::Prefer,
                        "never" => one.member.promotion = Promotion::Never,
                        "any-lag" => one.lag_max = None,
                        "within-50ms" => one.latency_max = Some(Duration::from_millis(50)),
                        other => panic!("{other}"),
                    }
                }
                self.terms.push(one);
            }
            ["wait", time] => self.now = self.now + seconds(time),
            ["restart"] => self.alone = None,
            ["intent", name, intent] => {
                let found = self
                    .terms
                    .iter_mut()
                    .find(|one| one.member.name.as_str() == *name);
                found.expect("a server").intent = match *intent {
                    "in-service" => Intent::InService,
                    "draining" => Intent::Draining,
                    "out" => Intent::Out,
                    other => panic!("{other}"),
                };
                let (now, terms) = (self.now, self.terms.clone());
                self.machine().change(now, Policy::default(), terms);
            }
            [name, rest @ ..] => {
                for probed in probes(rest) {
                    let now = self.now;
                    self.machine().observe(now, &ServerName::new(name), probed);
                }
            }
            [] => {}
        }
    }

    fn machine(&mut self) -> &mut Alone {
        let terms = &self.terms;
        let new = || Alone::new(Policy::default(), terms.clone(), Epoch(0));
        self.alone.get_or_insert_with(new)
    }

    fn show(&mut self) -> String {
        let now = self.now;
        let alone = self.machine();
        let mut out = format!("    epoch {}\n", alone.routes().epoch);
        for state in alone.states(now) {
            let part = match state.part {
                Part::Writer => "writer",
                Part::Reader => "reader",
                Part::Unknown => "-",
            };
            let used = match state.admission {
                Admission::Open => "open",
                Admission::Draining => "draining",
                Admission::Ejected(_) => "ejected",
            };
            let line = format!(
                "    {:4} {part:7} {used:9} {:12} {}",
                state.name,
                state.status().as_str(),
                state.comment
            );
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn probes(words: &[&str]) -> Vec<Probed> {
    let ping = || Probed::Ping(Ok(Duration::from_millis(1)));
    let both = |reachability: Reachability| {
        vec![
            Probed::Ping(Err(failure(reachability))),
            Probed::ReadOnly(Err(failure(reachability))),
        ]
    };
    let link = |source: &str, receiver, lag| {
        vec![Probed::Replication(Ok(Place {
            server_id: 0,
            following: Some(Following {
                source: address(source),
                source_id: 0,
                receiver,
                lag,
            }),
        }))]
    };
    match words {
        ["read_only", "0"] => vec![ping(), Probed::ReadOnly(Ok(false))],
        ["read_only", "1"] => vec![ping(), Probed::ReadOnly(Ok(true))],
        ["ping", ms] => {
            let ms = ms.trim_end_matches("ms").parse().expect("milliseconds");
            vec![Probed::Ping(Ok(Duration::from_millis(ms)))]
        }
        ["follows", "nobody"] => vec![Probed::Replication(Ok(Place::default()))],
        ["follows", source, "lag", lag] => link(source, Receiver::Running, Some(seconds(lag))),
        ["follows", source, "connecting"] => link(source, Receiver::Connecting, None),
        ["follows", source, "stopped"] => link(source, Receiver::Stopped, None),
        ["says", "nothing"] => both(Reachability::Silent),
        ["is", "gone"] => both(Reachability::Gone),
        ["denies", "access"] => both(Reachability::Closed),
        other => panic!("{other:?}"),
    }
}
