//! The settings file: any text gives settings, or sentences with the line of each mistake.

use std::path::Path;

use mainstay_settings::{Settings, SettingsError};

pub(crate) fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Settings::parse(text, Path::new("mainstay.toml")) {
        Ok(settings) => {
            if let Some(manager) = settings.control.manager() {
                let _ = settings.failover_policy(manager);
            }
            let _ = settings.terms();
            let _ = settings.members();
            let _ = settings.session_policy();
        }
        Err(SettingsError::Invalid { problems, .. }) => {
            let lines = text.lines().count().max(1);
            assert!(!problems.is_empty(), "a refusal says why");
            for problem in problems {
                assert!(
                    problem.line <= lines + 1,
                    "line {} of {lines}",
                    problem.line
                );
            }
        }
        Err(SettingsError::Unreadable { .. }) => panic!("nothing was read from a file"),
    }
}
