//! What a person does when the manager asks for one: docs/runbooks/diverged-server.md, by hand.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::hosted::Start;
use super::{Lab, SERVERS, address, dialect, name, number, settings};
use crate::Family;
use crate::program::run;
use crate::status::Status;
use crate::wait::wait_for;

/// How the manager says that it has no means to do it (docs/runbooks/replica-broken.md too).
const ASKED: [&str; 2] = [
    "save them and reseed the server",
    "its source has purged binary logs it needs",
];

const SETTLING: Duration = Duration::from_secs(3);

impl Lab {
    /// Does what the manager asks people for, if it does.
    pub(super) fn help(&mut self, status: &Status) {
        let findings = status.0["findings"].as_array().into_iter().flatten();
        let asked: Vec<_> = findings
            .filter_map(|finding| finding["sentence"].as_str())
            .filter(|sentence| ASKED.iter().any(|asked| sentence.contains(asked)))
            .filter_map(|sentence| sentence.split(':').next().map(number))
            .collect();
        // What is said of a server that was just helped may be older than the help.
        let settled = self.helped_at.is_none_or(|at| at.elapsed() > SETTLING);
        for server in asked {
            if settled && self.family() == Family::MariaDb {
                self.reseed_by_hand(server, status);
            }
        }
    }

    /// How often a person had to.
    pub fn helped(&self) -> u64 {
        self.helped
    }

    /// MariaDB: replaces a server's data by those of another one.
    fn reseed_by_hand(&mut self, server: usize, status: &Status) {
        let primary = status.primary().map(str::to_owned);
        // A primary whose commits wait for a replica would let the copy wait too.
        let donor = SERVERS
            .into_iter()
            .filter(|other| *other != server && Some(name(*other)) != primary)
            .chain(
                SERVERS
                    .into_iter()
                    .filter(|other| Some(name(*other)) == primary),
            )
            .find(|donor| status.server(&name(*donor))["reachability"] == "reachable");
        let donor = donor.expect("somebody has the data");
        self.servers[server - 1].end(Signal::KILL, false);
        let before = self.client(donor).value(dialect::BINLOG_STATE);
        let copy = self.data(server).with_extension("copy");
        let target = format!("--target-dir={}", copy.display());
        let (user, password) = settings::PERSON;
        let mut command = Command::new("mariadb-backup");
        command.args(["--no-defaults", "--backup", &target]);
        command.arg(format!("--datadir={}", self.data(donor).display()));
        command.args([
            format!("--host={}", address(donor)),
            "--port=3306".to_owned(),
        ]);
        command.args([format!("--user={user}"), format!("--password={password}")]);
        run(&mut command).succeeded();
        let mut command = Command::new("mariadb-backup");
        run(command.args(["--no-defaults", "--prepare", &target])).succeeded();
        let position = position_of_copy(&copy);
        fs::remove_dir_all(self.data(server)).expect("its data are there");
        fs::rename(&copy, self.data(server)).expect("they are on one disk");
        let seed = self.home().join(&name(server)).join("seed.sql");
        fs::write(seed, dialect::take_history(&position, &before)).expect("it can be written");
        self.spawn_server(server, Start::Seeded);
        wait_for("a reseeded server", || self.answers(server));
        self.helped += 1;
        self.helped_at = Some(Instant::now());
    }
}

/// The third column of the file that comes with a copy; newer versions have given it another name.
fn position_of_copy(copy: &Path) -> String {
    let names = ["xtrabackup_binlog_info", "mariadb_backup_binlog_info"];
    let mut texts = names
        .iter()
        .filter_map(|name| fs::read_to_string(copy.join(name)).ok());
    let text = texts.next().expect("a copy says where it ends");
    let position = text.split_ascii_whitespace().nth(2);
    position.unwrap_or_default().to_owned()
}
