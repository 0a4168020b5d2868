//! What is wrong with what others on the network do: each thing is said once when it comes, once
//! when it changes and once when it goes, and counted in between.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::event::Action;
use crate::packet::{PacketError, Version};

/// A finding goes when it has not been seen for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

/// Findings kept at most: a stranger can send from as many addresses as it likes.
const FINDINGS_MAX: usize = 64;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose doing it is: a router, or the address that another host uses.
    pub about: IpAddr,
    /// What.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Its packets cannot be read.
    Garbled(PacketError),
    /// Its packets come from further away than they may.
    Ttl {
        /// What was left.
        found: u8,
        /// What is asked.
        least: u8,
    },
    /// It speaks another version.
    Version(Version),
    /// Its password is not ours, or one of us has none.
    Password,
    /// It is no peer of the list.
    Stranger,
    /// One of us sends to the group, the other to its peers.
    Mode {
        /// Theirs is the group.
        multicast: bool,
    },
    /// Its interval is another, which version 2 does not allow.
    Interval {
        /// Its interval.
        theirs: Duration,
        /// Ours.
        ours: Duration,
    },
    /// Its addresses are partly others.
    Addresses(Vec<IpAddr>),
    /// Its addresses are all others: it is another virtual router with the same number.
    DuplicateId(Vec<IpAddr>),
    /// It is Active as well.
    TwoActive {
        /// Its priority.
        priority: u8,
    },
    /// Another host answers for the address.
    InUse {
        /// Its hardware address.
        hardware: [u8; 6],
    },
}

impl Problem {
    /// A short name, of which there are few.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Garbled(_) => "garbled",
            Self::Ttl { .. } => "ttl",
            Self::Version(_) => "version",
            Self::Password => "password",
            Self::Stranger => "stranger",
            Self::Mode { .. } => "mode",
            Self::Interval { .. } => "interval",
            Self::Addresses(_) => "addresses",
            Self::DuplicateId(_) => "duplicate_id",
            Self::TwoActive { .. } => "two_active",
            Self::InUse { .. } => "in_use",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.about;
        match &self.problem {
            Problem::Garbled(error) => write!(f, "a packet of {who} is ignored: {error}"),
            Problem::Ttl { found, least } => write!(
                f,
                "packets of {who} are ignored: their time to live is {found}, at least {least} \
                 is asked (`ttl_min`)"
            ),
            Problem::Version(theirs) => write!(
                f,
                "{who} speaks version {} of VRRP and is not heard: set the same `version`",
                theirs.number()
            ),
            Problem::Password => write!(
                f,
                "the password of {who} is another and it is not heard: set the same `password`"
            ),
            Problem::Stranger => write!(f, "{who} is none of `peers` and is not heard"),
            Problem::Mode { multicast: true } => write!(
                f,
                "{who} sends to the multicast group, this router to its peers: give both `peers` \
                 or neither"
            ),
            Problem::Mode { multicast: false } => write!(
                f,
                "{who} sends to its peers, this router to the multicast group: give both `peers` \
                 or neither"
            ),
            Problem::Interval { theirs, ours } => write!(
                f,
                "{who} advertises every {theirs:?}, this router every {ours:?}: set the same \
                 `advert_interval`"
            ),
            Problem::Addresses(theirs) => write!(
                f,
                "{who} advertises other addresses than this router: {}",
                listed(theirs)
            ),
            Problem::DuplicateId(theirs) => write!(
                f,
                "{who} uses the same `virtual_router_id` for something else: {}; give one of them \
                 another number",
                listed(theirs)
            ),
            Problem::TwoActive { priority } => write!(
                f,
                "{who} is Active at the same time, with priority {priority}"
            ),
            Problem::InUse { hardware } => {
                let hardware: Vec<_> = hardware.iter().map(|b| format!("{b:02x}")).collect();
                write!(f, "another host has {who} as well: {}", hardware.join(":"))
            }
        }
    }
}

fn listed(addresses: &[IpAddr]) -> String {
    let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
    addresses.join(", ")
}

/// The present ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    present: BTreeMap<(&'static str, IpAddr), (Finding, Timestamp)>,
    counted: BTreeMap<&'static str, u64>,
}

impl Findings {
    /// Notes one; says it when it is new or other than before.
    pub(crate) fn note(&mut self, now: Timestamp, finding: Finding) -> Option<Action> {
        let key = (finding.problem.name(), finding.about);
        *self.counted.entry(key.0).or_default() += 1;
        if self.present.len() >= FINDINGS_MAX && !self.present.contains_key(&key) {
            return None;
        }
        let before = self.present.insert(key, (finding.clone(), now));
        (before.map(|(finding, _)| finding).as_ref() != Some(&finding))
            .then_some(Action::Found(finding))
    }

    /// Forgets those about `about`, except those of these names: it was seen to be well.
    pub(crate) fn well(&mut self, about: IpAddr, except: &[&str]) -> Vec<Action> {
        self.remove(|(name, who), _| *who == about && !except.contains(name))
    }

    /// Forgets what has not been seen for a while.
    pub(crate) fn forget(&mut self, now: Timestamp) -> Vec<Action> {
        self.remove(|_, seen| now.passed(seen, FORGOTTEN_AFTER))
    }

    fn remove(&mut self, gone: impl Fn(&(&'static str, IpAddr), Timestamp) -> bool) -> Vec<Action> {
        let mut actions = Vec::new();
        self.present.retain(|key, (finding, seen)| {
            let gone = gone(key, *seen);
            if gone {
                actions.push(Action::Gone(finding.clone()));
            }
            !gone
        });
        actions
    }

    /// When the oldest is to be forgotten.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let seen = self
            .present
            .values()
            .map(|(_, seen)| *seen + FORGOTTEN_AFTER);
        seen.min()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.present.values().map(|(finding, _)| finding)
    }

    /// How often each kind was seen.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counted.iter().map(|(name, count)| (*name, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(priority: u8) -> Finding {
        Finding {
            about: IpAddr::from([10, 0, 0, 2]),
            problem: Problem::TwoActive { priority },
        }
    }

    #[test]
    fn a_finding_is_said_when_it_comes_changes_and_goes_and_counted_always() {
        let mut findings = Findings::default();
        let at = Timestamp::from_millis;
        assert!(findings.note(at(0), finding(90)).is_some());
        assert_eq!(findings.note(at(1), finding(90)), None);
        let changed = findings.note(at(2), finding(80));
        assert_eq!(changed, Some(Action::Found(finding(80))));
        assert_eq!(findings.forget(at(30_001)), []);
        assert_eq!(findings.forget(at(30_002)), [Action::Gone(finding(80))]);
        assert_eq!(findings.counted().collect::<Vec<_>>(), [("two_active", 3)]);
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let mut findings = Findings::default();
        for number in 0..1_000_u32 {
            let about = IpAddr::from(std::net::Ipv4Addr::from_bits(number));
            let problem = Problem::Password;
            findings.note(Timestamp::ZERO, Finding { about, problem });
        }
        assert_eq!(findings.all().count(), FINDINGS_MAX);
    }
}
