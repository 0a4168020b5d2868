//! What the kernel of this host says of processes, files and routes.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use mainstay_health::Probe;

use crate::error::Failure;

/// The kernel keeps this much of a process's name (`proc_pid_comm(5)`).
const NAME_MAX: usize = 15;

pub(crate) fn look(probe: &Probe) -> Result<(), Failure> {
    match probe {
        Probe::Process { name, least } => processes(name, *least),
        Probe::File { path } => file(path),
        Probe::Route { destination } => route(destination),
        Probe::Tcp { .. } | Probe::MySql(_) | Probe::Http(_) | Probe::Script(_) => {
            unreachable!("these are not of the host: `crate::look` has asked them")
        }
    }
}

fn processes(name: &str, least: usize) -> Result<(), Failure> {
    let end = name.floor_char_boundary(NAME_MAX);
    let short = &name[..end];
    let runs = |folder: &Path| {
        let line = fs::read_to_string(folder.join("stat")).ok()?;
        // proc_pid_stat(5): the name is in parentheses and may hold any text; the state follows.
        let (before, state) = line.rsplit_once(") ")?;
        let (_, found) = before.split_once('(')?;
        (found == short && !state.starts_with(['Z', 'X'])).then_some(())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_processes = entries.filter(|entry| {
        let name = entry.file_name();
        name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
    });
    let found = of_processes.filter_map(|entry| runs(&entry.path())).count();
    if found < least {
        let name = name.to_owned();
        return Err(Failure::Processes { name, found, least });
    }
    Ok(())
}

/// A file with the number 0 is as good as none: it is keepalived's way to say so.
fn file(path: &Path) -> Result<(), Failure> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(text) if text.trim() == "0" => Ok(()),
        Ok(_) | Err(_) => Err(Failure::FileThere(path.to_owned())),
    }
}

fn route(destination: &str) -> Result<(), Failure> {
    let none = || Failure::NoRoute(destination.to_owned());
    let (ip, length) = network(destination).ok_or_else(none)?;
    let found = match ip {
        IpAddr::V4(ip) => {
            let table = fs::read_to_string("/proc/net/route").unwrap_or_default();
            table
                .lines()
                .filter_map(route_v4)
                .any(|found| found == (ip, length))
        }
        IpAddr::V6(ip) => {
            let table = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
            table
                .lines()
                .filter_map(route_v6)
                .any(|found| found == (ip, length))
        }
    };
    if found { Ok(()) } else { Err(none()) }
}

/// `default` is that of IPv4; `::/0` that of IPv6.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    if text == "default" {
        return Some((Ipv4Addr::UNSPECIFIED.into(), 0));
    }
    let (ip, length) = match text.split_once('/') {
        Some((ip, length)) => (ip.parse().ok()?, length.parse().ok()),
        None => (text.parse().ok()?, None),
    };
    let longest = match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    Some((ip, length.unwrap_or(longest)))
}

/// A line of `/proc/net/route`: interface, destination, gateway, flags, three counters, mask.
fn route_v4(line: &str) -> Option<(Ipv4Addr, u32)> {
    const UP: u32 = 1;
    let mut fields = line.split_whitespace();
    let hexadecimal = |field: Option<&str>| u32::from_str_radix(field?, 16).ok();
    let destination = hexadecimal(fields.nth(1))?;
    let flags = hexadecimal(fields.nth(1))?;
    let mask = hexadecimal(fields.nth(3))?;
    let ip = Ipv4Addr::from(destination.to_ne_bytes());
    (flags & UP != 0).then(|| (ip, mask.count_ones()))
}

/// A line of `/proc/net/ipv6_route`: destination, length, then what is not asked for; flags are the
/// ninth field.
fn route_v6(line: &str) -> Option<(Ipv6Addr, u32)> {
    const UP: u32 = 1;
    const REJECT: u32 = 0x200;
    let mut fields = line.split_whitespace();
    let ip = u128::from_str_radix(fields.next()?, 16).ok()?;
    let length = u32::from_str_radix(fields.next()?, 16).ok()?;
    let flags = u32::from_str_radix(fields.nth(6)?, 16).ok()?;
    (flags & UP != 0 && flags & REJECT == 0).then(|| (Ipv6Addr::from_bits(ip), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_is_found_by_its_name() {
        let own = fs::read_to_string("/proc/self/comm").expect("this is Linux");
        assert!(processes(own.trim(), 1).is_ok());
        let none = processes("no-such-process-here", 1).expect_err("there is none");
        assert_eq!(
            none.to_string(),
            "0 of 1 processes `no-such-process-here` run"
        );
    }

    #[test]
    fn a_file_says_no_by_being_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("down");
        assert!(file(&path).is_ok());
        fs::write(&path, "0\n").expect("a file");
        assert!(file(&path).is_ok());
        fs::write(&path, "").expect("a file");
        assert!(file(&path).is_err());
    }

    #[test]
    fn routes_are_read_as_the_kernel_lists_them() {
        let line = "eth0\t000A7C0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
        if cfg!(target_endian = "little") {
            assert_eq!(route_v4(line), Some(([10, 124, 10, 0].into(), 24)));
        }
        assert_eq!(route_v4("Iface\tDestination\tGateway"), None);
        let line = "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 \
                    00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0";
        let found = ("fd00::".parse().expect("an address"), 64);
        assert_eq!(route_v6(line), Some(found));
        let default = network("default");
        assert_eq!(default, Some((Ipv4Addr::UNSPECIFIED.into(), 0)));
        assert_eq!(network("10.0.0.9"), Some(([10, 0, 0, 9].into(), 32)));
        assert!(route("192.0.2.0/99").is_err());
    }
}
