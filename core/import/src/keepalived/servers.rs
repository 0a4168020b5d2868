//! `virtual_server` and its `real_server`s: something to balance, or a track in disguise.

use super::grammar::Statement;
use super::routers::Router;
use super::script::{command, ends_keepalived};
use super::tracks::Track;
use super::{Context, keywords, seconds};
use crate::report::Report;
use crate::toml::{Toml, quoted};

mod checks;

use checks::Check;

/// keepalived.conf(5): `delay_loop`.
const DELAY_LOOP: &str = "60";

type Keys = Vec<(&'static str, String)>;

/// One `[[virtual_server]]`.
pub(super) struct Service {
    keys: Keys,
    reals: Vec<(Keys, Option<Check>)>,
}

impl Service {
    pub(super) fn write(&self, toml: &mut Toml) {
        toml.item("virtual_server");
        for (key, value) in &self.keys {
            toml.raw(key, value);
        }
        for (keys, check) in &self.reals {
            toml.item("virtual_server.real_server");
            for (key, value) in keys {
                toml.raw(key, value);
            }
            if let Some(check) = check {
                toml.section("virtual_server.real_server.probe");
                check.write(toml);
            }
        }
    }
}

/// Reads one. One that only ends keepalived when a server is down becomes tracks of the address.
pub(super) fn read(
    block: &Statement,
    routers: &mut [Router],
    context: &Context<'_>,
    report: &mut Report,
) -> Option<Service> {
    let (line, what) = (block.line, block.shown());
    let Some(address) = address(&block.words[1..]) else {
        let sentence = "only an address and a port are read: no firewall marks, no groups";
        report.left_out(line, &what, sentence);
        return None;
    };
    let ip = block.value().unwrap_or_default();
    let all: Vec<_> = block
        .children()
        .iter()
        .filter(|one| one.keyword() == "real_server")
        .collect();
    let router = routers.iter_mut().find(|router| router.holds(ip));
    let watches = !all.is_empty() && all.iter().all(|real| is_a_watch(real));
    if let Some(router) = router.filter(|_| watches) {
        tie(block, &all, (router, context), report);
        return None;
    }
    report.taken(line, &what, "[[virtual_server]]");
    let mut keys: Keys = vec![
        ("name", quoted(&name(block))),
        ("address", quoted(&address)),
    ];
    for statement in block.children() {
        keys.extend(service_key(statement, report));
    }
    keywords::remaining(block, keywords::SERVER, report);
    let inhibits = block.child("inhibit_on_failure").is_some();
    let reals = all.into_iter().filter_map(|real| {
        let (mut keys, check) = real_server(real, block, report)?;
        if inhibits && !keys.iter().any(|(key, _)| *key == "inhibit_on_failure") {
            keys.push(("inhibit_on_failure", "true".to_owned()));
        }
        Some((keys, check))
    });
    let reals: Vec<_> = reals.collect();
    if reals.is_empty() {
        report.left_out(line, &what, "it has no real server");
        return None;
    }
    Some(Service { keys, reals })
}

/// What only ends keepalived when a server is down, as tracks of the address.
fn tie(
    block: &Statement,
    reals: &[&Statement],
    (router, context): (&mut Router, &Context<'_>),
    report: &mut Report,
) {
    for real in reals {
        let track = watched(real, block, context, report);
        router.tracks.extend(track);
    }
    let sentence = format!(
        "no balancing: it ended keepalived when the server was down, and that is now a track of \
         [[vip]] `{}`; clients reach the server at the address itself",
        router.name
    );
    report.changed(block.line, &block.shown(), sentence);
    for statement in block.children() {
        let (line, keyword) = (statement.line, statement.keyword());
        match keyword {
            "real_server" => {}
            "delay_loop" => report.taken(line, keyword, "interval of the track"),
            _ => report.left_out(line, keyword, "not needed without balancing"),
        }
    }
}

/// Its name: that of its address, in letters that are allowed.
fn name(block: &Statement) -> String {
    let words: Vec<_> = block.words[1..].iter().map(String::as_str).collect();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = words.join("_").chars().map(plain).collect();
    format!("vs_{name}")
}

/// `IP PORT`, as one text.
fn address(words: &[String]) -> Option<String> {
    let ip: std::net::IpAddr = words.first()?.parse().ok()?;
    let port: u16 = words.get(1)?.parse().ok().filter(|port| *port > 0)?;
    Some(std::net::SocketAddr::new(ip, port).to_string())
}

fn service_key(statement: &Statement, report: &mut Report) -> Option<(&'static str, String)> {
    let (line, keyword) = (statement.line, statement.keyword());
    let value = statement.value().unwrap_or_default();
    let words = || statement.words[1..].join(" ");
    let (key, raw) = match keyword {
        "lb_algo" | "lvs_sched" => match value {
            "rr" | "wrr" | "lc" | "wlc" | "sh" | "dh" => ("scheduler", quoted(value)),
            _ => {
                let sentence = format!("there is no `{value}` here; wlc is the nearest of IPVS");
                report.changed(line, keyword, sentence);
                return Some(("scheduler", quoted("wlc")));
            }
        },
        "lb_kind" | "lvs_method" => {
            let kind = value.to_ascii_lowercase();
            if !["nat", "dr", "tun"].contains(&kind.as_str()) {
                report.left_out(
                    line,
                    keyword,
                    "NAT, DR or TUN; the default, NAT, is in force",
                );
                return None;
            }
            ("forwarding", quoted(&kind))
        }
        // keepalived.conf(5): 6 minutes, where no number is given.
        "persistence_timeout" if value.is_empty() => ("persistence", quoted("360s")),
        "persistence_timeout" => ("persistence", quoted(&seconds(value)?)),
        "protocol" => {
            let protocol = value.to_ascii_lowercase();
            if !["tcp", "udp"].contains(&protocol.as_str()) {
                report.left_out(line, keyword, "TCP or UDP; the default, TCP, is in force");
                return None;
            }
            ("protocol", quoted(&protocol))
        }
        "quorum" | "hysteresis" => {
            let number: u32 = value.parse().ok()?;
            let key = if keyword == "quorum" {
                "quorum"
            } else {
                "hysteresis"
            };
            (key, number.to_string())
        }
        "quorum_up" => ("on_quorum_up", list(&command(&words()))),
        "quorum_down" => ("on_quorum_down", list(&command(&words()))),
        "sorry_server" => ("sorry_server", quoted(&address(&statement.words[1..])?)),
        "delay_loop" | "connect_timeout" | "retry" | "delay_before_retry"
        | "inhibit_on_failure" => {
            report.taken(line, keyword, "with each real server");
            return None;
        }
        _ => return None,
    };
    report.taken(line, keyword, key);
    Some((key, raw))
}

fn list(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

fn real_server(
    block: &Statement,
    service: &Statement,
    report: &mut Report,
) -> Option<(Keys, Option<Check>)> {
    let (line, what) = (block.line, block.shown());
    let Some(address) = address(&block.words[1..]) else {
        report.left_out(line, &what, "expected an address and a port");
        return None;
    };
    report.taken(line, &what, "[[virtual_server.real_server]]");
    let mut keys: Keys = vec![("address", quoted(&address))];
    for statement in block.children() {
        let (line, keyword) = (statement.line, statement.keyword());
        let words = || statement.words.get(1..).unwrap_or_default().join(" ");
        let found = match keyword {
            "weight" => {
                let weight: Option<u32> = statement.value().and_then(|text| text.parse().ok());
                weight.map(|weight| ("weight", weight.min(65_535).to_string()))
            }
            "inhibit_on_failure" => Some(("inhibit_on_failure", "true".to_owned())),
            "notify_up" => Some(("on_up", list(&command(&words())))),
            "notify_down" => {
                if ends_keepalived(&words()) {
                    let sentence = "left out: it ends keepalived, and Mainstay would not mind; tie \
                                    the address to the server with a track";
                    report.left_out(line, keyword, sentence);
                    continue;
                }
                Some(("on_down", list(&command(&words()))))
            }
            _ => None,
        };
        if let Some((key, raw)) = found {
            report.taken(line, keyword, key);
            keys.push((key, raw));
        }
    }
    keywords::remaining(block, keywords::REAL, report);
    let check = Check::of(block, service, &address, report);
    if check.is_none() {
        report.changed(
            line,
            &what,
            "it has no check, so it always counts as healthy",
        );
    }
    Some((keys, check))
}

/// Whether all that a real server is for is to end keepalived when it is down.
fn is_a_watch(block: &Statement) -> bool {
    let command = block
        .child("notify_down")
        .and_then(|down| down.words.get(1..));
    command.is_some_and(|words| ends_keepalived(&words.join(" ")))
}

/// The track that does what such a real server was for.
fn watched(
    block: &Statement,
    service: &Statement,
    context: &Context<'_>,
    report: &mut Report,
) -> Option<Track> {
    let address = address(&block.words[1..])?;
    let check = Check::of(block, service, &address, report)?;
    for (keyword, sentence) in [
        ("weight", "one server has no share"),
        ("notify_up", "not needed"),
        ("inhibit_on_failure", "not needed"),
    ] {
        if let Some(statement) = block.child(keyword) {
            report.left_out(statement.line, keyword, sentence);
        }
    }
    if let Some(down) = block.child("notify_down") {
        let sentence = "not needed: without a weight, a track that fails gives the address up";
        report.changed(down.line, "notify_down", sentence);
    }
    keywords::remaining(block, keywords::REAL, report);
    let is_mysql = check.is_tcp() && address.ends_with(":3306");
    let (check, comment) = if is_mysql {
        let sentence = "a track of kind \"mysql\": a bare connection also succeeds at a server \
                        that hangs or is read-only; make the account it logs in with";
        report.changed(block.line, &block.shown(), sentence);
        let comment = "The account must be made first: CREATE USER 'mainstay_watch'@'%' \
                       IDENTIFIED BY the password below; GRANT REPLICATION CLIENT ON *.* TO \
                       'mainstay_watch'@'%'; in MariaDB SLAVE MONITOR instead.";
        (check.with_login(context.password), Some(comment.to_owned()))
    } else {
        report.changed(block.line, &block.shown(), "a track of the address");
        (check, None)
    };
    Some(Track {
        name: "server".to_owned(),
        comment,
        weight: 0,
        keys: check.into_keys(),
    })
}
