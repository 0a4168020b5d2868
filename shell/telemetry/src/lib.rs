//! Logs: one line for people on a terminal, one JSON object otherwise.
