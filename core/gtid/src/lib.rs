//! GTID sets and their algebra: parse, union, subtract, contains.
