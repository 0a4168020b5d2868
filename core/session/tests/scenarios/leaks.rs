//! No state of one session reaches another, and none is lost: whatever sessions do on shared
//! connections, each sees what a connection of its own to one server would show.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::client::{Client, Reply};
use crate::fake::{World, policy, routes};
use crate::server::{Connection, Server};

const SESSIONS: usize = 4;
/// Of the statements below, those that are prepared too.
const PREPARED: usize = 10;
const SERVERS: [&str; 3] = ["db1", "db2", "db3"];

/// What sessions do. The order of names in the replies is that of one server.
const STATEMENTS: [&str; 34] = [
    "SELECT @@sql_mode",
    "SELECT @@time_zone",
    "SELECT @@autocommit",
    "SELECT @@session_track_system_variables",
    "SELECT DATABASE()",
    "SELECT @a",
    "SELECT @b",
    "SELECT x FROM a",
    "SELECT x FROM b",
    "SELECT x FROM made",
    "SET sql_mode='ANSI'",
    "SET sql_mode=CONCAT(@@sql_mode,',X')",
    "SET time_zone='+01:00', sql_mode=''",
    "SET time_zone=CONCAT(@@time_zone,'Y'), @b=3",
    "SET autocommit=0",
    "SET autocommit=1",
    "SET NAMES latin1",
    "SET @a=1",
    "SET @a='text', @b=2",
    "SELECT @a:=7",
    "USE shop",
    "USE crm",
    "BEGIN",
    "COMMIT",
    "CREATE TEMPORARY TABLE a",
    "CREATE TEMPORARY TABLE b",
    "DROP TEMPORARY TABLE IF EXISTS a",
    "CALL p()",
    "SELECT GET_LOCK('l', 0)",
    "SELECT RELEASE_LOCK('l')",
    "PREPARE p FROM 'CREATE TEMPORARY TABLE b'",
    "PREPARE p FROM 'SELECT @a'",
    "EXECUTE p",
    "DEALLOCATE PREPARE p",
];

#[derive(Debug, Clone)]
enum Act {
    Query(usize, usize),
    /// One of the first statements.
    Prepare(usize, usize),
    /// One of those that the session has prepared.
    Execute(usize, usize),
    /// So many milliseconds in which idle and old connections are closed, and new ones opened.
    Wait(u64),
    Reset(usize),
    /// The client leaves, and another one comes.
    Leave(usize),
    /// A reader dies and comes back.
    Bounce,
    Failover,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        60 => (0..SESSIONS, 0..STATEMENTS.len()).prop_map(|(who, what)| Act::Query(who, what)),
        6 => (0..SESSIONS, 0..PREPARED).prop_map(|(who, what)| Act::Prepare(who, what)),
        12 => (0..SESSIONS, 0..8_usize).prop_map(|(who, which)| Act::Execute(who, which)),
        4 => (1..3_000_u64).prop_map(Act::Wait),
        3 => (0..SESSIONS).prop_map(Act::Reset),
        3 => (0..SESSIONS).prop_map(Act::Leave),
        1 => Just(Act::Bounce),
        1 => Just(Act::Failover),
    ]
}

/// The same sessions twice: through the machine, and each on a connection of its own.
struct Pair {
    world: World,
    through: Vec<u32>,
    server: Server,
    direct: Vec<Connection>,
    /// What each has prepared: its number through the machine, and directly.
    prepared: Vec<Vec<(u32, u32)>>,
    /// It has assigned a user variable in a query.
    assigned: Vec<bool>,
    last: u32,
    writer: usize,
    epoch: u64,
}

impl Pair {
    fn new() -> Self {
        let mut policy = policy();
        policy.pool.server_connections_max = SESSIONS;
        policy.pool.server_connections_min = 2;
        policy.pool.idle_age_max = Duration::from_secs(1);
        policy.pool.age_max = Some(Duration::from_secs(3));
        policy.pool.statements_max = 2;
        let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2", "db3"]));
        let through = (0..SESSIONS).map(|_| world.login(None)).collect();
        let direct = (1..=SESSIONS as u32).map(own).collect();
        Self {
            world,
            through,
            server: Server::new(false),
            direct,
            prepared: vec![Vec::new(); SESSIONS],
            assigned: vec![false; SESSIONS],
            last: SESSIONS as u32,
            writer: 0,
            epoch: 1,
        }
    }

    fn both(&mut self, who: usize, byte: u8, argument: &[u8]) -> (Reply, Reply) {
        let through = self.world.command(self.through[who], byte, argument);
        let mut client = Client::default();
        client.expects(byte);
        let connection = &mut self.direct[who];
        connection.inbox = Client::command(byte, argument);
        client.inbox = connection.answer(&mut self.server);
        (through, client.reply())
    }

    fn act(&mut self, act: &Act) -> Result<(), String> {
        match *act {
            Act::Query(who, what) => {
                let sql = STATEMENTS[what];
                let (through, direct) = self.both(who, 0x03, sql.as_bytes());
                self.assigned[who] |= sql.contains(":=") || sql.starts_with("CALL");
                if through != direct {
                    let seen = format!("session {who}, {sql}: {through:?}, directly {direct:?}");
                    return Err(seen);
                }
            }
            Act::Prepare(who, what) => self.prepare(who, STATEMENTS[what])?,
            Act::Execute(who, which) => self.execute(who, which)?,
            Act::Wait(millis) => self.world.wait(Duration::from_millis(millis)),
            Act::Reset(who) => self.reset(who),
            Act::Leave(who) => {
                self.prepared[who].clear();
                self.world.leave(self.through[who]);
                self.through[who] = self.world.login(None);
                self.direct[who].free_locks(&mut self.server);
                self.last += 1;
                self.direct[who] = own(self.last);
                self.assigned[who] = false;
            }
            Act::Bounce => {
                let reader = SERVERS[(self.writer + 1) % 3];
                self.world.kill(reader);
                self.world.servers.get_mut(reader).expect("a server").alive = true;
            }
            Act::Failover => self.fail_over()?,
        }
        Ok(())
    }

    fn prepare(&mut self, who: usize, sql: &str) -> Result<(), String> {
        match self.both(who, 0x16, sql.as_bytes()) {
            (Reply::Prepared(through), Reply::Prepared(direct)) => {
                self.prepared[who].push((through, direct));
                Ok(())
            }
            (through, _) => Err(format!("session {who} cannot prepare {sql}: {through:?}")),
        }
    }

    fn execute(&mut self, who: usize, which: usize) -> Result<(), String> {
        let count = self.prepared[who].len();
        let Some(&(through, direct)) = self.prepared[who].get(which % count.max(1)) else {
            return Ok(());
        };
        let argument = |id: u32| [&id.to_le_bytes()[..], &[0, 1, 0, 0, 0]].concat();
        let seen = self
            .world
            .command(self.through[who], 0x17, &argument(through));
        let mut client = Client::default();
        client.expects(0x17);
        let connection = &mut self.direct[who];
        connection.inbox = Client::command(0x17, &argument(direct));
        client.inbox = connection.answer(&mut self.server);
        let expected = client.reply();
        if seen == expected {
            return Ok(());
        }
        let what = format!("session {who}, its prepared statement {through}");
        Err(format!("{what}: {seen:?}, directly {expected:?}"))
    }

    fn reset(&mut self, who: usize) {
        self.prepared[who].clear();
        self.both(who, 0x1f, &[]);
        self.assigned[who] = false;
    }

    /// Who held what no other connection can be given is told so; nobody else notices.
    fn fail_over(&mut self) -> Result<(), String> {
        let old = SERVERS[self.writer];
        self.writer = (self.writer + 1) % 3;
        self.epoch += 1;
        self.world.kill(old);
        for name in SERVERS {
            let server = self.world.servers.get_mut(name).expect("a server");
            server.alive = true;
            server.read_only = name != SERVERS[self.writer];
        }
        let readers: Vec<&str> = SERVERS
            .into_iter()
            .filter(|name| *name != SERVERS[self.writer])
            .collect();
        let routes = routes(self.epoch, 0, Some(SERVERS[self.writer]), &readers);
        self.world.publish(routes);
        for who in 0..SESSIONS {
            let told = self.world.query(self.through[who], "SELECT @@sql_mode");
            let lost = matches!(told, Reply::Error(1213 | 2013, ..));
            if self.direct[who].holds(&self.server) && !lost {
                return Err(format!("session {who} was not told what it lost: {told:?}"));
            }
            if lost {
                self.reset(who);
            }
        }
        Ok(())
    }
}

fn own(id: u32) -> Connection {
    Connection::direct(id, Client::default().capabilities)
}

fn run(pair: &mut Pair, acts: &[Act]) -> Result<(), String> {
    acts.iter().try_for_each(|act| pair.act(act))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    #[test]
    fn each_session_sees_what_a_connection_of_its_own_would_show(acts in vec(act(), 1..80)) {
        let mut pair = Pair::new();
        if let Err(seen) = run(&mut pair, &acts) {
            prop_assert!(false, "{}", seen);
        }
    }
}

#[test]
fn a_reset_that_leaves_state_behind_is_noticed() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let noticed = (0..200).any(|_| {
        let acts = vec(act(), 80)
            .new_tree(&mut runner)
            .expect("acts")
            .current();
        let mut pair = Pair::new();
        for server in pair.world.servers.values_mut() {
            server.keeps_all = true;
        }
        run(&mut pair, &acts).is_err()
    });
    assert!(noticed);
}
