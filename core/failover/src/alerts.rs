//! Whom to wake, and when: which findings have stayed long enough that people are told, and which
//! of those are over.
//!
//! Invariants: a finding is told once while it stays, whatever becomes of its evidence; its end is
//! told when its beginning was; what comes and goes within the delay is not told.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::finding::{Finding, Subject};

/// What people are told about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its kind, such as `primary-dead`.
    pub code: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// In English.
    pub sentence: String,
    /// It has ended.
    pub ended: bool,
}

/// What was found, since when, and whether it was told.
#[derive(Debug, Clone)]
struct Known {
    since: Timestamp,
    sentence: String,
    told: bool,
}

/// The findings that one receiver of alerts knows of.
#[derive(Debug, Clone)]
pub struct Alerts {
    after: Duration,
    known: BTreeMap<(Subject, &'static str), Known>,
}

impl Alerts {
    /// For a receiver that is told what stays for so long.
    pub fn new(after: Duration) -> Self {
        let known = BTreeMap::new();
        Self { after, known }
    }

    /// Takes all findings of a moment; answers what is to be told now.
    pub fn handle(&mut self, now: Timestamp, findings: &[Finding]) -> Vec<Alert> {
        let mut alerts = self.ended(findings);
        for finding in findings {
            let key = (finding.subject.clone(), finding.problem.code());
            let sentence = finding.to_string();
            let known = self.known.entry(key).or_insert_with(|| Known {
                since: now,
                sentence: String::new(),
                told: false,
            });
            known.sentence = sentence;
        }
        for ((subject, code), known) in &mut self.known {
            if !known.told && now.passed(known.since, self.after) {
                known.told = true;
                alerts.push(Alert {
                    code,
                    subject: subject.clone(),
                    sentence: known.sentence.clone(),
                    ended: false,
                });
            }
        }
        alerts
    }

    /// When there may be something to tell although nothing has changed.
    pub fn deadline(&self) -> Option<Timestamp> {
        let waiting = self.known.values().filter(|known| !known.told);
        waiting.map(|known| known.since + self.after).min()
    }

    /// Forgets what is over; answers those of which somebody was told.
    fn ended(&mut self, findings: &[Finding]) -> Vec<Alert> {
        let stays = |key: &(Subject, &'static str)| {
            let mut all = findings.iter();
            all.any(|one| (&one.subject, one.problem.code()) == (&key.0, key.1))
        };
        let over: Vec<_> = self
            .known
            .keys()
            .filter(|key| !stays(key))
            .cloned()
            .collect();
        let mut alerts = Vec::new();
        for key in over {
            let known = self.known.remove(&key);
            if let Some(Known {
                sentence,
                told: true,
                ..
            }) = known
            {
                let (subject, code) = key;
                alerts.push(Alert {
                    code,
                    subject,
                    sentence,
                    ended: true,
                });
            }
        }
        alerts
    }
}

#[cfg(test)]
mod tests {
    use mainstay_topology::ServerName;

    use super::*;
    use crate::finding::Problem;

    const AFTER: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    fn lagging(lag_ms: u64) -> Finding {
        Finding::of_link(&ServerName::new("db2"), Problem::Lagging { lag_ms })
    }

    fn told(alerts: &[Alert]) -> Vec<(&str, bool)> {
        let one = |alert: &Alert| (alert.code, alert.ended);
        alerts.iter().map(one).collect()
    }

    #[test]
    fn what_stays_is_told_once_and_so_is_its_end() {
        let mut alerts = Alerts::new(AFTER);
        assert_eq!(alerts.handle(at(1), &[lagging(500)]), []);
        assert_eq!(alerts.deadline(), Some(at(11)));
        let now = alerts.handle(at(12), &[lagging(11_500)]);
        assert_eq!(told(&now), [("lagging", false)]);
        assert!(now[0].sentence.contains("11500 ms behind"), "{now:?}");
        assert_eq!(alerts.deadline(), None);
        assert_eq!(alerts.handle(at(13), &[lagging(12_500)]), []);
        assert_eq!(told(&alerts.handle(at(14), &[])), [("lagging", true)]);
        assert_eq!(alerts.handle(at(15), &[]), []);
    }

    #[test]
    fn what_comes_and_goes_is_not_told() {
        let mut alerts = Alerts::new(AFTER);
        for seconds in 0..60 {
            let found = [lagging(1)];
            let findings = if seconds % 9 == 0 { &[] } else { &found[..] };
            assert_eq!(alerts.handle(at(seconds), findings), []);
        }
    }

    #[test]
    fn one_server_does_not_hide_another() {
        let mut alerts = Alerts::new(Duration::ZERO);
        let gone = |name| Finding::of_server(&ServerName::new(name), Problem::Gone);
        assert_eq!(
            told(&alerts.handle(at(1), &[gone("db1")])),
            [("gone", false)]
        );
        let both = [gone("db1"), gone("db2")];
        assert_eq!(told(&alerts.handle(at(2), &both)), [("gone", false)]);
        let now = alerts.handle(at(3), &[gone("db2")]);
        assert_eq!(now[0].subject.to_string(), "db1");
    }
}
