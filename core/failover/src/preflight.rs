//! Preflight: what stands in the way of a switchover, judged before anything is frozen.
//!
//! Whoever asks the servers fills a [`Survey`]; each condition is judged here, with what to do
//! about it. Nothing is asked and nothing is touched here.

use std::time::Duration;

use mainstay_topology::{ServerName, Topology, Version};

use crate::why::Condition;

/// The first words of statements that change tables, or copy them.
const CHANGES: [&str; 9] = [
    "ALTER", "CREATE", "DROP", "TRUNCATE", "RENAME", "OPTIMIZE", "REPAIR", "ANALYZE", "LOAD",
];

/// A change that runs shorter than this is over before the writes are held.
const CHANGE_MIN: Duration = Duration::from_secs(1);

/// With less room than this, a server that becomes the primary may soon stop at a full disk.
const ROOM_MIN_MIB: u64 = 256;

/// Statements are shown up to this many characters.
const SHOWN: usize = 80;

/// What the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A transaction that is open for longer is not waited for.
    pub transaction_max: Duration,
    /// Longer ones are ended: their clients get an error.
    pub end_transactions: bool,
    /// The next primary may be of a newer series than a server that is to replicate from it.
    pub allow_newer: bool,
}

/// What a client or an applier does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The number of its connection.
    pub id: u64,
    /// Its user.
    pub user: String,
    /// For how long.
    pub age: Duration,
    /// The statement that runs; empty when none does.
    pub statement: String,
}

/// How the account of replicas fares at the next primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaLogin {
    /// It is let in, and may replicate.
    Accepted,
    /// It is let in, and may not replicate.
    NoPrivilege,
    /// It is not let in.
    Refused {
        /// The server's answer.
        reason: String,
        /// The present primary lets it in, from the same host.
        primary_accepts: bool,
    },
}

/// Events, where they run and where they are to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Events {
    /// The enabled ones of the primary, each with its definer.
    pub enabled: Vec<(String, String)>,
    /// `event_scheduler` of the primary.
    pub scheduler: String,
    /// `event_scheduler` of the candidate.
    pub candidate_scheduler: String,
    /// The accounts of the candidate, as in `user@host`.
    pub candidate_accounts: Vec<String>,
}

/// What was found; an error says why something could not be asked.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The present primary.
    pub primary: ServerName,
    /// The next one.
    pub candidate: ServerName,
    /// Open transactions on the primary, the oldest first.
    pub transactions: Result<Vec<Activity>, String>,
    /// Prepared XA transactions on the primary, by name.
    pub prepared: Result<Vec<String>, String>,
    /// Statements that run on the primary.
    pub running: Result<Vec<Activity>, String>,
    /// Statements that run on the candidate, appliers' included.
    pub replayed: Result<Vec<Activity>, String>,
    /// Who holds a lock of the whole primary, as backups do.
    pub locks: Result<Vec<Activity>, String>,
    /// How the account of replicas fares on the candidate.
    pub login: Result<ReplicaLogin, String>,
    /// Replication filters of the candidate.
    pub filters: Result<Vec<String>, String>,
    /// Whether the candidate writes a binary log that holds what it replicates.
    pub logs: Result<bool, String>,
    /// Events.
    pub events: Result<Events, String>,
    /// Room on the candidate's disk, in MiB; `None` where that cannot be known.
    pub room_mib: Option<u64>,
}

/// Every condition of a switchover that only the servers themselves can tell.
pub fn preflight(survey: &Survey, topology: &Topology, terms: &Terms) -> Vec<Condition> {
    let candidate = &survey.candidate;
    vec![
        asked(
            format!("replicas can log in to {candidate}"),
            &survey.login,
            |login| replica_login(candidate, login),
        ),
        versions(topology, candidate, terms),
        asked(
            format!("{candidate} has a binary log with all that it replicates"),
            &survey.logs,
            |complete| logs(candidate, *complete),
        ),
        asked(
            format!("{candidate} leaves nothing out"),
            &survey.filters,
            |filters| unfiltered(candidate, filters),
        ),
        asked(
            format!("no long transaction is open on {}", survey.primary),
            &survey.transactions,
            |open| transactions(open, terms),
        ),
        asked(
            format!("no transaction is prepared on {}", survey.primary),
            &survey.prepared,
            |prepared| unprepared(prepared),
        ),
        asked(
            format!("no table is changed on {}", survey.primary),
            &survey.running,
            |running| changes(running),
        ),
        asked(
            format!("no change of a table is replayed on {candidate}"),
            &survey.replayed,
            |running| changes(running),
        ),
        asked(
            format!("nobody locks all of {}", survey.primary),
            &survey.locks,
            |locks| unlocked(locks),
        ),
        asked(
            format!("events can go on on {candidate}"),
            &survey.events,
            |events| go_on(candidate, events),
        ),
        room(survey),
    ]
}

/// The transactions that are older than the terms allow.
pub fn long_transactions<'a>(open: &'a [Activity], terms: &Terms) -> Vec<&'a Activity> {
    let long = |one: &&Activity| one.age > terms.transaction_max;
    open.iter().filter(long).collect()
}

/// Why there is no switchover; `None` when nothing is in its way.
pub fn refusal(conditions: &[Condition]) -> Option<String> {
    let failed = conditions.iter().filter(|one| one.holds == Some(false));
    let reasons: Vec<&str> = failed.map(|one| one.value.as_str()).collect();
    (!reasons.is_empty()).then(|| {
        format!(
            "no switchover, and nothing was touched: {}",
            reasons.join("; ")
        )
    })
}

/// What could not be asked is no reason to refuse.
fn asked<T>(
    what: String,
    found: &Result<T, String>,
    judge: impl FnOnce(&T) -> Result<String, String>,
) -> Condition {
    match found {
        Ok(found) => Condition::of(&what, judge(found)),
        Err(reason) => Condition::new(what, None, format!("not known: {reason}")),
    }
}

fn replica_login(candidate: &ServerName, login: &ReplicaLogin) -> Result<String, String> {
    match login {
        ReplicaLogin::Accepted => Ok("the account was let in".to_owned()),
        ReplicaLogin::NoPrivilege => Err(format!(
            "the account of replicas may not replicate from {candidate}: grant it the privilege \
             on the present primary"
        )),
        ReplicaLogin::Refused {
            reason,
            primary_accepts: true,
        } => Err(format!(
            "{candidate} does not let the account of replicas in ({reason}), and the present \
             primary does: make the account there as it is here"
        )),
        ReplicaLogin::Refused {
            reason,
            primary_accepts: false,
        } => Ok(format!(
            "not tried: neither server lets the account in from the manager's host ({reason})"
        )),
    }
}

/// Servers that would replicate from one of a newer series: what they do not know stops them.
fn versions(topology: &Topology, candidate: &ServerName, terms: &Terms) -> Condition {
    let what = format!("{candidate} is not newer than its replicas");
    let series = |version: &Version| (version.family, version.major, version.minor);
    let version_of = |name: &ServerName| {
        let server = topology.server(name)?;
        server.facts().map(|facts| facts.version.clone())
    };
    let Some(next) = version_of(candidate) else {
        return Condition::new(what, None, "not known");
    };
    let older: Vec<String> = topology
        .servers
        .keys()
        .filter_map(|name| Some((name, version_of(name)?)))
        .filter(|(_, version)| series(version) < series(&next))
        .map(|(name, version)| format!("{name} has {version}"))
        .collect();
    if older.is_empty() {
        return Condition::of(&what, Ok(format!("all have {next}, or newer")));
    }
    let older = older.join(", ");
    if terms.allow_newer {
        return Condition::new(what, None, format!("{older}, and that is allowed"));
    }
    Condition::of(
        &what,
        Err(format!(
            "{candidate} has {next}, and {older}: a server does not understand all that a newer \
             one writes; promote one of the oldest, or say --allow-newer when the rest follows \
             at once"
        )),
    )
}

fn logs(candidate: &ServerName, complete: bool) -> Result<String, String> {
    if complete {
        return Ok("yes".to_owned());
    }
    Err(format!(
        "{candidate} does not log what it replicates: nobody could replicate from it; set log_bin \
         and log_replica_updates, and restart it"
    ))
}

fn unfiltered(candidate: &ServerName, filters: &[String]) -> Result<String, String> {
    if filters.is_empty() {
        return Ok("it has no filters".to_owned());
    }
    Err(format!(
        "{candidate} leaves things out that the primary has ({}): promote a server without filters",
        filters.join(", ")
    ))
}

fn transactions(open: &[Activity], terms: &Terms) -> Result<String, String> {
    let long = long_transactions(open, terms);
    if long.is_empty() {
        return Ok(match open {
            [] => "none is open".to_owned(),
            some => format!("{} open, none for long", some.len()),
        });
    }
    let list = listed(long);
    if terms.end_transactions {
        return Ok(format!("these are ended: {list}"));
    }
    Err(format!(
        "transactions are open that a switchover does not wait for: {list}; wait until they have \
         ended, end them with KILL, or say --end-transactions"
    ))
}

fn unprepared(prepared: &[String]) -> Result<String, String> {
    if prepared.is_empty() {
        return Ok("none is".to_owned());
    }
    Err(format!(
        "prepared XA transactions cannot be moved: {}; XA COMMIT or XA ROLLBACK them first",
        prepared.join(", ")
    ))
}

fn changes(running: &[Activity]) -> Result<String, String> {
    let changing = |one: &&Activity| {
        let word = first_word(&one.statement);
        one.age >= CHANGE_MIN && CHANGES.iter().any(|known| word.eq_ignore_ascii_case(known))
    };
    let changing: Vec<&Activity> = running.iter().filter(changing).collect();
    if changing.is_empty() {
        return Ok("no such statement runs".to_owned());
    }
    Err(format!(
        "tables are being changed: {}; wait until that has ended",
        listed(changing)
    ))
}

fn unlocked(locks: &[Activity]) -> Result<String, String> {
    if locks.is_empty() {
        return Ok("nobody does".to_owned());
    }
    Err(format!(
        "the whole server is locked, as by a backup: {}; wait until it has ended",
        listed(locks.iter().collect())
    ))
}

fn go_on(candidate: &ServerName, events: &Events) -> Result<String, String> {
    if events.enabled.is_empty() || events.scheduler != "ON" {
        return Ok("no events run".to_owned());
    }
    if events.candidate_scheduler == "DISABLED" {
        return Err(format!(
            "{} event(s) run on the primary, and event_scheduler = DISABLED on {candidate} can \
             only be changed by a restart: start it with OFF",
            events.enabled.len()
        ));
    }
    let unknown = |(_, definer): &&(String, String)| !events.candidate_accounts.contains(definer);
    let orphans: Vec<String> = events
        .enabled
        .iter()
        .filter(unknown)
        .map(|(event, definer)| format!("{event} of {definer}"))
        .collect();
    if orphans.is_empty() {
        return Ok(format!("{} are enabled there", events.enabled.len()));
    }
    Err(format!(
        "events would fail on {candidate}, where their definers have no account: {}",
        orphans.join(", ")
    ))
}

fn room(survey: &Survey) -> Condition {
    let what = format!("{} has room on its disk", survey.candidate);
    match survey.room_mib {
        None => Condition::new(what, None, "not known from here"),
        Some(room) if room >= ROOM_MIN_MIB => Condition::of(&what, Ok(format!("{room} MiB"))),
        Some(room) => Condition::of(
            &what,
            Err(format!(
                "the disk of {} is nearly full: {room} MiB are left; make room",
                survey.candidate
            )),
        ),
    }
}

fn listed(activities: Vec<&Activity>) -> String {
    let one = |one: &Activity| {
        let statement = match one.statement.trim() {
            "" => "between two statements".to_owned(),
            text => format!("`{}`", shortened(text)),
        };
        let (id, user, age) = (one.id, &one.user, one.age.as_secs());
        format!("connection {id} of {user} for {age} s, {statement}")
    };
    activities
        .into_iter()
        .map(one)
        .collect::<Vec<_>>()
        .join(", ")
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    let start: String = line.chars().take(SHOWN).collect();
    format!("{start}…")
}

/// Comments before it do not count.
fn first_word(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        let Some((_, after)) = comment.split_once("*/") else {
            return "";
        };
        rest = after.trim_start();
    }
    let end = rest.find(|letter: char| !letter.is_ascii_alphabetic());
    &rest[..end.unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests;
