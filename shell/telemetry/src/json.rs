//! One JSON object a line: `at`, `level`, `target`, `message`, then the fields of the event.
//! A program that reads the logs needs nothing of spans, so they are left out.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::time;

/// The layer.
pub(crate) struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = line(event, &time::now());
        // Nobody is left to be told that standard error is closed.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

fn line(event: &Event<'_>, at: &str) -> String {
    let metadata = event.metadata();
    let mut object = Object(String::with_capacity(160));
    object.0.push('{');
    object.text("at", at);
    object.text("level", &metadata.level().as_str().to_ascii_lowercase());
    object.text("target", metadata.target());
    event.record(&mut object);
    object.0.push_str("}\n");
    object.0
}

struct Object(String);

impl Object {
    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.string(key);
        self.0.push(':');
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.string(value);
    }

    fn plain(&mut self, key: &str, value: impl fmt::Display) {
        self.key(key);
        write!(self.0, "{value}").expect("writing to a string does not fail");
    }

    /// RFC 8259, section 7.
    fn string(&mut self, value: &str) {
        self.0.push('"');
        for character in value.chars() {
            match character {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                control if control < ' ' => {
                    write!(self.0, "\\u{:04x}", u32::from(control))
                        .expect("writing to a string does not fail");
                }
                other => self.0.push(other),
            }
        }
        self.0.push('"');
    }
}

impl Visit for Object {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    struct Kept(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(line(event, "then"));
        }
    }

    #[test]
    fn an_event_is_one_object_with_its_fields() {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Kept(Arc::clone(&kept)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "proxy", held = 3, server = "db\"1\"\n", "writes are held");
        });
        assert_eq!(
            kept.lock().unwrap().as_slice(),
            ["{\"at\":\"then\",\"level\":\"warn\",\"target\":\"proxy\",\
                 \"message\":\"writes are held\",\"held\":3,\"server\":\"db\\\"1\\\"\\n\"}\n"]
        );
    }
}
