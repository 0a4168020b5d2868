//! The commands: syntax, help and what is read from them.

#![allow(
    clippy::unnecessary_wraps,
    reason = "all builders of the table have one type"
)]

use crate::command::{Checksummed, Command, Control, Filter, Layer, Show};
use crate::pattern::{Captured, fits, spellings};
use crate::words::Word;

/// One command of the table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// How it is written; see the module `pattern`.
    pub syntax: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    build: fn(&Captured<'_>) -> Option<Command>,
}

impl Entry {
    pub(crate) fn read(&self, words: &[Word<'_>]) -> Option<Command> {
        let mut found = spellings(self.syntax)
            .into_iter()
            .filter_map(|spelling| fits(&spelling, words));
        found.find_map(|captured| (self.build)(&captured))
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.syntax)
    }
}

macro_rules! commands {
    ($($syntax:literal, $help:literal => $build:expr;)*) => {
        /// All commands, in the order in which they are tried.
        pub const COMMANDS: &[Entry] = &[$(Entry {
            syntax: $syntax,
            help: $help,
            build: $build,
        },)*];
    };
}

commands! {
    "LOAD MYSQL USER <name> TO RUNTIME", "Puts one user of memory in force."
        => |c| c.value().map(Command::LoadUser);
    "LOAD MYSQL USERS FROM SERVERS",
        "Takes the accounts of the servers to memory, with the hashes of their passwords."
        => |_| Some(Command::SyncUsers);
    "LOAD <module> (TO RUNTIME|TO RUN|FROM MEMORY|FROM MEM)",
        "Puts the rows of memory in force: all of the module, or nothing."
        => |c| moved(c, Layer::Memory, Layer::Runtime);
    "SAVE <module> (TO MEMORY|TO MEM|FROM RUNTIME|FROM RUN)",
        "Takes the rows in force back to memory."
        => |c| moved(c, Layer::Runtime, Layer::Memory);
    "LOAD <module> (FROM DISK|TO MEMORY|TO MEM)", "Takes the saved rows to memory."
        => |c| moved(c, Layer::Disk, Layer::Memory);
    "SAVE <module> (TO DISK|FROM MEMORY|FROM MEM)",
        "Saves the rows of memory; they run after the next start, unless the file was edited."
        => |c| moved(c, Layer::Memory, Layer::Disk);
    "LOAD <module> FROM CONFIG", "Takes what the settings file says to memory."
        => |c| moved(c, Layer::File, Layer::Memory);
    "SAVE MYSQL (DIGEST|DIGESTS) TO DISK", "Keeps the statistics of statements in `stats_history`."
        => |_| Some(Command::SaveDigests);
    "(SAVE CONFIG TO FILE|SELECT CONFIG INTO OUTFILE) <path>",
        "Writes what is in force as a settings file, readable by its owner only."
        => |c| c.value().map(Command::ConfigToFile);
    "SELECT CONFIG FILE", "Shows what is in force as a settings file, without passwords."
        => |_| Some(Command::ConfigText);
    "(PROXYSQL|MAINSTAY) START", "Takes clients again, after STOP."
        => |_| control(Control::Start);
    "(PROXYSQL|MAINSTAY) STOP",
        "Ends the sessions of all clients and closes the proxy's port; this port stays open."
        => |_| control(Control::Stop);
    "(PROXYSQL|MAINSTAY) RESTART", "Hands over to a new process, without losing a client."
        => |_| control(Control::Restart);
    "(PROXYSQL|MAINSTAY) PAUSE", "Closes the proxy's port; sessions that are there go on."
        => |_| control(Control::Pause);
    "(PROXYSQL|MAINSTAY) RESUME", "Takes clients again, after PAUSE."
        => |_| control(Control::Resume);
    "(PROXYSQL|MAINSTAY) SHUTDOWN SLOW", "Ends the process when its clients have finished."
        => |_| control(Control::Shutdown { slow: true });
    "(PROXYSQL|MAINSTAY) SHUTDOWN", "Ends the process."
        => |_| control(Control::Shutdown { slow: false });
    "(PROXYSQL|MAINSTAY) KILL", "Ends the process at once." => |_| control(Control::Kill);
    "(PROXYSQL|MAINSTAY) READONLY", "Nothing can be changed by SQL from now on."
        => |_| control(Control::ReadOnly);
    "(PROXYSQL|MAINSTAY) READWRITE", "It can be changed again." => |_| control(Control::ReadWrite);
    "(PROXYSQL|MAINSTAY) FLUSH LOGS", "Opens log files again." => |_| control(Control::FlushLogs);
    "(PROXYSQL|MAINSTAY) FLUSH QUERY CACHE", "Forgets all kept results."
        => |_| control(Control::FlushQueryCache);
    "(PROXYSQL|MAINSTAY) FLUSH CONFIGDB", "Empties the disk."
        => |_| control(Control::FlushConfigDb);
    "(PROXYSQL|MAINSTAY) FLUSH MYSQL CLIENT HOSTS", "Forgets which addresses failed to log in."
        => |_| control(Control::FlushClientHosts);
    "(PROXYSQL|MAINSTAY) RELOAD TLS", "Reads the certificates again."
        => |_| control(Control::ReloadTls);
    "(PROXYSQL|MAINSTAY) (CLUSTER_NODE_UUID <name>|COREDUMP [<name>]|\
     COMPRESSEDCOREDUMP [<name>]|MEMPROFILE START|MEMPROFILE STOP|GCOV DUMP|GCOV RESET)",
        "Accepted; has no effect here." => |_| control(Control::Inert);
    "KILL [CONNECTION|QUERY] <number>", "Ends a session of the proxy, or only its statement."
        => |c| Some(Command::Kill {
            session: c.value()?.parse().ok()?,
            only_query: c.has("QUERY"),
        });
    "CHECKSUM [MEMORY|MEM|DISK] MYSQL (USERS|SERVERS|QUERY RULES|VARIABLES|\
     REPLICATION HOSTGROUPS|GROUP REPLICATION HOSTGROUPS|GALERA HOSTGROUPS|AURORA HOSTGROUPS|\
     HOSTGROUP ATTRIBUTES|SERVERS SSL PARAMS)",
        "A number that changes with the rows." => checksum;
    "TRUNCATE [TABLE] <name>", "Deletes all rows; of figures, begins to count again."
        => |c| c.value().map(Command::Truncate);
    "EXPLAIN ROUTE [FOR <name>] <statement>", "Where a statement of a user would go, and why."
        => |c| Some(Command::ExplainRoute {
            user: c.value().filter(|_| c.has("FOR")),
            statement: c.values.last()?.clone(),
        });
    "LOGENTRY <statement>", "Writes a line to the log." => |c| c.value().map(Command::LogEntry);
    "PULL VERSION MYSQL SERVERS", "Accepted; has no effect here." => |_| Some(Command::Accepted);
    "SIGNAL MYSQL THREADS", "Accepted; has no effect here." => |_| Some(Command::Accepted);
    "SHOW [FULL] TABLES [FROM <name>|IN <name>] [LIKE <text>]", "Tables of a schema."
        => |c| {
            let like = c.has("LIKE");
            let schema = c.has("FROM") || c.has("IN");
            show(Show::Tables {
                schema: c.value().filter(|_| schema),
                filter: if like { like_last(c) } else { Filter::All },
                full: c.has("FULL"),
            })
        };
    "SHOW (DATABASES|SCHEMAS) [LIKE <text>]", "The schemas."
        => |c| show(Show::Databases(like_last(c)));
    "SHOW CREATE TABLE <name>", "How a table was made."
        => |c| show(Show::CreateTable(c.value()?));
    "SHOW TABLE STATUS [FROM <name>|IN <name>] [LIKE <text>]", "Tables and how many rows each has."
        => |c| show(Show::TableStatus(if c.has("LIKE") { like_last(c) } else { Filter::All }));
    "SHOW [FULL] (FIELDS|COLUMNS) (FROM|IN) <name>", "The columns of a table."
        => |c| show(Show::Fields(c.value()?));
    "(DESCRIBE|DESC) <name>", "The columns of a table." => |c| show(Show::Fields(c.value()?));
    "SHOW [GLOBAL|SESSION|ALL|ADMIN|MYSQL|LDAP] VARIABLES [LIKE <text>|WHERE <statement>]",
        "Variables and their values in memory." => variables;
    "SHOW MYSQL STATUS", "Figures of the proxy." => |_| show(Show::MysqlStatus);
    "SHOW [GLOBAL|SESSION] STATUS [LIKE <text>|WHERE <statement>]",
        "What clients ask about their own connection." => |c| show(Show::Status(filter(c)));
    "SHOW MYSQL USERS", "Users and their connections." => |_| show(Show::Users);
    "SHOW MYSQL SERVERS", "Servers in memory." => |_| show(Show::Servers);
    "SHOW [FULL] PROCESSLIST", "Sessions of the proxy."
        => |c| show(Show::Processlist { full: c.has("FULL") });
    "SHOW PROMETHEUS METRICS", "All metrics as text." => |_| show(Show::Metrics);
    "SHOW (CHARSET|CHARACTER SET) [LIKE <text>]", "Character sets."
        => |c| show(Show::Charsets(like_last(c)));
    "SHOW COLLATION [LIKE <text>|WHERE <statement>]", "Collations."
        => |c| show(Show::Collations(filter(c)));
    "SHOW WARNINGS [LIMIT <number>]", "Always empty."
        => |_| show(Show::Empty(&["Level", "Code", "Message"]));
    "SHOW ENGINES", "Always empty."
        => |_| show(Show::Empty(&["Engine", "Support", "Comment"]));
    "SHOW PLUGINS", "Always empty." => |_| show(Show::Empty(&["Name", "Status", "Type"]));
    "SHOW (TRIGGERS|EVENTS|FUNCTION STATUS|PROCEDURE STATUS) \
     [LIKE <text>|WHERE <statement>|FROM <statement>]",
        "Always empty." => |_| show(Show::Empty(&["Name"]));
    "SHOW (INDEX|INDEXES|KEYS) (FROM|IN) <name>", "Always empty."
        => |_| show(Show::Empty(&["Table", "Non_unique", "Key_name"]));
    "USE <name>", "The schema that `SHOW TABLES` lists." => |c| c.value().map(Command::Use);
    "SET <statement>", "Sets variables in memory; what clients set for themselves is accepted."
        => |c| Some(crate::sql::assignments(&c.value()?));
    "(BEGIN|BEGIN WORK|START TRANSACTION|COMMIT|COMMIT WORK|ROLLBACK|ROLLBACK WORK|\
     UNLOCK TABLES)",
        "Accepted: every statement is a transaction of its own." => |_| Some(Command::Accepted);
    "(DO|LOCK TABLES|LOCK TABLE) <statement>", "Accepted; has no effect here."
        => |_| Some(Command::Accepted);
    "HELP [<statement>]", "The commands whose syntax has these words."
        => |c| Some(Command::Help(c.value().unwrap_or_default()));
    "SELECT <statement>", "SQL over the tables." => |c| into_file(&c.value()?);
}

fn control(control: Control) -> Option<Command> {
    Some(Command::Control(control))
}

fn show(show: Show) -> Option<Command> {
    Some(Command::Show(show))
}

fn moved(captured: &Captured<'_>, from: Layer, to: Layer) -> Option<Command> {
    let module = captured.module?;
    Some(Command::Move { module, from, to })
}

fn like_last(captured: &Captured<'_>) -> Filter {
    let pattern = captured.values.last().cloned();
    pattern.map_or(Filter::All, Filter::Like)
}

fn filter(captured: &Captured<'_>) -> Filter {
    match captured.value() {
        Some(condition) if captured.has("WHERE") => Filter::Where(condition),
        Some(pattern) => Filter::Like(pattern),
        None => Filter::All,
    }
}

fn variables(captured: &Captured<'_>) -> Option<Command> {
    let prefix = if captured.has("ADMIN") {
        "admin-"
    } else if captured.has("MYSQL") {
        "mysql-"
    } else if captured.has("LDAP") {
        "ldap-"
    } else {
        ""
    };
    let filter = filter(captured);
    show(Show::Variables { prefix, filter })
}

fn checksum(captured: &Captured<'_>) -> Option<Command> {
    let has = |word| captured.has(word);
    let table = if has("USERS") {
        "mysql_users"
    } else if has("RULES") {
        "mysql_query_rules"
    } else if has("VARIABLES") {
        "global_variables"
    } else if has("GROUP") {
        "mysql_group_replication_hostgroups"
    } else if has("REPLICATION") {
        "mysql_replication_hostgroups"
    } else if has("GALERA") {
        "mysql_galera_hostgroups"
    } else if has("AURORA") {
        "mysql_aws_aurora_hostgroups"
    } else if has("ATTRIBUTES") {
        "mysql_hostgroup_attributes"
    } else if has("SSL") {
        "mysql_servers_ssl_params"
    } else {
        "mysql_servers"
    };
    let prefix = has("VARIABLES").then_some("mysql-");
    let layer = if has("DISK") {
        Layer::Disk
    } else {
        Layer::Memory
    };
    let of = Checksummed { table, prefix };
    Some(Command::Checksum { layer, of })
}

/// The one kind of SELECT that is not for the embedded tables.
fn into_file(statement: &str) -> Option<Command> {
    let words = crate::words::split(statement)?;
    let writes = words
        .windows(2)
        .any(|pair| pair[0].is("INTO") && (pair[1].is("OUTFILE") || pair[1].is("DUMPFILE")));
    writes.then_some(Command::Refused(
        "SELECT … INTO OUTFILE writes no files here: let the client write what it gets, or use \
         SAVE CONFIG TO FILE for the configuration",
    ))
}
