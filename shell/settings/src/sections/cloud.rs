//! `[[cloud_address]]`.

use std::time::Duration;

use super::{Found, probe};
use crate::cloud::{CloudFollows, CloudMeans, CloudSettings};
use crate::reader::{Report, Section};
use crate::vip::VipSettings;

const LEAST: Duration = Duration::from_millis(100);

/// Reads them; `has_cluster` where there is a primary to follow.
pub(super) fn read(
    tables: &[Found<'_, '_>],
    (vips, has_cluster): (&[VipSettings], bool),
    report: &mut Report<'_>,
) -> Vec<CloudSettings> {
    let mut found: Vec<CloudSettings> = Vec::new();
    for table in tables {
        let mut section = Section::new("cloud_address", table.clone(), report);
        let one = one(&mut section, vips, has_cluster);
        if let Some(one) = one {
            if found.iter().any(|other| other.name == one.name) {
                section.wrong("name", format!("`{}` is the name of two", one.name));
            }
            found.push(one);
        }
        section.end();
    }
    found
}

fn one(
    section: &mut Section<'_, '_, '_>,
    vips: &[VipSettings],
    has_cluster: bool,
) -> Option<CloudSettings> {
    let name = section.text("name", "a name");
    let address = section.text("address", "what is moved, such as \"10.0.0.100\"");
    for (key, why) in [
        ("name", "it is named in logs"),
        ("address", "what is moved"),
    ] {
        if !section.has(key) {
            section.missing(key, why);
        }
    }
    let follows = follows(section, vips, has_cluster);
    let command = probe::command(section, "command");
    let url = section.value("url", "an address with http:// or https://", |value| {
        let url = value.as_str()?;
        let known = ["http://", "https://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        known.then(|| url.to_owned())
    });
    let means = match (section.has("command"), section.has("url")) {
        (true, false) => command.map(CloudMeans::Command),
        (false, true) => url.map(CloudMeans::Webhook),
        (true, true) => {
            section.wrong(
                "url",
                "cannot stand beside `command`: give one of them".to_owned(),
            );
            None
        }
        (false, false) => {
            section.missing("command", "or `url`: how the cloud is told");
            None
        }
    };
    let limit = section.duration("limit", Duration::from_secs(30), LEAST);
    let retry_interval = section.duration("retry_interval", Duration::from_secs(2), LEAST);
    Some(CloudSettings {
        name: name?,
        address: address?,
        follows: follows?,
        means: means?,
        limit,
        retry_interval,
    })
}

fn follows(
    section: &mut Section<'_, '_, '_>,
    vips: &[VipSettings],
    has_cluster: bool,
) -> Option<CloudFollows> {
    let primary = section.choice("follows", &[("primary", ())]);
    let vip = section.text("vip", "the name of a [[vip]]");
    match (section.has("follows"), section.has("vip")) {
        (true, true) => {
            section.wrong(
                "vip",
                "cannot stand beside `follows`: give one of them".to_owned(),
            );
            None
        }
        (false, false) => {
            section.missing(
                "follows",
                "\"primary\", or `vip` with the name of a [[vip]]",
            );
            None
        }
        (true, false) if !has_cluster => {
            let sentence = "there is no cluster in this file whose primary could be followed";
            section.wrong("follows", sentence.to_owned());
            None
        }
        (true, false) => primary.map(|()| CloudFollows::Primary),
        (false, true) => {
            let name = vip?;
            if !vips.iter().any(|vip| vip.name == name) {
                section.wrong("vip", format!("there is no [[vip]] named `{name}`"));
            }
            Some(CloudFollows::Vip(name))
        }
    }
}
