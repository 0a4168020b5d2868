//! The runtime behind the admin interface: what is in force, and how rows come into force.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay_admin::{Event, Refused, Runtime, Table};
use mainstay_command::{Control, Module};
use mainstay_settings::Settings;

use super::compose::{self, Composed, Loaded, compose};
use super::document::Document;
use super::process::Process;

/// What runs.
pub(crate) struct InForce {
    state: Mutex<State>,
    process: Arc<dyn Process>,
}

struct State {
    path: PathBuf,
    /// As the file was read last.
    file: Document,
    loaded: Loaded,
    /// Both together.
    document: Document,
    settings: Settings,
    /// Keys and sections that wait for a restart.
    waiting: Vec<String>,
}

impl InForce {
    /// At the start the file runs.
    pub(crate) fn new(
        text: &str,
        path: &Path,
        settings: Settings,
        process: Arc<dyn Process>,
    ) -> Result<Self, Refused> {
        let file = Document::parse(text, path).map_err(Refused::because)?;
        let state = State {
            path: path.to_owned(),
            document: file.clone(),
            file,
            loaded: Loaded::new(),
            settings,
            waiting: Vec::new(),
        };
        Ok(Self {
            state: Mutex::new(state),
            process,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A state is replaced whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file was edited: what is to run now, with what was loaded of modules that it does not
    /// speak of anew. `Err` when it is wrong, and nothing changes.
    pub(crate) fn reread(&self, text: &str, after: &Settings) -> Result<Reread, Refused> {
        let state = self.state();
        let file = Document::parse(text, &state.path).map_err(Refused::because)?;
        let before = state.file.settings().unwrap_or_else(|_| after.clone());
        let mut loaded = state.loaded.clone();
        let mut spoken = Vec::new();
        for module in Module::ALL {
            let rows = compose::rows(module, &file, after);
            let earlier = compose::rows(module, &state.file, &before);
            if rows != earlier {
                let ran = state.rows(module);
                loaded.remove(&module);
                spoken.push((module, ran));
            }
        }
        let Composed {
            document, settings, ..
        } = compose(&file, &loaded, &[], None)?;
        Ok(Reread {
            settings,
            document,
            file,
            loaded,
            spoken,
        })
    }

    /// What was read is in force now. Returns the modules of which the file spoke, with the rows
    /// that ran before.
    pub(crate) fn taken(&self, read: Reread, waiting: &[&str]) -> Vec<(Module, Vec<Table>)> {
        let mut state = self.state();
        state.file = read.file;
        state.loaded = read.loaded;
        state.document = read.document;
        state.settings = read.settings;
        state.waiting = waiting.iter().map(|&key| key.to_owned()).collect();
        read.spoken
    }
}

/// A file that was read again.
pub(crate) struct Reread {
    /// What is to run.
    pub(crate) settings: Settings,
    document: Document,
    file: Document,
    loaded: Loaded,
    spoken: Vec<(Module, Vec<Table>)>,
}

impl State {
    fn rows(&self, module: Module) -> Vec<Table> {
        match self.loaded.get(&module) {
            Some(tables) => tables.clone(),
            None => compose::rows(module, &self.document, &self.settings),
        }
    }
}

impl Runtime for InForce {
    fn rows(&self, module: Module) -> Vec<Table> {
        self.state().rows(module)
    }

    fn file(&self, module: Module) -> Result<Vec<Table>, Refused> {
        let state = self.state();
        let Some(text) = self.process.file() else {
            let settings = state.file.settings()?;
            return Ok(compose::rows(module, &state.file, &settings));
        };
        let text = text.map_err(|error| Refused::because(format!("the settings file: {error}")))?;
        let file = Document::parse(&text, &state.path).map_err(Refused::because)?;
        let settings = file.settings()?;
        Ok(compose::rows(module, &file, &settings))
    }

    fn load(&self, module: Module, tables: &[Table]) -> Result<Vec<String>, Refused> {
        let own = module.tables();
        let (tables, hints): (Vec<_>, Vec<_>) = tables
            .iter()
            .cloned()
            .partition(|table| own.contains(&table.name));
        let (file, mut loaded) = {
            let state = self.state();
            (state.file.clone(), state.loaded.clone())
        };
        loaded.insert(module, tables);
        let composed = compose(&file, &loaded, &hints, Some(module))?;
        // Nothing is locked here: whoever applies it may be reading the file again.
        let mut notes = composed.notes;
        let members = composed.settings.members() != self.state().settings.members();
        let waiting = self.process.apply(&composed.settings, members)?;
        let waits = |key: &String| format!("{key} waits for a restart");
        notes.extend(waiting.iter().map(waits));
        let mut state = self.state();
        state.loaded = loaded;
        state.document = composed.document;
        state.settings = composed.settings;
        state.waiting = waiting;
        Ok(notes)
    }

    fn waiting(&self) -> Vec<String> {
        self.state().waiting.clone()
    }

    fn accounts(&self) -> Result<Vec<(String, String)>, Refused> {
        let settings = self.state().settings.clone();
        self.process.accounts(&settings)
    }

    fn control(&self, control: &Control) -> Result<String, Refused> {
        self.process.control(control)
    }

    fn kill(&self, session: u64, only_query: bool) -> Result<bool, Refused> {
        self.process.kill(session, only_query)
    }

    fn text(&self, secrets: bool) -> String {
        let document = self.state().document.clone();
        if secrets {
            return document.text();
        }
        document.without_secrets().text()
    }

    fn explain(
        &self,
        user: Option<&str>,
        statement: &str,
    ) -> Result<Vec<(String, String)>, Refused> {
        self.process.explain(user, statement)
    }

    fn metrics(&self) -> String {
        self.process.metrics()
    }

    fn forget_hosts(&self) {
        self.process.forget_hosts();
    }

    fn note(&self, event: &Event<'_>) {
        self.process.note(event);
    }
}
