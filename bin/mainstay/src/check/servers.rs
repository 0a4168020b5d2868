//! Each server: whether the accounts log in there, with the rights they need.

use std::time::Duration;

use mainstay_failover::Durability;
use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_session::policy::Credential;
use mainstay_settings::{Account, ServerSettings, Settings};
use mainstay_topology::Version;
use mainstay_topology::dialect::{rights, version};

use super::dialect::{GRANTS, LOAD_SEMI_SYNC, SEMI_SYNC, grant};
use super::line::Line;
use crate::doctor;

const LIMIT: Duration = Duration::from_secs(3);

pub(super) async fn tried(settings: &Settings) -> Vec<Line> {
    let mut lines = Vec::new();
    for server in &settings.servers {
        lines.extend(server_tried(settings, server).await);
    }
    // What is wrong with their variables.
    lines.extend(doctor::variables_of(settings).await.iter().map(line));
    lines
}

fn line(finding: &doctor::Finding) -> Line {
    let doctor::Finding {
        grade,
        place,
        what,
        remedy,
    } = finding;
    match grade {
        doctor::Grade::Error => Line::error(place, what, remedy),
        doctor::Grade::Warning | doctor::Grade::Hint => Line::warning(place, what, remedy),
    }
}

async fn server_tried(settings: &Settings, server: &ServerSettings) -> Vec<Line> {
    let place = server.name.as_str();
    let account = settings.control.account();
    let mut connection = match connect(server, account).await {
        Ok(connection) => connection,
        Err(error) => {
            let what = format!("the manager's account `{}`: {error}", account.user);
            let remedy = "start it, open the way to it, or make the account there";
            return vec![Line::error(place, what, remedy)];
        }
    };
    let Some(version) = version(connection.server_version()) else {
        let what = format!("its version `{}` is unknown", connection.server_version());
        return vec![Line::error(
            place,
            what,
            "docs/safety.md says which are supported",
        )];
    };
    let what = format!("{version} answers, and lets `{}` in", account.user);
    let mut lines = vec![Line::ok(place, what)];
    lines.push(own_rights(place, &version, &account.user, &mut connection).await);
    if matches!(settings.cluster.durability, Durability::Lossless { .. }) {
        lines.push(semi_sync(place, &mut connection).await);
    }
    if let Some(manager) = settings.control.manager() {
        lines.push(replication(place, &version, server, &manager.replication).await);
    }
    for user in &settings.users {
        let Credential::Clear(password) = &user.credential else {
            continue;
        };
        let account = Account {
            user: user.name.clone(),
            password: password.clone(),
        };
        lines.extend(application(place, server, &account).await);
    }
    lines
}

async fn connect(
    server: &ServerSettings,
    account: &Account,
) -> Result<Connection, mainstay_mysql::Error> {
    let address = &server.address;
    let password = account.password.reveal();
    let options = ConnectOptions::new(&address.host, address.port, &account.user, password);
    Connection::connect(&options.with_connect_timeout(LIMIT)).await
}

async fn rights_of(connection: &mut Connection) -> Result<rights::Rights, mainstay_mysql::Error> {
    let rows = connection.query_within(GRANTS, LIMIT).await?.rows;
    Ok(rights::Rights::read(
        rows.iter().filter_map(|row| row.get_index(0)),
    ))
}

async fn own_rights(
    place: &str,
    version: &Version,
    user: &str,
    connection: &mut Connection,
) -> Line {
    let held = match rights_of(connection).await {
        Ok(held) => held,
        Err(error) => return unasked(place, &error),
    };
    let mut remedies = Vec::new();
    let lacking = held.lacking(rights::of_manager(version));
    if !lacking.is_empty() {
        remedies.push(grant(&lacking, "*.*", user));
    }
    for (right, at) in rights::of_manager_on(version) {
        if !held.has(right, at) {
            remedies.push(grant(&[*right], at, user));
        }
    }
    if remedies.is_empty() {
        return Line::ok(place, format!("`{user}` may do all that a failover does"));
    }
    let what = format!("`{user}` may not do all that a failover does");
    Line::error(place, what, remedies.join("; "))
}

fn unasked(place: &str, error: &mainstay_mysql::Error) -> Line {
    let what = format!("it cannot be asked: {error}");
    Line::error(place, what, "try again; if it stays, see its error log")
}

/// `MariaDB` has it built in; MySQL loads plugins, and without them has none of the variables.
async fn semi_sync(place: &str, connection: &mut Connection) -> Line {
    match connection.query_within(SEMI_SYNC, LIMIT).await {
        Err(error) => unasked(place, &error),
        Ok(answer) if answer.rows.len() < 2 => Line::error(
            place,
            "the plugins of semi-synchronous replication are not loaded",
            LOAD_SEMI_SYNC,
        ),
        Ok(_) => Line::ok(place, "semi-synchronous replication is there"),
    }
}

async fn replication(
    place: &str,
    version: &Version,
    server: &ServerSettings,
    account: &Account,
) -> Line {
    let user = &account.user;
    let held = match connect(server, account).await {
        Ok(mut connection) => rights_of(&mut connection).await,
        Err(error) => {
            let what = format!("replicas could not follow it as `{user}`: {error}");
            let remedy = "make the account on the primary, with the same password";
            return Line::error(place, what, remedy);
        }
    };
    let held = match held {
        Ok(held) => held,
        Err(error) => return unasked(place, &error),
    };
    let lacking = held.lacking(rights::of_replication(version));
    if lacking.is_empty() {
        return Line::ok(place, format!("replicas could follow it as `{user}`"));
    }
    let what = format!("replicas could not follow it as `{user}`, or be filled from it");
    Line::error(place, what, grant(&lacking, "*.*", user))
}

/// What an application must not be able to do: write on a server that is read-only.
async fn application(place: &str, server: &ServerSettings, account: &Account) -> Option<Line> {
    let user = &account.user;
    let mut connection = connect(server, account).await.ok()?;
    let held = rights_of(&mut connection).await.ok()?;
    let passing = rights::PASSING_READ_ONLY;
    let found = passing.iter().find(|right| held.has(right, "*.*"))?;
    let what = format!("`{user}` has {found}: it can write on a server that is read-only");
    Some(Line::warning(
        place,
        what,
        format!("REVOKE {found} ON *.* FROM '{user}'@'%': docs/safety.md says why"),
    ))
}
