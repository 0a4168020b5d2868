//! `EXPLAIN ROUTE`: what would become of a statement, step by step, without running it. Nothing is
//! counted, and limits are left out: they depend on the moment.

use std::sync::Arc;

use mainstay_routing::firewall::Verdict;
use mainstay_routing::rules::{Actions, Query, Ruling, Workspace};
use mainstay_sql::{Annotations, Digest, Kind, classify_trusting, digest};
use mainstay_wire::packet::{Packet, PacketHeader};
use mainstay_wire::{Capabilities, Command};

use crate::core::Core;
use crate::dispatch::Destination;
use crate::session::{Job, Key, Phase, Session};

/// Longer texts are not explained: the buffers of all of them are in memory at once.
const SQL_MAX: usize = 1 << 20;

/// A statement, and who would send it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The user.
    pub user: String,
    /// The schema of its session.
    pub schema: Option<String>,
    /// Where the client is.
    pub client: String,
    /// The statement.
    pub sql: String,
}

/// The steps, each with what it found.
pub type Explanation = Vec<(String, String)>;

/// What was found out about the text.
struct Judged {
    digest: Digest,
    digest_text: Vec<u8>,
    ruling: Ruling,
    rules: Vec<u32>,
}

impl Core {
    /// What would become of a statement that this client sent outside of a transaction.
    pub fn explain(&mut self, asked: &Asked) -> Explanation {
        let mut steps = Vec::new();
        let mut say = |step: &str, found: String| steps.push((step.to_owned(), found));
        let sql = asked.sql.as_bytes();
        if sql.len() > SQL_MAX {
            say("statement", "is too long to be explained".to_owned());
            return steps;
        }
        let known = self.policy.users.contains_key(&asked.user);
        let unknown = if known {
            ""
        } else {
            " (nobody of this name may log in)"
        };
        say("user", format!("{}{unknown}", asked.user));
        say("schema", asked.schema.clone().unwrap_or_default());
        let text = self.rules_on(asked);
        say("digest", text.digest.to_string());
        let shown = String::from_utf8_lossy(&text.digest_text).into_owned();
        say("digest_text", shown);
        say("rules", rules_of(&text));
        let rewritten = text.ruling.rewritten.as_deref();
        if let Some(rewritten) = rewritten {
            let shown = String::from_utf8_lossy(rewritten).into_owned();
            say("rewritten", shown);
        }
        let runs = rewritten.unwrap_or(sql);
        let statement = classify_trusting(runs, &self.policy.trusted);
        let flags: Vec<_> = statement.flags.names().collect();
        say("kind", format!("{:?}", statement.kind));
        say("access", format!("{:?}", statement.access));
        say("flags", flags.join(", "));
        let mut actions = text.ruling.actions.clone();
        self.take_annotations(&mut actions, &Annotations::of(sql));
        let user = self.policy.users.get(&asked.user);
        let default = user.and_then(|user| user.default_hostgroup);
        actions.destination_hostgroup = actions.destination_hostgroup.or(default);
        say("actions", actions_of(&actions));
        say("firewall", self.firewall_on(asked, &text).to_owned());
        if let Some(answer) = answer_of(&actions) {
            say("answer", answer);
            return steps;
        }
        let job = Job::Query(statement);
        let (destination, hostgroup, why) = self.would_go(asked, runs, (job, &actions));
        say("hostgroup", hostgroup);
        say("destination", destination);
        say("reason", why);
        if statement.kind == Kind::Set {
            let note = "A SET is remembered, and set again on every other connection.";
            say("note", note.to_owned());
        }
        steps
    }

    /// Asks the rules, with counters of their own.
    fn rules_on(&self, asked: &Asked) -> Judged {
        let sql = asked.sql.as_bytes();
        let mut digest_text = Vec::new();
        let digest = digest(sql, &mut digest_text);
        let rules = &self.policy.rules;
        let mut workspace = Workspace::new(rules, 1);
        let query = Query {
            user: &asked.user,
            schema: asked.schema.as_deref().unwrap_or_default().as_bytes(),
            client: &asked.client,
            proxy: self.policy.listen,
            sql,
            digest,
            digest_text: &digest_text,
            flag: 0,
            executes: false,
        };
        let ruling = rules.ask(&query, &mut workspace);
        let hits = rules.ids().zip(workspace.hits());
        let matched = hits.filter(|(_, hits)| **hits > 0);
        Judged {
            digest,
            rules: matched.map(|(id, _)| id).collect(),
            ruling,
            digest_text,
        }
    }

    fn firewall_on(&self, asked: &Asked, text: &Judged) -> &'static str {
        let Some(firewall) = &self.policy.firewall else {
            return "off";
        };
        let schema = asked.schema.as_deref().unwrap_or_default().as_bytes();
        let who = (asked.user.as_str(), asked.client.as_str());
        match firewall.judge(who, schema, text.ruling.flag, text.digest) {
            Verdict::Allowed => "lets it pass",
            Verdict::Detected => "lets it pass, and notes it",
            Verdict::Refused => "refuses it",
        }
    }

    /// Where a session with nothing but this statement would be sent.
    fn would_go(
        &mut self,
        asked: &Asked,
        sql: &[u8],
        (job, actions): (Job, &Actions),
    ) -> (String, String, String) {
        let before = std::mem::take(&mut self.ruled);
        self.note_actions(actions);
        let key = Key {
            user: Arc::from(asked.user.as_str()),
            capabilities: Capabilities::NONE,
            collation: self.policy.collation,
            address: None,
        };
        let mut session = Session::new(0, asked.client.clone(), key, Phase::Ready);
        session.state.schema = asked.schema.clone().map(String::into_bytes);
        let user = self.policy.users.get(&asked.user);
        session.fast_forward = user.is_some_and(|user| user.fast_forward);
        let payload = [&[Command::Query.byte()], sql].concat();
        let packet = Packet {
            header: PacketHeader {
                len: payload.len(),
                sequence: 0,
            },
            payload: &payload,
            range: 0..0,
        };
        let id = self.clients.insert(session);
        self.enter(id, (Command::Query, job), &packet);
        let found = self.destination_of(id);
        // It was never a client: nobody is told that it goes.
        self.clients.close(id);
        self.timers.disarm(crate::op::ConnId::Client(id));
        self.ruled = before;
        found
    }

    fn destination_of(&self, id: u32) -> (String, String, String) {
        let Some(session) = self.clients.get(id) else {
            return <(String, String, String)>::default();
        };
        let asked = session.running().and_then(|one| one.ruled.hostgroup);
        let named = |id: u32| {
            let group = self.policy.hostgroups.get(id);
            group.map_or(id.to_string(), |group| format!("{id} ({})", group.name))
        };
        let why = self.why(session);
        match self.destination(session) {
            Destination::Upstream(index) => {
                let target = &self.upstreams[index].target;
                let server = format!("{} ({})", target.name, target.address);
                (server, named(self.hostgroup_of(asked, index)), why)
            }
            Destination::Hold => {
                let held = "it waits: there is no server for it now".to_owned();
                (held, asked.map(named).unwrap_or_default(), why)
            }
            Destination::Refuse(id) => {
                let refused = "an error: its hostgroup has no server now".to_owned();
                (refused, named(id), why)
            }
        }
    }
}

fn rules_of(text: &Judged) -> String {
    if text.rules.is_empty() {
        return "none matches".to_owned();
    }
    let ids: Vec<_> = text.rules.iter().map(u32::to_string).collect();
    let applied = if text.ruling.applied {
        ", and the last one ends the chain"
    } else {
        ""
    };
    format!("{} matched{applied}", ids.join(", "))
}

/// What rules and comments ask for, in the words of their columns.
fn actions_of(actions: &Actions) -> String {
    let number = |name: &str, value: Option<u64>| value.map(|value| format!("{name}={value}"));
    let found = [
        number(
            "destination_hostgroup",
            actions.destination_hostgroup.map(Into::into),
        ),
        number("cache_ttl", actions.cache_ttl_ms),
        number("timeout", actions.timeout_ms),
        number("retries", actions.retries.map(Into::into)),
        number("delay", actions.delay_ms),
        number("mirror_hostgroup", actions.mirror_hostgroup.map(Into::into)),
        number(
            "next_query_flagIN",
            actions.next_query_flag_in.map(Into::into),
        ),
        number("log", actions.log.map(u64::from)),
        actions.multiplex.map(|how| format!("multiplex={how:?}")),
    ];
    let found: Vec<_> = found.into_iter().flatten().collect();
    if found.is_empty() {
        "none".to_owned()
    } else {
        found.join(", ")
    }
}

fn answer_of(actions: &Actions) -> Option<String> {
    if let Some(text) = &actions.error_msg {
        return Some(format!("a rule answers with the error: {text}"));
    }
    let text = actions.ok_msg.as_ref()?;
    Some(format!("a rule answers with OK: {text}"))
}
