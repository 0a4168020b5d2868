//! The `mainstay` command line: a file per subcommand, and the wiring between shell crates.

mod address_roles;
mod admin;
mod alerting;
mod api;
mod args;
mod balancing;
mod binlog;
mod certificates;
mod change;
mod check;
mod cloud;
mod config;
mod control;
mod doctor;
mod drill;
mod explain;
mod figures;
mod floating;
mod hand;
mod hooks;
mod host;
mod import;
mod init;
mod logs;
mod metrics;
mod moment;
mod naming;
mod output;
mod pause;
mod plan;
mod program;
mod queries;
mod rolling;
mod runfile;
mod sandbox;
mod schedule;
mod scheduler;
mod secrets;
mod serve;
mod servers;
mod service;
mod sessions;
mod signals;
mod status;
mod switchover;
mod upgrade;
mod view;
mod why;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use mainstay_sandbox::{GUARD_COMMAND, guard_main};
use mainstay_vip::GUARD_COMMAND as VIP_GUARD_COMMAND;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // Before anything else runs: this process is about to become a server.
    if arguments.next().is_some_and(|first| first == GUARD_COMMAND) {
        return guard_main(arguments);
    }
    // This process is about to watch over addresses, and does nothing else.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == VIP_GUARD_COMMAND)
    {
        return mainstay_vip::guard_main();
    }
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Sandbox(args) => sandbox::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Role(args) => address_roles::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Queries(args) => queries::run(&args),
        Command::Sessions(args) => sessions::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Pause(command) => pause::run(&command),
        Command::Apply(args) => change::apply(&args),
        Command::Change(command) => change::run(&command),
        Command::Rolling(command) => rolling::run(&command),
        Command::Switchover(args) => switchover::run(&args),
        Command::Schedule(command) => schedule::run(&command),
        Command::Failover(args) => switchover::failover(&args),
        Command::Drill(args) => drill::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Config(args) => config::run(&args),
        Command::ExplainRoute(args) => explain::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Binlog(args) => binlog::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("mainstay: {error:#}");
        output::exit_code_of(&error)
    })
}
