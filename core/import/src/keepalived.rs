//! `keepalived.conf`: floating addresses, their scripts, and virtual servers.
//!
//! Keywords are those of `keepalived.conf(5)` of keepalived 2.2 and 2.4. What its scripts do by
//! asking for a process, looking for a file or ending keepalived is done by tracks here.

mod globals;
mod grammar;
mod keywords;
mod notify;
mod routers;
mod script;
mod servers;
#[cfg(test)]
mod tests;
mod tracks;

use crate::format::{ImportError, Imported};
use crate::report::Report;
use crate::toml::Toml;
use globals::Globals;
use grammar::Statement;
use routers::Router;

/// Blocks by which a file is recognised.
const OWN: [&str; 6] = [
    "vrrp_instance",
    "vrrp_track_process",
    "vrrp_script",
    "vrrp_sync_group",
    "virtual_server",
    "real_server",
];

const HEADER: &str = "Made from keepalived.conf by `mainstay import`. It may hold passwords: keep \
                      it readable by its owner only.\nSettings that are not here have their \
                      defaults: docs/vip.md, docs/balancer.md.";

/// What is known while the rest of the file is read.
struct Context<'f> {
    globals: Globals,
    scripts: Vec<tracks::Script<'f>>,
    /// For accounts that the file does not have.
    password: &'f str,
}

/// Whether this is such a file, as far as can be told without reading all of it.
pub(crate) fn is_one(text: &str) -> bool {
    let begins = |line: &str, name: &str| {
        let rest = line.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '{'))
    };
    let mut lines = text.lines();
    lines.any(|line| OWN.iter().any(|name| begins(line, name)))
}

/// Reads a file. `password` is that of the API and of the account that looks at servers.
pub(crate) fn import(text: &str, password: &str) -> Result<Imported, ImportError> {
    let file = grammar::parse(text)?;
    let mut report = Report::default();
    let globals = Globals::read(&file, &mut report);
    let scripts = tracks::scripts(&file, &globals, &mut report);
    let context = Context {
        globals,
        scripts,
        password,
    };
    let mut routers = Vec::new();
    for statement in of(&file, "vrrp_instance") {
        routers.push(Router::read(statement, &context, &mut report));
    }
    for statement in of(&file, "vrrp_sync_group") {
        routers::join(statement, &mut routers, &mut report);
    }
    let mut services = Vec::new();
    for statement in of(&file, "virtual_server") {
        services.extend(servers::read(
            statement,
            &mut routers,
            &context,
            &mut report,
        ));
    }
    tracks::unused(&context.scripts, &file, &mut report);
    others(&file, &mut report);

    let mut toml = Toml::default();
    toml.comment(HEADER);
    context.globals.write(&mut toml);
    for router in &routers {
        router.write(&mut toml);
    }
    for service in &services {
        service.write(&mut toml);
    }
    toml.section("api");
    toml.text("password", password);
    Ok(Imported {
        toml: toml.finish(),
        remarks: report.into_remarks(),
    })
}

fn of<'f>(file: &'f [Statement], keyword: &'f str) -> impl Iterator<Item = &'f Statement> {
    let all = file.iter();
    all.filter(move |statement| statement.keyword() == keyword)
}

/// What stands at the top of the file and was not read.
fn others(file: &[Statement], report: &mut Report) {
    const READ: [&str; 8] = [
        "global_defs",
        "vrrp_instance",
        "vrrp_script",
        "track_file",
        "vrrp_track_file",
        "vrrp_track_process",
        "vrrp_sync_group",
        "virtual_server",
    ];
    for statement in file {
        let keyword = statement.keyword();
        if keyword.starts_with("include") {
            let path = statement.value().unwrap_or("?");
            let sentence = format!(
                "`{path}` was not read: put the text of what it names in place of this line"
            );
            report.left_out(statement.line, keyword, sentence);
        } else if keyword.starts_with('@') {
            let sentence = "a line for one host only: import a file that says it for each host";
            report.left_out(statement.line, keyword, sentence);
        } else if !READ.contains(&keyword) {
            keywords::left_out(statement, keywords::TOP, report);
        }
    }
}

/// Seconds as keepalived writes them, with a fraction or without, as a duration of ours.
fn seconds(text: &str) -> Option<String> {
    let seconds: f64 = text.parse().ok().filter(|seconds| *seconds > 0.0)?;
    let ms = (seconds * 1_000.0).round();
    if !(1.0..1e12).contains(&ms) {
        return None;
    }
    #[allow(clippy::cast_sign_loss, reason = "it is positive")]
    let ms = ms as u64;
    Some(match ms % 1_000 {
        0 => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    })
}
