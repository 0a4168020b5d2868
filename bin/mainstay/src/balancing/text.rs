//! What is balanced as a table.

use mainstay_dashboard::views::VirtualServerView;

use crate::output::table;

/// The table, and what is wrong below it; nothing where nothing is balanced.
pub(crate) fn text_of(virtual_servers: &[VirtualServerView]) -> String {
    if virtual_servers.is_empty() {
        return String::new();
    }
    let header = ["virtual server", "address", "state", "weight", "scheduler"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in virtual_servers {
        rows.push(vec![
            one.name.clone(),
            one.address.clone(),
            state_of(one).to_owned(),
            format!("{} (quorum {})", one.weight, one.quorum_weight),
            format!("{} ({})", one.scheduler, one.engine),
        ]);
        let last = one.real_servers.len().saturating_sub(1);
        for (at, real) in one.real_servers.iter().enumerate() {
            let branch = if at == last { "└─" } else { "├─" };
            rows.push(vec![
                format!("{branch} real server"),
                real.address.clone(),
                real.state.clone(),
                real.weight.to_string(),
            ]);
        }
    }
    let mut text = table(&rows);
    for one in virtual_servers {
        let name = &one.name;
        if let Some(sorry) = one.sorry_server.as_ref().filter(|_| one.sorry) {
            text.push_str(&format!("  {name}: the sorry server {sorry} serves\n"));
        }
        if one.quorum.is_some() && !one.in_force {
            text.push_str(&format!("  {name}: not in force; the log says why\n"));
        }
        for real in &one.real_servers {
            if let Some(reason) = &real.reason {
                text.push_str(&format!("  {name}: {}: {reason}\n", real.address));
            }
        }
    }
    text
}

fn state_of(one: &VirtualServerView) -> &'static str {
    match (one.quorum, one.sorry) {
        (None, _) => "unknown",
        (Some(true), _) => "up",
        (Some(false), true) => "sorry",
        (Some(false), false) => "no quorum",
    }
}

#[cfg(test)]
mod tests {
    use mainstay_dashboard::views::RealServerView;

    use super::*;

    #[test]
    fn a_lost_quorum_says_who_serves_and_why() {
        let real = |address: &str, state: &str, reason: Option<&str>| RealServerView {
            address: address.to_owned(),
            state: state.to_owned(),
            weight: 3,
            reason: reason.map(str::to_owned),
        };
        let one = VirtualServerView {
            name: "mysql".to_owned(),
            address: "10.0.0.100:3306".to_owned(),
            scheduler: "wrr".to_owned(),
            engine: "nftables".to_owned(),
            in_force: true,
            quorum: Some(false),
            quorum_weight: 4,
            weight: 3,
            sorry_server: Some("10.0.0.9:3306".to_owned()),
            sorry: true,
            real_servers: vec![
                real("10.0.0.1:3306", "up", None),
                real("10.0.0.2:3306", "down", Some("the connection broke")),
            ],
            ..VirtualServerView::default()
        };
        let text = text_of(&[one]);
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let expected = [
            "virtual server address state weight scheduler",
            "mysql 10.0.0.100:3306 sorry 3 (quorum 4) wrr (nftables)",
            "├─ real server 10.0.0.1:3306 up 3",
            "└─ real server 10.0.0.2:3306 down 3",
            "mysql: the sorry server 10.0.0.9:3306 serves",
            "mysql: 10.0.0.2:3306: the connection broke",
        ];
        assert_eq!(lines, expected);
        assert_eq!(text_of(&[]), "");
    }
}
