//! What a MariaDB 10.11 answers to the manager: the recorded answers of a real primary and a real
//! replica, with this server's id, addresses and progress put in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::fleet::{CLUSTER_SIZE, Cluster, address};

const PRIMARY: &str =
    include_str!("../../../../../core/topology/src/dialect/recorded/mariadb-10.11.19-primary.txt");
const REPLICA: &str =
    include_str!("../../../../../core/topology/src/dialect/recorded/mariadb-10.11.19-replica.txt");

/// Between two heartbeats of a source, as Mainstay sets replicas up.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// `CR_CONN_HOST_ERROR`: what a replica says whose source's port is closed.
const NO_SOURCE: &str = "2003";

type Values = Vec<(&'static str, &'static str)>;

/// The recorded answer to one statement.
#[derive(Debug)]
struct Answer {
    /// How the statement begins.
    statement: &'static str,
    rows: Vec<Values>,
}

/// What is sent back.
pub(crate) enum Reply {
    Ok,
    Rows(Vec<&'static str>, Vec<Vec<Option<String>>>),
}

/// The files.
pub(crate) struct Recorded {
    primary: Arc<Vec<Answer>>,
    replica: Arc<Vec<Answer>>,
}

impl Recorded {
    pub(crate) fn read() -> Self {
        Self {
            primary: Arc::new(parse(PRIMARY)),
            replica: Arc::new(parse(REPLICA)),
        }
    }

    /// The answers of one server.
    pub(crate) fn of(&self, cluster: &Arc<Cluster>, server: usize) -> Server {
        let recorded = if server == 0 {
            &self.primary
        } else {
            &self.replica
        };
        Server {
            cluster: Arc::clone(cluster),
            index: server,
            recorded: Arc::clone(recorded),
            began: Instant::now(),
        }
    }
}

fn parse(text: &'static str) -> Vec<Answer> {
    let sections = text.split("\n## ").skip(1);
    let value = |line: &'static str| line.split_once(" = ");
    let answer = |section: &'static str| {
        let (statement, rows) = section.split_once('\n').unwrap_or((section, ""));
        let rows = rows
            .split("\n\n")
            .map(|row| row.lines().filter_map(value).collect());
        let rows = rows.filter(|row: &Values| !row.is_empty()).collect();
        Answer { statement, rows }
    };
    sections.map(answer).collect()
}

/// One server of a cluster.
#[derive(Clone)]
pub(crate) struct Server {
    cluster: Arc<Cluster>,
    index: usize,
    recorded: Arc<Vec<Answer>>,
    began: Instant,
}

impl Server {
    pub(crate) fn is_primary(&self) -> bool {
        self.index == 0
    }

    pub(crate) fn reply(&self, statement: &str) -> Reply {
        if statement.starts_with("SELECT UTC_TIMESTAMP(6) + INTERVAL") {
            let row = ["2026-01-01 00:00:00.000000", "0"].map(|value| Some(value.to_owned()));
            return Reply::Rows(vec!["until", "closed"], vec![row.to_vec()]);
        }
        if statement.starts_with("REPLACE INTO mainstay.heartbeat") {
            self.cluster.sequence.fetch_add(1, Ordering::Relaxed);
            return Reply::Ok;
        }
        let of = |answer: &&Answer| statement.starts_with(answer.statement);
        let Some(answer) = self.recorded.iter().find(of) else {
            // What a plan's steps do is not measured.
            return Reply::Ok;
        };
        if statement.starts_with("SHOW GLOBAL STATUS") {
            self.cluster.looks.fetch_add(1, Ordering::Relaxed);
        }
        let names = answer.rows.first();
        let names = names.map(|row| row.iter().map(|(name, _)| *name).collect());
        let row = |row: &Values| row.iter().map(|pair| self.value(row, *pair)).collect();
        let rows = answer.rows.iter().map(row).collect();
        Reply::Rows(names.unwrap_or_else(|| vec!["Connection_name"]), rows)
    }

    /// The value of a column, where this server's differs from the recorded one.
    fn value(&self, row: &Values, (name, recorded): (&str, &str)) -> Option<String> {
        let alive = *self.cluster.alive.borrow();
        let source = address(self.cluster.index, 0);
        let variable = row.iter().find(|(name, _)| *name == "Variable_name");
        let variable = variable.map_or("", |(_, variable)| *variable);
        Some(match (name, variable) {
            ("server_id", _) => (self.index + 1).to_string(),
            ("binlog_state" | "Gtid_IO_Pos" | "Gtid_Slave_Pos", _) => self.position(),
            ("replica_position", _) if self.index > 0 => self.position(),
            ("Master_Host", _) => source.ip().to_string(),
            ("Master_Port", _) => source.port().to_string(),
            ("Slave_IO_Running", _) if !alive => "Connecting".to_owned(),
            ("Last_IO_Errno", _) if !alive => NO_SOURCE.to_owned(),
            ("Seconds_Behind_Master", _) if !alive => return None,
            ("Slave_received_heartbeats", _) => self.heartbeats().to_string(),
            ("Value", "Slave_received_heartbeats") if self.index > 0 => {
                self.heartbeats().to_string()
            }
            ("Value", "Rpl_semi_sync_master_clients") if self.index == 0 => {
                (CLUSTER_SIZE - 1).to_string()
            }
            (_, _) if recorded == "NULL" => return None,
            (_, _) => recorded.to_owned(),
        })
    }

    fn position(&self) -> String {
        format!("0-1-{}", self.cluster.sequence.load(Ordering::Relaxed))
    }

    /// It does not stand still while the source is dead; the receiver's state says so already.
    fn heartbeats(&self) -> u128 {
        self.began.elapsed().as_millis() / HEARTBEAT.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use mainstay_topology::dialect::{Row, facts, observe_statements, version};
    use mainstay_topology::{Facts, Receiver};
    use tokio::sync::watch;

    use super::*;
    use crate::peer::VERSION;

    fn cluster() -> Arc<Cluster> {
        Arc::new(Cluster {
            index: 0,
            alive: watch::Sender::new(true),
            sequence: AtomicU64::new(8),
            looks: AtomicU64::new(0),
        })
    }

    /// What the manager makes of the answers.
    fn look(server: &Server) -> Facts {
        let version = version(VERSION).expect("a version");
        let rows = |statement: &&str| -> Vec<Row> {
            let Reply::Rows(names, rows) = server.reply(statement) else {
                panic!("no rows for {statement}")
            };
            let names = || names.iter().map(|name| (*name).to_owned());
            let row = |row: Vec<Option<String>>| names().zip(row).collect();
            rows.into_iter().map(row).collect()
        };
        let answers: Vec<_> = observe_statements(&version).iter().map(rows).collect();
        facts(&version, &answers).expect("all that is needed")
    }

    #[test]
    fn replicas_stand_under_the_primary_and_follow_its_writes() {
        let (cluster, recorded) = (cluster(), Recorded::read());
        let (primary, replica) = (recorded.of(&cluster, 0), recorded.of(&cluster, 1));
        assert!(look(&primary).link.is_none());
        assert_eq!(look(&primary).semi_sync.clients, 4);
        let before = look(&primary).executed;
        primary.reply("REPLACE INTO mainstay.heartbeat (id, beat) SELECT 1");
        let link = look(&replica).link.expect("a link");
        assert_eq!(link.source.host, "127.64.0.1");
        assert_eq!(link.receiver, Receiver::Running);
        assert_eq!(link.received, look(&primary).executed);
        assert_ne!(link.received, before);
    }

    #[test]
    fn replicas_of_a_dead_primary_try_to_connect() {
        let (cluster, recorded) = (cluster(), Recorded::read());
        cluster.alive.send_replace(false);
        let link = look(&recorded.of(&cluster, 4)).link.expect("a link");
        assert_eq!(link.receiver, Receiver::Connecting);
    }
}
