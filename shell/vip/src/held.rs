//! What this process has put on interfaces: noted in a file and told to the guard before it is
//! done, so that whoever survives can take it off.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use mainstay_vrrp::{Prefixed, Verdict};

use crate::accept::accept_packets;
use crate::guard::Guard;
use crate::kernel::Kernel;

/// The last line of a file whose addresses another process goes on with.
const HANDED_OVER: &str = "handed over";

/// One thing that must not stay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holding {
    /// An address on an interface.
    Address(String, Prefixed),
    /// An interface of our own.
    Link(String),
    /// A table of nftables that keeps packets out.
    Filter(String),
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(interface, held) => write!(f, "address {interface} {held}"),
            Self::Link(name) => write!(f, "link {name}"),
            Self::Filter(table) => write!(f, "filter {table}"),
        }
    }
}

impl FromStr for Holding {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<_> = text.split(' ').collect();
        match words[..] {
            ["address", interface, held] => Ok(Self::Address(
                interface.to_owned(),
                held.parse().map_err(|_| ())?,
            )),
            ["link", name] => Ok(Self::Link(name.to_owned())),
            ["filter", table] => Ok(Self::Filter(table.to_owned())),
            _ => Err(()),
        }
    }
}

/// Takes all of these off; says what cannot be.
pub(crate) fn release(kernel: &mut Kernel, holdings: &BTreeSet<Holding>) -> Vec<String> {
    let mut failures = Vec::new();
    let links = match kernel.links() {
        Ok(links) => links,
        Err(error) => return vec![format!("the interfaces cannot be listed: {error}")],
    };
    for holding in holdings {
        let result = match holding {
            Holding::Address(interface, held) => match links.named(interface) {
                Some(link) => kernel.remove_address(link.index, *held),
                None => Ok(()),
            },
            Holding::Link(name) => kernel.remove_link(name),
            Holding::Filter(table) => accept_packets(table),
        };
        if let Err(error) = result {
            failures.push(format!("{holding} cannot be removed: {error}"));
        }
    }
    failures
}

/// The file and the guard. What a Backup may take stands in the file beforehand: a slow disk must
/// not keep it from taking it.
#[derive(Debug)]
pub(crate) struct Held {
    path: PathBuf,
    present: BTreeSet<Holding>,
    expected: BTreeSet<Holding>,
    guard: Option<Guard>,
}

/// What an earlier run has left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) holdings: BTreeSet<Holding>,
    /// It went on purpose, for us to go on.
    pub(crate) handed_over: bool,
    /// What it knew of what its addresses depend on, if it did.
    pub(crate) verdicts: Vec<Handed>,
}

/// The last verdict on a track of an address, for the process that goes on: it cannot wait until
/// everything was looked at once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) vip: String,
    pub(crate) track: String,
    pub(crate) verdict: Verdict,
}

/// Between the words of a line: names may hold spaces.
const TAB: char = '\t';

impl fmt::Display for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { ok, weight } = self.verdict;
        let said = if ok { "ok" } else { "fails" };
        let (vip, track) = (&self.vip, &self.track);
        write!(f, "verdict{TAB}{vip}{TAB}{track}{TAB}{said}{TAB}{weight}")
    }
}

impl FromStr for Handed {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words: Vec<_> = line.split(TAB).collect();
        let ["verdict", vip, track, said, weight] = words[..] else {
            return Err(());
        };
        let ok = match said {
            "ok" => true,
            "fails" => false,
            _ => return Err(()),
        };
        let weight = weight.parse().map_err(|_| ())?;
        Ok(Self {
            vip: vip.to_owned(),
            track: track.to_owned(),
            verdict: Verdict { ok, weight },
        })
    }
}

/// Reads the file of an earlier run. Lines that are not understood are left alone: a later version
/// may have written them.
pub(crate) fn left(path: &Path) -> io::Result<Left> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::default()),
        Err(error) => return Err(error),
    };
    Ok(Left {
        holdings: text.lines().filter_map(|line| line.parse().ok()).collect(),
        handed_over: text.lines().any(|line| line == HANDED_OVER),
        verdicts: text.lines().filter_map(|line| line.parse().ok()).collect(),
    })
}

impl Held {
    pub(crate) fn new(path: PathBuf, guard: Option<Guard>) -> Self {
        Self {
            path,
            present: BTreeSet::new(),
            expected: BTreeSet::new(),
            guard,
        }
    }

    /// Notes things before they are put there.
    pub(crate) fn add(&mut self, holdings: &[Holding]) {
        let new = |one: &&Holding| !self.present.contains(*one);
        let new: Vec<_> = holdings.iter().filter(new).cloned().collect();
        if new.is_empty() {
            return;
        }
        let is_noted = new.iter().all(|one| self.expected.contains(one));
        self.present.extend(new);
        if !is_noted {
            self.write("");
        }
        self.tell();
    }

    /// Notes what may be put there at any time from now on.
    pub(crate) fn expect(&mut self, holdings: &[Holding]) {
        let before = self.expected.len();
        self.expected.extend(holdings.iter().cloned());
        if self.expected.len() != before {
            self.write("");
        }
    }

    /// What of this is not held.
    pub(crate) fn without(&self, holdings: &BTreeSet<Holding>) -> BTreeSet<Holding> {
        holdings.difference(&self.present).cloned().collect()
    }

    /// Forgets things after they were taken off.
    pub(crate) fn remove(&mut self, holdings: &[Holding]) {
        self.present.retain(|one| !holdings.contains(one));
        if !holdings.iter().all(|one| self.expected.contains(one)) {
            self.write("");
        }
        self.tell();
    }

    /// The same of what will not come back.
    pub(crate) fn forget(&mut self, holdings: &[Holding]) {
        self.expected.retain(|one| !holdings.contains(one));
        self.remove(holdings);
    }

    /// Another process goes on with everything: the guard has nothing more to do.
    pub(crate) fn hand_over(mut self, verdicts: &[Handed]) {
        // Only what is there is handed over.
        self.expected.clear();
        let mut last = String::new();
        for one in verdicts {
            last.push_str(&format!("{one}\n"));
        }
        self.write(&format!("{last}{HANDED_OVER}\n"));
        self.present.clear();
        self.tell();
    }

    /// The guard runs, or is started again.
    pub(crate) fn tell(&mut self) {
        if let Some(guard) = &mut self.guard {
            guard.tell(&self.present);
        }
    }

    fn write(&self, last: &str) {
        let mut text = String::from(
            "# What mainstay may hold. The next start removes it if this run cannot.\n",
        );
        for holding in self.present.union(&self.expected) {
            text.push_str(&format!("{holding}\n"));
        }
        text.push_str(last);
        // Not flushed to the disk: a crash of the machine takes the addresses with it.
        let part = self.path.with_extension("part");
        let written = fs::write(&part, text).and_then(|()| fs::rename(&part, &self.path));
        if let Err(error) = written {
            let path = self.path.display();
            tracing::error!(%error, "what is held cannot be noted in {path}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_found_by_the_next_run_unless_it_was_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mainstay.vip");
        assert_eq!(left(&path).expect("no file is no error"), Left::default());

        let address = |text: &str| {
            let held = text.parse().expect("an address");
            Holding::Address("eth0".to_owned(), held)
        };
        let link = Holding::Link("vrrp.2.51".to_owned());
        let mut held = Held::new(path.clone(), None);
        held.add(&[
            address("10.0.0.100/24"),
            address("2001:db8::1/64"),
            link.clone(),
        ]);
        held.remove(&[address("2001:db8::1/64")]);
        let found = left(&path).expect("it was written");
        assert!(!found.handed_over);
        assert_eq!(
            found.holdings,
            BTreeSet::from([address("10.0.0.100/24"), link])
        );
        let handed = |ok, weight| Handed {
            vip: "the writer's".to_owned(),
            track: "manager".to_owned(),
            verdict: Verdict { ok, weight },
        };
        let verdicts = [handed(true, 0), handed(false, -20)];
        let next = address("10.0.0.200/24");
        held.expect(std::slice::from_ref(&next));
        let noted = |path: &Path| left(path).expect("it was written").holdings;
        assert!(noted(&path).contains(&next), "before it is there");
        held.add(std::slice::from_ref(&next));
        held.remove(std::slice::from_ref(&next));
        assert!(noted(&path).contains(&next), "it may come back");
        held.forget(std::slice::from_ref(&next));
        assert!(!noted(&path).contains(&next));
        held.expect(std::slice::from_ref(&next));
        held.hand_over(&verdicts);
        let found = left(&path).expect("it was written");
        assert!(found.handed_over);
        assert_eq!(found.verdicts, verdicts);
        assert!(!found.holdings.contains(&next), "it was not there");
    }
}
