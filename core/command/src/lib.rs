//! The grammar of the admin interface: text to a [`Command`]; everything else is SQL.
//!
//! One table ([`COMMANDS`]) of syntax and help is what the parser reads, what `HELP` prints and
//! what the documentation shows. Nothing here knows tables or rows: what a command does is left to
//! the shell.

mod command;
mod module;
mod pattern;
mod sql;
mod table;
mod words;

#[cfg(test)]
mod tests;

pub use command::{Checksummed, Command, Control, Filter, Layer, Show};
pub use module::Module;
pub use sql::{Replaced, first_word, masked, names, system_variables, written_table};
pub use table::{COMMANDS, Entry};

/// What a text asks for.
pub fn parse(text: &str) -> Command {
    let Some(words) = words::split(text) else {
        // SQLite says where a text has no end.
        return Command::Sql;
    };
    if words.is_empty() {
        return Command::Nothing;
    }
    let mut found = COMMANDS.iter().filter_map(|entry| entry.read(&words));
    found.next().unwrap_or(Command::Sql)
}
