//! `vrrp_script` and what addresses depend on.

mod host;

use super::globals::Globals;
use super::grammar::Statement;
use super::script::{Idiom, recognise};
use super::{keywords, of, seconds};
use crate::report::Report;
use crate::toml::{Toml, quoted};

/// Proxies: one that runs may still let nobody through.
const SERVES_MYSQL: [&str; 7] = [
    "proxysql",
    "mysqld",
    "mariadbd",
    "maxscale",
    "mysqlrouter",
    "haproxy",
    "mainstay",
];

/// One `[[vip.track]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) name: String,
    pub(super) comment: Option<String>,
    pub(super) weight: i32,
    /// Keys and values as TOML has them, the kind first.
    pub(super) keys: Vec<(&'static str, String)>,
}

impl Track {
    pub(super) fn write(&self, toml: &mut Toml) {
        toml.item("vip.track");
        if let Some(comment) = &self.comment {
            toml.comment(comment);
        }
        toml.text("name", &self.name);
        for (key, value) in &self.keys {
            toml.raw(key, value);
        }
        if self.weight != 0 {
            toml.raw("weight", &self.weight.to_string());
        }
    }
}

/// A `vrrp_script`, `track_file` or `vrrp_track_process`, which becomes a track wherever it is
/// named.
pub(super) struct Script<'f> {
    pub(super) line: usize,
    pub(super) name: &'f str,
    /// The list that names it.
    pub(super) list: &'static str,
    pub(super) track: Track,
}

/// All scripts of a file, and what else can be tracked by its name.
pub(super) fn scripts<'f>(
    file: &'f [Statement],
    globals: &Globals,
    report: &mut Report,
) -> Vec<Script<'f>> {
    let mut found = Vec::new();
    for block in file {
        found.extend(match block.keyword() {
            "vrrp_script" => script(block, globals, report),
            // In a block of its own; without one it is a list inside an address.
            "track_file" | "vrrp_track_file" => host::file(block, report),
            "vrrp_track_process" => host::process(block, report),
            _ => None,
        });
    }
    found
}

fn script<'f>(block: &'f Statement, globals: &Globals, report: &mut Report) -> Option<Script<'f>> {
    let line = block.line;
    let Some(name) = block.value() else {
        report.left_out(line, "vrrp_script", "it has no name");
        return None;
    };
    let Some(source) = block
        .child("script")
        .filter(|source| source.words.len() > 1)
    else {
        report.left_out(line, name, "it has no `script`");
        return None;
    };
    let text = source.words[1..].join(" ");
    let user = block.child("user").and_then(Statement::value);
    let user = user.or(globals.script_user.as_deref());
    let (mut keys, sentence, comment) = idiom(&recognise(&text), user);
    report.changed(source.line, &format!("{name} script"), sentence);
    keys.extend(timing(block, report));
    let weight = block.child("weight").and_then(Statement::value);
    if let Some(statement) = block.child("weight") {
        report.taken(statement.line, &format!("{name} weight"), "weight");
    }
    if let Some(statement) = block.child("user") {
        report.taken(
            statement.line,
            &format!("{name} user"),
            "run_as, where a script is run",
        );
    }
    keywords::remaining(block, keywords::SCRIPT, report);
    report.taken(
        line,
        &block.shown(),
        "a track of the addresses that name it",
    );
    let track = Track {
        name: name.to_owned(),
        comment,
        weight: weight.and_then(|weight| weight.parse().ok()).unwrap_or(0),
        keys,
    };
    Some(Script {
        line,
        name,
        list: "track_script",
        track,
    })
}

type Keys = Vec<(&'static str, String)>;

fn idiom(idiom: &Idiom, user: Option<&str>) -> (Keys, String, Option<String>) {
    match idiom {
        Idiom::Process(process) => {
            let keys = vec![("kind", quoted("process")), ("process", quoted(process))];
            let mut sentence = format!("a track of kind \"process\": {process} runs; no command");
            let serves = SERVES_MYSQL.contains(&process.as_str()).then(|| {
                sentence += "; one that hangs runs too, so rather let a track of kind \"mysql\" \
                             log in and ask";
                format!(
                    "{process} may run and serve nobody. Better: kind = \"mysql\", address = \
                     \"127.0.0.1:PORT\", user, password."
                )
            });
            (keys, sentence, serves)
        }
        Idiom::File(path) => {
            let keys = vec![("kind", quoted("file")), ("file", quoted(path))];
            let sentence = format!("a track of kind \"file\": {path} must not be there");
            (keys, sentence, None)
        }
        Idiom::Command(command) => {
            let words: Vec<_> = command.iter().map(|word| quoted(word)).collect();
            let mut keys = vec![
                ("kind", quoted("script")),
                ("command", format!("[{}]", words.join(", "))),
            ];
            keys.extend(user.map(|user| ("run_as", quoted(user))));
            let sentence = "a track of kind \"script\"".to_owned();
            (keys, sentence, None)
        }
    }
}

/// keepalived's defaults: every second, one answer is enough.
fn timing(block: &Statement, report: &mut Report) -> Keys {
    let name = block.value().unwrap_or_default();
    let mut value = |keyword: &str, key: &str| {
        let statement = block.child(keyword)?;
        report.taken(statement.line, &format!("{name} {keyword}"), key);
        statement.value()
    };
    let interval = value("interval", "interval").and_then(seconds);
    let interval = interval.unwrap_or_else(|| "1s".to_owned());
    let limit = value("timeout", "limit").and_then(seconds);
    let limit = limit.unwrap_or_else(|| interval.clone());
    let mut count = |keyword: &str| {
        let count = value(keyword, keyword).and_then(|count| count.parse::<u32>().ok());
        count.unwrap_or(1).max(1).to_string()
    };
    let (fall, rise) = (count("fall"), count("rise"));
    vec![
        ("interval", quoted(&interval)),
        ("retry_interval", quoted(&interval)),
        ("limit", quoted(&limit)),
        ("fall", fall),
        ("rise", rise),
    ]
}

/// The tracks that an address names.
pub(super) fn of_router(
    block: &Statement,
    scripts: &[Script<'_>],
    report: &mut Report,
) -> Vec<Track> {
    let mut tracks = Vec::new();
    for list in block.children() {
        for statement in list.children().iter().filter(|_| names(list)) {
            tracks.extend(named(list.keyword(), statement, scripts, report));
        }
    }
    for list in block
        .children()
        .iter()
        .filter(|child| child.keyword() == "track_interface")
    {
        for statement in list.children() {
            let name = statement.keyword();
            tracks.push(Track {
                name: name.to_owned(),
                comment: None,
                weight: weight(statement).unwrap_or(0),
                keys: vec![("kind", quoted("interface")), ("interface", quoted(name))],
            });
            report.taken(statement.line, name, "a track of kind \"interface\"");
        }
    }
    tracks
}

fn names(list: &Statement) -> bool {
    ["track_script", "track_file", "track_process"].contains(&list.keyword())
}

/// The track of this name, with the weight that it has here.
fn named(
    list: &str,
    statement: &Statement,
    scripts: &[Script<'_>],
    report: &mut Report,
) -> Option<Track> {
    let (line, name) = (statement.line, statement.keyword());
    let mut known = scripts.iter().filter(|script| script.list == list);
    let Some(script) = known.find(|script| script.name == name) else {
        let block = match list {
            "track_file" => "track_file block",
            "track_process" => "vrrp_track_process",
            _ => "vrrp_script",
        };
        report.left_out(line, name, format!("there is no such {block}"));
        return None;
    };
    let mut track = script.track.clone();
    if let Some(weight) = weight(statement) {
        track.weight = weight;
    }
    if list != "track_script"
        && let Err(sentence) = host::weigh(list, statement, &mut track)
    {
        report.left_out(line, name, sentence);
        return None;
    }
    report.taken(line, name, format!("track `{name}`"));
    Some(track)
}

/// `NAME weight -5`, with or without `reverse`.
pub(super) fn weight(statement: &Statement) -> Option<i32> {
    let at = statement.words.iter().position(|word| word == "weight")?;
    let weight: i32 = statement.words.get(at + 1)?.parse().ok()?;
    let is_reverse = statement.words.iter().any(|word| word == "reverse");
    Some(if is_reverse { -weight } else { weight }.clamp(-253, 253))
}

/// What nothing names is not taken over.
pub(super) fn unused(scripts: &[Script<'_>], file: &[Statement], report: &mut Report) {
    for script in scripts {
        let (name, list) = (script.name, script.list);
        let names_it = |block: &Statement| {
            let mut lists = block.children().iter().filter(|one| one.keyword() == list);
            lists.any(|one| one.children().iter().any(|child| child.keyword() == name))
        };
        if !of(file, "vrrp_instance").any(names_it) {
            let sentence = format!("no address names it in `{list}`");
            report.left_out(script.line, name, sentence);
        }
    }
}
