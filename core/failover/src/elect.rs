//! The decision at the heart of a failover: may anyone be promoted, and who.
//!
//! Three questions, each its own function, each refused in words:
//! - *revoked?* the old primary can no longer collect the acknowledgements that a commit needs;
//! - *complete?* no acknowledged transaction can be held only by servers that cannot be asked;
//! - *who?* a server that holds everything which any survivor holds, and the reign's baseline.

use mainstay_gtid::{Difference, GtidSet};
use mainstay_topology::{Promotion, ServerName};

use crate::bugs::{Bug, Bugs};

/// One server that was asked after it had stopped receiving.
#[derive(Debug, Clone)]
pub(crate) struct Survivor {
    pub(crate) name: ServerName,
    /// Everything it holds, applied or not.
    pub(crate) held: GtidSet,
    /// Recorded as attached in this reign: may be elected.
    pub(crate) joined: bool,
    /// What it had more than the primary while that could be asked.
    pub(crate) errant: Option<Difference>,
    pub(crate) promotion: Promotion,
    /// Why it is never promoted, because of how it is set up.
    pub(crate) unfit: Option<String>,
    /// How far it is from the place of the primary, as configured.
    pub(crate) depth: u8,
    /// Its applier runs, so what it holds will be applied.
    pub(crate) applies: bool,
    /// It was elected in vain: it did not apply what it holds in time.
    pub(crate) slow: bool,
    /// Transactions that it holds and had not applied when it was last looked at.
    pub(crate) unapplied: u64,
}

/// Everything the decision is made from.
#[derive(Debug, Clone)]
pub(crate) struct Ballot {
    pub(crate) primary: ServerName,
    /// Configured servers besides the primary.
    pub(crate) others: usize,
    /// Acknowledgements that a commit needs; 0 for asynchronous replication.
    pub(crate) acknowledgements: usize,
    /// Of the others, those that cannot receive from the primary any more.
    pub(crate) stopped: usize,
    /// The primary's process is known to be gone.
    pub(crate) ended: bool,
    /// The primary has accepted writes without waiting for acknowledgements, and the baseline lacks
    /// some of them.
    pub(crate) unprotected: bool,
    pub(crate) survivors: Vec<Survivor>,
    /// Joined servers that could not be asked.
    pub(crate) absent: Vec<ServerName>,
    /// Joined servers that may have lost what they had acknowledged: they cannot testify either.
    pub(crate) forgetful: Vec<ServerName>,
    pub(crate) baseline: Option<GtidSet>,
    pub(crate) bugs: Bugs,
}

/// Who is promoted, and what that costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elected {
    pub(crate) to: ServerName,
    pub(crate) held: GtidSet,
    pub(crate) lossless: bool,
    pub(crate) reason: String,
}

/// Decides, or says why nobody may be promoted and what would help.
pub(crate) fn elect(ballot: &Ballot) -> Result<Elected, String> {
    protected(ballot)?;
    revoked(ballot)?;
    complete(ballot)?;
    let elected = candidate(ballot)?;
    Ok(Elected {
        to: elected.name.clone(),
        held: elected.held.clone(),
        lossless: ballot.acknowledgements > 0,
        reason: reason(ballot, elected),
    })
}

pub(crate) fn protected(ballot: &Ballot) -> Result<(), String> {
    if !ballot.unprotected {
        return Ok(());
    }
    Err(format!(
        "cannot exclude loss: {0} has accepted writes without waiting for acknowledgements, and no \
         replica was seen to hold them since; bring {0} back",
        ballot.primary
    ))
}

pub(crate) fn revoked(ballot: &Ballot) -> Result<(), String> {
    let primary = &ballot.primary;
    if ballot.ended || ballot.bugs.has(Bug::GrantBeforeRevoke) {
        return Ok(());
    }
    if ballot.acknowledgements == 0 {
        return Err(format!(
            "{primary} may still acknowledge writes, since it waits for no replica; \
             end its process, or bring it back"
        ));
    }
    let needed = (ballot.others + 1).saturating_sub(ballot.acknowledgements);
    if ballot.stopped >= needed {
        return Ok(());
    }
    Err(format!(
        "{primary} may still acknowledge writes: {} of {} servers surely receive nothing from it, \
         {needed} are needed; bring the missing servers or {primary} back, or end its process",
        ballot.stopped, ballot.others
    ))
}

pub(crate) fn complete(ballot: &Ballot) -> Result<(), String> {
    let primary = &ballot.primary;
    if ballot.acknowledgements == 0 {
        return Ok(());
    }
    let forgetful = if ballot.bugs.has(Bug::IgnoreForgetful) {
        0
    } else {
        ballot.forgetful.len()
    };
    let silent = ballot.absent.len() + forgetful;
    if silent < ballot.acknowledgements || ballot.bugs.has(Bug::IgnoreAbsent) {
        return Ok(());
    }
    if ballot.absent.is_empty() {
        return Err(format!(
            "cannot exclude loss: {} was restarted and may have lost acknowledged transactions \
             that it had received; bring {primary} back",
            join(&ballot.forgetful)
        ));
    }
    Err(format!(
        "cannot exclude loss: {} cannot be asked and may hold acknowledged transactions; \
         bring it or {primary} back",
        join(&ballot.absent)
    ))
}

pub(crate) fn candidate(ballot: &Ballot) -> Result<&Survivor, String> {
    let mut complete: Vec<&Survivor> = ballot
        .survivors
        .iter()
        .filter(|one| holds_all(ballot, one))
        .collect();
    complete.sort_by_key(|one| {
        let name = one.name.clone();
        (one.slow, one.depth, one.promotion, one.unapplied, name)
    });
    let unfit: Vec<String> = complete.iter().filter_map(|one| unfitness(one)).collect();
    complete
        .into_iter()
        .find(|one| unfitness(one).is_none())
        .ok_or_else(|| match unfit.as_slice() {
            [] => format!(
                "no server holds everything that the survivors ({}) and {}'s reign began with \
                 hold; bring {} back",
                join(&names(&ballot.survivors)),
                ballot.primary,
                ballot.primary
            ),
            unfit => format!(
                "who holds everything cannot be promoted: {}",
                unfit.join("; ")
            ),
        })
}

/// Whether a server lacks nothing that any survivor holds, errant transactions aside.
pub(crate) fn holds_all(ballot: &Ballot, one: &Survivor) -> bool {
    let baseline = ballot.baseline.as_ref();
    baseline.is_none_or(|baseline| one.held.contains(baseline))
        && ballot.survivors.iter().all(|other| {
            let lacks = other.held.missing_from(&one.held);
            lacks.is_empty()
                || other
                    .errant
                    .as_ref()
                    .is_some_and(|errant| covers(errant, &lacks))
        })
}

/// Why a server is not promoted whatever it holds.
pub(crate) fn unfitness(one: &Survivor) -> Option<String> {
    let name = &one.name;
    if one.errant.as_ref().is_some_and(|errant| !errant.is_empty()) {
        Some(format!("{name} has errant transactions"))
    } else if !one.joined {
        Some(format!("{name} is not recorded as a replica of this reign"))
    } else if one.promotion == Promotion::Never {
        Some(format!("{name} is configured never to be promoted"))
    } else if let Some(reason) = &one.unfit {
        Some(format!("{name} {reason}"))
    } else if !one.applies {
        Some(format!(
            "{name} does not apply what it has received; start its applier"
        ))
    } else {
        None
    }
}

/// Whether all of `missing` is errant.
fn covers(errant: &Difference, missing: &Difference) -> bool {
    match (errant, missing) {
        (Difference::Mysql(errant), Difference::Mysql(missing)) => errant.contains(missing),
        (Difference::Mariadb(errant), Difference::Mariadb(missing)) => {
            missing.iter().all(|range| {
                errant.iter().any(|known| {
                    let (first, last) = (range.first(), range.last());
                    (known.first().domain, known.first().server) == (first.domain, first.server)
                        && known.first().sequence <= first.sequence
                        && last.sequence <= known.last().sequence
                })
            })
        }
        (Difference::Mysql(_), Difference::Mariadb(_))
        | (Difference::Mariadb(_), Difference::Mysql(_)) => missing.is_empty(),
    }
}

fn reason(ballot: &Ballot, elected: &Survivor) -> String {
    let (to, primary) = (&elected.name, &ballot.primary);
    if ballot.acknowledgements == 0 {
        return format!(
            "replication is asynchronous: what {primary} had acknowledged and {to} had not \
             received may be lost"
        );
    }
    let absent = if ballot.absent.is_empty() {
        "no replica was absent".to_owned()
    } else {
        format!("only {} was absent", join(&ballot.absent))
    };
    format!(
        "nothing acknowledged is missing: every commit waited for {} acknowledgement(s), {absent}, \
         and {to} holds everything that {} hold",
        ballot.acknowledgements,
        join(&names(&ballot.survivors))
    )
}

fn names(survivors: &[Survivor]) -> Vec<ServerName> {
    survivors.iter().map(|one| one.name.clone()).collect()
}

fn join(names: &[ServerName]) -> String {
    let texts: Vec<&str> = names.iter().map(ServerName::as_str).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests;
