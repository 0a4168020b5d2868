//! The API over a real listener, as a program sees it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use mainstay_failover::{Effect, Finding, OnFailure, Plan, Purpose, Step};
use mainstay_topology::{
    Address, Epoch, Member, Part, Promotion, Record, Routes, ServerName, Topology,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::views::{
    AnswerView, ExplainRequest, FindingView, OperationOutcome, OperationView, PlanView,
    QueriesView, RouteStepView, SessionsView, StatusParts, StatusView, SwitchoverRequest,
};
use crate::{Access, ApiError, Pending, ServeError, Server, Source, router};

/// `admin:secret`.
const CREDENTIALS: &str = "Authorization: Basic YWRtaW46c2VjcmV0\r\n";

#[derive(Default)]
struct Scripted {
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn asked(&self, what: impl Into<String>) {
        self.asked.lock().unwrap().push(what.into());
    }
}

impl Source for Scripted {
    fn metrics(&self) -> (&'static str, String) {
        ("text/plain", "mainstay_epoch 1\n".to_owned())
    }

    fn status(&self) -> StatusView {
        status()
    }

    fn plan_failover(&self) -> Pending<'_, PlanView> {
        Box::pin(async { Ok(PlanView::from(&plan())) })
    }

    fn why(&self, about: Option<String>) -> Pending<'_, Vec<AnswerView>> {
        let one = AnswerView {
            question: format!("What about {}?", about.unwrap_or_default()),
            answer: "nothing".to_owned(),
            conditions: Vec::new(),
        };
        Box::pin(async { Ok(vec![one]) })
    }

    fn plan_switchover(&self, request: SwitchoverRequest) -> Pending<'_, PlanView> {
        self.asked(format!("plan {:?}", request.to));
        Box::pin(async { Err(ApiError::Refused("db3 is never promoted".to_owned())) })
    }

    fn switchover(&self, request: SwitchoverRequest) -> Pending<'_, OperationView> {
        self.asked(format!("switchover {:?}", request.to));
        Box::pin(async { Ok(operation(7)) })
    }

    fn failover(&self) -> Pending<'_, OperationView> {
        self.asked("failover");
        Box::pin(async { Ok(operation(7)) })
    }

    fn queries(&self, reset: bool) -> Pending<'_, QueriesView> {
        self.asked(format!("queries {reset}"));
        Box::pin(async { Ok(QueriesView::default()) })
    }

    fn sessions(&self) -> Pending<'_, SessionsView> {
        self.asked("sessions");
        Box::pin(async { Ok(SessionsView::default()) })
    }

    fn explain(&self, request: ExplainRequest) -> Pending<'_, Vec<RouteStepView>> {
        self.asked(format!("explain {:?}: {}", request.user, request.sql));
        Box::pin(async { Ok(Vec::new()) })
    }

    fn operations(&self, limit: usize) -> Pending<'_, Vec<OperationView>> {
        self.asked(format!("operations {limit}"));
        Box::pin(async { Ok(vec![operation(7)]) })
    }

    fn operation(&self, id: u64) -> Pending<'_, OperationView> {
        Box::pin(async move {
            match id {
                7 => Ok(operation(7)),
                _ => Err(ApiError::NotFound(format!("there is no operation {id}"))),
            }
        })
    }
}

fn operation(id: u64) -> OperationView {
    OperationView {
        id,
        purpose: "switchover from db1 to db2".to_owned(),
        epoch: 2,
        outcome: OperationOutcome::Done,
        failure: None,
        began_at_ms: 1_000,
        took_ms: Some(12.5),
        writes_held_ms: None,
        certificate: None,
        timeline: Vec::new(),
    }
}

fn plan() -> Plan {
    let server = ServerName::new("db2");
    Plan {
        purpose: Purpose::Failover {
            from: ServerName::new("db1"),
        },
        epoch: Epoch(2),
        steps: vec![Step {
            effect: Effect::StopReceiver { server },
            place: None,
            group: 1,
            precondition: "db2 can be reached".to_owned(),
            sentence: "Stop the receiver of db2".to_owned(),
            sql: vec!["STOP REPLICA IO_THREAD".to_owned()],
            limit: Duration::from_secs(2),
            on_failure: OnFailure::Replan,
            undo: None,
        }],
        continues: true,
    }
}

fn topology() -> Topology {
    let member = |name: &str, port| Member {
        name: ServerName::new(name),
        address: Address {
            host: "127.0.0.1".to_owned(),
            port,
        },
        promotion: Promotion::Neutral,
        part: Part::default(),
    };
    let record = Record {
        epoch: Epoch(1),
        primary: Some(ServerName::new("db1")),
        ..Record::default()
    };
    Topology::new(&[member("db1", 3301), member("db2", 3302)], record)
}

fn status() -> StatusView {
    StatusView::new(&StatusParts {
        cluster: "main",
        durability: "lossless, 1 acknowledgement",
        phase: "Watching",
        reason: "the manager has started",
        topology: &topology(),
        routes: &Routes::default(),
    })
}

struct Client {
    address: SocketAddr,
    source: Arc<Scripted>,
}

impl Client {
    async fn start() -> Self {
        let source = Arc::new(Scripted::default());
        let extra = Router::new().route("/api/v1/more", get(async || "more"));
        let access = Access::new("admin", "secret");
        let router = router(Arc::clone(&source) as Arc<dyn Source>, Some(access), extra);
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let address = server.address().unwrap();
        tokio::spawn(server.serve(router, std::future::pending()));
        Self { address, source }
    }

    async fn send(&self, request: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let text = format!(
            "{request} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, body.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.send(&format!("GET {path}"), CREDENTIALS, "").await;
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let headers = format!("{CREDENTIALS}Content-Type: application/json\r\n");
        let (status, body) = self.send(&format!("POST {path}"), &headers, body).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    fn asked(&self) -> Vec<String> {
        self.source.asked.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn health_is_told_to_everybody_and_nothing_else_is() {
    let client = Client::start().await;
    let (status, _) = client.send("GET /healthz", "", "").await;
    assert_eq!(status, 200);
    for request in [
        "GET /api/v1/status",
        "GET /api/v1/more",
        "GET /",
        "POST /api/v1/switchover",
    ] {
        let (status, body) = client.send(request, "", "").await;
        assert_eq!(status, 401, "{request}");
        assert!(body.contains("error"), "{body}");
    }
    let wrong = "Authorization: Basic YWRtaW46d3Jvbmc=\r\n";
    assert_eq!(client.send("GET /api/v1/status", wrong, "").await.0, 401);
}

#[tokio::test]
async fn the_status_reads_back_as_it_was_written() {
    let client = Client::start().await;
    let (code, body) = client.get("/api/v1/status").await;
    assert_eq!(code, 200);
    assert_eq!(
        serde_json::from_value::<StatusView>(body).unwrap(),
        status()
    );
}

#[tokio::test]
async fn a_plan_shows_every_sentence() {
    let client = Client::start().await;
    let (code, body) = client.get("/api/v1/plan/failover").await;
    assert_eq!((code, &body["purpose"]), (200, &json!("failover from db1")));
    assert_eq!(
        body["steps"][0]["sentence"],
        json!("Stop the receiver of db2")
    );
    assert_eq!(body["steps"][0]["limit_ms"], json!(2_000));
}

#[tokio::test]
async fn a_refusal_is_a_conflict_with_its_reason() {
    let client = Client::start().await;
    let (code, body) = client.get("/api/v1/plan/switchover?to=db3").await;
    assert_eq!(
        (code, body),
        (409, json!({ "error": "db3 is never promoted" }))
    );
    assert_eq!(client.asked(), ["plan Some(\"db3\")"]);
}

#[tokio::test]
async fn a_switchover_answers_with_its_operation() {
    let client = Client::start().await;
    let (code, body) = client.post("/api/v1/switchover", r#"{"to": "db2"}"#).await;
    assert_eq!(
        (code, &body["id"], &body["outcome"]),
        (200, &json!(7), &json!("done"))
    );
    assert_eq!(client.post("/api/v1/switchover", "{}").await.0, 200);
    assert_eq!(
        client.asked(),
        ["switchover Some(\"db2\")", "switchover None"]
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_credentials_of_a_browser() {
    let client = Client::start().await;
    let failover = async |origin: &str| {
        let headers = format!("{CREDENTIALS}Origin: {origin}\r\n");
        client.send("POST /api/v1/failover", &headers, "").await.0
    };
    for foreign in ["http://evil.example", "null", "http://localhost:1"] {
        assert_eq!(failover(foreign).await, 403, "{foreign}");
    }
    assert!(client.asked().is_empty());
    assert_eq!(failover("http://here").await, 200);
    assert_eq!(client.asked(), ["failover"]);
}

#[tokio::test]
async fn what_cannot_be_understood_is_said_so() {
    let client = Client::start().await;
    for body in ["", "db2", r#"{"too": "db2"}"#] {
        let (code, answer) = client.post("/api/v1/switchover", body).await;
        assert_eq!(code, 400, "{body}");
        assert!(
            answer["error"]
                .as_str()
                .unwrap()
                .contains(r#"{"to": "db2"}"#)
        );
    }
    for path in [
        "operations?limit=0",
        "operations?limit=many",
        "operations/first",
    ] {
        let (code, _) = client.get(&format!("/api/v1/{path}")).await;
        assert_eq!(code, 400, "{path}");
    }
    assert!(client.asked().is_empty());
}

#[tokio::test]
async fn operations_are_found_by_number() {
    let client = Client::start().await;
    assert_eq!(
        client.get("/api/v1/operations?limit=3").await.1[0]["id"],
        json!(7)
    );
    assert_eq!(
        client.get("/api/v1/operations/7").await.1["took_ms"],
        json!(12.5)
    );
    let (code, body) = client.get("/api/v1/operations/8").await;
    assert_eq!(
        (code, body),
        (404, json!({ "error": "there is no operation 8" }))
    );
    assert_eq!(client.get("/api/v2").await.0, 404);
    assert_eq!(client.asked(), ["operations 3"]);
}

#[tokio::test]
async fn routes_of_the_caller_need_the_same_credentials() {
    let client = Client::start().await;
    let (code, body) = client.send("GET /api/v1/more", CREDENTIALS, "").await;
    assert_eq!((code, body.as_str()), (200, "more"));
}

#[tokio::test]
async fn a_port_in_use_is_said_with_the_remedy() {
    let first = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let error = Server::bind(first.address().unwrap()).await.unwrap_err();
    assert!(matches!(error, ServeError::InUse { .. }));
    assert!(
        error
            .to_string()
            .contains("choose another with `listen` in `[api]`")
    );
}

#[test]
fn a_server_that_was_never_seen_is_unknown() {
    let view = status();
    assert_eq!(view.servers[1].reachability, "unknown");
    assert_eq!(view.servers[1].facts, None);
    assert!(view.writes_held);
    assert_eq!(view.primary.as_deref(), Some("db1"));
}

#[test]
fn a_finding_is_shown_with_its_subject() {
    let problem = mainstay_failover::Problem::Gone;
    let finding = Finding::of_server(&ServerName::new("db1"), problem);
    let view = FindingView::from(&finding);
    assert_eq!(view.subject, "db1");
    assert_eq!(view.sentence, "db1: nothing listens there");
}

#[tokio::test]
async fn metrics_are_text_behind_the_same_credentials() {
    let client = Client::start().await;
    assert_eq!(client.send("GET /metrics", "", "").await.0, 401);
    let (status, text) = client.send("GET /metrics", CREDENTIALS, "").await;
    assert_eq!((status, &*text), (200, "mainstay_epoch 1\n"));
}
