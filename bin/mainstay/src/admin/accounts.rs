//! The accounts that servers have, so that nobody writes their passwords twice.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_admin::Refused;
use mainstay_mysql::{ConnectOptions, Connection, Error};
use mainstay_session::policy::Credential;
use mainstay_settings::{Settings, UserSettings};

use super::dialect::ACCOUNTS;

/// A server that does not answer by then is passed over.
const LIMIT: Duration = Duration::from_secs(2);

/// Users that servers make for themselves, and the one that is nobody's.
const OWN: [&str; 4] = ["root", "mariadb.sys", "mysql", ""];

/// The accounts of the first server that answers, those with a password that can be checked.
pub(super) async fn of_servers(settings: &Settings) -> Result<Vec<(String, String)>, Refused> {
    let mut why = "there is no server".to_owned();
    for server in &settings.servers {
        let account = settings.control.account();
        let (address, password) = (&server.address, account.password.reveal());
        let options = ConnectOptions::new(&address.host, address.port, &account.user, password)
            .with_connect_timeout(LIMIT);
        match asked(&options).await {
            Ok(found) => return Ok(kept(found, settings)),
            Err(error) => why = format!("{}: {error}", server.name),
        }
    }
    Err(Refused::because(format!(
        "no server tells its accounts: {why}"
    )))
}

async fn asked(options: &ConnectOptions) -> Result<BTreeMap<String, String>, Error> {
    let mut connection = Connection::connect(options).await?;
    let found = connection.query_within(ACCOUNTS, LIMIT).await?;
    connection.quit().await;
    let pair = |row: &mainstay_mysql::Row| {
        let text = |index| row.get_index(index).unwrap_or_default().to_owned();
        (text(0), text(1))
    };
    Ok(found.rows.iter().map(pair).collect())
}

/// Without those of servers, of the manager and of users that have another plugin.
fn kept(found: BTreeMap<String, String>, settings: &Settings) -> Vec<(String, String)> {
    let manager = settings.control.manager();
    let ours = [
        Some(settings.control.account().user.as_str()),
        manager.map(|manager| manager.replication.user.as_str()),
    ];
    let is_known = |user: &str| {
        let mut users = settings
            .users
            .iter()
            .map(|known: &UserSettings| &known.name);
        users.any(|known| known == user)
    };
    let mut kept: Vec<_> = found.into_iter().collect();
    kept.retain(|(user, hash)| {
        let own = OWN.contains(&user.as_str()) || user.starts_with("mysql.");
        let usable = Credential::stored_hash(hash).is_some();
        // A user that is there already is told of, whatever it is called.
        usable && !ours.contains(&Some(user.as_str())) && (!own || is_known(user))
    });
    kept
}
