//! What holds whatever probes see, in any order.

use std::time::Duration;

use mainstay_alone::{Alone, Following, Place, Policy, Probed};
use mainstay_clock::Timestamp;
use mainstay_topology::{Epoch, Reachability, Receiver, ServerName};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::script::{address, failure, terms};

const NAMES: [&str; 3] = ["db1", "db2", "db3"];

fn probed() -> impl Strategy<Value = Probed> {
    let reach = prop_oneof![
        Just(Reachability::Silent),
        Just(Reachability::Gone),
        Just(Reachability::Closed)
    ];
    let link = (0..NAMES.len(), any::<bool>()).prop_map(|(source, runs)| Following {
        source: address(NAMES[source]),
        source_id: 0,
        receiver: if runs {
            Receiver::Running
        } else {
            Receiver::Stopped
        },
        lag: runs.then_some(Duration::ZERO),
    });
    prop_oneof![
        any::<bool>().prop_map(|on| Probed::ReadOnly(Ok(on))),
        Just(Probed::Ping(Ok(Duration::from_millis(1)))),
        reach
            .clone()
            .prop_map(|one| Probed::Ping(Err(failure(one)))),
        reach.prop_map(|one| Probed::ReadOnly(Err(failure(one)))),
        proptest::option::of(link).prop_map(|following| {
            let server_id = 0;
            Probed::Replication(Ok(Place {
                server_id,
                following,
            }))
        }),
    ]
}

proptest! {
    #[test]
    fn one_writer_that_said_so_itself_and_epochs_that_grow(
        steps in vec((0..NAMES.len(), probed()), 0..200),
    ) {
        let servers = NAMES.map(terms).to_vec();
        let mut alone = Alone::new(Policy::default(), servers, Epoch(4));
        let mut says = [None; 3];
        let (mut epoch, mut reigns): (Epoch, Option<ServerName>) = (Epoch(4), None);
        let mut version = 0;
        for (second, (index, probed)) in (0..).zip(steps) {
            if let Probed::ReadOnly(Ok(read_only)) = &probed {
                says[index] = Some(*read_only);
            }
            let now = Timestamp::from_nanos(second * 100_000_000);
            let changed = alone.observe(now, &ServerName::new(NAMES[index]), probed);
            let routes = alone.routes();
            prop_assert_eq!(changed, routes.version > version);
            version = routes.version;
            prop_assert!(routes.epoch >= epoch);
            let Some(writer) = &routes.writer else { continue };
            let place = NAMES.iter().position(|name| *name == writer.name.as_str());
            prop_assert_eq!(says[place.expect("a server")], Some(false));
            prop_assert!(routes.readers.iter().all(|one| one.name != writer.name));
            if reigns.as_ref() != Some(&writer.name) {
                prop_assert!(routes.epoch > epoch, "another writer is another reign");
            }
            (epoch, reigns) = (routes.epoch, Some(writer.name.clone()));
        }
    }
}
