//! What the sessions do, and in which order: drawn from a table by a seed.

/// Sessions of one schedule: one less than the connections to the primary, as one that comes logs
/// in before the one it replaces has left.
pub(crate) const SESSIONS: usize = 4;

/// Statements that set something, and statements that show it.
const STATEMENTS: [&str; 64] = [
    "SELECT @@sql_mode",
    "SELECT @@time_zone, @@session.autocommit",
    "SELECT @@character_set_client, @@character_set_results, @@collation_connection",
    "SELECT @@sort_buffer_size, @@long_query_time, @@foreign_key_checks",
    "SELECT @@session.lock_wait_timeout, @@group_concat_max_len, @@sql_select_limit",
    "SHOW VARIABLES LIKE 'session_track%'",
    "SHOW VARIABLES LIKE '%isolation'",
    "SELECT @@session_track_system_variables",
    "SELECT DATABASE()",
    "SELECT @a",
    "SELECT @b, @c",
    "SELECT CHARSET(@a), COLLATION(@a), COERCIBILITY(@a)",
    "SELECT id FROM app.made",
    "SELECT id FROM app.t1",
    "SELECT id FROM app.t2",
    "SELECT x'e4' = 'ä'",
    "SET sql_mode = 'ANSI'",
    "SET sql_mode = ''",
    "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')",
    "SET @@session.sql_mode = (SELECT 'ANSI_QUOTES')",
    "SET sql_mode = @@global.sql_mode, @c = 5",
    "SET time_zone = '+01:00', LOCAL lock_wait_timeout = 33",
    "SET long_query_time = 1 + 1.5, foreign_key_checks = NOT @@foreign_key_checks",
    "SET @@sort_buffer_size = DEFAULT, group_concat_max_len = 2000",
    "SET sql_select_limit = 1",
    "SET sql_select_limit = DEFAULT",
    "SET NAMES latin1",
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
    "SET CHARACTER SET latin1",
    "SET NAMES DEFAULT",
    "SET character_set_results = NULL",
    "/*!40101 SET NAMES utf8mb4 */",
    "SET autocommit = 0",
    "SET autocommit = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET @a = 1",
    "SET @a = 'text', @b = NULL",
    "SET @b = 1.50, @c := -7",
    "SET @a = CONCAT('a', 'b')",
    "SELECT @b := 9",
    "SELECT app.f()",
    "SET nonsense = 1",
    "SET sql_mode = 'nonsense'",
    "USE mysql",
    "USE app",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "CREATE TEMPORARY TABLE app.t1 (id INT)",
    "DROP TEMPORARY TABLE IF EXISTS app.t1",
    "CALL app.sets()",
    "CALL app.makes()",
    "CALL app.names()",
    "CALL app.nothing()",
    "DROP TABLE IF EXISTS app.made",
    "SELECT GET_LOCK('l', 0)",
    "SELECT RELEASE_LOCK('l')",
    "PREPARE p FROM 'CREATE TEMPORARY TABLE app.t2 (id INT)'",
    "PREPARE p FROM 'SET @b = 77'",
    "EXECUTE p",
    "DEALLOCATE PREPARE p",
    "HANDLER app.h OPEN AS h",
    "HANDLER h CLOSE",
];

/// One step.
#[derive(Debug)]
pub(crate) enum Step {
    /// The session runs the statement.
    Run(usize, &'static str),
    /// The session ends, and another one takes its place.
    Leave(usize),
}

/// The steps of one seed.
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
}

impl Schedule {
    pub(crate) fn new(seed: u64, steps: usize) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = |below: usize| {
            // xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift
            // generators").
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let high = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
            usize::try_from(high).expect("31 bits") % below
        };
        let step = |_| {
            let who = draw(SESSIONS);
            match draw(40) {
                0 => Step::Leave(who),
                _ => Step::Run(who, STATEMENTS[draw(STATEMENTS.len())]),
            }
        };
        Self {
            steps: (0..steps).map(step).collect(),
        }
    }
}
