//! `mainstay sessions`: what the clients of the proxy are doing now, as a table or as JSON; and how
//! what the proxy tells becomes what the API shows.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use mainstay_dashboard::views::{FreeView, SessionView, SessionsView};
use mainstay_session::{FreeRow, SessionRow, Sessions};

use crate::api::Api;
use crate::args::SessionsArgs;
use crate::output::{emit, table};

/// Characters of a statement that a terminal shows.
const TEXT_SHOWN: usize = 80;

/// Sessions, and free connections, that each worker shows.
pub(crate) const ROWS_MAX: usize = 10_000;

pub(crate) fn run(args: &SessionsArgs) -> Result<ExitCode> {
    let api = Api::find(&args.cluster)?;
    let mut seen: SessionsView = api.get("/api/v1/sessions")?;
    if args.busy {
        seen.sessions
            .retain(|one| one.state != "idle" || !one.ties.is_empty());
    }
    if args.json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&seen)?));
    } else {
        emit(&text_of(&seen, args));
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(seen: &SessionsView, args: &SessionsArgs) -> String {
    let header = [
        "id",
        "user",
        "client",
        "schema",
        "hg",
        "server",
        "command",
        "time",
        "state",
        "tied by",
        "statement",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in seen.sessions.iter().take(args.limit) {
        let transaction = one.transaction_ms.map(|ms| format!(" ({})", time(ms)));
        rows.push(vec![
            one.id.to_string(),
            one.user.clone(),
            one.client.clone(),
            or_dash(one.schema.as_ref()),
            or_dash(one.hostgroup.as_ref()),
            or_dash(one.server.as_ref()),
            one.command.clone(),
            time(one.in_state_ms),
            one.state.clone(),
            format!("{}{}", one.ties.join(", "), transaction.unwrap_or_default()),
            shortened(one.statement.as_deref().unwrap_or_default()),
        ]);
    }
    let mut text = table(&rows);
    let hidden = seen.sessions.len().saturating_sub(args.limit);
    if hidden > 0 {
        text.push_str(&format!("… and {hidden} more (--limit)\n"));
    }
    if seen.left_out > 0 {
        text.push_str(&format!("{} rows are not listed\n", seen.left_out));
    }
    if args.free {
        text.push_str(&format!("\n{}", free(seen)));
    }
    text
}

fn free(seen: &SessionsView) -> String {
    let header = [
        "server",
        "thread",
        "user",
        "schema",
        "idle",
        "age",
        "prepared",
        "variables",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in &seen.free {
        rows.push(vec![
            one.server.clone(),
            one.thread.to_string(),
            one.user.clone(),
            or_dash(one.schema.as_ref()),
            time(one.idle_ms),
            time(one.age_ms),
            one.statements.to_string(),
            shortened(&one.variables.join(", ")),
        ]);
    }
    table(&rows)
}

fn or_dash(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// In one line.
fn shortened(text: &str) -> String {
    let mut shown: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = shown.char_indices().nth(TEXT_SHOWN) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

fn time(millis: u64) -> String {
    match millis {
        0..10_000 => format!("{:.1} s", millis as f64 / 1e3),
        10_000..600_000 => format!("{} s", millis / 1_000),
        _ => format!("{} min", millis / 60_000),
    }
}

/// What the proxy tells, as the API shows it.
pub(crate) fn view(seen: Sessions) -> SessionsView {
    let mut sessions: Vec<SessionView> = seen.sessions.into_iter().map(session).collect();
    sessions.sort_by_key(|one| std::cmp::Reverse(one.in_state_ms));
    let mut free: Vec<FreeView> = seen.free.into_iter().map(free_connection).collect();
    free.sort_by(|one, other| {
        (&one.server, one.worker, one.thread).cmp(&(&other.server, other.worker, other.thread))
    });
    SessionsView {
        sessions,
        free,
        left_out: seen.left_out,
    }
}

fn session(row: SessionRow) -> SessionView {
    let on = row.on;
    SessionView {
        id: row.number,
        worker: row.worker,
        user: row.user.to_string(),
        client: row.client,
        schema: row.schema,
        hostgroup: row.hostgroup,
        address: on.as_ref().map(|on| on.address.to_string()),
        thread: on.as_ref().map(|on| on.thread),
        server: on.map(|on| on.server.to_string()),
        command: row.command.to_owned(),
        state: row.state.name().to_owned(),
        in_state_ms: millis(row.in_state),
        transaction_ms: row.transaction.map(millis),
        statement: row.statement,
        ties: row.ties.iter().map(|tie| format!("{tie:?}")).collect(),
        statements: row.statements,
        tls: row.secure,
        compressed: row.compressed,
    }
}

fn free_connection(row: FreeRow) -> FreeView {
    FreeView {
        worker: row.worker,
        server: row.on.server.to_string(),
        address: row.on.address.to_string(),
        thread: row.on.thread,
        hostgroup: row.hostgroup,
        user: row.user.to_string(),
        schema: row.schema,
        variables: row.variables,
        idle_ms: millis(row.idle),
        age_ms: millis(row.age),
        statements: row.statements,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_in_one_short_line() {
        assert_eq!(shortened("SELECT\n  1"), "SELECT 1");
        assert_eq!(shortened(&"é".repeat(81)).chars().count(), 81);
        assert_eq!([time(1_234), time(61_000)], ["1.2 s", "61 s"]);
    }
}
