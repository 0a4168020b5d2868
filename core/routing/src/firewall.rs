//! The firewall of ProxySQL: which statements, by their digests, which user may send from where.
//!
//! A user is looked up with the client's address, then with an empty one. Who is not found is
//! protected, with no rule that allows anything. Rules are looked up with the address of the user's
//! row, the session's schema and the flag that the query rules ended with.

use mainstay_sql::Digest;

use crate::rules::Flag;

/// What the firewall does for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Lets everything pass.
    Off,
    /// Lets everything pass, and counts what no rule allows.
    Detecting,
    /// Refuses what no rule allows.
    Protecting,
}

/// `mysql_firewall_whitelist_users`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirewallUser {
    /// `username`.
    pub username: String,
    /// `client_address`; empty for any.
    pub client_address: String,
    /// `mode`.
    pub mode: Mode,
}

/// `mysql_firewall_whitelist_rules`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirewallRule {
    /// `username`.
    pub username: String,
    /// `client_address`: that of the user's row.
    pub client_address: String,
    /// `schemaname`.
    pub schemaname: String,
    /// `flagIN`.
    pub flag_in: Flag,
    /// `digest`.
    pub digest: Digest,
}

/// What the firewall says to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass.
    Allowed,
    /// It may pass, but no rule allows it.
    Detected,
    /// It may not pass.
    Refused,
}

/// Users and rules, sorted to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firewall {
    users: Vec<FirewallUser>,
    rules: Vec<FirewallRule>,
}

type Key<'a> = (&'a str, &'a str, &'a [u8], Flag, Digest);

fn key(rule: &FirewallRule) -> Key<'_> {
    (
        &rule.username,
        &rule.client_address,
        rule.schemaname.as_bytes(),
        rule.flag_in,
        rule.digest,
    )
}

impl Firewall {
    /// With these rows.
    pub fn new(mut users: Vec<FirewallUser>, mut rules: Vec<FirewallRule>) -> Self {
        users.sort_by(|a, b| {
            (&a.username, &a.client_address).cmp(&(&b.username, &b.client_address))
        });
        rules.sort_by(|a, b| key(a).cmp(&key(b)));
        Self { users, rules }
    }

    fn user(&self, name: &str, client: &str) -> Option<&FirewallUser> {
        let found = self.users.binary_search_by(|row| {
            (row.username.as_str(), row.client_address.as_str()).cmp(&(name, client))
        });
        self.users.get(found.ok()?)
    }

    /// Whether the user may send this from there.
    pub fn judge(
        &self,
        (user, client): (&str, &str),
        schema: &[u8],
        flag: Flag,
        digest: Digest,
    ) -> Verdict {
        let row = self.user(user, client).or_else(|| self.user(user, ""));
        let (mode, client) = row.map_or((Mode::Protecting, ""), |row| {
            (row.mode, row.client_address.as_str())
        });
        if mode == Mode::Off {
            return Verdict::Allowed;
        }
        let wanted: Key<'_> = (user, client, schema, flag, digest);
        let known = self.rules.binary_search_by(|rule| key(rule).cmp(&wanted));
        match (known, mode) {
            (Ok(_), _) => Verdict::Allowed,
            (Err(_), Mode::Protecting) => Verdict::Refused,
            (Err(_), Mode::Off | Mode::Detecting) => Verdict::Detected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(username: &str, client_address: &str, mode: Mode) -> FirewallUser {
        FirewallUser {
            username: username.to_owned(),
            client_address: client_address.to_owned(),
            mode,
        }
    }

    #[test]
    fn a_user_is_judged_by_the_row_of_its_address_first() {
        let rule = |client: &str, digest| FirewallRule {
            username: "app".to_owned(),
            client_address: client.to_owned(),
            schemaname: "shop".to_owned(),
            flag_in: 0,
            digest: Digest(digest),
        };
        let firewall = Firewall::new(
            vec![
                user("app", "", Mode::Protecting),
                user("app", "10.0.0.9", Mode::Detecting),
                user("free", "", Mode::Off),
            ],
            vec![rule("", 1), rule("10.0.0.9", 2)],
        );
        let judge = |who: (&str, &str), schema: &[u8], digest| {
            firewall.judge(who, schema, 0, Digest(digest))
        };
        assert_eq!(judge(("app", "10.0.0.1"), b"shop", 1), Verdict::Allowed);
        assert_eq!(judge(("app", "10.0.0.1"), b"shop", 2), Verdict::Refused);
        assert_eq!(judge(("app", "10.0.0.1"), b"crm", 1), Verdict::Refused);
        assert_eq!(judge(("app", "10.0.0.9"), b"shop", 2), Verdict::Allowed);
        assert_eq!(judge(("app", "10.0.0.9"), b"shop", 1), Verdict::Detected);
        assert_eq!(judge(("free", "10.0.0.1"), b"", 9), Verdict::Allowed);
        assert_eq!(judge(("nobody", "10.0.0.1"), b"shop", 1), Verdict::Refused);
        let flagged = firewall.judge(("app", ""), b"shop", 3, Digest(1));
        assert_eq!(flagged, Verdict::Refused);
    }
}
