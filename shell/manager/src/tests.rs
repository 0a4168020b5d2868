//! A whole manager, with servers that are not there.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mainstay_failover::{Plan, Policy, Purpose, Request};
use mainstay_store::{Entry, Store};
use mainstay_topology::{
    Address, Epoch, Member, Part, Promotion, Reachability, Record, Routes, ServerName,
};

use crate::control::Pending;
use crate::{
    Config, Login, ManagerError, ManagerHandle, ProxyControl, RequestError, Timing, Wiring, start,
};

struct NoProxy;

impl ProxyControl for NoProxy {
    fn publish(&self, _: &Routes) {}

    fn drained(&self, _: Duration) -> Pending<'_, bool> {
        Box::pin(async { true })
    }
}

/// A port where nothing listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn member(name: &str) -> Member {
    Member {
        name: ServerName::new(name),
        address: Address {
            host: "127.0.0.1".to_owned(),
            port: free_port(),
        },
        promotion: Promotion::Neutral,
        part: Part::default(),
    }
}

fn config(members: Vec<Member>) -> Config {
    let login = Login {
        user: "m".to_owned(),
        password: "secret".to_owned(),
    };
    Config {
        policy: Policy::default(),
        members,
        login: login.clone(),
        replication: login,
        timing: Timing::default(),
        salvage: PathBuf::from("salvage"),
        data_directories: std::collections::BTreeMap::new(),
    }
}

fn manager(folder: &Path, members: Vec<Member>) -> Result<ManagerHandle, ManagerError> {
    let wiring = Wiring {
        store: Store::open(&folder.join("state")).unwrap(),
        proxy: Arc::new(NoProxy),
        host: None,
        hooks: None,
    };
    start(&config(members), wiring)
}

fn record() -> Record {
    Record {
        epoch: Epoch(1),
        primary: Some(ServerName::new("db1")),
        joined: [ServerName::new("db2")].into(),
        baseline: None,
        began_at: None,
        acknowledgements: 1,
    }
}

#[tokio::test]
async fn a_cluster_has_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let error = manager(folder.path(), Vec::new()).unwrap_err();
    assert!(matches!(error, ManagerError::NoServers));
}

#[tokio::test]
async fn servers_that_are_not_there_are_gone_and_nothing_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let manager = manager(folder.path(), vec![member("db1"), member("db2")]).unwrap();
    let gone = |snapshot: &Arc<crate::Snapshot>| {
        let mut servers = snapshot.topology.servers.values();
        servers.all(|server| server.reachability == Reachability::Gone)
    };
    let snapshot = manager.watch().wait_for(gone).await.unwrap().clone();
    assert_eq!(snapshot.record().epoch, Epoch(0));
    assert!(snapshot.operation.is_none());
    assert!(!snapshot.findings.is_empty());
    assert!(manager.operations(10).await.unwrap().is_empty());
    manager.shutdown().await;
}

#[tokio::test]
async fn a_request_that_cannot_be_done_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let manager = manager(folder.path(), vec![member("db1"), member("db2")]).unwrap();
    let to = Some(ServerName::new("db2"));
    for refused in [
        manager
            .request(Request::Switchover { to: to.clone() })
            .await
            .err(),
        manager
            .plan(Request::Switchover { to }, manager.terms())
            .await
            .err(),
        manager.plan(Request::Failover, manager.terms()).await.err(),
    ] {
        let Some(RequestError::Refused(sentence)) = refused else {
            panic!("a refusal, not {refused:?}");
        };
        assert!(!sentence.is_empty());
    }
    manager.shutdown().await;
}

#[tokio::test]
async fn a_manager_that_has_stopped_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let manager = manager(folder.path(), vec![member("db1")]).unwrap();
    manager.shutdown().await;
    let answer = manager.request(Request::Failover).await;
    assert!(matches!(answer, Err(RequestError::Stopped)));
    manager.shutdown().await;
}

#[tokio::test]
async fn an_operation_that_was_cut_off_is_closed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state")).unwrap();
    store.write_record(&record()).unwrap();
    let plan = Plan {
        purpose: Purpose::Failover {
            from: ServerName::new("db1"),
        },
        epoch: Epoch(2),
        steps: Vec::new(),
        continues: true,
    };
    let began = Entry::Began {
        operation: 7,
        at_us: 1,
        plan,
    };
    store.append(&[began]).unwrap();
    drop(store);
    let manager = manager(folder.path(), vec![member("db1"), member("db2")]).unwrap();
    assert_eq!(manager.snapshot().record(), &record());
    let closed = manager.operation(7).await.unwrap().unwrap();
    assert!(closed.failure.unwrap().starts_with("interrupted"));
    manager.shutdown().await;
}

#[test]
fn no_password_is_printed() {
    assert!(!format!("{:?}", config(Vec::new())).contains("secret"));
}
