//! Reads the TOML file and builds the policy of each core crate from it.
