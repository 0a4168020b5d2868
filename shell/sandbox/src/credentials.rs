//! The three accounts of a sandbox; passwords are random, made once per directory.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Result;

/// 24 characters of 5 random bits each. A replication password may have 32 characters at most.
const PASSWORD_LENGTH: usize = 24;
/// No character of these needs quoting in SQL, in a shell or in a URL.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A user and its password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The name of the account.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl Login {
    fn random(user: &str) -> Result<Self> {
        let mut bytes = [0; PASSWORD_LENGTH];
        getrandom::fill(&mut bytes)?;
        let password = bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Ok(Self {
            user: user.to_owned(),
            password: password.collect(),
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({:?}, password hidden)", self.user)
    }
}

/// The accounts that every server of a sandbox has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// What the manager logs in with: every privilege.
    pub manager: Login,
    /// What a replica logs in to its source with.
    pub replication: Login,
    /// What applications use, through the proxy and directly.
    pub app: Login,
}

impl Credentials {
    pub(crate) fn random() -> Result<Self> {
        Ok(Self {
            manager: Login::random("mainstay_manager")?,
            replication: Login::random("mainstay_replication")?,
            app: Login::random("app")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_are_never_printed() {
        let credentials = Credentials::random().expect("random numbers");
        let other = Credentials::random().expect("random numbers");
        assert_ne!(credentials.app.password, credentials.manager.password);
        assert_ne!(credentials.app.password, other.app.password);
        assert!(!format!("{credentials:?}").contains(&credentials.app.password));
    }
}
