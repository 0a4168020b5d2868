//! The servers themselves: whether they answer, whether accounts work there, and variables that
//! decide what a crash costs.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_session::policy::Credential;
use mainstay_settings::{ServerSettings, Settings};

use super::dialect::{LOG_UPDATES, STATEMENT};
use super::finding::{Finding, Grade};

const LIMIT: Duration = Duration::from_secs(3);

/// The variables of one server, by their names.
type Variables = BTreeMap<String, String>;

pub(super) async fn look(settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut known: Vec<(&ServerSettings, Variables)> = Vec::new();
    for server in &settings.servers {
        match variables(settings, server).await {
            Ok(variables) => {
                found.extend(accounts(settings, server).await);
                known.push((server, variables));
            }
            Err(error) => found.push(Finding::new(
                Grade::Error,
                &server.name,
                format!(
                    "cannot be looked at as `{}`: {error}",
                    settings.control.account().user
                ),
                "start it, open the way to it, or make the account there",
            )),
        }
    }
    found.extend(judged(&known, settings));
    found
}

/// What the variables of those servers say that can be looked at.
pub(crate) async fn variables_of(settings: &Settings) -> Vec<Finding> {
    let mut known = Vec::new();
    for server in &settings.servers {
        let variables = variables(settings, server).await.ok();
        known.extend(variables.map(|variables| (server, variables)));
    }
    judged(&known, settings)
}

fn judged(known: &[(&ServerSettings, Variables)], settings: &Settings) -> Vec<Finding> {
    let managed = settings.control.manager().is_some();
    let each = known.iter();
    let mut found: Vec<_> = each
        .flat_map(|(server, variables)| alone(&server.name, variables, managed))
        .collect();
    found.extend(together(known));
    found
}

async fn variables(settings: &Settings, server: &ServerSettings) -> anyhow::Result<Variables> {
    let account = settings.control.account();
    let mut connection = connect(server, &account.user, account.password.reveal()).await?;
    let rows = connection.query_within(STATEMENT, LIMIT).await?;
    let rows = rows.rows.iter().filter_map(|row| {
        let name = row.get_index(0)?.to_ascii_lowercase();
        Some((name, row.get_index(1)?.to_owned()))
    });
    Ok(rows.collect())
}

async fn connect(
    server: &ServerSettings,
    user: &str,
    password: &str,
) -> Result<Connection, mainstay_mysql::Error> {
    let address = &server.address;
    let options = ConnectOptions::new(&address.host, address.port, user, password);
    Connection::connect(&options.with_connect_timeout(LIMIT)).await
}

/// Users of the proxy log in to the servers with the same account.
async fn accounts(settings: &Settings, server: &ServerSettings) -> Vec<Finding> {
    let mut found = Vec::new();
    for user in &settings.users {
        let Credential::Clear(password) = &user.credential else {
            continue;
        };
        let refused = connect(server, &user.name, password.reveal()).await.err();
        if let Some(error) = refused.filter(|error| error.server_code().is_some()) {
            found.push(Finding::new(
                Grade::Error,
                &server.name,
                format!(
                    "user `{}` of the proxy cannot log in there: {error}",
                    user.name
                ),
                "make the account on the primary, with the same password",
            ));
        }
    }
    found
}

fn is_off(value: &str) -> bool {
    matches!(value.to_ascii_uppercase().as_str(), "OFF" | "0" | "NO")
}

/// What one server should have.
fn alone(name: &str, variables: &Variables, managed: bool) -> Vec<Finding> {
    let get = |key: &str| variables.get(key).map(String::as_str);
    let mut found = Vec::new();
    let mut add = |grade, what: &str, remedy: &str| {
        found.push(Finding::new(grade, name, what, remedy));
    };
    // What a manager needs is an error with one.
    let needed = if managed {
        Grade::Error
    } else {
        Grade::Warning
    };
    if get("log_bin").is_some_and(is_off) {
        add(
            needed,
            "log_bin is off: nobody can replicate from it",
            "log_bin = binlog, restart",
        );
    }
    if get("server_id") == Some("0") {
        add(
            needed,
            "server_id is 0: it cannot replicate",
            "give each server a server_id",
        );
    }
    if get("sync_binlog").is_some_and(|value| value != "1") {
        let what = "sync_binlog is not 1: a crash of the host loses acknowledged transactions";
        add(
            Grade::Warning,
            what,
            "SET GLOBAL sync_binlog = 1, and in its my.cnf",
        );
    }
    if get("innodb_flush_log_at_trx_commit").is_some_and(|value| value != "1") {
        let what = "innodb_flush_log_at_trx_commit is not 1: a crash of the host loses the last \
                    second";
        let remedy = "SET GLOBAL innodb_flush_log_at_trx_commit = 1, and in its my.cnf";
        add(Grade::Warning, what, remedy);
    }
    if get("gtid_mode").is_some_and(|value| value != "ON") {
        let what = "gtid_mode is not ON: replicas cannot find their place by themselves";
        add(
            needed,
            what,
            "gtid_mode = ON and enforce_gtid_consistency = ON",
        );
    }
    if get("gtid_strict_mode").is_some_and(is_off) {
        let what = "gtid_strict_mode is off: a replica that has diverged goes on unnoticed";
        add(
            Grade::Hint,
            what,
            "SET GLOBAL gtid_strict_mode = ON, and in its my.cnf",
        );
    }
    if get("binlog_format").is_some_and(|value| value != "ROW") {
        let what = "binlog_format is not ROW: some statements change other rows on replicas";
        add(Grade::Warning, what, "binlog_format = ROW");
    }
    let updates = LOG_UPDATES.iter().find_map(|name| get(name));
    if updates.is_some_and(is_off) {
        let what = "a replica here does not log what it applies: nobody could follow it after its \
                    promotion";
        let remedy = format!("{} = ON, restart", LOG_UPDATES[0]);
        add(needed, what, &remedy);
    }
    found
}

/// What servers should not have in common, and who may be written to.
fn together(known: &[(&ServerSettings, Variables)]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for (server, variables) in known {
        let Some(id) = variables.get("server_id") else {
            continue;
        };
        if let Some(first) = ids.insert(id, &server.name) {
            found.push(Finding::new(
                Grade::Error,
                &server.name,
                format!("server_id {id} is that of {first} too: they disturb each other"),
                "give each server a server_id of its own, or name each server once",
            ));
        }
    }
    let writable: Vec<_> = known
        .iter()
        .filter(|(_, variables)| {
            variables
                .get("read_only")
                .is_some_and(|value| is_off(value))
        })
        .map(|(server, _)| server.name.as_str())
        .collect();
    if writable.len() > 1 {
        found.push(Finding::new(
            Grade::Warning,
            "servers",
            format!(
                "{} all have read_only=0: one of them is written to",
                writable.join(", ")
            ),
            "SET GLOBAL read_only = 1 on all but the primary, and in their my.cnf",
        ));
    }
    if writable.is_empty() && !known.is_empty() {
        found.push(Finding::new(
            Grade::Warning,
            "servers",
            "no server has read_only=0: nobody can be written to",
            "SET GLOBAL read_only = 0 on the primary, unless a manager is to choose one",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_server_that_can_lose_data_is_found() {
        let bad = variables(&[
            ("log_bin", "OFF"),
            ("sync_binlog", "0"),
            ("innodb_flush_log_at_trx_commit", "2"),
            ("gtid_mode", "OFF"),
            ("binlog_format", "MIXED"),
        ]);
        assert_eq!(alone("db1", &bad, true).len(), 5);
        let good = variables(&[
            ("log_bin", "ON"),
            ("server_id", "1"),
            ("sync_binlog", "1"),
            ("innodb_flush_log_at_trx_commit", "1"),
            ("gtid_strict_mode", "ON"),
            ("binlog_format", "ROW"),
        ]);
        assert_eq!(alone("db1", &good, true), []);
    }

    #[test]
    fn what_a_manager_needs_is_worse_with_one() {
        let bad = variables(&[("log_bin", "OFF")]);
        assert_eq!(alone("db1", &bad, true)[0].grade, Grade::Error);
        assert_eq!(alone("db1", &bad, false)[0].grade, Grade::Warning);
    }
}
