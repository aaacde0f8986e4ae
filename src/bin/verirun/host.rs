//! Host folders in and out of the in-memory filesystem. The guest itself never sees the host.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use verirun::fs::{ArchiveError, Change, Entry, Filesystem, FsError, Kind, ROOT};
use verirun::wasi::EPOCH;

/// Why host files could not be copied in or out.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The host said no.
    #[error("{}: {cause}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The in-memory filesystem said no.
    #[error("{path}: {cause}")]
    Guest {
        /// The path inside.
        path: String,
        /// Why.
        #[source]
        cause: FsError,
    },
    /// WASI paths are UTF-8.
    #[error("{}: the name is not UTF-8, which WASI paths must be; rename it", .0.display())]
    NotUtf8(PathBuf),
    /// Writing would follow a symbolic link of the host.
    #[error("{}: a symbolic link is in the way, and writing through it could leave the folder", .0.display())]
    Link(PathBuf),
    /// A bad archive.
    #[error("{}: {cause}", .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: ArchiveError,
    },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> HostError + '_ {
    move |cause| HostError::Io {
        path: path.to_owned(),
        cause,
    }
}

fn guest(path: &str) -> impl FnOnce(FsError) -> HostError + '_ {
    move |cause| HostError::Guest {
        path: path.to_owned(),
        cause,
    }
}

fn join(dir: &str, name: &str) -> String {
    match dir {
        "" => name.to_owned(),
        dir => format!("{dir}/{name}"),
    }
}

/// Copies host folder `host` to `target`, a path from the root. Symbolic links stay links; devices,
/// pipes and sockets are left out.
pub fn copy_in(files: &mut Filesystem, host: &Path, target: &str) -> Result<(), HostError> {
    files
        .create_directories(ROOT, target, EPOCH)
        .map_err(guest(target))?;
    let mut pending = vec![(host.to_owned(), target.to_owned())];
    while let Some((dir, inside)) = pending.pop() {
        let mut entries = fs::read_dir(&dir)
            .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
            .map_err(io(&dir))?;
        // Sorted, so that inode numbers do not depend on the host's order.
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry
                .file_name()
                .into_string()
                .map_err(|_| HostError::NotUtf8(path.clone()))?;
            let inside = join(&inside, &name);
            let kind = entry.file_type().map_err(io(&path))?;
            if kind.is_dir() {
                files
                    .create_directories(ROOT, &inside, EPOCH)
                    .map_err(guest(&inside))?;
                pending.push((path, inside));
            } else if kind.is_symlink() {
                let link = fs::read_link(&path).map_err(io(&path))?;
                let link = link
                    .into_os_string()
                    .into_string()
                    .map_err(|_| HostError::NotUtf8(path.clone()))?;
                let parent = inside.rsplit_once('/').map_or("", |(parent, _)| parent);
                let made = files
                    .find(parent)
                    .and_then(|dir| files.create_symlink(dir, &name, &link, EPOCH));
                made.map_err(guest(&inside))?;
            } else if kind.is_file() {
                copy_file(files, &path, &inside)?;
            }
        }
    }
    Ok(())
}

fn copy_file(files: &mut Filesystem, host: &Path, inside: &str) -> Result<(), HostError> {
    let mut source = fs::File::open(host).map_err(io(host))?;
    let ino = files
        .replace_file(ROOT, inside, EPOCH)
        .map_err(guest(inside))?;
    let mut buffer = vec![0; 1 << 20];
    let mut offset = 0;
    loop {
        let read = source.read(&mut buffer).map_err(io(host))?;
        if read == 0 {
            return Ok(());
        }
        files
            .write(ino, offset, &buffer[..read], EPOCH)
            .map_err(guest(inside))?;
        offset += read as u64;
    }
}

/// Unpacks a tar file of the host at `target`, a path from the root.
pub fn mount_tar(files: &mut Filesystem, host: &Path, target: &str) -> Result<(), HostError> {
    /// More than any sensible input, less than what would exhaust this machine's memory.
    const LIMIT: u64 = 8 << 30;
    let source = fs::File::open(host).map_err(io(host))?;
    let base = files
        .create_directories(ROOT, target, EPOCH)
        .map_err(guest(target))?;
    verirun::fs::mount_tar(files, base, std::io::BufReader::new(source), LIMIT, EPOCH)
        .map(drop)
        .map_err(|cause| HostError::Archive {
            path: host.to_owned(),
            cause,
        })
}

/// Writes what changed below `inside` (a path from the root) to host folder `host`. What the run
/// removed is removed there only if `remove` is set. Nothing is written through a symbolic link.
pub fn copy_out(
    files: &Filesystem,
    changes: &[Entry],
    inside: &str,
    host: &Path,
    remove: bool,
) -> Result<(), HostError> {
    fs::create_dir_all(host).map_err(io(host))?;
    let below = |entry: &Entry| match inside {
        "" => Some(entry.path.clone()),
        inside => entry
            .path
            .strip_prefix(inside)?
            .strip_prefix('/')
            .map(str::to_owned),
    };
    if remove {
        // Backwards: what a directory held goes before it.
        for entry in changes
            .iter()
            .rev()
            .filter(|entry| entry.change == Change::Removed)
        {
            let Some(path) = below(entry) else { continue };
            let path = checked(host, &path)?;
            let removed = match entry.kind {
                Kind::Directory => fs::remove_dir(&path),
                _ => fs::remove_file(&path),
            };
            removed.map_err(io(&path))?;
        }
    }
    for entry in changes {
        if !matches!(entry.change, Change::Added | Change::Modified) {
            continue;
        }
        let Some(path) = below(entry) else { continue };
        let path = checked(host, &path)?;
        let existing = fs::symlink_metadata(&path).ok();
        match entry.kind {
            Kind::Directory if existing.as_ref().is_some_and(fs::Metadata::is_dir) => {}
            Kind::Directory => fs::create_dir_all(&path).map_err(io(&path))?,
            Kind::Symlink => {
                clear(&path, existing)?;
                link(&path, entry.target.as_deref().unwrap_or_default())?;
            }
            Kind::File => {
                if existing.as_ref().is_some_and(|found| !found.is_file()) {
                    clear(&path, existing)?;
                }
                write_file(files, entry, &path)?;
            }
        }
    }
    Ok(())
}

fn clear(path: &Path, existing: Option<fs::Metadata>) -> Result<(), HostError> {
    match existing {
        Some(found) if found.is_dir() => fs::remove_dir(path).map_err(io(path)),
        Some(_) => fs::remove_file(path).map_err(io(path)),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn link(path: &Path, target: &str) -> Result<(), HostError> {
    std::os::unix::fs::symlink(target, path).map_err(io(path))
}

#[cfg(not(unix))]
fn link(path: &Path, _target: &str) -> Result<(), HostError> {
    Err(HostError::Link(path.to_owned()))
}

fn write_file(files: &Filesystem, entry: &Entry, path: &Path) -> Result<(), HostError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io(parent))?;
    }
    let content = files
        .find(&entry.path)
        .and_then(|ino| files.content(ino))
        .map_err(guest(&entry.path))?;
    let mut file = fs::File::create(path).map_err(io(path))?;
    // Holes stay holes: a program may make a file longer than the disk.
    let mut result = file.set_len(content.len());
    content.for_each_stored(|offset, bytes| {
        if result.is_ok() {
            result = file
                .seek(SeekFrom::Start(offset))
                .and_then(|_| file.write_all(bytes));
        }
    });
    result.map_err(io(path))
}

/// `host` joined with a path from inside, if no directory on the way is a symbolic link.
fn checked(host: &Path, inside: &str) -> Result<PathBuf, HostError> {
    let mut path = host.to_owned();
    let mut parts = inside.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let is_link = parts.peek().is_some()
            && fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
        if is_link {
            return Err(HostError::Link(path));
        }
    }
    Ok(path)
}
