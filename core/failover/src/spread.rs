//! Which server carries which of the readers' addresses: spread over those that may, and moved only
//! when that is needed.

use std::collections::BTreeMap;

use mainstay_topology::ServerName;

/// Gives each address a server of those that may carry one. What is where it may be stays, unless
/// its server carries two more than another. Without a server that may, an address is nowhere.
pub fn spread(
    addresses: &[String],
    fit: &[ServerName],
    now: &BTreeMap<String, ServerName>,
) -> BTreeMap<String, ServerName> {
    let mut carried: BTreeMap<&ServerName, usize> = fit.iter().map(|name| (name, 0)).collect();
    let mut placed = BTreeMap::new();
    let mut homeless = Vec::new();
    for address in addresses {
        let stays = now
            .get(address)
            .and_then(|name| fit.iter().find(|one| *one == name));
        match stays {
            Some(server) => {
                *carried.entry(server).or_default() += 1;
                placed.insert(address.clone(), server.clone());
            }
            None => homeless.push(address),
        }
    }
    let least = |carried: &BTreeMap<&ServerName, usize>| {
        let least = carried.iter().min_by_key(|(name, count)| (**count, **name));
        least.map(|(name, count)| ((*name).clone(), *count))
    };
    for address in homeless {
        let Some((server, _)) = least(&carried) else {
            break;
        };
        if let Some(count) = carried.get_mut(&server) {
            *count += 1;
        }
        placed.insert(address.clone(), server);
    }
    // Each turn moves one address from the fullest to the emptiest, so there are few.
    for _ in 0..addresses.len() {
        let most = carried.iter().max_by_key(|(name, count)| (**count, **name));
        let (Some((from, most)), Some((to, few))) = (
            most.map(|(name, count)| ((*name).clone(), *count)),
            least(&carried),
        ) else {
            break;
        };
        if most < few + 2 {
            break;
        }
        let moved = placed.iter_mut().find(|(_, server)| **server == from);
        if let Some((_, server)) = moved {
            *server = to.clone();
        }
        for (name, change) in [(&from, most - 1), (&to, few + 1)] {
            if let Some(count) = carried.get_mut(name) {
                *count = change;
            }
        }
    }
    placed
}

/// Gives one address another server. Where that would then carry two more than the one that it
/// leaves, another address goes the other way: or the next [`spread`] would undo it.
pub fn give(
    address: &str,
    to: &ServerName,
    addresses: &[String],
    now: &mut BTreeMap<String, ServerName>,
) {
    let from = now.insert(address.to_owned(), to.clone());
    let Some(from) = from.filter(|from| from != to) else {
        return;
    };
    let of = |server: &ServerName| {
        let carried = addresses.iter().filter(|one| now.get(*one) == Some(server));
        carried.cloned().collect::<Vec<_>>()
    };
    let (left, carried) = (of(&from), of(to));
    let other = carried.into_iter().rev().find(|one| one != address);
    if let (true, Some(other)) = (of(to).len() >= left.len() + 2, other) {
        now.insert(other, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Vec<ServerName> {
        all.iter().map(|name| ServerName::new(name)).collect()
    }

    /// The servers of r1 to r4, in one text; `-` is nowhere.
    fn shown(placed: &BTreeMap<String, ServerName>) -> String {
        let server = |address: &str| placed.get(address).map_or("-", ServerName::as_str);
        ["r1", "r2", "r3", "r4"].map(server).join(" ")
    }

    #[test]
    fn addresses_are_spread_stay_and_move_only_when_they_must() {
        let addresses = ["r1", "r2", "r3", "r4"].map(str::to_owned);
        let none = BTreeMap::new();
        assert_eq!(shown(&spread(&addresses, &[], &none)), "- - - -");
        let first = spread(&addresses, &names(&["a", "b"]), &none);
        assert_eq!(shown(&first), "a b a b");
        let lost = spread(&addresses, &names(&["b"]), &first);
        assert_eq!(shown(&lost), "b b b b");
        let back = spread(&addresses, &names(&["a", "b"]), &lost);
        assert_eq!(shown(&back), "a a b b");
        let third = spread(&addresses, &names(&["a", "b", "c"]), &back);
        assert_eq!(shown(&third), "a a c b");
        let fourth = spread(&addresses, &names(&["a", "b", "c", "d"]), &third);
        assert_eq!(shown(&fourth), "d a c b");
        let one = spread(&addresses[..3], &names(&["a", "b"]), &first);
        assert_eq!(
            shown(&one),
            "a b a -",
            "one more or less is no reason to move"
        );
    }

    #[test]
    fn an_address_that_was_given_a_server_stays_there() {
        let addresses = ["r1", "r2", "r3", "r4"].map(str::to_owned);
        let fit = names(&["a", "b"]);
        for count in 1..=4 {
            let addresses = &addresses[..count];
            let first = spread(addresses, &fit, &BTreeMap::new());
            for address in addresses {
                for to in &fit {
                    let mut now = first.clone();
                    give(address, to, addresses, &mut now);
                    assert_eq!(now.get(address), Some(to));
                    assert_eq!(spread(addresses, &fit, &now), now, "nothing is undone");
                }
            }
        }
    }
}
