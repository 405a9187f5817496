//! The folder of `--out`: files appear in it complete or not at all.

use crate::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::{fs, process};

/// Files that wait beside the folder until all of them are written.
pub struct Folder {
    target: PathBuf,
    staging: PathBuf,
}

impl Folder {
    /// Makes sure that the folder can be written, and leaves nothing behind.
    ///
    /// # Errors
    /// Names the folder and what the system says.
    pub fn check(target: &Path) -> Result<(), Error> {
        if target.exists() && !target.is_dir() {
            return Err(refuse(target, "exists and is not a folder"));
        }
        Self::stage(target).map(drop)
    }

    /// An empty staging folder beside `target`.
    ///
    /// # Errors
    /// Names the folder and what the system says.
    pub fn stage(target: &Path) -> Result<Self, Error> {
        let explain = |error: io::Error| refuse(target, &error.to_string());
        let whole = std::path::absolute(target).map_err(explain)?;
        let (Some(parent), Some(name)) = (whole.parent(), whole.file_name()) else {
            return Err(refuse(target, "is not a folder that can be written"));
        };
        if !parent.is_dir() {
            return Err(refuse(target, "its parent folder does not exist"));
        }
        let staging = parent.join(format!(
            ".{}.{}.part",
            name.to_string_lossy(),
            process::id()
        ));
        fs::create_dir(&staging).map_err(explain)?;
        Ok(Self {
            target: whole,
            staging,
        })
    }

    /// Writes one file, e.g. `pane0/run.json`.
    ///
    /// # Errors
    /// Names the file and what the system says.
    pub fn write(&self, name: &str, content: &str) -> Result<(), Error> {
        let path = self.staging.join(name);
        let folder = path.parent().unwrap_or(&self.staging);
        let done = fs::create_dir_all(folder).and_then(|()| fs::write(&path, content));
        done.map_err(|error| refuse(&self.target.join(name), &error.to_string()))
    }

    /// Moves the files to the folder, over older ones of the same names.
    ///
    /// # Errors
    /// Names the folder and what the system says.
    pub fn commit(self) -> Result<(), Error> {
        let done = if self.target.exists() {
            move_into(&self.staging, &self.target)
        } else {
            fs::rename(&self.staging, &self.target)
        };
        done.map_err(|error| refuse(&self.target, &error.to_string()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Gone already after a commit by renaming.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

fn move_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let to = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            move_into(&item.path(), &to)?;
        } else {
            fs::rename(item.path(), to)?;
        }
    }
    Ok(())
}

fn refuse(path: &Path, message: &str) -> Error {
    Error::File {
        file: path.display().to_string(),
        message: message.to_owned(),
    }
}
