//! `--dir` and `--mount-tar`: host folders and archives, and where the guest finds them.

use std::path::PathBuf;
use verirun::{Access, Preopen};

/// An access mode that does not exist.
#[derive(Debug, thiserror::Error)]
#[error(
    "--dir {value}: `{access}` is no access mode; `ro` (nothing can be changed) and `ro-files` (no file can) are"
)]
pub struct MountError {
    value: String,
    access: String,
}

/// A `--dir`: where it is, and what the guest calls it.
pub struct Mount {
    /// The host folder.
    pub host: PathBuf,
    /// What the guest finds.
    pub preopen: Preopen,
}

impl Mount {
    /// Reads `HOST[::GUEST[::ACCESS]]`.
    pub fn parse(value: &str) -> Result<Self, MountError> {
        let (host, guest) = split(value);
        let (name, access) = match guest.map(|guest| (guest, guest.rsplit_once("::"))) {
            None => (host.to_string_lossy().into_owned(), Access::ReadWrite),
            Some((name, None)) => (name.to_owned(), Access::ReadWrite),
            Some((_, Some((name, "ro")))) => (name.to_owned(), Access::ReadOnly),
            Some((_, Some((name, "ro-files")))) => (name.to_owned(), Access::ReadOnlyFiles),
            Some((_, Some((_, access)))) => {
                return Err(MountError {
                    value: value.to_owned(),
                    access: access.to_owned(),
                });
            }
        };
        let path = inside(&name);
        Ok(Self {
            host,
            preopen: Preopen { name, path, access },
        })
    }
}

/// Splits `HOST[::GUEST]`.
pub fn split(value: &str) -> (PathBuf, Option<&str>) {
    match value.split_once("::") {
        Some((host, guest)) => (host.into(), Some(guest)),
        None => (value.into(), None),
    }
}

/// The path from the root that a guest's name stands for; `..` is refused when it is made.
pub fn inside(name: &str) -> String {
    let parts: Vec<_> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_has_a_folder_a_name_and_an_access_mode() {
        for (value, host, name, path, access) in [
            ("in", "in", "in", "in", Access::ReadWrite),
            ("a/b::/", "a/b", "/", "", Access::ReadWrite),
            ("a::.", "a", ".", "", Access::ReadWrite),
            ("a::/x/y", "a", "/x/y", "x/y", Access::ReadWrite),
            ("a::ro", "a", "ro", "ro", Access::ReadWrite),
            ("a::x::ro", "a", "x", "x", Access::ReadOnly),
            ("a::x::ro-files", "a", "x", "x", Access::ReadOnlyFiles),
        ] {
            let mount = Mount::parse(value).expect(value);
            assert_eq!(mount.host, PathBuf::from(host), "{value}");
            let expected = Preopen {
                access,
                ..Preopen::new(name, path)
            };
            assert_eq!(mount.preopen, expected, "{value}");
        }
        for value in ["a::x::rw", "a::x::", "a::x::RO"] {
            assert!(
                matches!(Mount::parse(value), Err(MountError { .. })),
                "{value}"
            );
        }
    }
}
