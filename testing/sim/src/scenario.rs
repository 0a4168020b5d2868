//! Scenarios: one story each, in a file that an operator can read. One line is one sentence.
//!
//! ```text
//! # What happens and what must come of it, in words.
//! catalogue 12 13                     # rows of the catalogue that it covers
//! servers 3                           # db1 is the primary, the others replicate from it;
//!                                     # `primary` is that of the moment
//! family mariadb                      # both is the default
//! acknowledgements 2                  # also: newborn, no reseed, end process
//! at 1000 kill db1                    # also: start, hang, continue, stop (as a service is)
//! at 1000 cut db1 from manager db2    # both ways; `cut db1 to db2` one way; `heal` mends all
//! at 1000 manager killed              # also: started, hangs, goes on
//! at 1000 door db1 full               # also: closed, open
//! at 1000 disk db1 hangs              # also: slow, well
//! at 1000 applier db2 blocked         # also: slow, stopped, free
//! at 1000 receiver db2 stopped
//! at 1000 ask switchover db2          # also: ask failover, ask switchover
//! at 1000 network slow                # also: network well
//! at 1000 clock db1 3600              # seconds that it is off
//! at 1000 unprotected db1             # somebody switches the wait for acknowledgements off
//! at 1000 writable db2                # somebody makes it accept writes; it waits for nobody
//! at 1000 empty db2                   # another machine in its place, without data
//! at 1000 copy db2                    # a copy of the next server's data, identity included
//! at 1000 errant db2                  # somebody writes to it
//! at 1000 purge db1                   # its binary logs are gone
//! at 1000 forget db2                  # what it has received and not applied is gone
//! any order                           # lived again for each order of the servers' starts
//! each step manager killed            # lived again for each step: it happens right after it
//! end 8000
//! expect writer db2 db3               # one of them is the recorded primary; `expect no writer`
//! expect epoch 2
//! expect phase Watching
//! expect finding TEXT                 # something found now says so
//! expect said TEXT                    # the story says so; `expect unsaid TEXT`
//! expect pause below 3000             # milliseconds without an acknowledged write
//! ```
//!
//! At the end all faults stop, and every invariant holds as in any other life: nothing acknowledged
//! is lost, there is one writer, the cluster heals.

use mainstay_failover::Request;
use mainstay_topology::{Family, ServerName};

use crate::message::End;
use crate::server::Door;

mod play;

/// A scenario as it was read.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent sentences")]
pub struct Scenario {
    /// Rows of the catalogue.
    pub catalogue: Vec<u32>,
    /// How many servers.
    pub servers: usize,
    /// Of which families it is told.
    pub families: Vec<Family>,
    pub(crate) acknowledgements: u32,
    pub(crate) newborn: bool,
    pub(crate) auto_reseed: bool,
    pub(crate) end_process: bool,
    pub(crate) acts: Vec<(u64, Act)>,
    pub(crate) each_step: Option<Act>,
    pub(crate) any_order: bool,
    pub(crate) end_ms: u64,
    pub(crate) expected: Vec<Expectation>,
}

/// What somebody or something does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Kill(usize),
    Start(usize),
    Hang(usize),
    Continue(usize),
    Stop(usize),
    Cut(Vec<(End, End)>),
    Heal,
    KillManager,
    StartManager,
    PauseManager,
    WakeManager,
    Door(usize, Door),
    Disk(usize, Disk),
    Applier(usize, Hindrance),
    StopReceiver(usize),
    Ask(Request),
    Network(u64),
    Clock(usize, i64),
    Unprotect(usize),
    Writable(usize),
    Empty(usize),
    Copy(usize),
    Errant(usize),
    Purge(usize),
    Forget(usize),
}

/// How a disk is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Disk {
    Hangs,
    Slow,
    Well,
}

/// What hinders an applier.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hindrance {
    Blocked,
    Slow,
    Stopped,
    Free,
}

/// What must be so at the end.
#[derive(Debug, Clone)]
pub(crate) enum Expectation {
    Writer(Vec<String>),
    NoWriter,
    Epoch(u64),
    Phase(String),
    Finding(String),
    Said(String),
    Unsaid(String),
    PauseBelow(u64),
}

/// Stands for the primary of the moment.
pub(crate) const PRIMARY: usize = usize::MAX;
/// How long a slow thing takes longer.
const SLOW_MS: u64 = 150;

impl Scenario {
    /// Reads a scenario; an error names the line.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut scenario = Self {
            servers: 3,
            families: vec![Family::Mariadb, Family::Mysql],
            acknowledgements: 1,
            auto_reseed: true,
            end_ms: 8_000,
            ..Self::default()
        };
        for line in text.lines() {
            let words: Vec<&str> = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            scenario
                .line(&words)
                .map_err(|error| format!("{line:?}: {error}"))?;
        }
        Ok(scenario)
    }

    /// The scenario, or all of it in any order of the servers' starts.
    fn orders(&self) -> Vec<Self> {
        let starts: Vec<(usize, usize)> = self
            .acts
            .iter()
            .enumerate()
            .filter_map(|(index, (_, act))| match act {
                Act::Start(server) => Some((index, *server)),
                _ => None,
            })
            .collect();
        if !self.any_order {
            return vec![self.clone()];
        }
        let servers: Vec<usize> = starts.iter().map(|(_, server)| *server).collect();
        permutations(&servers)
            .into_iter()
            .map(|order| {
                let mut scenario = self.clone();
                for ((index, _), server) in starts.iter().zip(order) {
                    scenario.acts[*index].1 = Act::Start(server);
                }
                scenario
            })
            .collect()
    }

    fn line(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            [] => {}
            ["catalogue", rows @ ..] => {
                for row in rows {
                    self.catalogue.push(number(row)? as u32);
                }
            }
            ["servers", count] => self.servers = number(count)? as usize,
            ["family", "mariadb"] => self.families = vec![Family::Mariadb],
            ["family", "mysql"] => self.families = vec![Family::Mysql],
            ["acknowledgements", count] => self.acknowledgements = number(count)? as u32,
            ["newborn"] => self.newborn = true,
            ["no", "reseed"] => self.auto_reseed = false,
            ["end", "process"] => self.end_process = true,
            ["at", at, act @ ..] => self.acts.push((number(at)?, self.act(act)?)),
            ["any", "order"] => self.any_order = true,
            ["each", "step", act @ ..] => self.each_step = Some(self.act(act)?),
            ["end", at] => self.end_ms = number(at)?,
            ["expect", what @ ..] => self.expected.push(expectation(what)?),
            _ => return Err("no such sentence".to_owned()),
        }
        Ok(())
    }

    fn act(&self, words: &[&str]) -> Result<Act, String> {
        let server = |name: &str| self.server(name);
        Ok(match words {
            ["kill", name] => Act::Kill(server(name)?),
            ["start", name] => Act::Start(server(name)?),
            ["hang", name] => Act::Hang(server(name)?),
            ["continue", name] => Act::Continue(server(name)?),
            ["stop", name] => Act::Stop(server(name)?),
            ["cut", rest @ ..] => Act::Cut(self.cuts(rest)?),
            ["heal"] => Act::Heal,
            ["manager", "killed"] => Act::KillManager,
            ["manager", "started"] => Act::StartManager,
            ["manager", "hangs"] => Act::PauseManager,
            ["manager", "goes", "on"] => Act::WakeManager,
            ["door", name, "full"] => Act::Door(server(name)?, Door::TooManyConnections),
            ["door", name, "closed"] => Act::Door(server(name)?, Door::AccessDenied),
            ["door", name, "open"] => Act::Door(server(name)?, Door::Open),
            ["disk", name, "hangs"] => Act::Disk(server(name)?, Disk::Hangs),
            ["disk", name, "slow"] => Act::Disk(server(name)?, Disk::Slow),
            ["disk", name, "well"] => Act::Disk(server(name)?, Disk::Well),
            ["applier", name, "blocked"] => Act::Applier(server(name)?, Hindrance::Blocked),
            ["applier", name, "slow"] => Act::Applier(server(name)?, Hindrance::Slow),
            ["applier", name, "stopped"] => Act::Applier(server(name)?, Hindrance::Stopped),
            ["applier", name, "free"] => Act::Applier(server(name)?, Hindrance::Free),
            ["receiver", name, "stopped"] => Act::StopReceiver(server(name)?),
            ["ask", "failover"] => Act::Ask(Request::Failover),
            ["ask", "switchover"] => Act::Ask(Request::Switchover { to: None }),
            ["ask", "switchover", name] => {
                server(name)?;
                let to = Some(ServerName::new(name));
                Act::Ask(Request::Switchover { to })
            }
            ["network", "slow"] => Act::Network(SLOW_MS),
            ["network", "well"] => Act::Network(0),
            ["clock", name, seconds] => {
                let seconds = seconds
                    .parse()
                    .map_err(|_| format!("{seconds} is no number"))?;
                Act::Clock(server(name)?, seconds)
            }
            ["unprotected", name] => Act::Unprotect(server(name)?),
            ["writable", name] => Act::Writable(server(name)?),
            ["empty", name] => Act::Empty(server(name)?),
            ["copy", name] => Act::Copy(server(name)?),
            ["errant", name] => Act::Errant(server(name)?),
            ["purge", name] => Act::Purge(server(name)?),
            ["forget", name] => Act::Forget(server(name)?),
            _ => return Err("nobody does that".to_owned()),
        })
    }

    fn server(&self, name: &str) -> Result<usize, String> {
        if name == "primary" {
            return Ok(PRIMARY);
        }
        let number: Option<usize> = name.strip_prefix("db").and_then(|text| text.parse().ok());
        number
            .filter(|number| (1..=self.servers).contains(number))
            .map(|number| number - 1)
            .ok_or_else(|| format!("{name} is not a server"))
    }

    fn cuts(&self, words: &[&str]) -> Result<Vec<(End, End)>, String> {
        let at = words.iter().position(|word| ["from", "to"].contains(word));
        let (here, there) = words.split_at(at.ok_or("from or to whom?")?);
        let one_way = there[0] == "to";
        let mut cuts = Vec::new();
        for a in self.ends(here)? {
            for b in self.ends(&there[1..])? {
                cuts.push((a, b));
                if !one_way {
                    cuts.push((b, a));
                }
            }
        }
        Ok(cuts)
    }

    fn ends(&self, words: &[&str]) -> Result<Vec<End>, String> {
        let mut ends = Vec::new();
        for word in words {
            match *word {
                "manager" => ends.push(End::Manager),
                "proxies" => ends.extend([End::Proxy(0), End::Proxy(1)]),
                "clients" => ends.push(End::SideDoor),
                name => ends.push(End::Server(self.server(name)?)),
            }
        }
        Ok(ends)
    }
}

fn expectation(words: &[&str]) -> Result<Expectation, String> {
    Ok(match words {
        ["writer", names @ ..] if !names.is_empty() => {
            Expectation::Writer(names.iter().map(|name| (*name).to_owned()).collect())
        }
        ["no", "writer"] => Expectation::NoWriter,
        ["epoch", epoch] => Expectation::Epoch(number(epoch)?),
        ["phase", phase] => Expectation::Phase((*phase).to_owned()),
        ["finding", text @ ..] => Expectation::Finding(text.join(" ")),
        ["said", text @ ..] => Expectation::Said(text.join(" ")),
        ["unsaid", text @ ..] => Expectation::Unsaid(text.join(" ")),
        ["pause", "below", limit] => Expectation::PauseBelow(number(limit)?),
        _ => return Err("nobody can expect that".to_owned()),
    })
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in of.iter().enumerate() {
        let mut rest = of.to_vec();
        rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, *first);
            all.push(tail);
        }
    }
    all
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}
