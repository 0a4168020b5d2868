//! The checks of a real server, as probes.

use super::{DELAY_LOOP, Keys, Statement, command, list, seconds};
use crate::report::Report;
use crate::toml::{Toml, quoted};

/// One probe.
#[derive(Debug, Clone)]
pub(super) struct Check {
    kind: &'static str,
    keys: Keys,
}

const KINDS: [(&str, &str); 5] = [
    ("TCP_CHECK", "tcp"),
    ("HTTP_GET", "http"),
    ("SSL_GET", "http"),
    ("MISC_CHECK", "script"),
    ("MYSQL_CHECK", "mysql"),
];

impl Check {
    /// The first check of a real server.
    pub(super) fn of(
        real: &Statement,
        service: &Statement,
        address: &str,
        report: &mut Report,
    ) -> Option<Self> {
        let mut found = real.children().iter().filter_map(|child| {
            let kind = KINDS
                .iter()
                .find(|(keyword, _)| *keyword == child.keyword());
            kind.map(|(_, kind)| (child, *kind))
        });
        let (block, kind) = found.next()?;
        for (other, _) in found {
            let sentence = "one probe for each real server: the first is taken";
            report.left_out(other.line, other.keyword(), sentence);
        }
        let mut check = Self {
            kind,
            keys: Vec::new(),
        };
        check.place(block, address);
        match kind {
            "http" => check.http(block, report),
            "script" => check.script(block, report),
            _ => {}
        }
        if kind == "mysql" {
            check.keys.extend(login(block));
        }
        check.timing(block, real, service);
        let name = block.keyword();
        if name == "SSL_GET" {
            let sentence = "probe of kind \"http\", without TLS: use a script where TLS is a must";
            report.changed(block.line, name, sentence);
        } else {
            report.taken(block.line, name, format!("probe of kind \"{kind}\""));
        }
        check.said(block, report);
        Some(check)
    }

    pub(super) fn is_tcp(&self) -> bool {
        self.kind == "tcp"
    }

    /// The same look with a login and a query, for a server that takes writes.
    pub(super) fn with_login(mut self, password: &str) -> Self {
        self.kind = "mysql";
        self.keys.push(("user", quoted("mainstay_watch")));
        self.keys.push(("password", quoted(password)));
        self.keys.push(("role", quoted("writable")));
        self
    }

    pub(super) fn into_keys(self) -> Keys {
        let mut keys = vec![("kind", quoted(self.kind))];
        keys.extend(self.keys);
        keys
    }

    pub(super) fn write(&self, toml: &mut Toml) {
        for (key, value) in self.clone().into_keys() {
            toml.raw(key, &value);
        }
    }

    fn place(&mut self, block: &Statement, address: &str) {
        if self.kind == "script" {
            return;
        }
        let at: Option<std::net::SocketAddr> = address.parse().ok();
        let value = |keyword: &str| block.child(keyword).and_then(Statement::value);
        let ip = value("connect_ip").and_then(|ip| ip.parse().ok());
        let port = value("connect_port").and_then(|port| port.parse().ok());
        if let Some(at) = at {
            let ip = ip.unwrap_or(at.ip());
            let port = port.filter(|port| *port > 0).unwrap_or(at.port());
            let place = std::net::SocketAddr::new(ip, port).to_string();
            self.keys.push(("address", quoted(&place)));
        }
    }

    fn http(&mut self, block: &Statement, report: &mut Report) {
        let urls: Vec<_> = block
            .children()
            .iter()
            .filter(|child| child.keyword() == "url")
            .collect();
        let host = block.child("virtualhost").and_then(Statement::value);
        self.keys.extend(host.map(|host| ("host", quoted(host))));
        let Some(url) = urls.first() else { return };
        let value = |keyword: &str| url.child(keyword).and_then(Statement::value);
        let path = value("path").filter(|path| path.starts_with('/'));
        self.keys.extend(path.map(|path| ("path", quoted(path))));
        let statuses = url.child("status_code").map(|codes| {
            let codes = codes.words[1..]
                .iter()
                .filter_map(|code| code.parse::<u16>().ok());
            let codes: Vec<_> = codes.map(|code| code.to_string()).collect();
            format!("[{}]", codes.join(", "))
        });
        self.keys.extend(statuses.map(|list| ("status", list)));
        for (keyword, sentence) in [
            ("digest", "no digests: say what the answer `contains`"),
            (
                "regex",
                "no regular expressions: say what the answer `contains`",
            ),
        ] {
            if let Some(statement) = url.child(keyword) {
                report.left_out(statement.line, keyword, sentence);
            }
        }
        for other in urls.iter().skip(1) {
            report.left_out(
                other.line,
                "url",
                "one URL for each probe: the first is taken",
            );
        }
    }

    fn script(&mut self, block: &Statement, report: &mut Report) {
        let path = block
            .child("misc_path")
            .map(|path| path.words[1..].join(" "));
        let words = command(path.as_deref().unwrap_or("/bin/true"));
        self.keys.push(("command", list(&words)));
        let user = block.child("user").and_then(Statement::value);
        self.keys.extend(user.map(|user| ("run_as", quoted(user))));
        if let Some(statement) = block.child("misc_dynamic") {
            self.keys.push(("sets_weight", "true".to_owned()));
            report.taken(statement.line, "misc_dynamic", "sets_weight");
        }
    }

    /// A check that fails is tried so many times again before the server is down.
    fn timing(&mut self, block: &Statement, real: &Statement, service: &Statement) {
        let value = |keywords: &[&str]| {
            let places = [block, real, service];
            let mut found = places.iter().flat_map(|place| {
                keywords
                    .iter()
                    .filter_map(|keyword| place.child(keyword)?.value())
            });
            found.next()
        };
        let interval = value(&["delay_loop"]).unwrap_or(DELAY_LOOP);
        let interval = seconds(interval).unwrap_or_else(|| format!("{DELAY_LOOP}s"));
        let retries = value(&["nb_get_retry", "retry"]).and_then(|text| text.parse::<u32>().ok());
        let retry_interval = value(&["delay_before_retry"]).and_then(seconds);
        let limit = value(&["connect_timeout", "misc_timeout"]).and_then(seconds);
        let retry_interval = retry_interval.unwrap_or_else(|| "1s".to_owned());
        self.keys.push(("interval", quoted(&interval)));
        self.keys.push(("retry_interval", quoted(&retry_interval)));
        self.keys
            .push(("limit", quoted(limit.as_deref().unwrap_or("5s"))));
        let fall = retries.unwrap_or(1).saturating_add(1);
        self.keys.push(("fall", fall.to_string()));
        self.keys.push(("rise", "1".to_owned()));
    }

    /// Says what became of each line of the block.
    fn said(&self, block: &Statement, report: &mut Report) {
        let said_already = ["misc_dynamic"];
        for statement in block.children() {
            let (line, keyword) = (statement.line, statement.keyword());
            let sentence = match keyword {
                "connect_ip" | "connect_port" => "address",
                "connect_timeout" | "misc_timeout" => "limit",
                "delay_loop" => "interval",
                "delay_before_retry" => "retry_interval",
                "nb_get_retry" | "retry" => "fall: so many failures more than the first",
                "misc_path" => "command",
                "user" if self.kind == "script" => "run_as",
                "user" | "username" | "password" | "query" => "as it is",
                "url" => "path and status",
                "virtualhost" => "host",
                _ if said_already.contains(&keyword) => continue,
                _ => {
                    report.left_out(line, keyword, "not of this probe");
                    continue;
                }
            };
            report.taken(line, keyword, sentence);
        }
    }
}

/// There is no such check in keepalived of today; people write it all the same.
fn login(block: &Statement) -> Keys {
    let value = |keywords: &[&str]| {
        let found = keywords
            .iter()
            .find_map(|keyword| block.child(keyword)?.value());
        found.unwrap_or_default().to_owned()
    };
    let mut keys = vec![
        ("user", quoted(&value(&["username", "user"]))),
        ("password", quoted(&value(&["password"]))),
    ];
    let query = block.child("query").map(|query| query.words[1..].join(" "));
    keys.extend(query.map(|query| ("query", quoted(&query))));
    keys
}
