//! Every subcommand's arguments, with their help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::change::{ApplyArgs, ChangeCommand};
use crate::check::CheckArgs;
use crate::config::ConfigArgs;
use crate::doctor::DoctorArgs;
use crate::import::ImportArgs;
use crate::init::InitArgs;
use crate::pause::PauseCommand;
use crate::rolling::RollingCommand;
use crate::schedule::{ScheduleCommand, WhenArgs};

/// Keeps a MySQL or MariaDB service answering.
#[derive(Debug, Parser)]
#[command(
    name = "mainstay",
    version,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start three real servers, the proxy and the manager on this machine.
    #[command(after_help = "Example:\n  mainstay sandbox --dir ~/trial\n  \
                            mainstay sandbox --flavor mysql --detach --json --dir /tmp/trial\n  \
                            mainstay sandbox stop --dir /tmp/trial")]
    Sandbox(SandboxArgs),
    /// Run the proxy and the manager for the servers of a configuration file.
    #[command(after_help = "Example:\n  mainstay serve --config mainstay.toml")]
    Serve(ServeArgs),
    /// Show the servers of a cluster: roles, reachability, lag, GTIDs, epoch.
    #[command(after_help = "Example:\n  mainstay status --watch")]
    Status(StatusArgs),
    /// Show what clients ask of the servers: the statements that take most time, without values.
    #[command(after_help = "Example:\n  mainstay queries --by count --limit 20\n  \
                            mainstay queries --json | jq '.errors'")]
    Queries(QueriesArgs),
    /// Show what the clients of the proxy are doing now, and why they keep their connections.
    #[command(after_help = "Example:\n  mainstay sessions --busy\n  \
                            mainstay sessions --json | jq '.sessions[] | select(.ties != [])'")]
    Sessions(SessionsArgs),
    /// Tell where a statement would go and why, step by step; run nothing.
    #[command(after_help = "Example:\n  mainstay explain-route 'SELECT 1' --user app")]
    ExplainRoute(crate::explain::ExplainArgs),
    /// Tell why, and why not: each decision with every condition it depends on, and its value now.
    #[command(after_help = "Example:\n  mainstay why\n  mainstay why db2")]
    Why(crate::why::WhyArgs),
    /// Show which host has which floating address, as the manager wants it, or move one.
    #[command(
        after_help = "Example:\n  mainstay role show --config mainstay.toml\n  \
                            mainstay role move reader-1 --to db3 --config mainstay.toml"
    )]
    Role(RoleArgs),
    /// Print what would be done, with its SQL; touch nothing.
    #[command(after_help = "Example:\n  mainstay plan switchover --to db2")]
    Plan(PlanArgs),
    /// Run a plan that was printed, if nothing that it relies on has changed since.
    #[command(after_help = "Example:\n  mainstay plan move db3 --under db2\n  \
                            mainstay apply 1f3c09aa")]
    Apply(ApplyArgs),
    #[command(flatten)]
    Change(ChangeCommand),
    #[command(flatten)]
    Pause(PauseCommand),
    /// Restart all servers one after another, for an upgrade: no client sees an error.
    #[command(subcommand, after_help = "Example:\n  mainstay rolling restart")]
    Rolling(RollingCommand),
    /// Move the primary to another server, under load, without losing anything.
    #[command(after_help = "Example:\n  mainstay switchover --to db2\n  \
                            mainstay switchover --at 2026-11-20T03:00:00Z")]
    Switchover(SwitchoverArgs),
    /// Show or cancel switchovers that are to be made at a time.
    #[command(subcommand, after_help = "Example:\n  mainstay schedule list")]
    Schedule(ScheduleCommand),
    /// Replace a primary that is not confirmed dead, as far as that is safe.
    #[command(
        after_help = "Example:\n  mainstay plan failover && mainstay failover\n\n\
                            The rules that keep acknowledged writes and a single writer hold here \
                            too: what cannot be proved is refused, with the reason."
    )]
    Failover(FailoverArgs),
    /// Put load on the cluster, do harm to it, and account for what clients saw.
    #[command(after_help = "Example:\n  mainstay drill kill-primary --rounds 20\n\n\
                            Exit code 1: something acknowledged is missing, or two servers \
                            acknowledged at once.")]
    Drill(DrillArgs),
    /// Make settings of the configuration of another program, and say what became of each part.
    #[command(after_help = "Example:\n  mainstay import proxysql.cnf --output mainstay.toml")]
    Import(ImportArgs),
    /// Look for what is wrong with a configuration, its servers and what runs; change nothing.
    #[command(after_help = "Example:\n  mainstay doctor --config mainstay.toml\n\n\
                            Exit code 1: there is an error or a warning.")]
    Doctor(DoctorArgs),
    /// Try every precondition of a failover now: accounts, rights, servers, and what the manager
    /// would do. Changes nothing.
    #[command(after_help = "Example:\n  mainstay check --config mainstay.toml\n\n\
                            Exit code 1: a failover is not assured.")]
    Check(CheckArgs),
    /// Write settings to begin with, whose passwords are random.
    #[command(
        after_help = "Example:\n  mainstay init --server 10.0.0.1:3306 --server 10.0.0.2:3306"
    )]
    Init(InitArgs),
    /// Compare the settings file with what is in force, or put it in force.
    #[command(
        after_help = "Example:\n  mainstay config diff --config mainstay.toml\n  \
                            mainstay config apply --config mainstay.toml"
    )]
    Config(ConfigArgs),
    /// Read binary logs: list their transactions, print SQL that runs or undoes them.
    #[command(
        after_help = "Example:\n  mainstay binlog list /var/lib/mysql/binlog.000042\n  \
                            mainstay binlog undo --only 0-1-1042 --unlogged binlog.000042 | \
                            mariadb --binary-mode\n\n\
                            A log that a crash has torn is read up to the tear. Exit code 1: a \
                            file cannot be read, or a transaction not be undone."
    )]
    Binlog(crate::binlog::BinlogArgs),
}

/// How a command finds the running manager.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClusterArgs {
    /// Directory of the sandbox [default: the sandbox that was started last].
    #[arg(long, value_name = "DIR", env = "MAINSTAY_DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Configuration of the running `mainstay serve`.
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    pub(crate) config: Option<PathBuf>,
}

/// The family of servers in the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FlavorArg {
    /// MariaDB.
    Mariadb,
    /// MySQL 8.0 to 9.x.
    Mysql,
}

/// `mainstay sandbox`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct SandboxArgs {
    /// Stop a running sandbox instead.
    #[command(subcommand)]
    pub(crate) action: Option<SandboxAction>,
    /// Keep the data here, and pick them up at the next start
    /// [default: a temporary directory, removed at the end].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Which servers to start [default: mariadb, or what the directory holds].
    #[arg(long, value_enum)]
    pub(crate) flavor: Option<FlavorArg>,
    /// The server program [default: found on PATH; for MySQL, `$MAINSTAY_MYSQLD` first].
    #[arg(long, value_name = "PATH")]
    pub(crate) mysqld: Option<PathBuf>,
    /// Return when the cluster is ready, and leave it running.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Print one JSON object when the cluster is ready.
    #[arg(long)]
    pub(crate) json: bool,
    /// Port of the proxy; 0 takes any free one [default: 6033, or what the directory has kept].
    #[arg(long, value_name = "PORT")]
    pub(crate) proxy_port: Option<u16>,
    /// Port of the admin interface; 0 takes any free one [default: 6032].
    #[arg(long, value_name = "PORT")]
    pub(crate) admin_port: Option<u16>,
    /// Port of the API; 0 takes any free one [default: 6080].
    #[arg(long, value_name = "PORT")]
    pub(crate) api_port: Option<u16>,
    /// Take the proxy's settings from the `[proxy]` section of this file, and its other users from
    /// its `[[user]]`s; the sandbox fills in the rest.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// First of the servers' ports; 0 takes any free ones [default: 13306].
    #[arg(long, value_name = "PORT")]
    pub(crate) base_port: Option<u16>,
    /// Start a server again this long after its process ended.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration)]
    pub(crate) restart_after: Duration,
    /// Confirm a silent primary as hung after this long.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(crate) hang_after: Duration,
    /// Give a switchover up whose writes in flight have not ended after this long.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) drain_limit: Duration,
    /// Delete the servers' data of a sandbox in the directory that does not fit, and begin anew.
    #[arg(long, requires = "dir")]
    pub(crate) force: bool,
    /// The running half of `--detach`.
    #[arg(long, hide = true)]
    pub(crate) detached_child: bool,
}

/// What else can be done with a sandbox.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SandboxAction {
    /// Stop a running sandbox and everything it started.
    Stop {
        /// Its directory [default: the sandbox that was started last].
        #[arg(long, value_name = "DIR", env = "MAINSTAY_DIR")]
        dir: Option<PathBuf>,
    },
}

/// `mainstay serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "mainstay.toml")]
    pub(crate) config: PathBuf,
    /// Only check the file; exit code 2 when it is wrong.
    #[arg(long)]
    pub(crate) check: bool,
}

/// `mainstay status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Print the whole state as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Refresh until interrupted.
    #[arg(long, conflicts_with = "json")]
    pub(crate) watch: bool,
    /// Show what the manager did: the newest operations, step by step, with their certificates.
    #[arg(long, conflicts_with = "watch")]
    pub(crate) history: bool,
}

/// What the statements are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryOrder {
    /// Time in all.
    Time,
    /// How often it ran.
    Count,
    /// Time of one, on average.
    Average,
    /// The longest time of one.
    Max,
    /// Rows sent and changed.
    Rows,
}

/// `mainstay queries`.
#[derive(Debug, Args)]
pub(crate) struct QueriesArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// What to show first.
    #[arg(long, value_enum, default_value_t = QueryOrder::Time)]
    pub(crate) by: QueryOrder,
    /// How many statements to show.
    #[arg(long, default_value_t = 10)]
    pub(crate) limit: usize,
    /// Show the commands, the errors of servers and the hits of query rules too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Count from zero after this.
    #[arg(long)]
    pub(crate) reset: bool,
    /// Print everything as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mainstay sessions`.
#[derive(Debug, Args)]
pub(crate) struct SessionsArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Leave out sessions that are idle and tied by nothing.
    #[arg(long)]
    pub(crate) busy: bool,
    /// Show the server connections that nobody uses too.
    #[arg(long)]
    pub(crate) free: bool,
    /// How many sessions to show.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Print everything as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mainstay plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Which plan.
    #[command(subcommand)]
    pub(crate) what: PlanWhat,
}

/// Which plan to print.
#[derive(Debug, Subcommand)]
pub(crate) enum PlanWhat {
    /// What would be done if the primary died now.
    Failover {
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print the plan as JSON.
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Change(ChangeCommand),
    /// What would be done to move the primary.
    Switchover {
        #[command(flatten)]
        cluster: ClusterArgs,
        /// The next primary [default: the best candidate].
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
        #[command(flatten)]
        allowed: AllowedArgs,
        /// Print the plan as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What a switchover may do that it does not do by itself.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct AllowedArgs {
    /// End transactions that are open for longer than it waits; their clients get an error.
    #[arg(long)]
    pub(crate) end_transactions: bool,
    /// The next primary may be newer than a server that is to replicate from it.
    #[arg(long)]
    pub(crate) allow_newer: bool,
}

/// `mainstay switchover`.
#[derive(Debug, Args)]
pub(crate) struct SwitchoverArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// The next primary [default: the best candidate].
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) allowed: AllowedArgs,
    #[command(flatten)]
    pub(crate) when: WhenArgs,
    /// Print the operation as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mainstay failover`.
#[derive(Debug, Args)]
pub(crate) struct FailoverArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Print the operation as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The harm a drill does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DrillFault {
    /// SIGKILL to the primary.
    KillPrimary,
    /// SIGSTOP to the primary: it hangs.
    StopPrimary,
    /// Move the primary as planned work does.
    Switchover,
}

/// `mainstay drill`.
#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    /// The harm to do.
    #[arg(value_enum)]
    pub(crate) fault: DrillFault,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// How many times.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rounds: u32,
    /// Print rounds and summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Connections that write.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) writers: u32,
    /// Connections that read.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) readers: u32,
    /// Pause of each connection between two statements.
    #[arg(long, value_name = "DURATION", default_value = "5ms", value_parser = duration)]
    pub(crate) pause: Duration,
    /// Give up when the cluster is not whole again after this long.
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) recovery_limit: Duration,
}

/// `mainstay role`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RoleArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: RoleAction,
}

/// What can be done with roles of addresses.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RoleAction {
    /// Show all of them.
    Show {
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Move a reader's address to the host of another server, for as long as that may serve reads.
    Move {
        /// The address.
        name: String,
        /// The server.
        #[arg(long)]
        to: String,
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// `300ms`, `2s`, `1m`, `4h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number
        .parse()
        .map_err(|_| "a number and a unit, such as 300ms".to_owned())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        _ => Err("a number and one of the units ms, s, m, h, such as 300ms".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_duration_needs_a_unit() {
        assert_eq!(duration("300ms"), Ok(Duration::from_millis(300)));
        assert!(duration("300").is_err());
        assert!(duration("fast").is_err());
    }
}
