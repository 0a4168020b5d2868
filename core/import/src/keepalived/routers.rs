//! `vrrp_instance` and `vrrp_sync_group`.

use super::globals::announcement;
use super::grammar::Statement;
use super::tracks::{Track, of_router};
use super::{Context, keywords, notify, seconds};
use crate::report::Report;
use crate::toml::{Toml, quoted};

/// One `[[vip]]`.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) name: String,
    priority: String,
    /// Addresses without their prefix, for those who look for one.
    addresses: Vec<String>,
    /// Keys and values as TOML has them.
    keys: Vec<(&'static str, String)>,
    pub(super) tracks: Vec<Track>,
}

/// What is said of keys that mean the same under another name.
const RENAMED: [(&str, &str, Form); 5] = [
    ("interface", "interface", Form::Text),
    ("virtual_router_id", "virtual_router_id", Form::Number),
    ("unicast_src_ip", "source", Form::Text),
    ("mcast_src_ip", "source", Form::Text),
    ("version", "version", Form::Number),
];

#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Number,
}

impl Router {
    pub(super) fn read(block: &Statement, context: &Context<'_>, report: &mut Report) -> Self {
        let name = block.value().unwrap_or("vip").to_owned();
        let what = block.shown();
        report.taken(block.line, &what, format!("[[vip]] `{name}`"));
        let mut router = Self {
            name,
            priority: "100".to_owned(),
            addresses: Vec::new(),
            keys: Vec::new(),
            tracks: Vec::new(),
        };
        for statement in block.children() {
            router.take(statement, report);
        }
        router.addresses(block, report);
        router.version(block, context, report);
        router.authentication(block, context, report);
        router.peers(block, report);
        for (key, value) in &context.globals.announcements {
            if !router.has(key) {
                router.keys.push((key, value.clone()));
            }
        }
        if let Some(program) = notify::of(block, report) {
            let words: Vec<_> = program.iter().map(|word| quoted(word)).collect();
            router
                .keys
                .push(("notify", format!("[{}]", words.join(", "))));
        }
        router.tracks = of_router(block, &context.scripts, report);
        keywords::remaining(block, keywords::ROUTER, report);
        router
    }

    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|(known, _)| *known == key)
    }

    fn take(&mut self, statement: &Statement, report: &mut Report) {
        let (line, keyword) = (statement.line, statement.keyword());
        let value = statement.value().unwrap_or_default();
        if let Some((_, key, form)) = RENAMED.iter().find(|(known, ..)| *known == keyword) {
            let number = || value.parse::<u32>().map(|number| number.to_string()).ok();
            let raw = match form {
                Form::Text => Some(quoted(value)),
                Form::Number => number(),
            };
            match raw {
                Some(_) if self.has(key) => report.left_out(line, keyword, "said twice"),
                Some(raw) => {
                    self.keys.push((key, raw));
                    report.taken(line, keyword, *key);
                }
                None => report.left_out(line, keyword, "expected a number"),
            }
            return;
        }
        match keyword {
            "state" => report.changed(
                line,
                &statement.shown(),
                "nobody begins as Active: the highest priority becomes it, after three adverts' \
                 silence",
            ),
            "priority" => match value.parse::<u8>().ok().filter(|priority| *priority > 0) {
                Some(priority) => {
                    self.priority = priority.to_string();
                    report.taken(line, keyword, "priority");
                }
                None => report.left_out(line, keyword, "expected a number from 1 to 255"),
            },
            "advert_int" => match seconds(value) {
                Some(interval) => {
                    self.keys.push(("advert_interval", quoted(&interval)));
                    report.taken(line, keyword, "advert_interval");
                }
                None => report.left_out(line, keyword, "expected seconds; 1 s is the default"),
            },
            "nopreempt" => {
                self.keys.push(("preempt", "false".to_owned()));
                report.taken(line, keyword, "preempt = false");
            }
            "preempt" => report.taken(line, keyword, "the default"),
            "preempt_delay" => match seconds(value) {
                Some(delay) => {
                    self.keys.push(("preempt_delay", quoted(&delay)));
                    report.taken(line, keyword, "preempt_delay");
                }
                None => report.taken(line, keyword, "no delay, the default"),
            },
            "accept" => report.taken(line, keyword, "accept = true, the default"),
            "no_accept" => {
                self.keys.push(("accept", "false".to_owned()));
                let sentence = "accept = false; clients cannot use such an address";
                report.taken(line, keyword, sentence);
            }
            "use_vmac" => {
                self.keys.push(("use_vmac", "true".to_owned()));
                report.taken(line, keyword, "use_vmac");
            }
            _ => {
                if let Some((key, raw)) = announcement(keyword, value) {
                    report.taken(line, keyword, key);
                    self.keys.push((key, raw));
                }
            }
        }
    }

    fn addresses(&mut self, block: &Statement, report: &mut Report) {
        for (keyword, key) in [
            ("virtual_ipaddress", "addresses"),
            ("virtual_ipaddress_excluded", "unadvertised_addresses"),
        ] {
            let lists = block
                .children()
                .iter()
                .filter(|child| child.keyword() == keyword);
            let mut found = Vec::new();
            for statement in lists.flat_map(Statement::children) {
                let address = statement.keyword();
                self.addresses
                    .push(address.split('/').next().unwrap_or_default().to_owned());
                let (whole, mut sentence) = match address.contains('/') {
                    true => (address.to_owned(), key.to_owned()),
                    false if address.contains(':') => {
                        (format!("{address}/128"), format!("{key}, with /128"))
                    }
                    false => (
                        format!("{address}/32"),
                        format!("{key}, with keepalived's /32"),
                    ),
                };
                if statement.words.len() > 1 {
                    let rest = statement.words[1..].join(" ");
                    sentence += &format!("; not `{rest}`: it is put on `interface`, unlabelled");
                    report.changed(statement.line, address, sentence);
                } else {
                    report.taken(statement.line, address, sentence);
                }
                found.push(quoted(&whole));
            }
            if !found.is_empty() {
                self.keys.push((key, format!("[{}]", found.join(", "))));
            }
        }
    }

    fn version(&mut self, block: &Statement, context: &Context<'_>, report: &mut Report) {
        let v6 = self
            .addresses
            .first()
            .is_some_and(|address| address.contains(':'));
        let interval = block.child("advert_int").and_then(Statement::value);
        let fraction = interval.is_some_and(|text| text.contains('.'));
        if !self.has("version") && (context.globals.is_version_3 || v6 || fraction) {
            self.keys.push(("version", "3".to_owned()));
            if fraction && !context.globals.is_version_3 && !v6 {
                let line = block
                    .child("advert_int")
                    .map_or(block.line, |found| found.line);
                let sentence = "version = 3: version 2 has whole seconds only";
                report.changed(line, "advert_int", sentence);
            }
        }
    }

    fn is_version_3(&self) -> bool {
        self.keys
            .iter()
            .any(|(key, value)| *key == "version" && value == "3")
    }

    fn authentication(&mut self, block: &Statement, context: &Context<'_>, report: &mut Report) {
        let Some(authentication) = block.child("authentication") else {
            return;
        };
        let line = authentication.line;
        let is_pass = authentication.child("auth_type").and_then(Statement::value) == Some("PASS");
        let password = authentication.child("auth_pass");
        let value = password.and_then(Statement::value).filter(|_| is_pass);
        match value {
            None => report.left_out(
                line,
                "authentication",
                "only `PASS` with an `auth_pass` is known; IPsec's AH is not spoken",
            ),
            Some(_) if self.is_version_3() => {
                let sentence = "version 3 has no passwords (RFC 9568): keepalived sends none";
                report.left_out(line, "authentication", sentence);
            }
            Some(_) if context.globals.is_strict => report.left_out(
                line,
                "authentication",
                "vrrp_strict makes keepalived ignore the password, so there is none on the wire; \
                 with one here the two would not understand each other",
            ),
            Some(password) => {
                let end = password.floor_char_boundary(8);
                self.keys.push(("password", quoted(&password[..end])));
                let sentence = if end < password.len() {
                    "`password`, its first 8 bytes: more is not in a packet"
                } else {
                    "`password`; it is sent in clear, and guards against mistakes only"
                };
                report.taken(line, "authentication", sentence);
            }
        }
    }

    fn peers(&mut self, block: &Statement, report: &mut Report) {
        let Some(list) = block.child("unicast_peer") else {
            return;
        };
        let mut peers = Vec::new();
        for statement in list.children() {
            peers.push(quoted(statement.keyword()));
            report.taken(statement.line, statement.keyword(), "peers");
        }
        self.keys.push(("peers", format!("[{}]", peers.join(", "))));
    }

    /// Whether this is one of its addresses.
    pub(super) fn holds(&self, address: &str) -> bool {
        self.addresses.iter().any(|own| own == address)
    }

    pub(super) fn write(&self, toml: &mut Toml) {
        toml.item("vip");
        toml.text("name", &self.name);
        toml.raw("priority", &self.priority);
        for (key, value) in &self.keys {
            toml.raw(key, value);
        }
        for track in &self.tracks {
            track.write(toml);
        }
    }
}

/// `vrrp_sync_group`.
pub(super) fn join(block: &Statement, routers: &mut [Router], report: &mut Report) {
    let name = block.value().unwrap_or("group");
    report.taken(
        block.line,
        &block.shown(),
        format!("sync_group = \"{name}\""),
    );
    for statement in block.children() {
        if statement.keyword() != "group" {
            let sentence = "tracks and commands belong to each address here";
            report.left_out(statement.line, statement.keyword(), sentence);
            continue;
        }
        let members = statement.children().iter().flat_map(|line| &line.words);
        for member in members {
            match routers.iter_mut().find(|router| router.name == *member) {
                Some(router) => {
                    router.keys.push(("sync_group", quoted(name)));
                    report.taken(statement.line, member, format!("in the group `{name}`"));
                }
                None => report.left_out(statement.line, member, "there is no such vrrp_instance"),
            }
        }
    }
}
