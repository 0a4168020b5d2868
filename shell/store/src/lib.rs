//! Durable state of one manager: epochs and the journal, in SQLite.
