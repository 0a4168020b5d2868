//! Reads `mainstay.toml`: what the file says ([`Settings`]), and from it the policy of each core
//! crate. All mistakes of a file are reported at once, each with its line.
//!
//! What the values do is described where they are used; what the exit code is, is left to the
//! caller.

mod alert;
mod balancing;
mod cloud;
mod control;
mod dns;
mod error;
mod hook;
mod policy;
mod reader;
mod sections;
mod settings;
mod suggestion;
mod value;
mod vip;

#[cfg(test)]
mod tests;

pub use alert::{AlertMeans, AlertSettings, MailEncryption, MailSettings};
pub use balancing::BalancerSettings;
pub use cloud::{CloudFollows, CloudMeans, CloudSettings};
pub use control::{Control, ManagerSettings, MonitorSettings};
pub use dns::DnsSettings;
pub use error::{Problem, SettingsError};
pub use hook::HookSettings;
pub use sections::api_of;
pub use settings::{
    Account, AdminSettings, ApiSettings, ClientTlsSettings, ClusterSettings, LagMax, LogSettings,
    ProxyIo, ProxySettings, SchedulerSettings, ServerSettings, ServerTlsMode, ServerTlsSettings,
    Settings, UserSettings,
};
pub use vip::{
    AddressHost, AddressRoles, AddressSettings, Roles, Track, TrackSettings, VipRole, VipSettings,
    VrrpSettings,
};
