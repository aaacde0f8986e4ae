//! Archives in (ustar, zip) and out (zip).
//!
//! An archive is hostile input: no entry may leave the directory it is unpacked to, be anything but
//! a file, directory or link, or unpack to more than the caller allows.

use super::{Change, Entry, Filesystem, FsError, Ino, Kind};
use std::io::{Cursor, Read, Seek, Write};

/// Why an archive was refused. Entries before the bad one may have been unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is not an archive, or it is damaged.
    #[error("not a readable {format} archive: {cause}")]
    Damaged {
        /// `tar` or `zip`.
        format: &'static str,
        /// What the reader stumbled over.
        cause: String,
    },
    /// An entry leads out of the directory that the archive is unpacked to.
    #[error(
        "the {format} archive's entry `{path}` would be written outside of its directory (`..` or an absolute path)"
    )]
    Escape {
        /// `tar` or `zip`.
        format: &'static str,
        /// The entry's name.
        path: String,
    },
    /// An entry is a device, a pipe or another kind that WASI has no use for, or is encrypted.
    #[error("the {format} archive's entry `{path}` is {what}, which can't be unpacked")]
    Unsupported {
        /// `tar` or `zip`.
        format: &'static str,
        /// The entry's name.
        path: String,
        /// What it is.
        what: String,
    },
    /// An entry could not be created.
    #[error("can't unpack the {format} archive's entry `{path}`: {cause}")]
    Entry {
        /// `tar` or `zip`.
        format: &'static str,
        /// The entry's name.
        path: String,
        /// Why.
        #[source]
        cause: FsError,
    },
    /// It unpacks to more than is allowed.
    #[error("the {format} archive would unpack to more than {limit} bytes")]
    TooBig {
        /// `tar` or `zip`.
        format: &'static str,
        /// The most bytes that may be unpacked.
        limit: u64,
    },
    /// An archive could not be written.
    #[error("can't write the zip archive: {0}")]
    Write(String),
}

/// Unpacks into one directory of a filesystem, with a budget of bytes.
struct Unpacker<'a> {
    fs: &'a mut Filesystem,
    base: Ino,
    now: u64,
    limit: u64,
    left: u64,
    format: &'static str,
    count: usize,
}

impl Unpacker<'_> {
    fn damaged(&self, cause: impl ToString) -> ArchiveError {
        ArchiveError::Damaged {
            format: self.format,
            cause: cause.to_string(),
        }
    }

    fn entry_error(&self, path: &str, cause: FsError) -> ArchiveError {
        let (format, path) = (self.format, path.to_owned());
        match cause {
            FsError::Escape => ArchiveError::Escape { format, path },
            cause => ArchiveError::Entry {
                format,
                path,
                cause,
            },
        }
    }

    /// Absolute names are refused rather than cut: an archive that has them was made to escape.
    fn check(&self, path: &str) -> Result<(), ArchiveError> {
        if path.starts_with(['/', '\\']) {
            return Err(self.entry_error(path, FsError::Escape));
        }
        Ok(())
    }

    fn directory(&mut self, path: &str) -> Result<(), ArchiveError> {
        let made = self.fs.create_directories(self.base, path, self.now);
        made.map_err(|cause| self.entry_error(path, cause))?;
        self.count += 1;
        Ok(())
    }

    fn file(&mut self, path: &str, data: &mut dyn Read) -> Result<(), ArchiveError> {
        let made = self.fs.replace_file(self.base, path, self.now);
        let file = made.map_err(|cause| self.entry_error(path, cause))?;
        let mut buffer = vec![0; 1 << 16];
        let mut offset = 0;
        loop {
            let read = match data.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.damaged(format_args!("entry `{path}`: {error}"))),
            };
            self.left = self
                .left
                .checked_sub(read as u64)
                .ok_or(ArchiveError::TooBig {
                    format: self.format,
                    limit: self.limit,
                })?;
            let written = self.fs.write(file, offset, &buffer[..read], self.now);
            written.map_err(|cause| self.entry_error(path, cause))?;
            offset += read as u64;
        }
        self.count += 1;
        Ok(())
    }

    fn symlink(&mut self, path: &str, target: &str) -> Result<(), ArchiveError> {
        let made = self
            .fs
            .create_parents(self.base, path, self.now)
            .and_then(|(dir, name)| {
                match self.fs.unlink(dir, name, self.now) {
                    Ok(()) | Err(FsError::NotFound) => {}
                    Err(error) => return Err(error),
                }
                self.fs.create_symlink(dir, name, target, self.now)
            });
        made.map_err(|cause| self.entry_error(path, cause))?;
        self.count += 1;
        Ok(())
    }

    fn hard_link(&mut self, path: &str, target: &str) -> Result<(), ArchiveError> {
        let made = self.fs.resolve(self.base, target, false).and_then(|place| {
            let ino = place.existing()?;
            let (dir, name) = self.fs.create_parents(self.base, path, self.now)?;
            self.fs.link(ino, dir, name, self.now)
        });
        made.map_err(|cause| self.entry_error(path, cause))?;
        self.count += 1;
        Ok(())
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes)
        .map_err(|_| format!("the name `{}` is not UTF-8", String::from_utf8_lossy(bytes)))
}

/// Unpacks a tar archive (ustar, with GNU and PAX long names) below directory `base`, at most
/// `limit` bytes of files, every time set to `now`. Returns the number of entries.
pub fn mount_tar(
    fs: &mut Filesystem,
    base: Ino,
    data: impl Read,
    limit: u64,
    now: u64,
) -> Result<usize, ArchiveError> {
    let mut out = Unpacker {
        fs,
        base,
        now,
        limit,
        left: limit,
        format: "tar",
        count: 0,
    };
    let mut archive = tar::Archive::new(data);
    let entries = archive.entries().map_err(|error| out.damaged(error))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| out.damaged(error))?;
        let name = entry.path_bytes().into_owned();
        let path = utf8(&name).map_err(|cause| out.damaged(cause))?.to_owned();
        out.check(&path)?;
        let target = entry.link_name_bytes().map(|target| target.into_owned());
        let target = utf8(target.as_deref().unwrap_or_default());
        let target = target.map_err(|cause| out.damaged(cause))?.to_owned();
        match entry.header().entry_type() {
            kind if kind.is_dir() => out.directory(&path)?,
            kind if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() => {
                out.file(&path, &mut entry)?;
            }
            kind if kind.is_symlink() => out.symlink(&path, &target)?,
            kind if kind.is_hard_link() => out.hard_link(&path, &target)?,
            kind if kind.is_pax_global_extensions() => {}
            kind => {
                let what = match kind {
                    tar::EntryType::Char | tar::EntryType::Block => "a device".to_owned(),
                    tar::EntryType::Fifo => "a pipe".to_owned(),
                    other => format!("of the unknown type `{}`", other.as_byte() as char),
                };
                return Err(ArchiveError::Unsupported {
                    format: "tar",
                    path,
                    what,
                });
            }
        }
    }
    Ok(out.count)
}

/// As [`mount_tar`]; what the archive creates is read-only then. Directories that were there before
/// are not.
pub fn mount_tar_read_only(
    fs: &mut Filesystem,
    base: Ino,
    data: impl Read,
    limit: u64,
    now: u64,
) -> Result<usize, ArchiveError> {
    let first = fs.next_ino();
    let count = mount_tar(fs, base, data, limit, now)?;
    fs.make_read_only(first);
    Ok(count)
}

/// Unpacks a zip archive below directory `base`; see [`mount_tar`].
pub fn mount_zip(
    fs: &mut Filesystem,
    base: Ino,
    data: impl Read + Seek,
    limit: u64,
    now: u64,
) -> Result<usize, ArchiveError> {
    let mut out = Unpacker {
        fs,
        base,
        now,
        limit,
        left: limit,
        format: "zip",
        count: 0,
    };
    let mut archive = zip::ZipArchive::new(data).map_err(|error| out.damaged(error))?;
    for index in 0..archive.len() {
        let name = archive.name_for_index(index).unwrap_or_default().to_owned();
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::UnsupportedArchive(what)) => {
                let path = name;
                return Err(ArchiveError::Unsupported {
                    format: "zip",
                    path,
                    what: format!("stored in a way this reader lacks ({what})"),
                });
            }
            Err(error) => return Err(out.damaged(error)),
        };
        let path = utf8(entry.name_raw())
            .map_err(|cause| out.damaged(cause))?
            .to_owned();
        out.check(&path)?;
        if entry.is_dir() {
            out.directory(&path)?;
        } else if entry.is_symlink() {
            let mut target = Vec::new();
            let read = entry
                .by_ref()
                .take(super::MAX_PATH as u64 + 1)
                .read_to_end(&mut target);
            read.map_err(|error| out.damaged(error))?;
            let target = utf8(&target).map_err(|cause| out.damaged(cause))?;
            out.symlink(&path, target)?;
        } else {
            out.file(&path, &mut entry)?;
        }
    }
    Ok(out.count)
}

/// The most bytes that files may have together to be written into an archive, holes included: a
/// program can make a file of 2^63 - 1 bytes that holds nothing, and a zip archive has no holes.
pub const MAX_EXPORT: u64 = 4 << 30;

/// Writes the entries that are there (not [`Change::Removed`]) into a zip archive. The same entries
/// give the same bytes: order as given, times at zip's epoch.
///
/// # Errors
/// If they have more than [`MAX_EXPORT`] bytes together.
pub fn write_zip(fs: &Filesystem, entries: &[Entry]) -> Result<Vec<u8>, ArchiveError> {
    let fail = |error: &dyn std::fmt::Display| ArchiveError::Write(error.to_string());
    let there = entries
        .iter()
        .filter(|entry| entry.change != Change::Removed);
    let total = there.fold(0u64, |total, entry| total.saturating_add(entry.size));
    if total > MAX_EXPORT {
        return Err(ArchiveError::TooBig {
            format: "zip",
            limit: MAX_EXPORT,
        });
    }
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries
        .iter()
        .filter(|entry| entry.change != Change::Removed)
    {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .large_file(entry.size > u64::from(u32::MAX));
        let target = entry.target.as_deref().unwrap_or_default();
        match entry.kind {
            Kind::Directory => writer
                .add_directory(&entry.path, options)
                .map_err(|e| fail(&e))?,
            Kind::Symlink => writer
                .add_symlink(&entry.path, target, options)
                .map_err(|e| fail(&e))?,
            Kind::File => {
                let content = fs.find(&entry.path).and_then(|ino| fs.content(ino));
                let content = content.map_err(|e| fail(&e))?;
                writer
                    .start_file(&entry.path, options)
                    .map_err(|e| fail(&e))?;
                let mut result = Ok(());
                content.for_each_block(|block| {
                    if result.is_ok() {
                        result = writer.write_all(block);
                    }
                });
                result.map_err(|e| fail(&e))?;
            }
        }
    }
    let finished = writer.finish().map_err(|error| fail(&error))?;
    Ok(finished.into_inner())
}
