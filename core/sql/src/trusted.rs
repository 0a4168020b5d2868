//! Stored functions and procedures that an operator declares to be reads.

/// Names, in lower case. A name with a schema (`shop.price`) means that one, a bare one any
/// schema's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    functions: Vec<String>,
    procedures: Vec<String>,
}

impl Trusted {
    /// Nothing is known beyond the built-in functions.
    pub const NONE: Self = Self {
        functions: Vec::new(),
        procedures: Vec::new(),
    };

    /// These, in any case.
    pub fn new(functions: &[String], procedures: &[String]) -> Self {
        let folded = |names: &[String]| {
            let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
            names.sort();
            names
        };
        Self {
            functions: folded(functions),
            procedures: folded(procedures),
        }
    }

    pub(crate) fn has_functions(&self) -> bool {
        !self.functions.is_empty()
    }

    pub(crate) fn has_procedures(&self) -> bool {
        !self.procedures.is_empty()
    }

    pub(crate) fn is_function(&self, schema: Option<&[u8]>, name: &[u8]) -> bool {
        is_in(&self.functions, schema, name)
    }

    pub(crate) fn is_procedure(&self, schema: Option<&[u8]>, name: &[u8]) -> bool {
        is_in(&self.procedures, schema, name)
    }
}

fn is_in(names: &[String], schema: Option<&[u8]>, name: &[u8]) -> bool {
    let plain = |name: &[u8]| {
        let name = name.strip_prefix(b"`").unwrap_or(name);
        let name = name.strip_suffix(b"`").unwrap_or(name);
        String::from_utf8_lossy(name).to_lowercase()
    };
    let bare = plain(name);
    let full = schema.map(|schema| format!("{}.{bare}", plain(schema)));
    let has = |name: &String| names.binary_search(name).is_ok();
    has(&bare) || full.is_some_and(|full| has(&full))
}
