//! Plays a script: a clock, probes, steps and their faults around the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::{
    Action, Effect, Event, History, Manager, OperationId, Output, Request, Step, StepResult,
};
use mainstay_topology::{Applier, Facts, Outcome, Receiver, ServerName, WriteOutcome, WriteProbe};

mod wanted;
mod whole;

use crate::print;
use crate::script::{Script, read};
use crate::world::{Manner, observation, set};

const PROBE_INTERVAL_MS: u64 = 250;

enum Due {
    Script(Vec<String>),
    Probe(ServerName),
    Seen(ServerName, u64, Box<Outcome>),
    Step(OperationId, usize, Box<Step>),
}

struct Player {
    script: Script,
    manager: Manager,
    now: u64,
    queue: BTreeMap<(u64, u64), Due>,
    queued: u64,
    probing: BTreeSet<ServerName>,
    /// What a real manager would find in its journal.
    journal: History,
    findings: BTreeSet<String>,
    log: String,
    /// Steps that have come to their end so far.
    steps: usize,
    /// At the end of which steps the manager dies; true if the step has done its work.
    deaths: BTreeMap<usize, bool>,
}

/// The log of what happens.
pub(crate) fn play(text: &str) -> Result<String, String> {
    play_with_deaths(text, BTreeMap::new()).map(|end| end.log)
}

/// How a script has ended.
pub(crate) struct End {
    pub(crate) log: String,
    /// Steps of all operations.
    pub(crate) steps: usize,
    /// Why the cluster is not whole.
    pub(crate) wrong: Option<String>,
}

/// The same with a manager that dies at the end of these steps, and is succeeded at once.
pub(crate) fn play_with_deaths(text: &str, deaths: BTreeMap<usize, bool>) -> Result<End, String> {
    let script = read(text)?;
    let manager = start(&script, History::default());
    let mut player = Player {
        manager,
        now: 0,
        queue: BTreeMap::new(),
        queued: 0,
        probing: BTreeSet::new(),
        journal: History::default(),
        findings: BTreeSet::new(),
        log: String::new(),
        steps: 0,
        deaths,
        script,
    };
    player.run()?;
    Ok(End {
        wrong: player.wrong(),
        steps: player.steps,
        log: player.log,
    })
}

fn start(script: &Script, history: History) -> Manager {
    Manager::new(
        script.policy.clone(),
        &script.members,
        script.record.clone(),
        script.hooks.clone(),
        history,
    )
}

impl Player {
    fn run(&mut self) -> Result<(), String> {
        for (time, what) in std::mem::take(&mut self.script.events) {
            self.push(time, Due::Script(what));
        }
        for name in self
            .script
            .world
            .servers
            .keys()
            .cloned()
            .collect::<Vec<_>>()
        {
            self.push(0, Due::Probe(name));
        }
        loop {
            let next = self.queue.keys().next().map(|(time, _)| *time);
            let tick = self
                .manager
                .deadline()
                .map(|at| at.as_nanos().div_ceil(1_000_000));
            let tick = tick.map(|tick| tick.max(self.now));
            let time = next.into_iter().chain(tick).min().unwrap_or(u64::MAX);
            if time > self.script.end {
                return Ok(());
            }
            self.now = time;
            if next == Some(time) {
                let Some((_, due)) = self.queue.pop_first() else {
                    continue;
                };
                self.due(due)?;
            } else {
                self.tell(Event::Tick);
                let later = self
                    .manager
                    .deadline()
                    .map(mainstay_clock::Timestamp::as_nanos);
                if later.is_some_and(|later| later <= self.now * 1_000_000) {
                    return Err(format!("the deadline stays in the past at {} ms", self.now));
                }
            }
        }
    }

    fn push(&mut self, time: u64, due: Due) {
        self.queued += 1;
        self.queue.insert((time, self.queued), due);
    }

    fn say(&mut self, line: &str) {
        self.log.push_str(&format!("{:>6} {line}\n", self.now));
    }

    fn due(&mut self, due: Due) -> Result<(), String> {
        match due {
            Due::Script(what) => {
                let words: Vec<&str> = what.iter().map(String::as_str).collect();
                self.say(&format!("> {}", words.join(" ")));
                self.happen(&words)?;
            }
            Due::Probe(name) => {
                if self.probing.is_empty() || !self.probing.contains(&name) {
                    self.look(&name);
                }
                self.push(self.now + PROBE_INTERVAL_MS, Due::Probe(name));
            }
            Due::Seen(name, begun, outcome) => {
                self.probing.remove(&name);
                let (begun, ended) = (Timestamp::from_millis(begun), self.time());
                let seen = observation(&name, begun, ended, *outcome);
                self.tell(Event::Observed(seen));
            }
            Due::Step(operation, index, step) => self.end_step(operation, index, &step)?,
        }
        Ok(())
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn look(&mut self, name: &ServerName) {
        let (took, outcome) = self.script.world.look(name);
        self.probing.insert(name.clone());
        self.push(
            self.now + took,
            Due::Seen(name.clone(), self.now, Box::new(outcome)),
        );
    }

    fn tell(&mut self, event: Event) {
        for action in self.manager.handle(self.time(), event) {
            for line in print::action(&action) {
                self.say(&line);
            }
            self.act(action);
        }
        let findings: BTreeSet<String> = self
            .manager
            .findings()
            .iter()
            .map(|finding| crate::world::short(&finding.to_string()))
            .collect();
        for gone in self
            .findings
            .difference(&findings)
            .cloned()
            .collect::<Vec<_>>()
        {
            self.say(&format!("- {gone}"));
        }
        for new in findings
            .difference(&self.findings)
            .cloned()
            .collect::<Vec<_>>()
        {
            self.say(&format!("+ {new}"));
        }
        self.findings = findings;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Probe(name) => {
                if !self.probing.contains(&name) {
                    self.look(&name);
                }
            }
            Action::Begin { operation, plan } => {
                self.journal.last_operation = operation;
                self.journal.interrupted = Some((operation, plan.purpose));
            }
            Action::Run {
                operation,
                step,
                what,
            } => {
                if let Effect::Publish { routes } = &what.effect {
                    self.journal.routes_version = routes.version;
                }
                let limit = what.limit.as_millis() as u64;
                let time = if self.times_out(&what) { limit } else { 1 };
                self.push(self.now + time, Due::Step(operation, step, what));
            }
            Action::Finish { .. } => self.journal.interrupted = None,
            Action::Publish(routes) => self.journal.routes_version = routes.version,
            Action::Refuse(_) | Action::Enter { .. } => {}
        }
    }

    /// The fault of a step, if the script has one.
    fn fault(&self, step: &Step) -> Option<usize> {
        let effect = format!("{:?}", step.effect);
        let server = step.place.as_ref().map(|place| &place.name);
        self.script.faults.iter().position(|fault| {
            let named = effect.split(' ').next() == Some(fault.effect.as_str());
            named && (fault.server.is_none() || fault.server.as_ref() == server)
        })
    }

    fn times_out(&mut self, step: &Step) -> bool {
        self.fault(step).is_some_and(|index| {
            let what = &self.script.faults[index].what;
            matches!(what.first().map(String::as_str), Some("times" | "hangs"))
        })
    }

    fn end_step(&mut self, id: OperationId, index: usize, step: &Step) -> Result<(), String> {
        self.steps += 1;
        if let Some(done) = self.deaths.remove(&self.steps) {
            if done {
                self.apply(step);
            }
            self.say("> restart");
            return self.happen(&["restart"]);
        }
        let fault = self
            .fault(step)
            .map(|index| self.script.faults.remove(index).what);
        let words: Vec<&str> = fault.iter().flatten().map(String::as_str).collect();
        let result = match words.as_slice() {
            ["times", "out"] => StepResult::TimedOut,
            ["hangs"] => return Ok(()),
            ["impossible", reason @ ..] => StepResult::Done(Output::Impossible(reason.join(" "))),
            ["halfway"] => {
                let server = &step.place.as_ref().ok_or("it runs on no server")?.name;
                self.script.world.lose_gtids(server);
                StepResult::Failed("the connection broke".to_owned())
            }
            ["fails", reason @ ..] => StepResult::Failed(reason.join(" ")),
            ["loses", "its", "answer"] => {
                self.apply(step);
                StepResult::TimedOut
            }
            ["kills", server] => {
                self.happen(&[server, "refuses"])?;
                self.apply(step)
            }
            ["restarts", "the", "manager"] => {
                self.apply(step);
                self.say("> restart");
                return self.happen(&["restart"]);
            }
            [] => self.apply(step),
            _ => return Err(format!("no such fault: {}", words.join(" "))),
        };
        if let Some(failure) = print::failure(&result) {
            self.say(&format!("    {index}. failed: {failure}"));
        }
        self.tell(Event::StepDone {
            operation: id,
            step: index,
            result,
        });
        Ok(())
    }

    fn apply(&mut self, step: &Step) -> StepResult {
        if let Effect::Record { record } = &step.effect {
            self.script.record = record.clone();
        }
        if let Effect::Wish { server, wish } = &step.effect {
            let wishes = &mut self.journal.wishes;
            wishes.insert(server.clone(), (**wish).clone());
        }
        self.script.world.apply(&step.effect)
    }

    fn happen(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["restart"] => {
                let unfinished = |due: &Due| !matches!(due, Due::Step(..) | Due::Seen(..));
                self.queue.retain(|_, due| unfinished(due));
                self.probing.clear();
                self.manager = start(&self.script, self.journal.clone());
                return Ok(());
            }
            ["request", words @ ..] if wanted::change(words).is_some() => {
                let (server, change) = wanted::change(words).ok_or("no change")?;
                self.tell(Event::Requested(Request::Change { server, change }));
            }
            ["plan", words @ ..] if wanted::change(words).is_some() => {
                let (server, change) = wanted::change(words).ok_or("no change")?;
                let request = Request::Change { server, change };
                self.show(&self.manager.plan(&request));
            }
            ["request", "failover"] => self.tell(Event::Requested(Request::Failover)),
            ["request", "switchover", to @ ..] => {
                let to = to.first().map(|name| ServerName::new(name));
                self.tell(Event::Requested(Request::Switchover { to }));
            }
            ["plan", "failover"] => self.show(&self.manager.plan_failover()),
            ["plan", "switchover", to @ ..] => {
                let to = to.first().map(|name| ServerName::new(name));
                self.show(&self.manager.plan_switchover(to.as_ref()));
            }
            ["why", about @ ..] => {
                let about = about.first().map(|name| ServerName::new(name));
                for answer in self.manager.why(about.as_ref()) {
                    for line in print::answer(&answer) {
                        self.say(&line);
                    }
                }
            }
            ["pause"] => self.pause(Some(wanted::pause())),
            ["resume"] => self.pause(None),
            ["acknowledge"] => self.tell(Event::Acknowledged),
            ["writes", "blocked"] => {
                let since = Duration::from_secs(1);
                self.tell(Event::WriteProbed(WriteProbe {
                    server: self.script.record.primary.clone().ok_or("no primary")?,
                    at: self.time(),
                    outcome: WriteOutcome::Blocked { since },
                }));
            }
            ["late", operation, step] => self.tell(Event::StepDone {
                operation: OperationId(operation.parse().map_err(|_| "no number")?),
                step: step.parse().map_err(|_| "no number")?,
                result: StepResult::Failed("too late".to_owned()),
            }),
            [name, what @ ..] => self.change(&ServerName::new(name), what)?,
            [] => return Err("nothing happens".to_owned()),
        }
        self.script.world.flow();
        Ok(())
    }

    fn show(&mut self, plan: &Result<mainstay_failover::Plan, String>) {
        match plan {
            Ok(plan) => print::plan(plan).iter().for_each(|line| self.say(line)),
            Err(reason) => self.say(&format!("no plan: {}", crate::world::short(reason))),
        }
    }

    fn change(&mut self, name: &ServerName, what: &[&str]) -> Result<(), String> {
        let family = self.script.world.family;
        let other = |name: &str| {
            self.script
                .world
                .addresses
                .get(&ServerName::new(name))
                .cloned()
        };
        let source = what.last().and_then(|name| other(name));
        let server = self
            .script
            .world
            .servers
            .get_mut(name)
            .ok_or("no such server")?;
        let facts = &mut server.facts;
        match what {
            ["refuses"] => (server.manner, server.heard) = (Manner::Refuses, false),
            ["hangs"] => (server.manner, server.heard) = (Manner::Silent, false),
            ["vanishes"] => (server.manner, server.heard) = (Manner::NoConnection, false),
            ["unreachable"] => server.manner = Manner::NoConnection,
            ["full"] => server.manner = Manner::TooManyConnections,
            ["denied"] => server.manner = Manner::AccessDenied,
            ["answers"] => (server.manner, server.heard) = (Manner::Answers, true),
            // A process that starts is read-only, and its replication does not start by itself.
            ["restarts"] => {
                (server.manner, server.heard) = (Manner::Answers, true);
                facts.read_only = true;
                facts.semi_sync.source_enabled = false;
                facts.semi_sync.acknowledgements = 0;
                if let Some(link) = &mut facts.link {
                    (link.receiver, link.applier) = (Receiver::Stopped, Applier::Stopped);
                }
            }
            ["writable"] => facts.read_only = false,
            ["read_only"] => facts.read_only = true,
            ["forgets"] => facts.link = None,
            ["server_id", id] => facts.server_id = id.parse().map_err(|_| "no number")?,
            ["executed", text] => {
                facts.executed = set(family, text)?;
                if let Some(link) = &mut facts.link {
                    link.received = facts.executed.clone();
                }
            }
            ["received", text] => {
                let link = facts.link.as_mut().ok_or("it has no link")?;
                link.received = set(family, text)?;
            }
            ["source", _] => {
                facts.link.as_mut().ok_or("it has no link")?.source = source.ok_or("no server")?;
            }
            ["receives", how] => server.receives = *how == "again",
            ["applies", how] => server.applies = *how == "again",
            ["strangers", count] => {
                server.strangers = count.parse().map_err(|_| "no number")?;
            }
            ["waits", count] => {
                facts.semi_sync.acknowledgements = count.parse().map_err(|_| "no number")?;
            }
            ["gives", "up"] => {
                facts.semi_sync.acknowledgements = 0;
                facts.semi_sync.given_up = true;
            }
            ["waiting", count] => {
                facts.semi_sync.waiting = count.parse().map_err(|_| "no number")?;
            }
            _ => return change_link(facts, what).map_err(|error| format!("{name}: {error}")),
        }
        Ok(())
    }
}

/// Changes of a link alone.
fn change_link(facts: &mut Facts, what: &[&str]) -> Result<(), String> {
    let link = facts.link.as_mut().ok_or("it has no link")?;
    match what {
        ["stopped"] => (link.receiver, link.applier) = (Receiver::Stopped, Applier::Stopped),
        ["purged"] => (link.receiver, link.receiver_error) = (Receiver::Stopped, 1236),
        ["applier", "stopped"] => link.applier = Applier::Stopped,
        ["applier", code] => {
            link.applier = Applier::Failed(code.parse().map_err(|_| "no number")?);
        }
        ["lag", seconds] => {
            let seconds = seconds.parse().map_err(|_| "no number")?;
            link.lag = Some(Duration::from_secs(seconds));
        }
        _ => return Err(format!("cannot {}", what.join(" "))),
    }
    Ok(())
}
