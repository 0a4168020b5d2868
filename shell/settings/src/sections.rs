//! The sections of the file, one module each; here is what is seen only across them.

mod account;
mod address_roles;
mod admin;
mod alert;
mod api;
mod balancing;
mod cloud;
mod cluster;
mod dns;
mod firewall;
mod hook;
mod hostgroups;
mod logs;
mod manager;
mod monitor;
mod part;
mod probe;
mod proxy;
mod rules;
mod scheduler;
mod server;
mod tls;
mod user;
mod vip;

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use crate::balancing::BalancerSettings;
use crate::control::{Control, ManagerSettings};
use crate::dns::DnsSettings;
use crate::error::Problem;
use crate::reader::{Report, Section, unknown};
use crate::settings::{
    ApiSettings, ProxySettings, RoutingSettings, ServerSettings, Settings, UserSettings,
};
use crate::vip::{AddressSettings, Roles, VipRole};

const KNOWN: &[&str] = &[
    "cluster",
    "server",
    "manager",
    "monitor",
    "proxy",
    "user",
    "hostgroups",
    "query_rules",
    "fast_routing",
    "firewall_users",
    "firewall_rules",
    "scheduler",
    "alert",
    "hook",
    "logs",
    "admin",
    "api",
    "vrrp",
    "vip",
    "address_roles",
    "balancer",
    "virtual_server",
    "dns",
    "cloud_address",
];

/// A file with one of these needs no cluster.
const OF_HOST: [&str; 2] = ["vip", "virtual_server"];

/// A file with none of these has no cluster.
const OF_CLUSTER: [&str; 5] = ["server", "manager", "monitor", "proxy", "user"];

type Found<'a, 'd> = (&'a DeTable<'d>, Range<usize>);

/// Reads the settings of a cluster.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Settings, Vec<Problem>> {
    read_with(text, path, all)
}

/// Reads whatever a host is to do.
pub(crate) fn parse_roles(text: &str, path: &Path) -> Result<Roles, Vec<Problem>> {
    read_with(text, path, |file, folder, report| {
        let has = |keys: &[&str]| keys.iter().any(|key| file.contains_key(*key));
        if has(&OF_HOST) && !has(&OF_CLUSTER) {
            known(file, report);
            let vip = vips(file, folder, report);
            let balancer = balancer(file, folder, report);
            let api = one(file, "api", report);
            let api = api::read(Section::new("api", api, report), folder)?;
            return Some(Roles::Addresses(AddressSettings { vip, balancer, api }));
        }
        all(file, folder, report).map(|settings| Roles::Cluster(Box::new(settings)))
    })
}

/// Where the API of a file is, whatever else is wrong with the file.
pub fn api_of(text: &str, path: &Path) -> Option<ApiSettings> {
    let mut report = Report::new(text);
    let (file, _) = DeTable::parse_recoverable(text);
    let api = one(file.get_ref(), "api", &mut report);
    let folder = path.parent().unwrap_or(Path::new(""));
    api::read(Section::new("api", api, &mut report), folder)
}

fn read_with<T>(
    text: &str,
    path: &Path,
    read: impl FnOnce(&DeTable<'_>, &Path, &mut Report<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let mut report = Report::new(text);
    let (file, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        let at = error.span().map_or(0, |span| span.start);
        report.add(at, "", format!("is no TOML: {}", error.message()));
    }
    if !broken.is_empty() {
        // What else is read from a broken file would be reported as missing or unknown.
        return Err(report.into_problems());
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let found = read(file.get_ref(), folder, &mut report);
    match found {
        Some(found) if report.is_empty() => Ok(found),
        Some(_) | None => Err(report.into_problems()),
    }
}

/// Reports sections that are not known.
fn known(file: &DeTable<'_>, report: &mut Report<'_>) {
    for key in file.keys() {
        if !KNOWN.contains(&key.get_ref().as_ref()) {
            unknown(report, "", key, KNOWN);
        }
    }
}

fn vips(file: &DeTable<'_>, folder: &Path, report: &mut Report<'_>) -> VipRole {
    let process = one(file, "vrrp", report);
    let tables = list(file, "vip", report);
    let mut role = vip::read(process, &tables, folder, report);
    let has_cluster = OF_CLUSTER.iter().any(|key| file.contains_key(*key));
    let tables = list(file, "cloud_address", report);
    role.cloud = cloud::read(&tables, (&role.vips, has_cluster), report);
    role
}

fn balancer(file: &DeTable<'_>, folder: &Path, report: &mut Report<'_>) -> BalancerSettings {
    let own = one(file, "balancer", report);
    let tables = list(file, "virtual_server", report);
    balancing::read(own, &tables, folder, report)
}

fn dns(
    file: &DeTable<'_>,
    servers: &[ServerSettings],
    report: &mut Report<'_>,
) -> Option<DnsSettings> {
    file.contains_key("dns").then(|| {
        let table = one(file, "dns", report);
        dns::read(Section::new("dns", table, report), servers)
    })?
}

fn all(file: &DeTable<'_>, folder: &Path, report: &mut Report<'_>) -> Option<Settings> {
    known(file, report);
    let servers = server::read(&list(file, "server", report), report);
    let alone = file.contains_key("monitor");
    let cluster = one(file, "cluster", report);
    let section = Section::new("cluster", cluster, report);
    let cluster = if alone {
        cluster::read_alone(section)
    } else {
        cluster::read(section, servers.len())
    };
    part::check(cluster.dual_primary.as_ref(), &servers, report);
    if !alone {
        server::check_managed(&servers, report);
    }
    let control = control(file, folder, report);
    let spared: Vec<String> = match &control {
        Some(Control::Manager(ManagerSettings {
            account,
            replication,
            ..
        })) => vec![account.user.clone(), replication.user.clone()],
        // Nobody is fenced.
        Some(Control::Monitor(_)) | None => Vec::new(),
    };
    let users = list(file, "user", report);
    let users = user::read(&users, folder, &spared, report);
    let proxy = proxy(file, folder, (&users, spared), report);
    let logs = one(file, "logs", report);
    let logs = logs::read(Section::new("logs", logs, report), folder);
    let routing = routing(file, (&servers, &users), report);
    let vip = vips(file, folder, report);
    let address_roles = file.contains_key("address_roles").then(|| {
        let table = one(file, "address_roles", report);
        let section = Section::new("address_roles", table, report);
        address_roles::read(section, &servers, folder)
    });
    let balancer = balancer(file, folder, report);
    let alerts = alert::read(&list(file, "alert", report), folder, report);
    let hooks = hook::read(&list(file, "hook", report), alone, report);
    let scheduler = scheduler::read(&list(file, "scheduler", report), report);
    let dns = dns(file, &servers, report);
    let api = one(file, "api", report);
    let api = api::read(Section::new("api", api, report), folder);
    let admin = file.contains_key("admin").then(|| {
        let table = one(file, "admin", report);
        admin::read(Section::new("admin", table, report), folder)
    });
    Some(Settings {
        cluster,
        servers,
        control: control?,
        proxy,
        users,
        routing,
        logs,
        vip,
        address_roles: address_roles.flatten(),
        balancer,
        scheduler,
        dns,
        alerts,
        hooks,
        api: api?,
        folder: folder.to_owned(),
        admin: admin.flatten(),
    })
}

/// `[proxy]`, which somebody must be able to use. `spared` must never pass through.
fn proxy(
    file: &DeTable<'_>,
    folder: &Path,
    (users, spared): (&[UserSettings], Vec<String>),
    report: &mut Report<'_>,
) -> Option<ProxySettings> {
    if !file.contains_key("proxy") {
        return None;
    }
    let table = one(file, "proxy", report);
    let start = table.1.start;
    let mut proxy = proxy::read(Section::new("proxy", table, report), folder);
    match &mut proxy.passthrough {
        Some(passthrough) => passthrough.never.extend(spared),
        None if users.is_empty() && !file.contains_key("user") => {
            let sentence = "needs at least one [[user]] section, or passthrough = true: nobody \
                            could log in";
            report.add(start, "proxy", sentence);
        }
        None => {}
    }
    Some(proxy)
}

/// `[manager]`, or `[monitor]` in its place.
fn control(file: &DeTable<'_>, folder: &Path, report: &mut Report<'_>) -> Option<Control> {
    if !file.contains_key("monitor") {
        let manager = one(file, "manager", report);
        let section = Section::new("manager", manager, report);
        return manager::read(section, folder).map(Control::Manager);
    }
    let monitor = one(file, "monitor", report);
    if file.contains_key("manager") {
        let sentence = "cannot stand beside [manager], which watches the servers itself";
        report.add(monitor.1.start, "monitor", sentence);
    }
    if !file.contains_key("proxy") {
        let sentence = "serves a proxy: there is no [proxy]";
        report.add(monitor.1.start, "monitor", sentence);
    }
    let section = Section::new("monitor", monitor, report);
    monitor::read(section, folder).map(Control::Monitor)
}

/// Where statements go, and which may pass.
fn routing(
    file: &DeTable<'_>,
    (servers, users): (&[ServerSettings], &[UserSettings]),
    report: &mut Report<'_>,
) -> RoutingSettings {
    let hostgroups = hostgroups::read(&list(file, "hostgroups", report), servers, report);
    for user in users {
        let unknown = |id: &u32| hostgroups.get(*id).is_none();
        if let Some(id) = user.default_hostgroup.filter(unknown) {
            let name = &user.name;
            let sentence = format!("user `{name}`: there is no hostgroup {id}: add it");
            report.add(0, "user.default_hostgroup", sentence);
        }
    }
    let rules = list(file, "query_rules", report);
    let fast = list(file, "fast_routing", report);
    let (rules, fast_routes) = rules::read(&rules, &fast, &hostgroups, report);
    let firewall_users = list(file, "firewall_users", report);
    let firewall_rules = list(file, "firewall_rules", report);
    let firewall = firewall::read(&firewall_users, &firewall_rules, report);
    RoutingSettings {
        hostgroups,
        rules,
        fast_routes,
        firewall,
    }
}

/// The one table of a name; an empty one stands for a missing one, so that its missing keys are
/// reported.
fn one<'a, 'd>(
    file: &'a DeTable<'d>,
    name: &'static str,
    report: &mut Report<'_>,
) -> Found<'a, 'd> {
    let Some(value) = file.get(name) else {
        return (empty(), 0..0);
    };
    let table = value.get_ref().as_table().unwrap_or_else(|| {
        let sentence = format!("is a section: write it as [{name}]");
        report.add(value.span().start, name, sentence);
        empty()
    });
    (table, value.span())
}

/// The tables of a name that may come more than once.
fn list<'a, 'd>(
    file: &'a DeTable<'d>,
    name: &'static str,
    report: &mut Report<'_>,
) -> Vec<Found<'a, 'd>> {
    let Some(value) = file.get(name) else {
        return Vec::new();
    };
    let tables: Option<Vec<_>> = value.get_ref().as_array().and_then(|array| {
        let tables = array
            .iter()
            .map(|item| Some((item.get_ref().as_table()?, item.span())));
        tables.collect()
    });
    tables.unwrap_or_else(|| {
        let sentence = format!("is a list of sections: write each as [[{name}]]");
        report.add(value.span().start, name, sentence);
        Vec::new()
    })
}

fn empty<'a, 'd>() -> &'a DeTable<'d> {
    static EMPTY: std::sync::OnceLock<DeTable<'static>> = std::sync::OnceLock::new();
    EMPTY.get_or_init(DeTable::new)
}
