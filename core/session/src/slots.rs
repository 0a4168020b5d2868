//! Numbered places for connections. A number given back is used again only after the turn.

use slab::Slab;

/// Connections of one kind by number.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    slab: Slab<Option<Box<T>>>,
    /// Closed in this turn: an event already fetched by the driver may still name them.
    closed: Vec<usize>,
    live: usize,
}

impl<T> Slots<T> {
    pub(crate) fn new() -> Self {
        Self {
            slab: Slab::new(),
            closed: Vec::new(),
            live: 0,
        }
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.live += 1;
        u32::try_from(self.slab.insert(Some(Box::new(value)))).expect("fewer than 2^32 connections")
    }

    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        self.slab.get(id as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.slab.get_mut(id as usize)?.as_deref_mut()
    }

    /// Drops the value; the number stays taken until [`Slots::sweep`].
    pub(crate) fn close(&mut self, id: u32) -> Option<Box<T>> {
        let value = self.slab.get_mut(id as usize)?.take()?;
        self.closed.push(id as usize);
        self.live -= 1;
        Some(value)
    }

    /// Lets the numbers closed before this call be used again.
    pub(crate) fn sweep(&mut self) {
        for id in self.closed.drain(..) {
            self.slab.remove(id);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slab
            .iter()
            .filter_map(|(id, value)| Some((id as u32, value.as_deref()?)))
    }

    pub(crate) fn ids(&self) -> Vec<u32> {
        self.iter().map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_not_used_again_within_its_turn() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        slots.close(first);
        assert!(slots.get(first).is_none());
        assert_ne!(slots.insert('b'), first);
        slots.sweep();
        assert_eq!(slots.insert('c'), first);
        assert_eq!(slots.len(), 2);
    }
}
