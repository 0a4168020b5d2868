//! Functions of SQL: those of MySQL that clients call, and hashes of passwords.

use std::sync::{Arc, Mutex, PoisonError};

use mainstay_wire::auth::{caching_sha2, native};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

/// Characters of a salt that need no quoting anywhere.
const SALT: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./";

/// Who asks, for functions that tell it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker {
    pub(crate) user: String,
    pub(crate) address: String,
    pub(crate) schema: String,
    pub(crate) version: String,
    pub(crate) connection: u32,
    /// Of all that runs; filled for a statement that names the function.
    pub(crate) checksum: String,
}

pub(crate) type Present = Arc<Mutex<Asker>>;

type Tells = fn(&Asker) -> String;

/// Makes them known to a connection.
pub(crate) fn add(connection: &Connection, present: &Present) -> rusqlite::Result<()> {
    let told: [(&str, Tells); 8] = [
        ("version", |asker| asker.version.clone()),
        ("database", |asker| asker.schema.clone()),
        ("schema", |asker| asker.schema.clone()),
        ("user", login),
        ("current_user", login),
        ("session_user", login),
        ("global_checksum", |asker| asker.checksum.clone()),
        ("connection_id", |asker| asker.connection.to_string()),
    ];
    for (name, tell) in told {
        let present = Arc::clone(present);
        let flags = FunctionFlags::SQLITE_UTF8;
        connection.create_scalar_function(name, 0, flags, move |_: &Context<'_>| {
            let asker = present.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(tell(&asker))
        })?;
    }
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("mysql_native_password", 1, flags, |context| {
        let password: String = context.get(0)?;
        Ok(native_hash(&password))
    })?;
    let flags = FunctionFlags::SQLITE_UTF8;
    connection.create_scalar_function("caching_sha2_password", 1, flags, |context| {
        let password: String = context.get(0)?;
        sha2_hash(&password, None)
    })?;
    connection.create_scalar_function("caching_sha2_password", 2, flags, |context| {
        let (password, salt): (String, String) = (context.get(0)?, context.get(1)?);
        sha2_hash(&password, Some(salt))
    })?;
    connection.create_scalar_function("unix_timestamp", 0, flags, |_| Ok(unix_time()))
}

fn login(asker: &Asker) -> String {
    format!("{}@{}", asker.user, asker.address)
}

/// Seconds since 1970.
pub(crate) fn unix_time() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

/// Whether a clear password is the one of which a server stores this.
pub(crate) fn is_password(password: &str, stored: &str) -> bool {
    native_hash(password) == stored.to_ascii_uppercase()
        || caching_sha2::verify_stored(password.as_bytes(), stored.as_bytes())
}

fn native_hash(password: &str) -> String {
    if password.is_empty() {
        return String::new();
    }
    let hash = native::stored_hash(password.as_bytes());
    let digits: Vec<_> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("*{}", digits.concat())
}

fn sha2_hash(password: &str, salt: Option<String>) -> rusqlite::Result<String> {
    let wrong = |text: &str| rusqlite::Error::UserFunctionError(text.into());
    let salt = if let Some(salt) = salt {
        salt.into_bytes()
    } else {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).map_err(|_| wrong("the system gives no random bytes"))?;
        bytes.map(|byte| SALT[usize::from(byte % 64)]).to_vec()
    };
    let stored = caching_sha2::stored_hash(password.as_bytes(), &salt);
    stored.ok_or_else(|| wrong("the salt of caching_sha2_password() has 20 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_servers_store() {
        // SELECT PASSWORD('secret') of MariaDB.
        let known = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
        assert_eq!(native_hash("secret"), known);
        let stored = sha2_hash("secret", None).expect("the salt is made here");
        assert!(caching_sha2::verify_stored(b"secret", stored.as_bytes()));
        assert!(sha2_hash("secret", Some("short".to_owned())).is_err());
    }
}
