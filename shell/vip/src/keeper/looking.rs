//! What the interfaces are like: up or not, with which addresses, and whether ours are still there.

use std::net::IpAddr;

use mainstay_clock::Timestamp;
use mainstay_vrrp::{Event, Verdict};

use super::Keeper;
use crate::config::Vip;
use crate::held::Holding;
use crate::links::Link;
use crate::port::Port;
use crate::vmac::Vmac;

impl Keeper {
    /// Looks at everything again, and tells the routers what differs.
    pub(super) fn look(&mut self, now: Timestamp) {
        match self.kernel.links() {
            Ok(links) => self.links = links,
            Err(error) => {
                tracing::error!(%error, "the interfaces cannot be listed");
                return;
            }
        }
        self.open_ports();
        let names: Vec<_> = self.kept.keys().cloned().collect();
        for name in names {
            self.look_at_one(now, &name);
        }
    }

    fn open_ports(&mut self) {
        let links = &self.links;
        self.ports.retain(|name, port| {
            links
                .named(name)
                .is_some_and(|link| link.index == port.index)
        });
        for kept in self.kept.values_mut() {
            let interface = &kept.config.interface;
            let Some(link) = self.links.named(interface) else {
                continue;
            };
            if self.ports.contains_key(interface) || !link.up {
                continue;
            }
            match Port::open(link) {
                Ok(port) => {
                    self.ports.insert(interface.clone(), port);
                }
                Err(error) => tracing::warn!(%error, "{interface} cannot be used yet"),
            }
        }
    }

    fn look_at_one(&mut self, now: Timestamp, name: &str) {
        self.look_at_vmac(name);
        let Some(kept) = self.kept.get(name) else {
            return;
        };
        let config = kept.config.clone();
        let usable = !config.use_vmac || kept.vmac.is_some();
        let link = self.links.named(&config.interface);
        let link = link.filter(|link| link.up && self.ports.contains_key(&link.name));
        let source = link
            .filter(|_| usable)
            .and_then(|link| self.source(&config, link));
        let before = self.source_of(name);
        if before != source {
            self.event(now, name, &Event::Link(source));
        }
        for tracked in &config.links {
            let ok = self
                .links
                .named(&tracked.interface)
                .is_some_and(|link| link.up);
            let verdict = Verdict {
                ok,
                weight: tracked.weight,
            };
            let track = tracked.track.clone();
            self.event(
                now,
                name,
                &Event::Track {
                    name: track,
                    verdict,
                },
            );
        }
        self.look_for_lost(now, name);
    }

    /// Makes the interface with the router's own hardware address where one is wanted.
    fn look_at_vmac(&mut self, name: &str) {
        let Some(kept) = self.kept.get_mut(name).filter(|kept| kept.config.use_vmac) else {
            return;
        };
        let Some(parent) = self
            .links
            .named(&kept.config.interface)
            .filter(|link| link.up)
        else {
            return;
        };
        let (id, six) = (kept.config.policy.id.get(), kept.config.is_six());
        let wanted = Vmac::name(parent, id, six);
        let there = self.links.named(&wanted).is_some();
        if there && kept.vmac.as_ref().is_some_and(|vmac| vmac.name == wanted) {
            return;
        }
        self.held.add(&[Holding::Link(wanted.clone())]);
        match Vmac::create(&mut self.kernel, parent, id, six) {
            Ok(vmac) => kept.vmac = Some(vmac),
            Err(error) => {
                kept.vmac = None;
                tracing::error!(%error, vip = name, "{wanted} cannot be made");
            }
        }
        if let Ok(links) = self.kernel.links() {
            self.links = links;
        }
    }

    fn source_of(&self, name: &str) -> Option<IpAddr> {
        let group = self.groups.get(&self.kept.get(name)?.group)?;
        let (_, router) = group.routers().find(|(own, _)| *own == name)?;
        router.source()
    }

    /// What packets are sent from: no floating address, unless it is the owner's own.
    fn source(&self, config: &Vip, link: &Link) -> Option<IpAddr> {
        let floating: Vec<IpAddr> = self
            .kept
            .values()
            .flat_map(|kept| kept.config.addresses.iter().map(|held| held.address))
            .collect();
        let addresses = || {
            let all = link.addresses.iter().map(|held| held.address);
            all.filter(|address| address.is_ipv6() == config.is_six())
        };
        if let Some(wanted) = config.source {
            return addresses().find(|address| *address == wanted);
        }
        let plain = || addresses().filter(|address| !floating.contains(address));
        // Advertisements over IPv6 come from the address of the link (RFC 9568 §5.1.2.1).
        let of_link = plain().find(|address| match address {
            IpAddr::V4(_) => true,
            IpAddr::V6(address) => address.is_unicast_link_local(),
        });
        let owned = || addresses().next().filter(|_| config.policy.is_owner());
        of_link.or_else(|| plain().next()).or_else(owned)
    }

    /// Puts back what somebody else has taken off.
    fn look_for_lost(&mut self, now: Timestamp, name: &str) {
        let Some(kept) = self.kept.get(name).filter(|kept| kept.holds) else {
            return;
        };
        let carrier = kept
            .vmac
            .as_ref()
            .map_or(&kept.config.interface, |vmac| &vmac.name);
        let Some(link) = self.links.named(carrier) else {
            return;
        };
        let there = |address: &IpAddr| link.addresses.iter().any(|held| held.address == *address);
        let all = kept.config.addresses.iter().map(|held| held.address);
        let lost: Vec<_> = all.filter(|address| !there(address)).collect();
        if lost.is_empty() {
            return;
        }
        tracing::warn!(
            vip = name,
            ?lost,
            "somebody else has removed addresses: they are put back"
        );
        // The first that is advertised brings all of them back.
        let advertised = kept.config.policy.addresses.first().copied();
        if let Some(address) = advertised {
            self.event(now, name, &Event::Lost(address));
        }
    }
}
