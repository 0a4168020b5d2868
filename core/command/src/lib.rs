//! The grammar of the admin interface: text to a command; everything else is SQL.
//!
//! Nothing here knows tables or rows: what a command does is left to the shell.
