//! Figures over time.

use super::*;

/// The start of an hour and of a day.
const MORNING: i64 = 1_800_000_000 / 86_400 * 86_400;

#[test]
fn figures_are_kept_each_time_and_by_hour_and_day() {
    let place = Place::new();
    let keep = |at: i64| place.admin.keep_history_at(at).expect("it is kept");
    keep(MORNING + 60);
    keep(MORNING + 120);
    keep(MORNING + 3_700);
    let rows = |sql: &str| place.rows(sql).join(" ");
    assert_eq!(rows("SELECT COUNT(*) FROM mysql_connections"), "3");
    assert_eq!(rows("SELECT COUNT(*) FROM mysql_connections_hour"), "2");
    let day = "SELECT timestamp FROM stats_history.mysql_connections_day";
    assert_eq!(rows(day), MORNING.to_string());
    let variables = "SELECT COUNT(*), COUNT(DISTINCT variable_name) FROM \
                     history_mysql_status_variables JOIN \
                     history_mysql_status_variables_lookup USING (variable_id)";
    assert_eq!(rows(variables), "3|1");
}

#[test]
fn what_is_old_is_forgotten_and_hours_stay() {
    let place = Place::new();
    let keep = |at: i64| place.admin.keep_history_at(at).expect("it is kept");
    keep(MORNING);
    keep(MORNING + 8 * 86_400);
    let count = |table: &str| {
        place
            .rows(&format!("SELECT COUNT(*) FROM {table}"))
            .join(" ")
    };
    assert_eq!(count("myhgm_connections"), "1");
    assert_eq!(count("myhgm_connections_hour"), "2");
    assert_eq!(count("history_mysql_status_variables"), "1");
}
