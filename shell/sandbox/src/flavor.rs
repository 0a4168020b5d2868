//! The two families of servers, their versions, and how a server program states its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which family a server belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavor {
    /// `mariadbd`.
    MariaDb,
    /// `mysqld`.
    MySql,
}

impl Flavor {
    pub(crate) const fn supported(self) -> &'static str {
        match self {
            Self::MariaDb => "MariaDB 10.5 to 12",
            Self::MySql => "MySQL 8.0.26 to 9",
        }
    }

    pub(crate) const fn install_remedy(self) -> &'static str {
        match self {
            Self::MariaDb => "run `scripts/install-servers.sh mariadb`",
            Self::MySql => {
                "give one with --mysqld PATH, or run `scripts/install-servers.sh mysql97`"
            }
        }
    }

    /// Whether the option file and the statements of this crate fit that version.
    pub(crate) fn supports(self, version: &Version) -> bool {
        let number = (version.major, version.minor, version.patch);
        match self {
            Self::MariaDb => (10, 5, 0) <= number && number.0 <= 12,
            Self::MySql => (8, 0, 26) <= number && number.0 <= 9,
        }
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        })
    }
}

impl FromStr for Flavor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mariadb" => Ok(Self::MariaDb),
            "mysql" => Ok(Self::MySql),
            _ => Err(format!(
                "{text:?} is not a flavor; it is `mariadb` or `mysql`"
            )),
        }
    }
}

/// A server's version; the rest of its text tells one packaging from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// `10` in `10.11.6`.
    pub major: u16,
    /// `11` in `10.11.6`.
    pub minor: u16,
    /// `6` in `10.11.6`.
    pub patch: u16,
    /// All of it, as the server says it.
    pub text: String,
}

impl Version {
    /// Whether a server of this version may run on data written by `kept`: the same series, and
    /// never an older release, because data directories are not downgraded.
    pub(crate) fn can_open_data_of(&self, kept: &Self) -> bool {
        (self.major, self.minor) == (kept.major, kept.minor) && self.patch >= kept.patch
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()
            .unwrap_or("");
        let mut parts = number.split('.').map(str::parse::<u16>);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Ok(Self {
                major,
                minor,
                patch,
                text: text.to_owned(),
            }),
            _ => Err(format!("{text:?} is not a server version")),
        }
    }
}

/// Reads what `mysqld --version` prints: `mysqld  Ver 9.7.4 for Linux on x86_64 (...)`.
pub(crate) fn parse_banner(banner: &str) -> Result<(Flavor, Version), String> {
    let mut words = banner
        .split_whitespace()
        .skip_while(|word| *word != "Ver")
        .skip(1);
    let text = words
        .next()
        .ok_or_else(|| format!("it says {:?}", banner.trim()))?;
    let flavor = if text.contains("MariaDB") {
        Flavor::MariaDb
    } else {
        Flavor::MySql
    };
    Ok((flavor, text.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_of_each_packaging_is_understood() {
        for (banner, flavor, number, text) in [
            (
                "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian)",
                Flavor::MariaDb,
                (10, 11, 19),
                "10.11.19-MariaDB-0+deb12u1",
            ),
            (
                "/opt/p/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))\n",
                Flavor::MySql,
                (9, 7, 4),
                "9.7.4-2",
            ),
            (
                "mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
                Flavor::MySql,
                (8, 0, 36),
                "8.0.36",
            ),
        ] {
            let (found, version) = parse_banner(banner).expect("a banner");
            assert_eq!(found, flavor);
            assert_eq!((version.major, version.minor, version.patch), number);
            assert_eq!(version.text, text);
            assert!(flavor.supports(&version));
        }
    }

    #[test]
    fn what_is_no_banner_is_refused() {
        assert!(parse_banner("").is_err());
        assert!(parse_banner("bash: mysqld: command not found").is_err());
        assert!(parse_banner("mysqld  Ver nine for Linux").is_err());
        assert!(parse_banner("mysqld  Ver 9.7 for Linux").is_err());
    }

    #[test]
    fn servers_out_of_range_are_not_supported() {
        for (flavor, text) in [
            (Flavor::MySql, "5.6.24"),
            (Flavor::MySql, "8.0.25"),
            (Flavor::MySql, "10.0.0"),
            (Flavor::MariaDb, "10.4.34-MariaDB"),
        ] {
            assert!(
                !flavor.supports(&text.parse().expect("a version")),
                "{flavor} {text}"
            );
        }
    }

    #[test]
    fn data_is_opened_by_the_same_series_and_never_by_an_older_release() {
        let version = |text: &str| text.parse::<Version>().expect("a version");
        assert!(version("9.7.4").can_open_data_of(&version("9.7.3")));
        assert!(!version("9.7.3").can_open_data_of(&version("9.7.4")));
        assert!(!version("9.7.4").can_open_data_of(&version("8.4.9")));
    }
}
