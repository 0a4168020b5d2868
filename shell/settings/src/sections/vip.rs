//! `[vrrp]` and `[[vip]]`.

mod across;
mod track;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use mainstay_session::policy::Secret;
use mainstay_vrrp::packet::{OWNER, TTL};
use mainstay_vrrp::{Announcements, Checksum, Preempt, Prefixed, RouterId, Version};

use super::Found;
use super::account::{self, Keys};
use crate::reader::{Report, Section};
use crate::vip::{VipRole, VipSettings, VrrpSettings};

const KEYS: Keys = Keys {
    user: "",
    password: "password",
    password_file: "password_file",
};

/// The kernel's limit, without the final zero (netdevice(7), `IFNAMSIZ`).
const INTERFACE_MAX: usize = 15;

/// The kernel counts the lifetime of an address in seconds.
const LEASE_MIN: Duration = Duration::from_secs(2);

/// What the packet can count.
const ADDRESSES_MAX: usize = 255;

const VERSIONS: [(i64, Version); 2] = [(2, Version::V2), (3, Version::V3)];

const CHECKSUMS: [(&str, Checksum); 2] = [("pseudo", Checksum::Pseudo), ("plain", Checksum::Plain)];

/// Reads both; `tables` are those of `[[vip]]`.
pub(super) fn read(
    process: Found<'_, '_>,
    tables: &[Found<'_, '_>],
    folder: &Path,
    report: &mut Report<'_>,
) -> VipRole {
    let process = common(Section::new("vrrp", process, report), folder);
    let mut vips = Vec::new();
    for found in tables {
        let section = Section::new("vip", found.clone(), report);
        if let Some(vip) = one(section, folder) {
            across::check(&vip, &vips, found.1.start, report);
            vips.push(vip);
        }
    }
    VipRole {
        process,
        vips,
        cloud: Vec::new(),
    }
}

fn common(mut section: Section<'_, '_, '_>, folder: &Path) -> VrrpSettings {
    let state = section.text("state", "the path of a file");
    let lease = section.duration("lease", Duration::from_secs(10), LEASE_MIN);
    let priority = section.value(
        "realtime_priority",
        "a whole number from 1 to 99",
        |value| {
            let priority: u8 = value.as_integer()?.as_str().parse().ok()?;
            (1..=99).contains(&priority).then_some(priority)
        },
    );
    let fifo = section.text("notify_fifo", "the path of a FIFO");
    section.end();
    VrrpSettings {
        state: folder.join(state.unwrap_or_else(|| "mainstay.vip".to_owned())),
        lease,
        realtime_priority: priority,
        notify_fifo: fifo.map(|path| folder.join(path)),
    }
}

fn one(mut section: Section<'_, '_, '_>, folder: &Path) -> Option<VipSettings> {
    let name = section.text("name", "a name");
    let interface = interface(&mut section, "interface");
    let id = section.value(
        "virtual_router_id",
        "a whole number from 1 to 255",
        |value| RouterId::new(value.as_integer()?.as_str().parse().ok()?),
    );
    for (key, why) in [
        ("name", "every floating address has a name"),
        ("interface", "the interface that carries the addresses"),
        (
            "virtual_router_id",
            "the number, 1 to 255, that all routers of these addresses share",
        ),
        ("addresses", "such as [\"10.0.0.100/24\"]"),
    ] {
        if !section.has(key) {
            section.missing(key, why);
        }
    }
    let addresses = addresses(&mut section, "addresses");
    let unadvertised = self::addresses(&mut section, "unadvertised_addresses");
    let version = version(&mut section, &addresses);
    let interval = interval(&mut section, version);
    let password = password(&mut section, version, folder);
    let v6 = addresses.first().is_some_and(|one| one.address.is_ipv6());
    let peers = peers(&mut section, v6);
    let source = section.value("source", "an address of the interface", |value| {
        let address: IpAddr = value.as_str()?.parse().ok()?;
        (address.is_ipv6() == v6).then_some(address)
    });
    let vip = VipSettings {
        name: name.unwrap_or_default(),
        interface: interface.unwrap_or_default(),
        id: id.unwrap_or(RouterId::new(1)?),
        version,
        priority: number(&mut section, "priority", 1, 100),
        interval,
        password,
        preempt: preempt(&mut section),
        accept: section.boolean("accept", true),
        peers,
        source,
        ttl_min: number(&mut section, "ttl_min", 1, TTL),
        announcements: announcements(&mut section),
        checksum: section.choice("checksum", &CHECKSUMS).unwrap_or_default(),
        use_vmac: section.boolean("use_vmac", false),
        sync_group: section.text("sync_group", "a name"),
        notify: section.texts("notify", "[\"/etc/mainstay/notify.sh\"]"),
        tracks: track::read(&mut section, folder),
        addresses,
        unadvertised,
    };
    if vip.priority == OWNER && vip.tracks.iter().any(|track| track.weight != 0) {
        let sentence = "the priority 255 of an owner is never changed: weights have no effect";
        section.wrong("priority", sentence.to_owned());
    }
    section.end();
    id.map(|_| vip)
}

/// The name of an interface.
fn interface(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<String> {
    section.value(key, "the name of an interface, such as \"eth0\"", |value| {
        let name = value.as_str()?;
        let plain = |c: char| c.is_ascii_graphic() && c != '/';
        let valid = !name.is_empty() && name.len() <= INTERFACE_MAX && name.chars().all(plain);
        valid.then(|| name.to_owned())
    })
}

fn addresses(section: &mut Section<'_, '_, '_>, key: &'static str) -> Vec<Prefixed> {
    let expected = "a list of addresses with the length of their prefix, such as \
                    [\"10.0.0.100/24\"]";
    let found = section.value(key, expected, |value| {
        let items = value.as_array()?.iter();
        let found: Option<Vec<Prefixed>> = items
            .map(|item| item.get_ref().as_str()?.parse().ok())
            .collect();
        let least = usize::from(key == "addresses");
        found.filter(|found| (least..=ADDRESSES_MAX).contains(&found.len()))
    });
    let found = found.unwrap_or_default();
    let six = found.iter().filter(|one| one.address.is_ipv6()).count();
    if key == "addresses" && six > 0 && six < found.len() {
        let sentence = "are of both families: a virtual router has one; list the others in \
                        `unadvertised_addresses`";
        section.wrong(key, sentence.to_owned());
    }
    found
}

fn version(section: &mut Section<'_, '_, '_>, addresses: &[Prefixed]) -> Version {
    let v6 = addresses.first().is_some_and(|one| one.address.is_ipv6());
    let version = section.value("version", "2 or 3", |value| {
        let number: i64 = value.as_integer()?.as_str().parse().ok()?;
        let found = VERSIONS.iter().find(|(known, _)| *known == number);
        found.map(|(_, version)| *version)
    });
    if v6 && version == Some(Version::V2) {
        section.wrong("version", "2 has no IPv6 (RFC 3768): set 3".to_owned());
    }
    version.unwrap_or(if v6 { Version::V3 } else { Version::V2 })
}

fn interval(section: &mut Section<'_, '_, '_>, version: Version) -> Duration {
    let unit = version.unit();
    let interval = section.duration("advert_interval", Duration::from_secs(1), unit);
    let whole = interval.as_nanos().is_multiple_of(unit.as_nanos());
    if !whole || interval > version.interval_max() {
        let sentence = match version {
            Version::V2 => "version 2 has whole seconds from \"1s\" to \"255s\" (RFC 3768)",
            Version::V3 => "version 3 has steps of \"10ms\" up to \"40.95s\" (RFC 9568)",
        };
        section.wrong("advert_interval", sentence.to_owned());
    }
    interval
}

fn password(section: &mut Section<'_, '_, '_>, version: Version, folder: &Path) -> Option<Secret> {
    if !section.has("password") && !section.has("password_file") {
        section.knows(&["password", "password_file"]);
        return None;
    }
    let password = account::password(section, &KEYS, folder)?;
    let key = if section.has("password") {
        "password"
    } else {
        "password_file"
    };
    if version == Version::V3 {
        section.wrong(key, "version 3 has no password (RFC 9568)".to_owned());
    } else if password.reveal().len() > 8 {
        let sentence = "has more than the 8 bytes that a packet has room for";
        section.wrong(key, sentence.to_owned());
    }
    Some(password)
}

fn peers(section: &mut Section<'_, '_, '_>, v6: bool) -> Vec<IpAddr> {
    let expected = "a list of addresses of the same family, such as [\"10.0.0.2\"]";
    let found = section.value("peers", expected, |value| {
        let items = value.as_array()?.iter();
        let peers = items.map(|item| {
            let peer: IpAddr = item.get_ref().as_str()?.parse().ok()?;
            (peer.is_ipv6() == v6 && !peer.is_multicast()).then_some(peer)
        });
        peers.collect()
    });
    found.unwrap_or_default()
}

fn preempt(section: &mut Section<'_, '_, '_>) -> Preempt {
    let preempt = section.boolean("preempt", true);
    let delay = section.duration("preempt_delay", Duration::ZERO, Duration::ZERO);
    if !preempt && !delay.is_zero() {
        section.wrong(
            "preempt_delay",
            "has no effect with `preempt = false`".to_owned(),
        );
    }
    match (preempt, delay.is_zero()) {
        (false, _) => Preempt::Never,
        (true, true) => Preempt::Always,
        (true, false) => Preempt::After(delay),
    }
}

fn announcements(section: &mut Section<'_, '_, '_>) -> Announcements {
    let default = Announcements::default();
    let count = number(section, "garp_count", 1, default.count);
    let second = Duration::from_secs(1);
    let again_after = section.duration("garp_again_after", default.again_after, second);
    let refresh = default.refresh.unwrap_or_default();
    let off = section.value(
        "garp_refresh",
        "a duration from \"1s\", or \"off\"",
        |value| {
            let text = value.as_str()?;
            match text {
                "off" => Some(None),
                _ => crate::value::duration(text)
                    .filter(|every| *every >= second)
                    .map(Some),
            }
        },
    );
    Announcements {
        count,
        again_after,
        refresh: off.unwrap_or(Some(refresh)),
    }
}

/// A whole number up to 255.
fn number(section: &mut Section<'_, '_, '_>, key: &'static str, least: u8, default: u8) -> u8 {
    let expected = format!("a whole number from {least} to 255");
    let found = section.value(key, &expected, |value| {
        let number: u8 = value.as_integer()?.as_str().parse().ok()?;
        (number >= least).then_some(number)
    });
    found.unwrap_or(default)
}
