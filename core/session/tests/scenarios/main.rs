//! Scenarios of the machine against fake servers and clients: each test's name is its sentence.

mod client;
mod fake;
mod server;

mod budget;
mod cached;
mod causal;
mod chaos;
mod counters;
mod counts;
mod crowd;
mod explained;
mod failover;
mod faults;
mod hashed;
mod hung;
mod kill;
mod leaks;
mod limits;
mod login;
mod moving;
mod old;
mod passing;
mod properties;
mod queries;
mod records;
mod replay;
mod rule_actions;
mod rules;
mod sessions;
mod sharing;
mod state;
mod statements;
mod transactions;
mod transport;
mod warm;
