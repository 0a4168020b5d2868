//! `mainstay serve`.
