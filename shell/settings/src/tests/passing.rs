//! Users who are in no settings.

use super::*;

#[test]
fn users_pass_through_only_when_asked_and_never_those_of_the_manager() {
    let parsed = |keys: &str| parse(&format!("{RIGHT}[proxy]\n{keys}")).unwrap();
    let policy = parsed("passthrough = true\n").session_policy().unwrap();
    assert!(policy.needs_key());
    let pass = policy.pass_through.expect("it is on");
    assert_eq!(pass.users_max, 1000);
    assert_eq!(pass.never.len(), 2, "{:?}", pass.never);
    let user = "passthrough_kept = \"1h\"\n[[user]]\nname = \"u\"\npassword = \"secret-4\"\n";
    let off = parsed(user).session_policy().unwrap();
    assert!(off.pass_through.is_none());
}
