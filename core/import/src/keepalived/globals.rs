//! `global_defs`.

use super::grammar::Statement;
use super::{keywords, of};
use crate::report::Report;
use crate::toml::Toml;

/// What holds for all of the file.
#[derive(Debug, Default)]
pub(super) struct Globals {
    pub(super) is_strict: bool,
    pub(super) is_version_3: bool,
    pub(super) script_user: Option<String>,
    /// `garp_master_*`, by the keys that they have here.
    pub(super) announcements: Vec<(&'static str, String)>,
    fifo: Option<String>,
    realtime_priority: Option<u8>,
}

impl Globals {
    pub(super) fn read(file: &[Statement], report: &mut Report) -> Self {
        let mut globals = Self::default();
        for block in of(file, "global_defs") {
            report.taken(block.line, "global_defs", "what it says for all addresses");
            for statement in block.children() {
                globals.take(statement, report);
            }
            keywords::remaining(block, keywords::GLOBALS, report);
        }
        globals
    }

    fn take(&mut self, statement: &Statement, report: &mut Report) {
        let (line, keyword) = (statement.line, statement.keyword());
        let value = statement.value().unwrap_or_default();
        match keyword {
            "vrrp_strict" => {
                self.is_strict = true;
                let sentence = "nothing is forbidden here that works; where it made keepalived \
                                ignore a setting, that setting is left out";
                report.changed(line, keyword, sentence);
            }
            "vrrp_version" => {
                self.is_version_3 = value == "3";
                report.taken(line, keyword, "`version` of each address");
            }
            "vrrp_mcast_group4" | "vrrp_mcast_group6" => {
                let usual = if keyword.ends_with('4') {
                    "224.0.0.18"
                } else {
                    "ff02::12"
                };
                if value == usual {
                    report.taken(line, keyword, "that is the group");
                } else {
                    let sentence = format!(
                        "the group is always {usual} here: hosts that still run keepalived with \
                         {value} do not hear this one, so change all of them, or use unicast peers"
                    );
                    report.left_out(line, keyword, sentence);
                }
            }
            "vrrp_notify_fifo" | "notify_fifo" => {
                self.fifo = Some(value.to_owned());
                report.taken(line, keyword, "[vrrp] notify_fifo");
            }
            "script_user" => {
                self.script_user = Some(value.to_owned());
                report.taken(line, keyword, "`run_as` of each script");
            }
            "vrrp_rt_priority" => match value.parse().ok().filter(|p| (1..=99).contains(p)) {
                Some(priority) => {
                    self.realtime_priority = Some(priority);
                    report.taken(line, keyword, "[vrrp] realtime_priority");
                }
                None => report.left_out(line, keyword, "expected a number from 1 to 99"),
            },
            "vrrp_garp_master_delay" | "vrrp_garp_master_repeat" | "vrrp_garp_master_refresh" => {
                let own = keyword.trim_start_matches("vrrp_");
                match announcement(own, value) {
                    Some((key, raw)) => {
                        report.taken(line, keyword, format!("`{key}` of each address"));
                        self.announcements.push((key, raw));
                    }
                    None => report.left_out(line, keyword, "the default is in force"),
                }
            }
            _ => {}
        }
    }

    pub(super) fn write(&self, toml: &mut Toml) {
        if self.fifo.is_none() && self.realtime_priority.is_none() {
            return;
        }
        toml.section("vrrp");
        if let Some(fifo) = &self.fifo {
            toml.text("notify_fifo", fifo);
        }
        if let Some(priority) = self.realtime_priority {
            toml.raw("realtime_priority", &priority.to_string());
        }
    }
}

/// `garp_master_*` as a key and value of ours.
pub(super) fn announcement(keyword: &str, value: &str) -> Option<(&'static str, String)> {
    let number: u32 = value.parse().ok()?;
    match keyword {
        "garp_master_repeat" => {
            let count = (1..=255).contains(&number);
            count.then(|| ("garp_count", number.to_string()))
        }
        "garp_master_delay" if number > 0 => Some(("garp_again_after", format!("\"{number}s\""))),
        "garp_master_refresh" if number > 0 => Some(("garp_refresh", format!("\"{number}s\""))),
        "garp_master_refresh" => Some(("garp_refresh", "\"off\"".to_owned())),
        _ => None,
    }
}
