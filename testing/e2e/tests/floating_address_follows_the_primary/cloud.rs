//! A cloud that moves an address with the primary is told by a program and by a webhook: of each
//! new primary once, with the epoch of its reign.

use std::fs;

use mainstay_e2e::{wait_for, wait_until};
use serde_json::Value;

use crate::story::Story;

const WEBHOOK: &str = env!("CARGO_BIN_EXE_webhook");
const LISTEN: &str = "127.0.0.1:8080";

/// What was told: the epoch, the server and its address.
type Told = (u64, String, String);

#[test]
fn a_cloud_is_told_of_each_new_primary_with_its_epoch() {
    let mut story = Story::start_in_a_cloud(|folder| {
        let told = folder.join("told");
        format!(
            "[[cloud_address]]\nname = \"program\"\naddress = \"10.0.0.100\"\n\
             follows = \"primary\"\ncommand = [\"/bin/sh\", \"-c\", '''echo \
             \"$MAINSTAY_EPOCH $MAINSTAY_SERVER $MAINSTAY_HOST:$MAINSTAY_PORT\" >>{}''']\n\
             [[cloud_address]]\nname = \"webhook\"\naddress = \"eip-1\"\n\
             follows = \"primary\"\n\
             url = \"http://{LISTEN}/move\"\nlimit = \"3s\"\n\
             retry_interval = \"100ms\"\n",
            told.display()
        )
    });
    let posted = story.path("posted");
    story.start_beside_manager(WEBHOOK, &[LISTEN, posted.to_str().expect("a path of text")]);
    let first = story.holder();
    let second = 3 - first;
    let mut expected = vec![first];
    wait_until_told(&story, &expected);

    story.mainstay(&["switchover"]);
    assert!(story.holds(second));
    expected.push(second);
    wait_until_told(&story, &expected);

    let row = story.insert(1, "before");
    story.wait_for_rows(first, std::slice::from_ref(&row));
    story.kill_server(second);
    wait_until("the address on the other host", || {
        story.holds(first) && !story.holds(second)
    });
    expected.push(first);
    wait_until_told(&story, &expected);
    story.start_server(second);
    story.wait_until_whole();

    // A manager that restarts says it once more, for the same reign.
    let reign = wait_until_told(&story, &expected);
    story.restart_manager();
    story.wait_until_whole();
    wait_for("the same once more", || {
        let told = told_program(&story);
        let once_more = told.last() == reign.last() && told.len() == expected.len() + 1;
        once_more.then_some(()).ok_or(format!("{told:?}"))
    });
}

/// Waits until program and webhook were told of these, in this order and each in a later epoch.
#[track_caller]
fn wait_until_told(story: &Story, expected: &[usize]) -> Vec<Told> {
    let server = |host: &usize| (format!("db{host}"), format!("10.124.0.{host}:3306"));
    let expected: Vec<_> = expected.iter().map(server).collect();
    wait_for("what the cloud was told", || {
        let (program, webhook) = (told_program(story), told_webhook(story));
        for told in [&program, &webhook] {
            let places = told
                .iter()
                .map(|(_, name, place)| (name.clone(), place.clone()));
            let grows = told.windows(2).all(|pair| pair[0].0 < pair[1].0);
            if !grows || places.collect::<Vec<_>>() != expected {
                return Err(format!("{program:?}; {webhook:?}"));
            }
        }
        Ok(program)
    })
}

fn lines(story: &Story, file: &str) -> Vec<String> {
    let text = fs::read_to_string(story.path(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn told_program(story: &Story) -> Vec<Told> {
    let lines = lines(story, "told");
    let told = lines.iter().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let [epoch, server, place] = words[..] else {
            panic!("{line}");
        };
        let epoch = epoch.parse().expect("a number");
        (epoch, server.to_owned(), place.to_owned())
    });
    told.collect()
}

/// The webhook refuses the first call and leaves the second without an answer: only the last
/// attempt of each place counts.
fn told_webhook(story: &Story) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for line in lines(story, "posted") {
        let body: Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| body[name].as_str().expect("text").to_owned();
        let place = format!("{}:{}", text("host"), body["port"]);
        told.push((
            body["epoch"].as_u64().expect("a number"),
            text("server"),
            place,
        ));
    }
    told.dedup();
    told
}
