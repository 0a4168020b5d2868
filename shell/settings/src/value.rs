//! Values with a notation of their own: durations, sizes, addresses.

use std::time::Duration;

use mainstay_topology::Address;

/// `250ms`, `2s`, `5min`, `8h`; a number may have a fraction.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let nanos_of_unit = match unit {
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3_600e9,
        _ => return None,
    };
    let nanos = number * nanos_of_unit;
    // A century: more is a mistake, and would overflow somewhere.
    (nanos <= 3.2e18).then(|| Duration::from_secs_f64(nanos / 1e9))
}

/// `65536`, `512KiB`, `64MiB`, `1GiB`.
pub(crate) fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let bytes_of_unit = match unit {
        "" | "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * bytes_of_unit;
    // Fewer than 2^53: whole numbers are exact.
    let whole = (bytes.fract() == 0.0 && bytes < 9.0e15).then_some(bytes)?;
    #[allow(clippy::cast_sign_loss, reason = "the notation has no sign")]
    Some(whole as usize)
}

/// `db1.example:3306`, `10.0.0.1:3306`, `[::1]:3306`.
pub(crate) fn address(text: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = bracketed.unwrap_or(host);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let valid = match bracketed {
        Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(plain),
    };
    let port: u16 = port.parse().ok()?;
    (valid && port != 0).then(|| Address {
        host: host.to_owned(),
        port,
    })
}

/// Whether this is an address, or a network such as `10.0.0.0/8`.
pub(crate) fn is_network(text: &str) -> bool {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
    let longest = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest)
}

fn split(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

/// A duration as it would be written.
pub(crate) fn written(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => "0s".to_owned(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}min", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_their_unit() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1_500)));
        assert_eq!(duration("5 min"), Some(Duration::from_mins(5)));
        for wrong in [
            "",
            "2",
            "s",
            "-1s",
            "2 days",
            "1e9s",
            "9999999999999h",
            ".",
            "1.2.3s",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["250ms", "2s", "90min", "8h", "0s"] {
            assert_eq!(duration(text).map(written).as_deref(), Some(text));
        }
    }

    #[test]
    fn sizes_are_whole_bytes() {
        assert_eq!(size("64MiB"), Some(64 << 20));
        assert_eq!(size("1.5KiB"), Some(1_536));
        assert_eq!(size("17"), Some(17));
        for wrong in ["", "64MB", "0.1B", "-1", "99999999999GiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn networks_are_addresses_with_or_without_a_length() {
        for right in ["10.0.0.0/8", "192.0.2.1", "::/0", "2001:db8::1"] {
            assert!(is_network(right), "{right}");
        }
        for wrong in ["", "10.0.0.0/33", "db1", "10.0.0.0/", "/8", "::/129"] {
            assert!(!is_network(wrong), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_host_and_port() {
        let parts = |text| address(text).map(|found| (found.host, found.port));
        assert_eq!(
            parts("db1.example:3306"),
            Some(("db1.example".to_owned(), 3306))
        );
        assert_eq!(parts("[::1]:3306"), Some(("::1".to_owned(), 3306)));
        for wrong in [
            "db1",
            "db1:",
            ":3306",
            "db1:0",
            "db1:70000",
            "::1:3306",
            "a b:1",
            "[x]:1",
        ] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
