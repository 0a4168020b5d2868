//! `mainstay status`: the cluster as a tree, once or again and again, or as JSON.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use mainstay_dashboard::views::{AddressesView, FactsView, OperationView, ServerView, StatusView};
use mainstay_settings::Roles;

use crate::api::Api;
use crate::args::StatusArgs;
use crate::output::{emit, table};
use crate::{address_roles, balancing, floating};

const REFRESH: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &StatusArgs) -> Result<ExitCode> {
    let api = Api::find(&args.cluster)?;
    if has_addresses_only(args) {
        return addresses(&api, args);
    }
    if args.watch {
        return watch(&api);
    }
    if args.history {
        return history(&api, args.json);
    }
    let status: StatusView = api.get("/api/v1/status")?;
    if args.json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&status)?));
    } else {
        emit(&text_of(&status));
    }
    Ok(ExitCode::SUCCESS)
}

/// A host without servers, manager and proxy has no picture of a cluster.
fn has_addresses_only(args: &StatusArgs) -> bool {
    let roles = args.cluster.config.as_deref().map(Roles::load);
    matches!(roles, Some(Ok(Roles::Addresses(_))))
}

fn addresses(api: &Api, args: &StatusArgs) -> Result<ExitCode> {
    loop {
        let status: AddressesView = api.get("/api/v1/status")?;
        if args.json {
            emit(&format!("{}\n", serde_json::to_string_pretty(&status)?));
        } else {
            let both = !status.vips.is_empty() && !status.virtual_servers.is_empty();
            emit(&format!(
                "{}{}{}{}",
                clear(args.watch),
                floating::text_of(&status.vips),
                if both { "\n" } else { "" },
                balancing::text_of(&status.virtual_servers)
            ));
        }
        if !args.watch {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(REFRESH);
    }
}

/// What goes before a picture that is drawn over the last one.
fn clear(watch: bool) -> &'static str {
    if watch && std::io::stdout().is_terminal() {
        "\x1b[H\x1b[2J"
    } else {
        ""
    }
}

fn history(api: &Api, json: bool) -> Result<ExitCode> {
    let operations: Vec<OperationView> = api.get("/api/v1/operations?limit=10")?;
    if json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&operations)?));
        return Ok(ExitCode::SUCCESS);
    }
    // The newest stands at the bottom, next to the prompt.
    for operation in operations.iter().rev() {
        emit(&format!("{}\n", crate::switchover::text_of(operation)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Draws over the last picture, so that the terminal's history is left alone.
fn watch(api: &Api) -> Result<ExitCode> {
    let clear = clear(true);
    loop {
        let status: StatusView = api.get("/api/v1/status")?;
        emit(&format!("{clear}{}\n", text_of(&status)));
        std::thread::sleep(REFRESH);
    }
}

/// The whole picture as text.
pub(crate) fn text_of(status: &StatusView) -> String {
    let mut text = format!(
        "cluster {}  epoch {}  {}  {}\n",
        status.cluster, status.epoch, status.phase, status.durability
    );
    if status.phase != "watching" {
        text.push_str(&format!("{}: {}\n", status.phase, status.reason));
    }
    if let Some(paused) = &status.paused {
        text.push_str(&format!("PAUSED: {paused}; `mainstay resume` ends it\n"));
    }
    if status.writes_held {
        text.push_str("writes are held until there is a primary\n");
    }
    if let Some(operation) = &status.operation {
        text.push_str(&format!(
            "operation {}: {}\n",
            operation.id, operation.purpose
        ));
        for step in &operation.steps {
            text.push_str(&format!("  {step}\n"));
        }
    }
    text.push('\n');
    text.push_str(&tree(status));
    if let Some(proxy) = &status.proxy {
        text.push_str(&format!(
            "\nproxy {} ({}): {} sessions ({} held), {} server connections, {} statements\n",
            proxy.listen,
            proxy.io,
            proxy.sessions,
            proxy.held,
            proxy.server_connections,
            proxy.statements
        ));
    }
    if !status.roles.is_empty() {
        text.push('\n');
        text.push_str(&address_roles::text_of(&status.roles));
    }
    if !status.vips.is_empty() {
        text.push('\n');
        text.push_str(&floating::text_of(&status.vips));
    }
    if !status.virtual_servers.is_empty() {
        text.push('\n');
        text.push_str(&balancing::text_of(&status.virtual_servers));
    }
    if !status.findings.is_empty() {
        text.push_str("\nfindings\n");
    }
    for finding in &status.findings {
        text.push_str(&format!("  {}\n", finding.sentence));
    }
    text
}

/// Every server below its source; servers without a known source stand at the left.
fn tree(status: &StatusView) -> String {
    let header = [
        "server",
        "role",
        "address",
        "reachable",
        "state",
        "lag",
        "gtid",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let roots = status
        .servers
        .iter()
        .filter(|server| source_of(status, server).is_none());
    for root in roots {
        branch(status, root, "", "", &mut rows);
    }
    table(&rows)
}

fn branch(
    status: &StatusView,
    server: &ServerView,
    own: &str,
    below: &str,
    rows: &mut Vec<Vec<String>>,
) {
    rows.push(row_of(server, own));
    // Two servers that replicate from each other would never end.
    if rows.len() > status.servers.len() {
        return;
    }
    let is_child = |other: &&ServerView| {
        source_of(status, other).is_some_and(|source| source.name == server.name)
    };
    let children: Vec<_> = status.servers.iter().filter(is_child).collect();
    for (index, child) in children.iter().enumerate() {
        let last = index + 1 == children.len();
        let own = format!("{below}{}", if last { "└─ " } else { "├─ " });
        let deeper = format!("{below}{}", if last { "   " } else { "│  " });
        branch(status, child, &own, &deeper, rows);
    }
}

/// The server it replicates from. The primary hangs below nobody, whatever it still remembers.
fn source_of<'a>(status: &'a StatusView, server: &ServerView) -> Option<&'a ServerView> {
    if server.role == "primary" {
        return None;
    }
    let source = server.facts.as_ref()?.source.as_ref()?;
    let found = status
        .servers
        .iter()
        .find(|other| other.address == *source)?;
    (found.name != server.name).then_some(found)
}

fn row_of(server: &ServerView, indent: &str) -> Vec<String> {
    vec![
        format!("{indent}{}", server.name),
        server.role.clone(),
        server.address.clone(),
        server.reachability.clone(),
        state_of(server),
        lag_of(server),
        server
            .facts
            .as_ref()
            .map(|facts| short_gtid(&facts.gtid))
            .unwrap_or_default(),
    ]
}

/// What a person wants to know first.
pub(crate) fn state_of(server: &ServerView) -> String {
    if let Some(wish) = &server.wish {
        return wish.clone();
    }
    let Some(facts) = &server.facts else {
        // Without a manager nobody asks for more.
        return match (server.writer, server.reader) {
            (true, _) => "writable".to_owned(),
            (false, true) => "serves reads".to_owned(),
            (false, false) => "not used".to_owned(),
        };
    };
    if server.reachability != "reachable" {
        return format!("for {}", seconds(server.since_ms));
    }
    if server.role == "primary" {
        let access = if facts.read_only {
            "read-only"
        } else {
            "writable"
        };
        return format!("{access}, {} acknowledging", facts.semi_sync_clients);
    }
    let thread = |state: &Option<String>| state.clone().unwrap_or_else(|| "stopped".to_owned());
    let (receiver, applier) = (thread(&facts.receiver), thread(&facts.applier));
    match (receiver.as_str(), applier.as_str()) {
        ("running", "running") => replicating(facts),
        _ => format!("receiver {receiver}, applier {applier}"),
    }
}

/// In what manner it replicates, where that is not as others do.
fn replicating(facts: &FactsView) -> String {
    let mut state = "replicating".to_owned();
    if facts.delay_ms > 0 {
        state.push_str(&format!(", {} late on purpose", seconds(facts.delay_ms)));
    }
    if !facts.semi_sync_replica {
        state.push_str(", not acknowledging");
    }
    state
}

/// The lag as people read it.
pub(crate) fn lag_of(server: &ServerView) -> String {
    let lag = server.facts.as_ref().and_then(|facts| facts.lag_ms);
    lag.filter(|_| server.role != "primary")
        .map_or_else(|| "-".to_owned(), seconds)
}

fn seconds(millis: u64) -> String {
    if millis < 10_000 {
        return format!("{}.{} s", millis / 1_000, millis % 1_000 / 100);
    }
    format!("{} s", millis / 1_000)
}

/// A MySQL set names servers by UUIDs; eight digits of each tell them apart.
fn short_gtid(set: &str) -> String {
    let short = |part: &str| match part.split_once(':') {
        Some((uuid, rest)) if uuid.len() == 36 => format!("{}…:{rest}", &uuid[..8]),
        _ => part.to_owned(),
    };
    set.split(',')
        .map(|part| short(part.trim()))
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_shortened_and_a_mariadb_position_is_not() {
        let uuid =
            "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n4e11fa47-71ca-11e1-9e33-c80aa9429562:1";
        assert_eq!(short_gtid(uuid), "3e11fa47…:1-5,4e11fa47…:1");
        assert_eq!(short_gtid("0-1-122"), "0-1-122");
    }

    #[test]
    fn short_times_have_a_decimal() {
        assert_eq!(seconds(1_250), "1.2 s");
        assert_eq!(seconds(61_000), "61 s");
    }
}
