//! What a text of the admin interface can ask for.

use crate::Module;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An empty text, or only a comment.
    Nothing,
    /// SQL for the embedded tables.
    Sql,
    /// `LOAD` and `SAVE`: a module from one layer to another.
    Move {
        /// What.
        module: Module,
        /// From where.
        from: Layer,
        /// Where to.
        to: Layer,
    },
    /// `LOAD MYSQL USER name TO RUNTIME`.
    LoadUser(String),
    /// `LOAD MYSQL USERS FROM SERVERS`: their accounts to memory.
    SyncUsers,
    /// `SAVE MYSQL DIGEST TO DISK`.
    SaveDigests,
    /// `SAVE CONFIG TO FILE path`.
    ConfigToFile(String),
    /// `SELECT CONFIG FILE`.
    ConfigText,
    /// `PROXYSQL …`.
    Control(Control),
    /// `KILL CONNECTION number`, and whether only the statement is meant.
    Kill {
        /// The session.
        session: u64,
        /// `KILL QUERY`.
        only_query: bool,
    },
    /// `CHECKSUM …`.
    Checksum {
        /// Where; memory unless said otherwise.
        layer: Layer,
        /// Of what.
        of: Checksummed,
    },
    /// `SET variable = value, …`: values as they were written.
    Set(Vec<(String, String)>),
    /// `SHOW …`.
    Show(Show),
    /// `TRUNCATE TABLE name`.
    Truncate(String),
    /// `EXPLAIN ROUTE …`: where would this go, and why.
    ExplainRoute {
        /// Whose statement it would be.
        user: Option<String>,
        /// The statement, as written.
        statement: String,
    },
    /// `LOGENTRY text`.
    LogEntry(String),
    /// `USE name`.
    Use(String),
    /// `HELP [words]`.
    Help(String),
    /// Something that clients say and that has no effect here.
    Accepted,
    /// Something that is never done here, and why.
    Refused(&'static str),
}

/// Where rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// `main`.
    Memory,
    /// What is in force.
    Runtime,
    /// `disk`.
    Disk,
    /// The settings file.
    File,
}

/// What `CHECKSUM` is asked of: the name of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksummed {
    /// The table.
    pub table: &'static str,
    /// Of a shared table, the rows whose key begins so.
    pub prefix: Option<&'static str>,
}

/// `PROXYSQL …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Take clients.
    Start,
    /// Take no clients, and end those that are there.
    Stop,
    /// A new process with the same ports.
    Restart,
    /// Take no new clients.
    Pause,
    /// Take new clients again.
    Resume,
    /// End the process; slowly: clients may finish what they have begun.
    Shutdown {
        /// `SHUTDOWN SLOW`.
        slow: bool,
    },
    /// End the process now.
    Kill,
    /// Nothing of the admin interface can be changed.
    ReadOnly,
    /// It can be changed again.
    ReadWrite,
    /// Open log files again.
    FlushLogs,
    /// Forget kept results.
    FlushQueryCache,
    /// Begin with an empty disk.
    FlushConfigDb,
    /// Forget which addresses failed.
    FlushClientHosts,
    /// Read certificates again.
    ReloadTls,
    /// Something that is accepted and has no effect here.
    Inert,
}

/// What `LIKE` or `WHERE` leave of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// `LIKE pattern`.
    Like(String),
    /// `WHERE condition`, as written.
    Where(String),
}

/// `SHOW …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Show {
    /// `SHOW TABLES [FROM schema]`; with `FULL`, also what each is.
    Tables {
        /// The schema; `None` for that in use.
        schema: Option<String>,
        /// Which.
        filter: Filter,
        /// `SHOW FULL TABLES`.
        full: bool,
    },
    /// `SHOW DATABASES`.
    Databases(Filter),
    /// `SHOW CREATE TABLE name`.
    CreateTable(String),
    /// `SHOW TABLE STATUS`.
    TableStatus(Filter),
    /// `SHOW FIELDS FROM name`.
    Fields(String),
    /// `SHOW VARIABLES`, of names that begin so.
    Variables {
        /// `mysql-`, `admin-` or nothing.
        prefix: &'static str,
        /// Which.
        filter: Filter,
    },
    /// `SHOW MYSQL STATUS`.
    MysqlStatus,
    /// `SHOW STATUS LIKE …`, as servers answer it.
    Status(Filter),
    /// `SHOW MYSQL USERS`.
    Users,
    /// `SHOW MYSQL SERVERS`.
    Servers,
    /// `SHOW PROCESSLIST`; with `FULL`, statements are not cut.
    Processlist {
        /// `SHOW FULL PROCESSLIST`.
        full: bool,
    },
    /// `SHOW PROMETHEUS METRICS`.
    Metrics,
    /// `SHOW CHARSET`.
    Charsets(Filter),
    /// `SHOW COLLATION`.
    Collations(Filter),
    /// `SHOW WARNINGS` and other lists that are empty here, with their columns.
    Empty(&'static [&'static str]),
}
