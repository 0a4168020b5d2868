//! Whether a server that answers is the one that is wanted: writable, primary, a replica that keeps
//! up. A server that answers TCP may still be hung, read-only or hours behind.

use std::fmt;
use std::time::Duration;

/// What a server must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// Anything that answers a query.
    #[default]
    Any,
    /// It accepts writes: neither `read_only` nor `super_read_only`.
    Writable,
    /// It accepts writes and follows nobody.
    Primary,
    /// It follows a source, both threads run, and it is at most so far behind.
    Replica {
        /// `None`: however far behind.
        lag_max: Option<Duration>,
    },
}

/// What a server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// `read_only`, or `super_read_only`.
    pub read_only: bool,
    /// Its link to a source, where it has one.
    pub link: Option<Link>,
}

/// The state of a replication link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Both threads run.
    pub running: bool,
    /// Its lag; `None` where the server does not know.
    pub lag: Option<Duration>,
}

/// Why a server is not what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It accepts no writes.
    ReadOnly,
    /// It follows a source, and a primary is wanted.
    Follows,
    /// It follows nobody, and a replica is wanted.
    NoLink,
    /// Its replication does not run.
    LinkStopped,
    /// It does not know how far behind it is.
    LagUnknown,
    /// It is too far behind.
    Behind {
        /// How far.
        lag: Duration,
        /// What is allowed.
        lag_max: Duration,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly => f.write_str("it is read-only"),
            Self::Follows => f.write_str("it follows a source, so it is no primary"),
            Self::NoLink => f.write_str("it follows no source, so it is no replica"),
            Self::LinkStopped => f.write_str("its replication does not run"),
            Self::LagUnknown => f.write_str("it does not know its lag"),
            Self::Behind { lag, lag_max } => {
                let (lag, most) = (lag.as_secs_f32(), lag_max.as_secs_f32());
                write!(f, "it is {lag:.1} s behind, {most:.1} s are allowed")
            }
        }
    }
}

impl Role {
    /// Whether nothing but an answer is asked for.
    pub fn needs_facts(self) -> bool {
        self != Self::Any
    }

    /// Holds what a server says against what it must be.
    pub fn check(self, facts: &Facts) -> Result<(), Unfit> {
        match self {
            Self::Writable | Self::Primary if facts.read_only => Err(Unfit::ReadOnly),
            Self::Primary if facts.link.is_some_and(|link| link.running) => Err(Unfit::Follows),
            Self::Any | Self::Writable | Self::Primary => Ok(()),
            Self::Replica { lag_max } => follows(facts, lag_max),
        }
    }
}

fn follows(facts: &Facts, lag_max: Option<Duration>) -> Result<(), Unfit> {
    let link = facts.link.ok_or(Unfit::NoLink)?;
    if !link.running {
        return Err(Unfit::LinkStopped);
    }
    let Some(lag_max) = lag_max else {
        return Ok(());
    };
    let lag = link.lag.ok_or(Unfit::LagUnknown)?;
    if lag > lag_max {
        return Err(Unfit::Behind { lag, lag_max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(read_only: bool, link: Option<(bool, Option<u64>)>) -> Facts {
        let link = link.map(|(running, lag)| Link {
            running,
            lag: lag.map(Duration::from_secs),
        });
        Facts { read_only, link }
    }

    #[test]
    fn a_read_only_server_is_no_writer_whatever_it_answers() {
        for role in [Role::Writable, Role::Primary] {
            assert_eq!(role.check(&facts(true, None)), Err(Unfit::ReadOnly));
            assert_eq!(role.check(&facts(false, None)), Ok(()));
        }
        assert_eq!(Role::Any.check(&facts(true, None)), Ok(()));
    }

    #[test]
    fn one_of_two_co_primaries_is_writable_but_it_follows() {
        let of_two = facts(false, Some((true, Some(0))));
        assert_eq!(Role::Writable.check(&of_two), Ok(()));
        assert_eq!(Role::Primary.check(&of_two), Err(Unfit::Follows));
    }

    #[test]
    fn a_replica_must_run_and_keep_up() {
        let within = Some(Duration::from_secs(5));
        let role = Role::Replica { lag_max: within };
        assert_eq!(role.check(&facts(true, None)), Err(Unfit::NoLink));
        let stopped = facts(true, Some((false, Some(0))));
        assert_eq!(role.check(&stopped), Err(Unfit::LinkStopped));
        let unknown = facts(true, Some((true, None)));
        assert_eq!(role.check(&unknown), Err(Unfit::LagUnknown));
        assert_eq!(role.check(&facts(true, Some((true, Some(5))))), Ok(()));
        let behind = role.check(&facts(true, Some((true, Some(6)))));
        let said = behind.expect_err("too far behind").to_string();
        assert_eq!(said, "it is 6.0 s behind, 5.0 s are allowed");
        let any_lag = Role::Replica { lag_max: None };
        assert_eq!(any_lag.check(&unknown), Ok(()));
    }
}
