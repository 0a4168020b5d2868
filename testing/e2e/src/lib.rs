//! End-to-end tests with real servers and the real binary.
