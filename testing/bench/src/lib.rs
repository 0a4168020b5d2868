//! What `mainstay-bench` and `bench-manager` share: processes that are measured, and tables.

pub mod process;
pub mod report;
