//! `mainstay role`: which host has which address, and moving one.

use std::process::ExitCode;

use anyhow::Result;
use mainstay_dashboard::views::{RoleMove, RoleView};

use crate::api::{Api, escape};
use crate::args::{RoleAction, RoleArgs};
use crate::output::{emit, table};

pub(crate) fn run(args: &RoleArgs) -> Result<ExitCode> {
    let (roles, json): (Vec<RoleView>, bool) = match &args.action {
        RoleAction::Show { cluster, json } => (Api::find(cluster)?.get("/api/v1/roles")?, *json),
        RoleAction::Move {
            name,
            to,
            cluster,
            json,
        } => {
            let request = RoleMove { to: to.clone() };
            let path = format!("/api/v1/roles/{}/move", escape(name));
            (Api::find(cluster)?.post(&path, &request)?, *json)
        }
    };
    if json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&roles)?));
    } else {
        emit(&text_of(&roles));
    }
    Ok(ExitCode::SUCCESS)
}

/// A table; nothing where there are no roles.
pub(crate) fn text_of(roles: &[RoleView]) -> String {
    if roles.is_empty() {
        return String::new();
    }
    let header = ["address", "role", "server", "hosts"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for role in roles {
        let hosts = role.hosts.iter().map(|host| {
            let state = host.state.as_deref().unwrap_or("does not answer");
            format!("{} {state}", host.server)
        });
        rows.push(vec![
            role.name.clone(),
            role.role.clone(),
            role.server.clone().unwrap_or_else(|| "-".to_owned()),
            hosts.collect::<Vec<_>>().join(", "),
        ]);
    }
    table(&rows)
}
