//! The machine of the proxy: client and server bytes in, operations out.

pub mod op;
