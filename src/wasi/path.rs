//! Paths: directories, links, renaming, removal, metadata.

use super::fd::{decode_times, filetype_of, write_filestat};
use super::open::decode_lookup;
use super::*;
use crate::fs::{Ino, Kind, MAX_PATH, Place};
use crate::task::Access;
use std::sync::Arc;

/// Where a string is: address, and length in bytes.
type Text = (u32, u32);

impl System {
    /// The directory behind `fd`, which must have `rights`, and its descriptor.
    pub(super) fn directory(&self, fd: u32, rights: Rights) -> Result<(Ino, &Descriptor), Errno> {
        let descriptor = self.fds.get(fd)?;
        let Object::Directory { ino, .. } = descriptor.object else {
            return Err(Errno::Notdir);
        };
        match descriptor.rights & rights == rights {
            true => Ok((ino, descriptor)),
            false => Err(Errno::Notcapable),
        }
    }

    /// As [`System::directory`], for a change of what the directory holds: EPERM if it is read-only.
    fn changed_directory(&self, fd: u32, rights: Rights) -> Result<(Ino, Access), Errno> {
        let (ino, descriptor) = self.directory(fd, rights)?;
        match descriptor.access.changes_directories() {
            true => Ok((ino, descriptor.access)),
            false => Err(Errno::Perm),
        }
    }

    /// A path from guest memory: EFAULT, ENAMETOOLONG, or EILSEQ if it is not UTF-8.
    pub(super) fn read_path(
        &self,
        memory: &Memory<'_>,
        (address, len): Text,
    ) -> Result<String, Errno> {
        memory.check(address, len)?;
        if len as usize > MAX_PATH {
            return Err(Errno::Nametoolong);
        }
        let bytes = memory.view(address, len)?.into_owned();
        String::from_utf8(bytes).map_err(|_| Errno::Ilseq)
    }

    fn place(
        &self,
        memory: &Memory<'_>,
        dir: Ino,
        path: Text,
        follow: bool,
    ) -> Result<Place, Stop> {
        let path = self.read_path(memory, path)?;
        Ok(self.fs.resolve(dir, &path, follow)?)
    }

    pub(super) fn path_create_directory(
        &mut self,
        memory: &Memory<'_>,
        fd: u32,
        path: Text,
    ) -> Result<(), Stop> {
        let (dir, _) = self.changed_directory(fd, rights::PATH_CREATE_DIRECTORY)?;
        let place = self.named_new_directory(memory, dir, path)?;
        if place.node.is_some() {
            return Err(Errno::Exist.into());
        }
        let name = place.name.ok_or(Errno::Exist)?;
        self.fs.create_directory(place.dir, &name, self.now())?;
        Ok(())
    }

    /// Where `mkdir` puts a directory: a link in the last place is never followed, not even with a
    /// slash behind it.
    fn named_new_directory(
        &self,
        memory: &Memory<'_>,
        dir: Ino,
        path: Text,
    ) -> Result<Place, Stop> {
        let path = self.read_path(memory, path)?;
        match path.trim_end_matches('/') {
            "" => Ok(self.fs.resolve(dir, &path, false)?),
            trimmed => Ok(self.fs.resolve(dir, trimmed, false)?),
        }
    }

    pub(super) fn path_filestat_get(
        &mut self,
        memory: &mut Memory<'_>,
        abi: Abi,
        fd: u32,
        lookup: u32,
        path: Text,
        result: u32,
    ) -> Result<(), Stop> {
        let (dir, _) = self.directory(fd, rights::PATH_FILESTAT_GET)?;
        let place = self.place(memory, dir, path, decode_lookup(lookup)?)?;
        let metadata = self.fs.metadata(place.existing()?)?;
        write_filestat(memory, abi, result, filetype_of(metadata.kind), &metadata)
    }

    pub(super) fn path_filestat_set_times(
        &mut self,
        memory: &Memory<'_>,
        fd: u32,
        lookup: u32,
        path: Text,
        (accessed, modified, flags): (u64, u64, u32),
    ) -> Result<(), Stop> {
        let (dir, descriptor) = self.directory(fd, rights::PATH_FILESTAT_SET_TIMES)?;
        let access = descriptor.access;
        let now = self.now();
        let (accessed, modified) = decode_times(now, accessed, modified, flags)?;
        let place = self.place(memory, dir, path, decode_lookup(lookup)?)?;
        let ino = place.existing()?;
        self.may_set_times(ino, access)?;
        Ok(self.fs.set_times(ino, accessed, modified, now)?)
    }

    pub(super) fn path_link(
        &mut self,
        memory: &Memory<'_>,
        (from_fd, lookup, from): (u32, u32, Text),
        (to_fd, to): (u32, Text),
    ) -> Result<(), Stop> {
        let (from_dir, source) = self.directory(from_fd, rights::PATH_LINK_SOURCE)?;
        let (to_dir, access) = self.changed_directory(to_fd, rights::PATH_LINK_TARGET)?;
        may_move(source.access, access)?;
        // A link to what a link points to: no host of WASI does it, and wasmtime says so this way.
        if decode_lookup(lookup)? {
            return Err(Errno::Inval.into());
        }
        let source = self.place(memory, from_dir, from, false)?.existing()?;
        let target = self.place(memory, to_dir, to, false)?;
        if target.node.is_some() {
            return Err(Errno::Exist.into());
        }
        let name = self.name_of_new_file(&target)?;
        Ok(self.fs.link(source, target.dir, &name, self.now())?)
    }

    /// The name for something that is no directory: a slash behind it is ENOENT, as on Linux.
    fn name_of_new_file(&self, place: &Place) -> Result<Arc<str>, Stop> {
        match &place.name {
            Some(name) if !place.must_be_directory => Ok(Arc::clone(name)),
            _ => Err(Errno::Noent.into()),
        }
    }

    pub(super) fn path_readlink(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        path: Text,
        buffer: Text,
        result: u32,
    ) -> Result<(), Stop> {
        let (dir, _) = self.directory(fd, rights::PATH_READLINK)?;
        let place = self.place(memory, dir, path, false)?;
        let target = self.fs.symlink_target(place.existing()?)?;
        memory.check(buffer.0, buffer.1)?;
        memory.check(result, 4)?;
        // As `readlink`: what does not fit is cut.
        let len = target.len().min(buffer.1 as usize);
        memory.write(buffer.0, &target.as_bytes()[..len])?;
        Ok(memory.write_u32(result, len as u32)?)
    }

    pub(super) fn path_remove_directory(
        &mut self,
        memory: &Memory<'_>,
        fd: u32,
        path: Text,
    ) -> Result<(), Stop> {
        let (dir, _) = self.changed_directory(fd, rights::PATH_REMOVE_DIRECTORY)?;
        let text = self.read_path(memory, path)?;
        let place = self.place(memory, dir, path, false)?;
        let name = place
            .name
            .ok_or(match text.trim_end_matches('/').ends_with("..") {
                true => Errno::Notempty,
                false => Errno::Inval,
            })?;
        Ok(self.fs.remove_directory(place.dir, &name, self.now())?)
    }

    pub(super) fn path_rename(
        &mut self,
        memory: &Memory<'_>,
        (from_fd, from): (u32, Text),
        (to_fd, to): (u32, Text),
    ) -> Result<(), Stop> {
        let (from_dir, from_access) =
            self.changed_directory(from_fd, rights::PATH_RENAME_SOURCE)?;
        let (to_dir, to_access) = self.changed_directory(to_fd, rights::PATH_RENAME_TARGET)?;
        may_move(from_access, to_access)?;
        let source = self.named_new_directory(memory, from_dir, from)?;
        let target = self.named_new_directory(memory, to_dir, to)?;
        let (Some(from_name), Some(to_name)) = (source.name.as_ref(), target.name.as_ref()) else {
            return Err(Errno::Busy.into());
        };
        let moved = self.fs.metadata(source.existing()?)?;
        let slash = self.ends_in_slash(memory, from)? || self.ends_in_slash(memory, to)?;
        if slash && moved.kind != Kind::Directory {
            return Err(Errno::Notdir.into());
        }
        let (from, to) = ((source.dir, &**from_name), (target.dir, &**to_name));
        Ok(self.fs.rename(from, to, self.now())?)
    }

    fn ends_in_slash(&self, memory: &Memory<'_>, path: Text) -> Result<bool, Errno> {
        Ok(self.read_path(memory, path)?.ends_with('/'))
    }

    pub(super) fn path_symlink(
        &mut self,
        memory: &Memory<'_>,
        target: Text,
        fd: u32,
        path: Text,
    ) -> Result<(), Stop> {
        let (dir, _) = self.changed_directory(fd, rights::PATH_SYMLINK)?;
        let target = self.read_path(memory, target)?;
        match target.as_bytes() {
            [] => return Err(Errno::Noent.into()),
            [b'/', ..] => return Err(Errno::Perm.into()),
            bytes if bytes.contains(&0) => return Err(Errno::Inval.into()),
            _ => {}
        }
        let place = self.place(memory, dir, path, false)?;
        if place.node.is_some() {
            return Err(Errno::Exist.into());
        }
        let name = self.name_of_new_file(&place)?;
        self.fs
            .create_symlink(place.dir, &name, &target, self.now())?;
        Ok(())
    }

    pub(super) fn path_unlink_file(
        &mut self,
        memory: &Memory<'_>,
        fd: u32,
        path: Text,
    ) -> Result<(), Stop> {
        let (dir, _) = self.changed_directory(fd, rights::PATH_UNLINK_FILE)?;
        let slash = self.ends_in_slash(memory, path)?;
        let place = match slash {
            true => self.named_new_directory(memory, dir, path)?,
            false => self.place(memory, dir, path, false)?,
        };
        let ino = place.existing()?;
        let name = place.name.as_ref().ok_or(Errno::Isdir)?;
        match self.fs.metadata(ino)?.kind {
            Kind::Directory => Err(Errno::Isdir.into()),
            _ if slash => Err(Errno::Notdir.into()),
            _ => Ok(self.fs.unlink(place.dir, name, self.now())?),
        }
    }

    /// EPERM if the times of `ino` may not be changed with `access`.
    pub(super) fn may_set_times(&self, ino: Ino, access: Access) -> Result<(), Errno> {
        let may = match self.fs.metadata(ino)?.kind {
            Kind::File => access.writes_files(),
            Kind::Directory | Kind::Symlink => access.changes_directories(),
        };
        match may {
            true => Ok(()),
            false => Err(Errno::Perm),
        }
    }
}

/// EPERM where a file that may not be written would get a name under which it may.
fn may_move(from: Access, to: Access) -> Result<(), Errno> {
    match !from.writes_files() && to.writes_files() {
        true => Err(Errno::Perm),
        false => Ok(()),
    }
}
