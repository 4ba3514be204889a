//! The real program, run as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use rollcall::load::store::{Folder, Store};
use simulator::{Server, ServerOptions, World};
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "5d41c4ac806c6440eb6aa8e071115f2b";

/// A folder of one test, and the command in it.
pub(crate) struct Desk {
    folder: TempDir,
}

pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The store, opened.
    pub(crate) fn open(&self) -> Arc<dyn Store> {
        Arc::new(Folder::new(self.store()))
    }

    /// `rollcall` with these words. Of the environment, it gets only the variables that lead to the test's S3 server.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        let aws = std::env::vars().filter(|(name, _)| name.starts_with("AWS_"));
        command.env_clear().envs(aws).current_dir(self.folder.path()).args(words);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        Outcome::of(self.command(words).output().unwrap())
    }

    /// Runs `rollcall sync` with a token and the store of this desk.
    pub(crate) fn sync(&self, server: &Server, words: &[&str]) -> Outcome {
        let (url, store) = (server.url(), self.store());
        let store = store.to_str().unwrap();
        let mut all = vec!["sync", "--api-url", &url, "--token", TOKEN, "--store", store];
        if !words.contains(&"--requests-per-second") {
            all.extend(["--requests-per-second", "10000"]);
        }
        all.extend(words);
        self.run(&all)
    }
}

impl Outcome {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The lines that say what failed, without log lines.
    pub(crate) fn errors(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.starts_with("error: ")).collect()
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.status, 0, "{}", self.stderr);
        assert_eq!(self.errors(), [""; 0]);
        self
    }
}

pub(crate) fn server(world: &World, options: ServerOptions) -> Server {
    Server::start(world.clone(), ServerOptions { token: Some(TOKEN.to_owned()), ..options }).unwrap()
}

/// Every file below a folder with its content, by its path.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            all.push((path, content));
        }
    }
    all.sort();
    all
}
