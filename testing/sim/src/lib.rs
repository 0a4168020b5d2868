//! Seeded simulation of clusters over the real core machines.
