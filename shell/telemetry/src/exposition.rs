//! Metrics as text, the way Prometheus reads it (its "Exposition formats", text version 0.0.4).

use std::fmt::{Display, Write};

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from zero at the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Metrics that are being written down.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// One metric: its samples differ in their labels.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Exposition {
    /// Begins a metric; its samples must follow before the next one begins.
    pub fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Family<'a> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        // Writing into a text cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family {
            text: &mut self.text,
            name,
        }
    }

    /// Begins a histogram.
    pub fn histogram<'a>(&'a mut self, name: &'a str, help: &str) -> Histogram<'a> {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} histogram");
        Histogram {
            text: &mut self.text,
            name,
        }
    }

    /// A metric with one sample and no labels.
    pub fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// A metric that counts in classes.
#[derive(Debug)]
pub struct Histogram<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Family<'_> {
    /// Adds a sample.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.name);
        put_sample(self.text, labels, value);
    }
}

impl Histogram<'_> {
    /// Adds a class, with all that the classes before it have counted; its upper end is the label
    /// `le`.
    pub fn bucket(&mut self, labels: &[(&str, &str)], count: impl Display) {
        let _ = write!(self.text, "{}_bucket", self.name);
        put_sample(self.text, labels, count);
    }

    /// Adds the sum of all values.
    pub fn sum(&mut self, labels: &[(&str, &str)], sum: impl Display) {
        let _ = write!(self.text, "{}_sum", self.name);
        put_sample(self.text, labels, sum);
    }

    /// Adds how many values there were.
    pub fn count(&mut self, labels: &[(&str, &str)], count: impl Display) {
        let _ = write!(self.text, "{}_count", self.name);
        put_sample(self.text, labels, count);
    }
}

fn put_sample(text: &mut String, labels: &[(&str, &str)], value: impl Display) {
    for (at, (name, value)) in labels.iter().enumerate() {
        text.push(if at == 0 { '{' } else { ',' });
        let _ = write!(text, "{name}=\"{}\"", escaped(value));
    }
    if !labels.is_empty() {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_classes_a_sum_and_a_count() {
        let mut metrics = Exposition::default();
        let mut times = metrics.histogram("t", "Times.");
        times.bucket(&[("le", "0.1")], 2);
        times.bucket(&[("le", "+Inf")], 3);
        times.sum(&[], 1.5);
        times.count(&[], 3);
        assert_eq!(
            metrics.into_text(),
            "# HELP t Times.\n# TYPE t histogram\nt_bucket{le=\"0.1\"} 2\n\
             t_bucket{le=\"+Inf\"} 3\nt_sum 1.5\nt_count 3\n"
        );
    }

    #[test]
    fn metrics_are_written_as_prometheus_reads_them() {
        let mut metrics = Exposition::default();
        metrics.single("up", Kind::Gauge, "It runs.", 1);
        let mut family = metrics.family("errors_total", Kind::Counter, "Errors.");
        family.sample(&[("code", "1045"), ("text", "a \"b\"\n\\")], 7);
        assert_eq!(
            metrics.into_text(),
            "# HELP up It runs.\n# TYPE up gauge\nup 1\n\
             # HELP errors_total Errors.\n# TYPE errors_total counter\n\
             errors_total{code=\"1045\",text=\"a \\\"b\\\"\\n\\\\\"} 7\n"
        );
    }
}
