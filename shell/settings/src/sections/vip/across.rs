//! What is wrong only between the `[[vip]]` sections of a file.

use crate::reader::Report;
use crate::vip::VipSettings;

/// Compares one with those before it.
pub(super) fn check(vip: &VipSettings, before: &[VipSettings], at: usize, report: &mut Report<'_>) {
    for other in before {
        let name = &other.name;
        if vip.name == other.name {
            report.add(at, "vip.name", format!("`{name}` is the name of two"));
        }
        let six = |one: &VipSettings| one.addresses.first().map(|one| one.address.is_ipv6());
        if (vip.id, &vip.interface, six(vip)) == (other.id, &other.interface, six(other)) {
            let (id, interface) = (vip.id, &vip.interface);
            let sentence = format!("{id} is that of `{name}` on {interface} too");
            report.add(at, "vip.virtual_router_id", sentence);
        }
        let held = |one: &VipSettings| -> Vec<_> {
            let all = one.addresses.iter().chain(&one.unadvertised);
            all.map(|one| one.address).collect()
        };
        let theirs = held(other);
        if let Some(twice) = held(vip).iter().find(|address| theirs.contains(address)) {
            let sentence = format!("{twice} is an address of `{name}` too");
            report.add(at, "vip.addresses", sentence);
        }
        if vip.sync_group.is_some()
            && vip.sync_group == other.sync_group
            && vip.priority != other.priority
        {
            let sentence = format!(
                "is not that of `{name}`, with which it is in one sync group: all of a group \
                 need the same, or they would pull each other to and fro"
            );
            report.add(at, "vip.priority", sentence);
        }
    }
}
