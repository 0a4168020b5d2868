//! The floating addresses as a table.

use mainstay_dashboard::views::VipView;

use crate::output::table;

/// The table, and what is wrong below it; nothing where there are no addresses.
pub(crate) fn text_of(vips: &[VipView]) -> String {
    if vips.is_empty() {
        return String::new();
    }
    let header = [
        "vip",
        "state",
        "for",
        "addresses",
        "interface",
        "id",
        "priority",
        "active",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for vip in vips {
        let priority = if vip.priority == vip.priority_now {
            vip.priority.to_string()
        } else {
            format!("{} (of {})", vip.priority_now, vip.priority)
        };
        let active = match vip.state.as_str() {
            "active" => "here",
            _ => vip.active.as_deref().unwrap_or("-"),
        };
        rows.push(vec![
            vip.name.clone(),
            vip.state.clone(),
            format!("{}s", vip.since_ms / 1_000),
            vip.addresses.join(" "),
            vip.interface.clone(),
            vip.virtual_router_id.to_string(),
            priority,
            active.to_owned(),
        ]);
    }
    let mut text = table(&rows);
    for vip in vips {
        if vip.state == "fault" {
            text.push_str(&format!("  {}: {}\n", vip.name, vip.reason));
        }
        for finding in &vip.findings {
            text.push_str(&format!("  {}: {finding}\n", vip.name));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_where_an_address_is_and_what_is_wrong_stands_below() {
        let vip = VipView {
            name: "writer".to_owned(),
            state: "backup".to_owned(),
            since_ms: 12_345,
            addresses: vec!["10.0.0.100/24".to_owned()],
            interface: "eth0".to_owned(),
            virtual_router_id: 51,
            priority: 100,
            priority_now: 80,
            active: Some("10.0.0.2".to_owned()),
            findings: vec!["10.0.0.3 has another password".to_owned()],
            ..VipView::default()
        };
        let text = text_of(&[vip]);
        let lines: Vec<Vec<_>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            lines[1].join(" "),
            "writer backup 12s 10.0.0.100/24 eth0 51 80 (of 100) \
                                        10.0.0.2"
        );
        assert_eq!(lines[2].join(" "), "writer: 10.0.0.3 has another password");
        assert_eq!(text_of(&[]), "");
    }
}
