//! What the machines want done.

use std::net::{IpAddr, Ipv6Addr};

use mainstay_clock::Timestamp;
use mainstay_vrrp::{Action, Event, Named, Router, State};

use super::{Keeper, RETRY_INTERVAL};
use crate::frames;
use crate::held::Holding;
use crate::notify::Change;

/// The least time between two renewals: the kernel counts in seconds.
const RENEWALS_OF_A_LEASE: u32 = 3;

impl Keeper {
    pub(super) fn act_all(&mut self, actions: Vec<Named>) {
        for (name, action) in actions {
            self.act(&name, action);
        }
    }

    fn act(&mut self, name: &str, action: Action) {
        match action {
            Action::Send(advert) => {
                let Some((config, router)) = self.router(name) else {
                    return;
                };
                let Some(source) = router.source() else {
                    return;
                };
                let to = (&config.policy.peers[..], config.policy.checksum);
                let Some(port) = self.ports.get(&config.interface) else {
                    return;
                };
                if let Err(error) = port.send(&advert, source, to) {
                    tracing::warn!(vip = name, %error, "an advertisement could not be sent");
                }
            }
            Action::Take => self.take(name),
            Action::Drop => self.let_go(name),
            Action::Announce(count) => self.announce(name, count),
            Action::Changed { from, to, reason } => {
                tracing::info!(vip = name, %from, %to, reason, "a floating address changed state");
                if let (State::Backup, Some((_, holdings))) = (to, self.place(name)) {
                    self.held.expect(&holdings);
                }
                self.tell(name, to);
            }
            Action::Found(finding) => tracing::warn!(vip = name, "{finding}"),
            Action::Gone(finding) => tracing::info!(vip = name, "no longer: {finding}"),
        }
    }

    fn router(&self, name: &str) -> Option<(&crate::config::Vip, &Router)> {
        let kept = self.kept.get(name)?;
        let mut routers = self.groups.get(&kept.group)?.routers();
        let (_, router) = routers.find(|(own, _)| *own == name)?;
        Some((&kept.config, router))
    }

    fn tell(&self, name: &str, state: State) {
        let Some((config, router)) = self.router(name) else {
            return;
        };
        self.notifier.tell(Change {
            name: name.to_owned(),
            state,
            priority: router.priority(),
            program: config.notify.clone(),
            fifo: self.config.notify_fifo.clone(),
        });
    }

    /// The interface that carries the addresses, and what is on it because of this router.
    pub(super) fn place(&self, name: &str) -> Option<(String, Vec<Holding>)> {
        let kept = self.kept.get(name)?;
        let vmac = kept.vmac.as_ref().map(|vmac| vmac.name.clone());
        let interface = vmac.unwrap_or_else(|| kept.config.interface.clone());
        let addresses = kept.config.addresses.iter();
        let holdings = addresses.map(|held| Holding::Address(interface.clone(), *held));
        let holdings = holdings.collect();
        Some((interface, holdings))
    }

    fn take(&mut self, name: &str) {
        let Some((interface, holdings)) = self.place(name) else {
            return;
        };
        self.held.add(&holdings);
        // While it is not ours yet: who answers is another.
        self.probe(name);
        if let Some(kept) = self.kept.get_mut(name) {
            kept.holds = true;
        }
        let Some(index) = self.links.named(&interface).map(|link| link.index) else {
            return;
        };
        for holding in &holdings {
            let Holding::Address(_, held) = holding else {
                continue;
            };
            if let Err(error) = self.kernel.add_address(index, *held, self.config.lease) {
                tracing::error!(vip = name, %error, "{held} cannot be put on {interface}");
            }
        }
    }

    fn let_go(&mut self, name: &str) {
        if let Some(kept) = self.kept.get_mut(name) {
            kept.holds = false;
        }
        let Some((interface, holdings)) = self.place(name) else {
            return;
        };
        if let Some(index) = self.links.named(&interface).map(|link| link.index) {
            for holding in &holdings {
                let Holding::Address(_, held) = holding else {
                    continue;
                };
                if let Err(error) = self.kernel.remove_address(index, *held) {
                    tracing::error!(vip = name, %error, "{held} stays on {interface}");
                }
            }
        }
        self.held.remove(&holdings);
    }

    /// Takes off what a reload no longer wants.
    pub(super) fn let_go_of(&mut self, name: &str, before: &[mainstay_vrrp::Prefixed]) {
        let Some((interface, wanted)) = self.place(name) else {
            return;
        };
        let before = before
            .iter()
            .map(|held| Holding::Address(interface.clone(), *held));
        let gone: Vec<_> = before.filter(|one| !wanted.contains(one)).collect();
        let index = self.links.named(&interface).map(|link| link.index);
        for holding in &gone {
            let (Some(index), Holding::Address(_, held)) = (index, holding) else {
                continue;
            };
            if let Err(error) = self.kernel.remove_address(index, *held) {
                tracing::error!(vip = name, %error, "{held} stays on {interface}");
            }
        }
        self.held.forget(&gone);
    }

    /// Asks whether another host has the addresses. Nobody waits for the answer.
    fn probe(&self, name: &str) {
        self.frames(name, frames::probe);
        self.solicit(name);
    }

    /// The same over IPv6, where the question needs an address of our own to answer to: of the
    /// interface itself, also where the addresses have one with a hardware address of theirs.
    fn solicit(&self, name: &str) {
        let Some(config) = self.kept.get(name).map(|kept| &kept.config) else {
            return;
        };
        let link = self.links.named(&config.interface);
        let Some((link, port)) = link.zip(self.ports.get(&config.interface)) else {
            return;
        };
        let floating = |address: &IpAddr| {
            let mut all = self.kept.values().flat_map(|kept| &kept.config.addresses);
            all.any(|held| held.address == *address)
        };
        let own = link.addresses.iter().map(|held| held.address);
        let mut own = own.filter(|address| !floating(address));
        let Some(source) = own.find_map(of_link) else {
            return;
        };
        for held in &config.addresses {
            let IpAddr::V6(target) = held.address else {
                continue;
            };
            let asked = frames::solicitation(target, (source, link.hardware));
            if let Err(error) = port.send_frame(&asked) {
                tracing::warn!(vip = name, %error, "nobody could be asked for {held}");
            }
        }
    }

    /// Asks again, too: who has come with the same address since is told by its answer.
    fn announce(&self, name: &str, count: u8) {
        self.probe(name);
        for _ in 0..count {
            self.frames(name, |address, hardware| {
                Some(frames::announcement(address, hardware))
            });
        }
    }

    fn frames(&self, name: &str, make: impl Fn(IpAddr, [u8; 6]) -> Option<Vec<u8>>) {
        let Some(kept) = self.kept.get(name) else {
            return;
        };
        for held in &kept.config.addresses {
            let sent = if let Some(vmac) = &kept.vmac {
                let frame = make(held.address, vmac.hardware);
                frame.map(|frame| vmac.send_frame(&frame))
            } else {
                let interface = &kept.config.interface;
                let link = self.links.named(interface);
                let port = self.ports.get(interface);
                link.zip(port).and_then(|(link, port)| {
                    Some(port.send_frame(&make(held.address, link.hardware)?))
                })
            };
            if let Some(Err(error)) = sent {
                tracing::warn!(vip = name, %error, "{held} could not be announced");
            }
        }
    }

    /// Another host says that it has an address.
    pub(super) fn claim_of_other(
        &mut self,
        now: Timestamp,
        interface: &str,
        (address, hardware): (IpAddr, [u8; 6]),
    ) {
        if self
            .links
            .named(interface)
            .is_some_and(|link| link.hardware == hardware)
        {
            return;
        }
        let holder = self.kept.iter().find(|(_, kept)| {
            let config = &kept.config;
            let own = kept
                .vmac
                .as_ref()
                .is_some_and(|vmac| vmac.hardware == hardware);
            let has = config.addresses.iter().any(|held| held.address == address);
            kept.holds && config.interface == interface && has && !own
        });
        if let Some(name) = holder.map(|(name, _)| name.clone()) {
            self.event(now, &name, &Event::Conflict { address, hardware });
        }
    }

    /// Renews the lifetimes, and looks after the guard.
    pub(super) fn renew(&mut self, now: Timestamp) {
        let every = (self.config.lease / RENEWALS_OF_A_LEASE).min(RETRY_INTERVAL);
        self.look_at = now + every;
        self.held.tell();
        let holding: Vec<_> = self.kept.iter().filter(|(_, kept)| kept.holds).collect();
        let names: Vec<_> = holding.into_iter().map(|(name, _)| name.clone()).collect();
        for name in names {
            let Some((interface, holdings)) = self.place(&name) else {
                continue;
            };
            let Some(index) = self.links.named(&interface).map(|link| link.index) else {
                continue;
            };
            for holding in holdings {
                let Holding::Address(_, held) = holding else {
                    continue;
                };
                if let Err(error) = self.kernel.add_address(index, held, self.config.lease) {
                    tracing::warn!(vip = name, %error, "{held} cannot be renewed");
                }
            }
        }
    }
}

/// What neighbours on a link are asked from (RFC 4861 §7.2.2).
fn of_link(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V6(address) if address.is_unicast_link_local() => Some(address),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}
