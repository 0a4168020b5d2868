//! The words of a scenario. One line is one sentence; `#` begins a comment.
//!
//! ```text
//! family mysql                          # mariadb is the default
//! policy auto_reseed on                 # also: auto_rewind, auto_failover, auto_rejoin,
//!                                       # acks N, async,
//!                                       # reader_lag MILLISECONDS, pair db1 db2
//! hook db1 end_process                  # also: reseed, address, disk
//! server db1 0-1-100 prefer             # name, executed, and how gladly it is promoted
//! replica db2 of db1 0-1-100            # name, source, received
//! part db3 source db2                   # also: delay SECONDS, acks on, acks off, reads on,
//!                                       # channel NAME, foreign DOMAIN
//! setup db3 delay 3600                  # also: log none, log own, filter TEXT, other CHANNEL,
//!                                       # numbers OFFSET INCREMENT
//! record 1 db1 joined db2 db3           # without it: the first start
//! at 1000 db1 refuses                   # silent, unreachable, full, denied, answers, hidden
//! at 1000 db2 applies nothing           # or: applies again, fails 1062
//! at 1000 db2 receives nothing          # or: receives again, stopped, executed SET
//! at 1000 db1 waits 0                   # for so many acknowledgements; or: gives up
//! at 1000 db1 strangers 1               # so many attached replicas are not configured
//! at 1000 request switchover db2        # or: request failover
//! at 1000 request maintain db2          # also: stop, start, move db2 under db3, regroup, serve,
//!                                       # decommission, restart; the same after `plan`
//! at 1000 plan switchover db2           # or: plan failover; shown, not done
//! at 1000 why db2                       # every decision and its conditions; without a name: all
//! at 1000 pause                         # no automatic operation begins; or: resume
//! at 1000 acknowledge                   # the last failover
//! at 1000 writes blocked                # what the write probe sees
//! at 1000 restart                       # the manager starts again
//! step Demote db1 times out             # or: fails TEXT, loses its answer, kills SERVER,
//!                                       # restarts the manager, hangs, impossible TEXT,
//!                                       # halfway (Rewind: undone, and it has no GTIDs left)
//! policy failover_pause 60000           # milliseconds
//! policy hook before-failover 300 stop  # a program for so many milliseconds; or: go-on
//! end 5000
//! ```

use std::time::Duration;

use mainstay_failover::hook::{Hook, Moment};
use mainstay_failover::{Durability, Hooks, Policy};
use mainstay_topology::{
    AutoIncrement, Epoch, Family, Logging, Member, Part, Promotion, Record, ServerName,
};

use crate::world::{World, set};

pub(crate) struct Script {
    pub(crate) world: World,
    pub(crate) members: Vec<Member>,
    pub(crate) policy: Policy,
    pub(crate) hooks: std::collections::BTreeMap<ServerName, Hooks>,
    pub(crate) record: Record,
    /// Milliseconds and what happens then.
    pub(crate) events: Vec<(u64, Vec<String>)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) end: u64,
}

/// What goes wrong with a step, once.
pub(crate) struct Fault {
    pub(crate) effect: String,
    pub(crate) server: Option<ServerName>,
    pub(crate) what: Vec<String>,
}

pub(crate) fn read(text: &str) -> Result<Script, String> {
    let mut script = Script {
        world: World::new(Family::Mariadb),
        members: Vec::new(),
        policy: Policy {
            auto_rewind: false,
            ..Policy::default()
        },
        hooks: std::collections::BTreeMap::new(),
        record: Record::default(),
        events: Vec::new(),
        faults: Vec::new(),
        end: 3000,
    };
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        script
            .line(&words)
            .map_err(|error| format!("{line:?}: {error}"))?;
    }
    script.world.flow();
    Ok(script)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

impl Script {
    fn line(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            [] => {}
            ["family", "mysql"] => self.world.family = Family::Mysql,
            ["policy", what @ ..] => self.policy(what)?,
            ["hook", name, what] => {
                let hooks = self.hooks.entry(ServerName::new(name)).or_default();
                match *what {
                    "end_process" => hooks.end_process = true,
                    "address" => hooks.address = true,
                    "disk" => hooks.disk = true,
                    "reseed" => hooks.reseed = true,
                    other => return Err(format!("no hook {other}")),
                }
            }
            ["server", name, executed, rest @ ..] => self.server(name, executed, rest)?,
            ["replica", name, "of", source, executed, rest @ ..] => {
                self.server(name, executed, rest)?;
                self.world
                    .link(&ServerName::new(name), &ServerName::new(source));
            }
            ["part", name, what @ ..] => self.part(&ServerName::new(name), what)?,
            ["setup", name, what @ ..] => self.setup(&ServerName::new(name), what)?,
            ["record", epoch, primary, "joined", joined @ ..] => {
                self.record = Record {
                    epoch: Epoch(number(epoch)?),
                    primary: Some(ServerName::new(primary)),
                    joined: joined.iter().map(|name| ServerName::new(name)).collect(),
                    baseline: None,
                    began_at: None,
                    acknowledgements: self.acknowledgements(),
                };
                self.serving(&ServerName::new(primary));
            }
            ["baseline", text] => self.record.baseline = Some(set(self.world.family, text)?),
            ["at", time, what @ ..] => {
                let what = what.iter().map(|word| (*word).to_owned()).collect();
                self.events.push((number(time)?, what));
            }
            ["step", effect, what @ ..] => self.fault(effect, what),
            ["end", time] => self.end = number(time)?,
            _ => return Err("not understood".to_owned()),
        }
        Ok(())
    }

    fn policy(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["auto_reseed", "on"] => self.policy.auto_reseed = true,
            ["auto_rewind", "on"] => self.policy.auto_rewind = true,
            ["auto_failover", "off"] => self.policy.auto_failover = false,
            ["auto_rejoin", "off"] => self.policy.auto_rejoin = false,
            ["hook", moment, limit, on_failure] => {
                let when = Moment::ALL.into_iter().find(|one| one.name() == *moment);
                self.policy.hooks.push(Hook {
                    when: when.ok_or("when?")?,
                    program: format!("/hooks/{moment}"),
                    limit: Duration::from_millis(number(limit)?),
                    stops: *on_failure == "stop",
                });
            }
            ["failover_pause", millis] => {
                self.policy.failover_pause = Duration::from_millis(number(millis)?);
            }
            ["reader_lag", millis] => {
                self.policy.reader_lag_max = Duration::from_millis(number(millis)?);
            }
            ["pair", one, other] => {
                self.policy.pair = Some([one, other].map(|name| ServerName::new(name)));
            }
            ["async"] => self.policy.durability = Durability::Async,
            ["acks", count] => {
                let acknowledgements = number(count)? as u32;
                self.policy.durability = Durability::Lossless { acknowledgements };
            }
            _ => return Err("no such policy".to_owned()),
        }
        Ok(())
    }

    fn server(&mut self, name: &str, executed: &str, rest: &[&str]) -> Result<(), String> {
        let promotion = match rest {
            [] => Promotion::Neutral,
            ["prefer"] => Promotion::Prefer,
            ["prefer_not"] => Promotion::PreferNot,
            ["never"] => Promotion::Never,
            _ => return Err("how gladly?".to_owned()),
        };
        let name = ServerName::new(name);
        let executed = set(self.world.family, executed)?;
        self.world.add(&name, executed);
        self.members.push(Member {
            address: self.world.addresses[&name].clone(),
            name,
            promotion,
            part: Part::default(),
        });
        Ok(())
    }

    /// How a server takes part. Who is not to acknowledge does not, as if it had been attached so.
    fn part(&mut self, name: &ServerName, words: &[&str]) -> Result<(), String> {
        let mut members = self.members.iter_mut();
        let member = members.find(|member| member.name == *name);
        let part = &mut member.ok_or("no such server")?.part;
        let facts = &mut self.world.servers.get_mut(name).expect("a member").facts;
        let mut acknowledges = facts.semi_sync.replica_enabled;
        match words {
            ["source", source] => {
                part.source = Some(ServerName::new(source));
                acknowledges = false;
            }
            ["delay", seconds] => {
                part.delay = Some(Duration::from_secs(number(seconds)?));
                facts.setup.delay = Duration::from_secs(number(seconds)?);
                acknowledges = false;
            }
            ["acks", on] => {
                acknowledges = *on == "on";
                part.acknowledges = Some(acknowledges);
            }
            ["reads", "on"] => part.reads = Some(true),
            ["channel", channel] => (*channel).clone_into(&mut part.channel),
            ["foreign", domain] => {
                part.foreign.domains.insert(number(domain)? as u32);
            }
            _ => return Err("what part?".to_owned()),
        }
        facts.semi_sync.replica_enabled = acknowledges;
        Ok(())
    }

    fn setup(&mut self, name: &ServerName, words: &[&str]) -> Result<(), String> {
        let server = self.world.servers.get_mut(name).ok_or("no such server")?;
        let setup = &mut server.facts.setup;
        match words {
            ["delay", seconds] => setup.delay = Duration::from_secs(number(seconds)?),
            ["numbers", offset, increment] => {
                setup.auto_increment = AutoIncrement {
                    offset: number(offset)? as u32,
                    increment: number(increment)? as u32,
                };
            }
            ["log", "none"] => setup.logging = Logging::Nothing,
            ["log", "own"] => setup.logging = Logging::Own,
            ["filter", filter] => setup.filters.push((*filter).to_owned()),
            ["other", channel] => setup.other_channels.push((*channel).to_owned()),
            _ => return Err("which setting?".to_owned()),
        }
        Ok(())
    }

    /// The recorded primary serves, as one does in the middle of its reign.
    fn serving(&mut self, primary: &ServerName) {
        let acknowledgements = self.acknowledgements();
        if let Some(server) = self.world.servers.get_mut(primary) {
            server.facts.semi_sync.source_enabled = acknowledgements > 0;
            server.facts.semi_sync.acknowledgements = acknowledgements;
        }
    }

    fn acknowledgements(&self) -> u32 {
        match self.policy.durability {
            Durability::Lossless { acknowledgements } => acknowledgements,
            Durability::Async => 0,
        }
    }

    fn fault(&mut self, effect: &str, words: &[&str]) {
        let first = words.first().map(|word| ServerName::new(word));
        let server = first.filter(|name| self.world.servers.contains_key(name));
        let skip = usize::from(server.is_some());
        let what = words.iter().skip(skip).map(|word| (*word).to_owned());
        self.faults.push(Fault {
            effect: effect.to_owned(),
            server,
            what: what.collect(),
        });
    }
}
