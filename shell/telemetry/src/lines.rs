//! Logs of their own in files: lines that a thread writes from a bounded queue, so that nobody who
//! logs waits for a disk; and files that begin anew when they are full.

use std::fmt::{self, Debug};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

/// Entries that wait for the thread at most; what comes then is dropped, and counted.
const QUEUE_MAX: usize = 8_192;

/// A file with its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes above which it becomes `path.1`, and what was that `path.2`.
    pub bytes_max: u64,
    /// How many of these are kept.
    pub kept: usize,
}

/// What a log has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Lines written.
    pub written: u64,
    /// Entries dropped: the queue was full, or the file could not be written.
    pub dropped: u64,
}

#[derive(Debug, Default)]
struct Counters {
    written: AtomicU64,
    dropped: AtomicU64,
}

enum Message<T> {
    Entry(T),
    /// The file was moved, or is to be: open it anew.
    Reopen,
}

/// A log in a file. Dropping it writes what waits, and closes the file.
pub struct LogWriter<T> {
    queue: Option<SyncSender<Message<T>>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl<T> Debug for LogWriter<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LogWriter({:?})", self.counters)
    }
}

impl<T: Send + 'static> LogWriter<T> {
    /// Opens the file and starts the thread. `line` makes the text of an entry, without its end.
    pub fn start(
        file: LogFile,
        line: impl Fn(&T, &mut String) + Send + 'static,
    ) -> io::Result<Self> {
        let open = Open::at(file)?;
        let (queue, entries) = sync_channel(QUEUE_MAX);
        let counters = Arc::new(Counters::default());
        let counted = Arc::clone(&counters);
        let thread = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&entries, open, &line, &counted))?;
        Ok(Self {
            queue: Some(queue),
            counters,
            thread: Some(thread),
        })
    }

    /// Queues an entry; never waits.
    pub fn write(&self, entry: T) {
        let queued = self.queue.as_ref().map(|queue| {
            let message = Message::Entry(entry);
            queue.try_send(message).is_ok()
        });
        if queued != Some(true) {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Begins a new file, as when this one is full; also where somebody has moved it away.
    pub fn rotate(&self) {
        if let Some(queue) = &self.queue {
            // A full queue is written anyway, and the file grows until somebody asks again.
            let _ = queue.try_send(Message::Reopen);
        }
    }
}

impl<T> LogWriter<T> {
    /// What it has done.
    pub fn stats(&self) -> LogStats {
        LogStats {
            written: self.counters.written.load(Ordering::Relaxed),
            dropped: self.counters.dropped.load(Ordering::Relaxed),
        }
    }
}

impl<T> Drop for LogWriter<T> {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // What it could not do it has counted.
            let _ = thread.join();
        }
    }
}

fn write_all<T>(
    entries: &Receiver<Message<T>>,
    mut open: Open,
    line: &dyn Fn(&T, &mut String),
    counters: &Counters,
) {
    let mut text = String::new();
    loop {
        let message = match entries.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                open.flush();
                match entries.recv() {
                    Ok(message) => message,
                    Err(_) => break,
                }
            }
        };
        let Message::Entry(entry) = message else {
            open.rotate();
            continue;
        };
        text.clear();
        line(&entry, &mut text);
        text.push('\n');
        let counter = if open.write(text.as_bytes()).is_ok() {
            &counters.written
        } else {
            &counters.dropped
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    open.flush();
}

/// An open file.
struct Open {
    file: LogFile,
    writer: BufWriter<File>,
    bytes: u64,
}

impl Open {
    fn at(file: LogFile) -> io::Result<Self> {
        let (writer, bytes) = append(&file.path)?;
        Ok(Self {
            file,
            writer,
            bytes,
        })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.file.bytes_max {
            self.rotate();
        }
        self.writer.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn flush(&mut self) {
        if let Err(error) = self.writer.flush() {
            let path = self.file.path.display();
            tracing::error!(%path, %error, "a log cannot be written");
        }
    }

    /// Moves the file, and those before it, one place on; a file that cannot be moved grows.
    fn rotate(&mut self) {
        self.flush();
        if let Err(error) = self.begin_anew() {
            let path = self.file.path.display();
            tracing::error!(%path, %error, "a log cannot begin a new file");
            // Not to be tried again with each line.
            self.bytes = 0;
        }
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        if !self.file.path.exists() {
            // Somebody else has moved it.
            (self.writer, self.bytes) = append(&self.file.path)?;
            return Ok(());
        }
        for number in (1..self.file.kept).rev() {
            let from = self.numbered(number);
            if from.exists() {
                fs::rename(&from, self.numbered(number + 1))?;
            }
        }
        if self.file.kept == 0 {
            fs::remove_file(&self.file.path)?;
        } else {
            fs::rename(&self.file.path, self.numbered(1))?;
        }
        (self.writer, self.bytes) = append(&self.file.path)?;
        Ok(())
    }

    fn numbered(&self, number: usize) -> PathBuf {
        let mut path = self.file.path.clone().into_os_string();
        path.push(format!(".{number}"));
        PathBuf::from(path)
    }
}

/// Statements may hold secrets: only the owner reads them.
fn append(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let bytes = file.metadata()?.len();
    Ok((BufWriter::new(file), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_line(entry: &Arc<u32>, text: &mut String) {
        text.push_str(&format!("line {entry}"));
    }

    fn log(folder: &Path, bytes_max: u64, kept: usize) -> LogWriter<Arc<u32>> {
        let file = LogFile {
            path: folder.join("a.log"),
            bytes_max,
            kept,
        };
        LogWriter::start(file, write_line).expect("the folder is there")
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap_or_default()
    }

    #[test]
    fn lines_are_written_in_order_and_a_second_log_goes_on_with_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 1..=2 {
            let log = log(folder.path(), 1_000, 3);
            log.write(Arc::new(number));
            drop(log);
        }
        assert_eq!(read(folder.path(), "a.log"), "line 1\nline 2\n");
    }

    #[test]
    fn a_full_file_makes_room_for_a_new_one_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path(), 8, 2);
        for number in 1..=4 {
            log.write(Arc::new(number));
        }
        drop(log);
        assert_eq!(read(folder.path(), "a.log"), "line 4\n");
        assert_eq!(read(folder.path(), "a.log.1"), "line 3\n");
        assert_eq!(read(folder.path(), "a.log.2"), "line 2\n");
        assert!(!folder.path().join("a.log.3").exists());
    }

    #[test]
    fn what_is_written_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = log(folder.path(), 1_000, 2);
        log.write(Arc::new(1));
        log.rotate();
        log.write(Arc::new(2));
        log.queue = None;
        log.thread.take().map(JoinHandle::join);
        log.write(Arc::new(3));
        let expected = LogStats {
            written: 2,
            dropped: 1,
        };
        assert_eq!(log.stats(), expected);
        assert_eq!(read(folder.path(), "a.log"), "line 2\n");
        assert_eq!(read(folder.path(), "a.log.1"), "line 1\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_told_at_the_start() {
        let file = LogFile {
            path: PathBuf::from("/nonexistent/a.log"),
            bytes_max: 1,
            kept: 1,
        };
        assert!(LogWriter::start(file, write_line).is_err());
    }
}
