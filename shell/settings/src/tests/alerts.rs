//! `[[alert]]`: who is told, and the mistakes in saying so.

use std::path::Path;
use std::time::Duration;

use super::{RIGHT, mistakes, parse};
use crate::{AlertMeans, MailEncryption};

fn with(alert: &str) -> String {
    format!("{RIGHT}[[alert]]\n{alert}\n")
}

#[test]
fn each_means_is_read() {
    let settings = parse(&with(
        "command = \"/bin/page\"\narguments = [\"-u\"]\nafter = \"1min\"",
    ));
    let alert = settings.unwrap().alerts.remove(0);
    assert_eq!(alert.after, Duration::from_mins(1));
    assert_eq!(alert.limit, Duration::from_secs(30));
    let expected = AlertMeans::Command {
        program: Path::new("/bin/page").to_owned(),
        arguments: vec!["-u".to_owned()],
    };
    assert_eq!(alert.means, expected);

    let settings = parse(&with("url = \"https://chat.example/x\"")).unwrap();
    assert!(matches!(
        settings.alerts[0].means,
        AlertMeans::Webhook { .. }
    ));

    let text = "mail_to = [\"a@x\"]\nmail_from = \"b@x\"\nsmtp = \"[::1]:25\"\n\
                smtp_encryption = \"off\"\nsmtp_user = \"u\"\nsmtp_password = \"hush\"";
    let settings = parse(&with(text)).unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
    let AlertMeans::Mail(mail) = &settings.alerts[0].means else {
        panic!("it is mail");
    };
    assert_eq!((mail.port, mail.encryption), (25, MailEncryption::Off));
    assert_eq!(mail.account.as_ref().expect("an account").user, "u");
}

#[test]
fn exactly_one_means_is_needed() {
    let found = mistakes(&with("after = \"1s\""));
    assert!(
        found.contains("alert.command: is missing: or `url`, or `mail_to`"),
        "{found}"
    );
    let found = mistakes(&with("command = \"/bin/page\"\nurl = \"http://x\""));
    assert!(
        found.contains("alert.url: cannot stand beside `command`"),
        "{found}"
    );
}

#[test]
fn mistakes_of_each_means_are_told() {
    let cases = [
        (
            "command = \"page\"",
            "alert.command: expected the whole path of a program",
        ),
        (
            "url = \"chat.example\"",
            "alert.url: expected an address with http:// or https://",
        ),
        ("mail_to = [\"a@x\"]", "alert.mail_from: is missing"),
        (
            "mail_to = [\"a@x\"]\nmail_from = \"b@x\"",
            "alert.smtp: is missing",
        ),
        (
            "mail_to = [\"a@x\"]\nmail_from = \"b@x\"\nsmtp = \"mail\"",
            "alert.smtp: expected a host and a port",
        ),
        (
            "url = \"http://x\"\ncolour = 1",
            "alert.colour: is not known",
        ),
    ];
    for (text, expected) in cases {
        let found = mistakes(&with(text));
        assert!(found.contains(expected), "{text}: {found}");
    }
}
