//! The corpus, and a few changes of each of its inputs.

use crate::mutate::Mutator;
use crate::{TARGETS, corpus};

#[test]
fn every_kept_input_leaves_its_target_sound() {
    for target in TARGETS {
        for (path, data) in corpus::inputs(*target).expect("a corpus") {
            let done = std::panic::catch_unwind(|| (target.run)(&data));
            assert!(
                done.is_ok(),
                "{} is broken by {}",
                target.name,
                path.display()
            );
        }
    }
}

#[test]
fn a_few_changes_of_every_input_leave_its_target_sound() {
    for target in TARGETS {
        let inputs = corpus::inputs(*target).expect("a corpus");
        let inputs: Vec<Vec<u8>> = inputs.into_iter().map(|(_, data)| data).collect();
        let mut mutator = Mutator::new(7);
        for run in 0..300 {
            let data = mutator.input(&inputs);
            let done = std::panic::catch_unwind(|| (target.run)(&data));
            assert!(
                done.is_ok(),
                "{}: run {run} of seed 7: {data:?}",
                target.name
            );
        }
    }
}
