//! What people and servers write as text: sets of transactions, commands of the admin interface.

use mainstay_command::{first_word, masked, names, parse, system_variables, written_table};
use mainstay_gtid::{Family, GtidSet};

/// Two sets, separated by a bar: what is read, once printed, is read as the same, and the laws of
/// sets hold.
pub(crate) fn gtid_set(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (one, other) = text.split_once('|').unwrap_or((&text, ""));
    for family in [Family::Mysql, Family::Mariadb] {
        let Ok(one) = GtidSet::parse(family, one) else {
            continue;
        };
        let printed = one.to_string();
        assert_eq!(GtidSet::parse(family, &printed).as_ref(), Ok(&one));
        let Ok(other) = GtidSet::parse(family, other) else {
            continue;
        };
        let both = one.union(&other).expect("both are of one family");
        assert!(both.contains(&one) && both.contains(&other), "{text:?}");
    }
}

/// A text is understood in one way, or is SQL.
pub(crate) fn admin_command(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let command = parse(&text);
    assert_eq!(format!("{command:?}"), format!("{:?}", parse(&text)));
    let _ = (first_word(&text), written_table(&text));
    let _ = (masked(&text), names(&text));
    let _ = system_variables(&text, |name| (name != "x").then(|| "1".to_owned()));
}
