//! What a person sees when the cluster is ready.

use mainstay_dashboard::views::StatusView;

use crate::args::SandboxArgs;
use crate::output::table;
use crate::runfile::{Endpoint, RunFile};
use crate::status::{lag_of, state_of};

/// The table, and the three commands to go on with.
pub(super) fn ready(run: &RunFile, status: &StatusView, temporary: bool) -> String {
    let header = ["server", "address", "role", "lag", "state"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(status.servers.iter().map(|server| {
        vec![
            server.name.clone(),
            server.address.clone(),
            server.role.clone(),
            lag_of(server),
            state_of(server),
        ]
    }));
    let primary = run.servers.iter().find(|server| server.role == "primary");
    let kill = primary
        .and_then(|primary| primary.pid)
        .map_or_else(String::new, |pid| {
            format!("kill the primary  kill -9 {pid}\n")
        });
    let dir = run.dir.display();
    let data = if temporary {
        "removed at the end; --dir DIR keeps them"
    } else {
        "kept"
    };
    format!(
        "\n{} {}, epoch {}\n\n{}\n\
         connect           {}\n{kill}\
         see what happened mainstay status --history --dir {dir}\n\n\
         proxy {}  admin {} (user {}, password in mainstay.run.json)  api {}\n\
         data {dir} ({data})\n\nCtrl-C stops everything.\n",
        run.flavor,
        run.version,
        status.epoch,
        table(&rows),
        connect(&run.flavor, &run.proxy),
        address(&run.proxy),
        address(&run.admin),
        run.admin.user.as_deref().unwrap_or_default(),
        address(&run.api),
    )
}

/// The client's own command, ready to be copied.
fn connect(flavor: &str, proxy: &Endpoint) -> String {
    let client = if flavor == "mysql" {
        "mysql"
    } else {
        "mariadb"
    };
    let user = proxy.user.as_deref().unwrap_or_default();
    let password = proxy.password.as_deref().unwrap_or_default();
    format!(
        "{client} -h {} -P {} -u {user} -p{password} app",
        proxy.host, proxy.port
    )
}

fn address(endpoint: &Endpoint) -> String {
    format!("{}:{}", endpoint.host, endpoint.port)
}

/// The last line before the servers end.
pub(super) fn stopping(args: &SandboxArgs) {
    if !args.json && !args.detached_child {
        crate::output::emit("\nStopping the servers.\n");
    }
}
