//! `path_open`.

use super::*;
use crate::fs::{Ino, Kind, Place};
use crate::task::Access;

/// `oflags` of preview1.
mod oflags {
    pub const CREAT: u32 = 1;
    pub const DIRECTORY: u32 = 2;
    pub const EXCL: u32 = 4;
    pub const TRUNC: u32 = 8;
    pub const ALL: u32 = 15;
}

/// What a `path_open` asks for.
struct Request {
    create: bool,
    directory: bool,
    exclusive: bool,
    truncate: bool,
    rights: Rights,
    inheriting: Rights,
    flags: u16,
}

impl Request {
    fn decode(oflags: u32, rights: Rights, inheriting: Rights, flags: u32) -> Result<Self, Errno> {
        let request = Self {
            create: oflags & oflags::CREAT != 0,
            directory: oflags & oflags::DIRECTORY != 0,
            exclusive: oflags & oflags::EXCL != 0,
            truncate: oflags & oflags::TRUNC != 0,
            rights,
            inheriting,
            flags: fdflags::decode(flags)?,
        };
        let contradicts = request.directory && (request.create || request.truncate);
        if oflags & !oflags::ALL != 0 || contradicts {
            return Err(Errno::Inval);
        }
        Ok(request)
    }

    /// The rights that the directory itself must have for this.
    fn needed(&self) -> Rights {
        let mut needed = rights::PATH_OPEN;
        if self.create {
            needed |= rights::PATH_CREATE_FILE;
        }
        if self.truncate {
            needed |= rights::PATH_FILESTAT_SET_SIZE;
        }
        needed
    }

    /// Whether it would change a file's content.
    fn writes(&self) -> bool {
        self.truncate || self.rights & rights::FD_WRITE != 0
    }

    fn opened_file(&self, ino: Ino, through: &Through) -> Descriptor {
        let rights = rights::of_file(self.rights, through.inheriting);
        Descriptor {
            object: Object::File { ino, offset: 0 },
            rights: match through.access.writes_files() {
                true => rights,
                false => rights & !rights::CHANGING,
            },
            inheriting: self.inheriting & rights::ALL,
            flags: self.flags,
            access: through.access,
        }
    }
}

/// What a directory lets those inherit that are opened through it.
struct Through {
    inheriting: Rights,
    access: Access,
}

impl System {
    pub(super) fn path_open(&mut self, memory: &mut Memory<'_>, call: &Call) -> Result<(), Stop> {
        let int = |index: usize| call.args[index] as u32;
        let (fd, lookup, result) = (int(0), int(1), int(8));
        let request = Request::decode(int(4), call.args[5], call.args[6], int(7))?;
        let (dir, descriptor) = self.directory(fd, request.needed())?;
        let through = Through {
            inheriting: descriptor.inheriting,
            access: descriptor.access,
        };
        // Rights are inherited, never gained.
        let asked = (request.rights | request.inheriting) & rights::ALL;
        if asked & !through.inheriting != 0 {
            return Err(Errno::Notcapable.into());
        }
        let path = self.read_path(memory, (int(2), int(3)))?;
        let follow = decode_lookup(lookup)? && !(request.create && request.exclusive);
        self.fds.has_room()?;
        memory.check(result, 4)?;
        let place = self.fs.resolve(dir, &path, follow)?;
        let descriptor = match place.node {
            Some(_) => self.open_existing(&place, &request, &through)?,
            None => self.open_new(&place, &request, &through)?,
        };
        let opened = self.fds.insert(&mut self.fs, descriptor)?;
        Ok(memory.write_u32(result, opened)?)
    }

    fn open_existing(
        &mut self,
        place: &Place,
        request: &Request,
        through: &Through,
    ) -> Result<Descriptor, Stop> {
        if request.create && request.exclusive {
            return Err(Errno::Exist.into());
        }
        let ino = place.existing()?;
        match self.fs.metadata(ino)?.kind {
            // The last component is a link that must not be followed.
            Kind::Symlink if request.directory => Err(Errno::Notdir.into()),
            Kind::Symlink => Err(Errno::Loop.into()),
            Kind::Directory => {
                let writes = request.rights & rights::FD_WRITE != 0;
                if request.create || request.truncate || writes {
                    return Err(Errno::Isdir.into());
                }
                let (rights, inheriting) =
                    rights::of_directory(request.inheriting, through.inheriting);
                Ok(Descriptor {
                    object: Object::Directory {
                        ino,
                        preopen: None,
                        listing: None,
                    },
                    rights,
                    inheriting,
                    flags: request.flags,
                    access: through.access,
                })
            }
            Kind::File if request.directory || place.must_be_directory => Err(Errno::Notdir.into()),
            Kind::File if request.writes() && !through.access.writes_files() => {
                Err(Errno::Perm.into())
            }
            Kind::File => {
                if request.truncate || request.rights & rights::FD_WRITE != 0 {
                    self.fs.check_writable(ino)?;
                }
                if request.truncate {
                    self.fs.set_size(ino, 0, self.now())?;
                }
                Ok(request.opened_file(ino, through))
            }
        }
    }

    fn open_new(
        &mut self,
        place: &Place,
        request: &Request,
        through: &Through,
    ) -> Result<Descriptor, Stop> {
        if !request.create {
            return Err(Errno::Noent.into());
        }
        if place.must_be_directory {
            return Err(Errno::Isdir.into());
        }
        let name = place.name.as_deref().ok_or(Errno::Isdir)?;
        let access = through.access;
        if !access.changes_directories() || request.writes() && !access.writes_files() {
            return Err(Errno::Perm.into());
        }
        let ino = self.fs.create_file(place.dir, name, self.now())?;
        Ok(request.opened_file(ino, through))
    }
}

/// Whether `lookupflags` ask to follow a symbolic link in the last place.
pub(super) fn decode_lookup(flags: u32) -> Result<bool, Errno> {
    match flags {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::Inval),
    }
}
