//! The event that every log begins with: which server wrote it, and how.

use mainstay_gtid::Family;

use crate::event::CHECKSUM_BYTES;
use crate::parse::Input;
use crate::{BinlogError, Event};

const SERVER_VERSION_BYTES: usize = 50;
/// Since these versions (5.6.1, `MariaDB` 5.3) the event tells the kind of checksum.
const CHECKSUM_SINCE: (u32, u32) = (5, 6);

/// What a log's first event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// The version of the server that wrote the log, such as `9.7.4`.
    pub server_version: String,
    /// Its family.
    pub family: Family,
    /// Whether a CRC32 stands behind each event.
    pub has_checksums: bool,
    /// Whether one stands behind this event: servers that know checksums always write it here.
    pub(crate) is_checked: bool,
    /// The event itself: a server that runs other events wants it first.
    pub(crate) event: Event,
}

impl Format {
    /// Reads the event, whose last bytes may be a checksum: only it tells. Answers its checked
    /// length too.
    pub(crate) fn read(event: &Event) -> Result<Self, BinlogError> {
        let mut input = Input(event.body());
        let malformed = || event.malformed("it is too short");
        let binlog_version = input.u16().ok_or_else(malformed)?;
        if binlog_version != 4 {
            return Err(event.malformed("it is of a server older than 5.0"));
        }
        let version = input.take(SERVER_VERSION_BYTES).ok_or_else(malformed)?;
        let version = version.split(|&b| b == 0).next().unwrap_or_default();
        let server_version = String::from_utf8_lossy(version).into_owned();
        let family = if server_version.contains("MariaDB") {
            Family::Mariadb
        } else {
            Family::Mysql
        };
        let tells = family == Family::Mariadb || numbers(&server_version) >= CHECKSUM_SINCE;
        let algorithm = if tells {
            let rest = input.0;
            let at = rest.len().checked_sub(1 + CHECKSUM_BYTES);
            rest[at.ok_or_else(malformed)?]
        } else {
            0
        };
        Ok(Self {
            server_version,
            family,
            has_checksums: algorithm == 1,
            is_checked: tells,
            event: event.clone(),
        })
    }

    /// The event as it opens a stream of events without checksums.
    pub(crate) fn without_checksums(&self) -> Vec<u8> {
        let mut bytes = self.event.bytes_of_a_closed_log();
        if self.has_checksums {
            let end = bytes.len() - CHECKSUM_BYTES;
            bytes[end - 1] = 0;
            let sum = crc32fast::hash(&bytes[..end]).to_le_bytes();
            bytes[end..].copy_from_slice(&sum);
        }
        bytes
    }
}

fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}
