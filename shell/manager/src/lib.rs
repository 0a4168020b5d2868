//! Observers, executor and journal: the manager as tokio tasks.
