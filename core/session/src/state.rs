//! The part of a session's state that any server connection can be given: the default schema and
//! session variables. A pooled connection remembers what it was given last.

use mainstay_sql::set::{Assignment, Scope};

/// A default schema and variables, in the order in which they were last set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) schema: Option<Vec<u8>>,
    /// Name in lower case, and the assignment as the client wrote it (`sql_mode='ANSI'`).
    /// Order matters: `NAMES` sets three variables, of which one may be set again after it.
    variables: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What brings a connection from one state to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// `COM_RESET_CONNECTION` first: a variable is set that the session does not have.
    pub(crate) reset: bool,
    /// The texts of the `SET` statements, mostly one or none.
    pub(crate) sets: Vec<Vec<u8>>,
    /// The schema to change to.
    pub(crate) schema: Option<Vec<u8>>,
}

impl State {
    /// A state made elsewhere.
    pub(crate) fn with(schema: Option<Vec<u8>>, variables: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        Self { schema, variables }
    }

    /// Names and assignments, in their order.
    pub(crate) fn variables(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.variables
    }

    /// Remembers an assignment, the last one of its name. False when the session cannot be set up
    /// elsewhere by that: the bytes of a user variable were read in the character set before.
    #[must_use]
    pub(crate) fn assign(&mut self, name: &[u8], assignment: &[u8]) -> bool {
        let name = name.to_ascii_lowercase();
        let certain = !reads_texts(&name)
            || !self
                .variables
                .iter()
                .any(|(one, text)| one.starts_with(b"@") && text.contains(&b'\''));
        self.variables.retain(|(other, _)| *other != name);
        self.variables.push((name, assignment.to_vec()));
        certain
    }

    /// Remembers one assignment of a `SET`, as its text. False as for [`Self::assign`].
    #[must_use]
    pub(crate) fn assign_text(&mut self, sql: &[u8], one: &Assignment) -> bool {
        let value = sql.get(one.value.clone()).unwrap_or_default();
        let name = one.name.as_bytes();
        match (one.scope, one.name.as_str()) {
            (Scope::Global | Scope::NextTransaction, _) => true,
            (Scope::User, _) => {
                let name = [b"@", name].concat();
                self.assign(&name, &[&name, &b"="[..], value].concat())
            }
            (Scope::Session, "names") => self.assign(name, &[b"NAMES ", value].concat()),
            (Scope::Session, "character set") => {
                self.assign(name, &[b"CHARACTER SET ", value].concat())
            }
            (Scope::Session, "transaction") => {
                self.assign(name, &[b"TRANSACTION ", value].concat())
            }
            (Scope::Session, _) => self.assign(name, &[name, b"=", value].concat()),
        }
    }

    /// True when it has user variables.
    pub(crate) fn has_user_variables(&self) -> bool {
        self.variables
            .iter()
            .any(|(name, _)| name.starts_with(b"@"))
    }

    /// True when the client has said itself what it wants to be told.
    pub(crate) fn tracks_itself(&self) -> bool {
        let own = |(name, _): &(Vec<u8>, Vec<u8>)| name.starts_with(b"session_track_");
        self.variables.iter().any(own)
    }

    /// A connection was given the variables of a session.
    pub(crate) fn take_variables(&mut self, session: &Self) {
        self.variables.clone_from(&session.variables);
    }

    /// Forgets all variables, as `COM_RESET_CONNECTION` does; that keeps the schema.
    pub(crate) fn reset(&mut self) {
        self.variables.clear();
    }

    pub(crate) fn value(&self, name: &[u8]) -> Option<&[u8]> {
        let found = self.variables.iter().find(|(other, _)| other == name)?;
        Some(&found.1)
    }

    /// True when a connection in state `self` can be brought to `wanted`: no command takes the
    /// default schema away from a connection.
    pub(crate) fn can_become(&self, wanted: &Self) -> bool {
        wanted.schema.is_some() || self.schema.is_none()
    }

    /// As [`Self::change_to`], with a reset in front in any case if that is wanted.
    pub(crate) fn change_to_after(
        &self,
        reset: bool,
        wanted: &Self,
        extra: Option<(&[u8], &[u8])>,
    ) -> Change {
        let change = self.change_to(wanted, extra);
        if change.reset || !reset {
            return change;
        }
        let mut cleaned = self.clone();
        cleaned.reset();
        Change {
            reset,
            ..cleaned.change_to(wanted, extra)
        }
    }

    /// What to do to a connection in state `self` for a session that wants `wanted`. `extra` is
    /// one more assignment, for this time only.
    pub(crate) fn change_to(&self, wanted: &Self, extra: Option<(&[u8], &[u8])>) -> Change {
        let same = self.variables == wanted.variables;
        let reset = !same
            && self
                .variables
                .iter()
                .any(|(name, _)| wanted.value(name).is_none());
        let mut sets = Vec::new();
        let (mut set, mut user) = (Vec::new(), Vec::new());
        let replayed = wanted.variables.iter().filter(|_| !same);
        for (name, assignment) in replayed
            .map(|(name, text)| (&name[..], &text[..]))
            .chain(extra)
        {
            if name == b"transaction" {
                // The grammar does not allow it in a list.
                sets.push([b"SET SESSION ", assignment].concat());
                continue;
            }
            // A text is read in the character set and the mode that are in force before its `SET`.
            let list = if name.starts_with(b"@") {
                &mut user
            } else {
                &mut set
            };
            list.extend_from_slice(if list.is_empty() { b"SET " } else { b", " });
            list.extend_from_slice(assignment);
        }
        sets.extend([set, user].into_iter().filter(|list| !list.is_empty()));
        let schema = if self.schema == wanted.schema {
            None
        } else {
            wanted.schema.clone()
        };
        Change {
            reset,
            sets,
            schema,
        }
    }
}

/// True for what decides in which character set and collation a text is read.
fn reads_texts(name: &[u8]) -> bool {
    let names: [&[u8]; 5] = [
        b"names",
        b"character set",
        b"character_set_client",
        b"character_set_connection",
        b"collation_connection",
    ];
    names.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(schema: Option<&str>, variables: &[(&str, &str)]) -> State {
        let mut state = State {
            schema: schema.map(|name| name.as_bytes().to_vec()),
            ..State::default()
        };
        for (name, assignment) in variables {
            let _ = state.assign(name.as_bytes(), assignment.as_bytes());
        }
        state
    }

    #[test]
    fn equal_states_need_nothing() {
        let one = state(Some("shop"), &[("sql_mode", "sql_mode=''")]);
        let change = one.change_to(&one.clone(), None);
        assert_eq!(
            change,
            Change {
                reset: false,
                sets: Vec::new(),
                schema: None
            }
        );
    }

    #[test]
    fn a_variable_of_somebody_else_is_reset_before_the_own_are_set() {
        let theirs = state(None, &[("sql_mode", "sql_mode=''")]);
        let ours = state(Some("shop"), &[("names", "NAMES utf8mb4")]);
        let change = theirs.change_to(&ours, None);
        assert!(change.reset);
        assert_eq!(change.sets, [b"SET NAMES utf8mb4"]);
        assert_eq!(change.schema.as_deref(), Some(&b"shop"[..]));
    }

    #[test]
    fn a_later_assignment_replaces_the_earlier_and_moves_to_the_end() {
        let ours = state(None, &[("a", "a=1"), ("b", "b=1"), ("A", "a=2")]);
        let change = State::default().change_to(&ours, None);
        assert_eq!(change.sets, [b"SET b=1, a=2"]);
    }

    #[test]
    fn a_connection_with_a_schema_cannot_serve_a_session_without_one() {
        assert!(!state(Some("shop"), &[]).can_become(&state(None, &[])));
        assert!(state(Some("shop"), &[]).can_become(&state(Some("crm"), &[])));
    }
}
