//! `[[vip.track]]`: a kind for each way of looking, each read by a function of its own.

use std::path::Path;

use super::interface;
use crate::reader::Section;
use crate::sections::probe;
use crate::vip::{Track, TrackSettings};

const WEIGHT_MAX: i16 = 253;

/// The names of the kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Interface,
    Manager,
    Probe(probe::Kind),
}

const KINDS: [(&str, Kind); 9] = [
    ("interface", Kind::Interface),
    ("manager", Kind::Manager),
    ("mysql", Kind::Probe(probe::Kind::MySql)),
    ("process", Kind::Probe(probe::Kind::Process)),
    ("script", Kind::Probe(probe::Kind::Script)),
    ("file", Kind::Probe(probe::Kind::File)),
    ("route", Kind::Probe(probe::Kind::Route)),
    ("tcp", Kind::Probe(probe::Kind::Tcp)),
    ("http", Kind::Probe(probe::Kind::Http)),
];

pub(super) fn read(section: &mut Section<'_, '_, '_>, folder: &Path) -> Vec<TrackSettings> {
    let mut tracks: Vec<TrackSettings> = Vec::new();
    let found = section.subs("track", "vip.track", |mut section| {
        let track = one(&mut section, folder);
        section.end();
        track
    });
    for track in found.into_iter().flatten() {
        if tracks.iter().any(|other| other.name == track.name) {
            let name = &track.name;
            let sentence = format!("`{name}` is the name of two: give each a `name`");
            section.wrong("track", sentence);
        }
        tracks.push(track);
    }
    tracks
}

fn one(section: &mut Section<'_, '_, '_>, folder: &Path) -> Option<TrackSettings> {
    let name = section.text("name", "a name");
    let expected = format!("a whole number from -{WEIGHT_MAX} to {WEIGHT_MAX}");
    let weight = section.value("weight", &expected, |value| {
        let weight: i16 = value.as_integer()?.as_str().parse().ok()?;
        (-WEIGHT_MAX..=WEIGHT_MAX)
            .contains(&weight)
            .then_some(weight)
    });
    if !section.has("kind") {
        section.missing("kind", "what is tracked");
    }
    let Some(kind) = section.choice("kind", &KINDS) else {
        section.knows(&["interface"]);
        return None;
    };
    let track = match kind {
        Kind::Interface => {
            let interface = interface(section, "interface");
            if interface.is_none() && !section.has("interface") {
                section.missing("interface", "the interface that must be up");
            }
            Track::Interface {
                interface: interface?,
            }
        }
        Kind::Manager => Track::Manager,
        Kind::Probe(kind) => Track::Probe {
            timing: probe::timing(section),
            probe: probe::read(section, kind, None, folder)?,
        },
    };
    let default = || {
        KINDS
            .iter()
            .find(|(_, known)| *known == kind)
            .map(|(name, _)| *name)
    };
    Some(TrackSettings {
        name: name.or_else(|| default().map(str::to_owned))?,
        weight: weight.unwrap_or(0),
        track,
    })
}
