use super::*;

const NOW: u64 = 100;

fn tree() -> Filesystem {
    let mut fs = Filesystem::new(NOW);
    let dir = fs.create_directories(ROOT, "a/b", NOW).unwrap();
    let file = fs.create_file(dir, "f", NOW).unwrap();
    fs.write(file, 0, b"hello", NOW).unwrap();
    fs.create_symlink(ROOT, "link", "a/b", NOW).unwrap();
    fs.create_symlink(ROOT, "loop", "loop", NOW).unwrap();
    fs.create_symlink(ROOT, "out", "../etc", NOW).unwrap();
    fs
}

#[test]
fn paths_stay_inside_their_base() {
    let fs = tree();
    let a = fs.find("a").unwrap();
    for (base, path, error) in [
        (ROOT, "..", FsError::Escape),
        (ROOT, "a/../..", FsError::Escape),
        (a, "b/../../a", FsError::Escape),
        (ROOT, "/a", FsError::Escape),
        (ROOT, "out", FsError::Escape),
        (ROOT, "", FsError::NotFound),
        (ROOT, "loop", FsError::Loop),
        (ROOT, "a/b/f/", FsError::NotDirectory),
        (ROOT, "a/b/f/.", FsError::NotDirectory),
        (ROOT, "a/x/..", FsError::NotFound),
        (ROOT, "a\0", FsError::IllegalName),
    ] {
        assert_eq!(fs.resolve(base, path, true), Err(error), "{path:?}");
    }
    let found = fs.find("a/b/f").unwrap();
    for path in ["a/b/f", "link/f", "./link/..//b/./f", "a/../link/f"] {
        assert_eq!(
            fs.resolve(ROOT, path, true).unwrap().existing(),
            Ok(found),
            "{path}"
        );
    }
}

#[test]
fn a_removed_directory_takes_no_entries_and_its_name_is_free() {
    let mut fs = Filesystem::new(NOW);
    let dir = fs.create_directory(ROOT, "d", NOW).unwrap();
    fs.retain(dir).unwrap();
    fs.remove_directory(ROOT, "d", NOW).unwrap();
    assert_eq!(fs.create_file(dir, "x", NOW), Err(FsError::NotFound));
    fs.create_directory(ROOT, "d", NOW).unwrap();
    fs.release(dir);
    assert_eq!(fs.metadata(dir), Err(FsError::NotFound));
}

#[test]
fn an_unlinked_open_file_keeps_its_bytes_until_released() {
    let mut fs = tree();
    let file = fs.find("a/b/f").unwrap();
    fs.retain(file).unwrap();
    fs.unlink(fs.find("a/b").unwrap(), "f", NOW).unwrap();
    assert_eq!(fs.content(file).unwrap().len(), 5);
    assert_eq!(fs.stored(), 5);
    fs.release(file);
    assert_eq!(fs.stored(), 0);
}

#[test]
fn rename_follows_posix() {
    let mut fs = tree();
    let a = fs.find("a").unwrap();
    let b = fs.find("a/b").unwrap();
    assert_eq!(fs.rename((ROOT, "a"), (b, "a"), NOW), Err(FsError::Invalid));
    assert_eq!(fs.rename((ROOT, "a"), (a, "a"), NOW), Err(FsError::Invalid));
    fs.create_directory(ROOT, "empty", NOW).unwrap();
    assert_eq!(
        fs.rename((ROOT, "empty"), (ROOT, "a"), NOW),
        Err(FsError::NotEmpty)
    );
    assert_eq!(
        fs.rename((ROOT, "empty"), (ROOT, "link"), NOW),
        Err(FsError::NotDirectory)
    );
    assert_eq!(
        fs.rename((ROOT, "link"), (ROOT, "empty"), NOW),
        Err(FsError::IsDirectory)
    );
    fs.rename((ROOT, "a"), (ROOT, "empty"), NOW).unwrap();
    assert_eq!(fs.find("empty/b/f"), Ok(Ino(4)));
    assert_eq!(fs.metadata(ROOT).unwrap().links, 3);
}

#[test]
fn changes_name_what_a_run_did() {
    let before = tree();
    let mut after = before.clone();
    let b = after.find("a/b").unwrap();
    let f = after.find("a/b/f").unwrap();
    after.write(f, 0, b"J", NOW).unwrap();
    after.create_file(b, "new", NOW).unwrap();
    after.unlink(ROOT, "loop", NOW).unwrap();
    let seen: Vec<_> = changes(&before, &after)
        .into_iter()
        .map(|e| (e.path, e.change))
        .collect();
    let expect = [
        ("a", Change::Same),
        ("a/b", Change::Same),
        ("a/b/f", Change::Modified),
        ("a/b/new", Change::Added),
        ("link", Change::Same),
        ("loop", Change::Removed),
        ("out", Change::Same),
    ];
    assert_eq!(seen, expect.map(|(path, change)| (path.to_owned(), change)));
}

#[test]
fn remove_all_needs_no_recursion() {
    let mut fs = Filesystem::new(NOW);
    let mut dir = ROOT;
    for _ in 0..2_000 {
        dir = fs.create_directory(dir, "d", NOW).unwrap();
        fs.create_file(dir, "f", NOW).unwrap();
    }
    fs.remove_all("d", NOW).unwrap();
    assert_eq!(entries(&fs), []);
}

#[test]
fn a_zip_of_the_tree_unpacks_to_the_same_tree() {
    let fs = tree();
    let zip = write_zip(&fs, &entries(&fs)).unwrap();
    let mut copy = Filesystem::new(NOW);
    mount_zip(&mut copy, ROOT, std::io::Cursor::new(&zip), 1 << 20, NOW).unwrap();
    assert!(
        changes(&fs, &copy)
            .iter()
            .all(|entry| entry.change == Change::Same)
    );
    assert_eq!(
        zip,
        write_zip(&copy, &entries(&copy)).unwrap(),
        "the same tree, the same bytes"
    );
    let mut small = Filesystem::new(NOW);
    let error = mount_zip(&mut small, ROOT, std::io::Cursor::new(&zip), 4, NOW).unwrap_err();
    assert!(matches!(error, ArchiveError::TooBig { limit: 4, .. }));
}

/// A tar archive with one entry, its name written as it is (the `tar` crate's own builder refuses
/// hostile names).
fn tar_with(name: &[u8], kind: tar::EntryType, link: &str, data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(data.len() as u64);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, data).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn hostile_tars_are_refused() {
    let unpack = |archive: &[u8]| {
        let mut fs = Filesystem::new(NOW);
        mount_tar(&mut fs, ROOT, archive, 1 << 20, NOW).map(|_| fs)
    };
    for name in ["../x", "a/../../x", "/etc/passwd"] {
        let error = unpack(&tar_with(
            name.as_bytes(),
            tar::EntryType::Regular,
            "",
            b"x",
        ));
        assert!(
            matches!(error, Err(ArchiveError::Escape { .. })),
            "{name}: {error:?}"
        );
    }
    let fifo = unpack(&tar_with(b"p", tar::EntryType::Fifo, "", b""));
    assert!(matches!(fifo, Err(ArchiveError::Unsupported { .. })));
    let mut cut = tar_with(b"f", tar::EntryType::Regular, "", &[1; 5000]);
    cut.truncate(2000);
    assert!(matches!(unpack(&cut), Err(ArchiveError::Damaged { .. })));
    assert!(matches!(
        unpack(&[0x55; 3000]),
        Err(ArchiveError::Damaged { .. })
    ));
    let good = unpack(&tar_with(b"./d/f", tar::EntryType::Regular, "", b"data")).unwrap();
    assert_eq!(good.content(good.find("d/f").unwrap()).unwrap().len(), 4);
}

#[test]
fn the_most_inodes_is_a_bound() {
    let mut fs = Filesystem::new(NOW);
    for index in 0..MAX_INODES - 1 {
        fs.create_file(ROOT, &index.to_string(), NOW).unwrap();
    }
    assert_eq!(fs.create_file(ROOT, "more", NOW), Err(FsError::NoSpace));
}

/// A tar of these entries: a name that ends in a slash is a directory.
fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if path.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn a_read_only_archive_can_be_read_and_not_changed() {
    let mut fs = tree();
    let archive = tar_of(&[("lib/", b""), ("lib/x", b"data"), ("a/new", b"n")]);
    assert_eq!(
        mount_tar_read_only(&mut fs, ROOT, &archive[..], 1 << 20, NOW).unwrap(),
        3
    );
    let lib = fs.find("lib").unwrap();
    let x = fs.find("lib/x").unwrap();
    let a = fs.find("a").unwrap();
    assert_eq!(fs.content(x).unwrap().len(), 4);
    let error = Err(FsError::ReadOnly);
    assert_eq!(fs.write(x, 0, b"no", NOW), error);
    assert_eq!(fs.set_size(x, 0, NOW), error);
    assert_eq!(fs.set_times(x, Some(1), None, NOW), error);
    assert_eq!(fs.create_file(lib, "y", NOW), Err(FsError::ReadOnly));
    assert_eq!(fs.create_directory(lib, "y", NOW), Err(FsError::ReadOnly));
    assert_eq!(
        fs.create_symlink(lib, "y", "x", NOW),
        Err(FsError::ReadOnly)
    );
    assert_eq!(fs.link(x, ROOT, "y", NOW), error);
    let f = fs.find("a/b/f").unwrap();
    assert_eq!(fs.link(f, lib, "y", NOW), error);
    assert_eq!(fs.unlink(lib, "x", NOW), error);
    assert_eq!(fs.unlink(a, "new", NOW), error, "its directory is not");
    assert_eq!(fs.rename((lib, "x"), (ROOT, "x"), NOW), error);
    assert_eq!(fs.rename((ROOT, "lib"), (ROOT, "bil"), NOW), error);
    assert_eq!(fs.rename((ROOT, "link"), (lib, "link"), NOW), error);
    assert_eq!(fs.rename((ROOT, "link"), (a, "new"), NOW), error);
    assert_eq!(
        fs.create_file(lib, "x", NOW),
        Err(FsError::Exists),
        "as on Linux, what is there is seen first"
    );
    assert_eq!(fs.lookup(lib, "x"), Ok(x), "nothing has changed");
    // What was there before, and what comes after, is as ever.
    fs.write(f, 0, b"yes", NOW).unwrap();
    fs.create_file(a, "later", NOW).unwrap();
    fs.unlink(a, "later", NOW).unwrap();
}

#[test]
fn an_endless_file_is_not_exported() {
    let mut fs = Filesystem::new(NOW);
    let file = fs.create_file(ROOT, "sparse", NOW).unwrap();
    fs.set_size(file, MAX_FILE_SIZE, NOW).unwrap();
    let other = fs.create_file(ROOT, "more", NOW).unwrap();
    fs.set_size(other, MAX_FILE_SIZE, NOW).unwrap();
    let error = write_zip(&fs, &entries(&fs)).unwrap_err();
    assert!(matches!(
        error,
        ArchiveError::TooBig {
            limit: MAX_EXPORT,
            ..
        }
    ));
    fs.set_size(other, 0, NOW).unwrap();
    fs.set_size(file, 1 << 20, NOW).unwrap();
    assert!(write_zip(&fs, &entries(&fs)).unwrap().len() < 10_000);
}

#[test]
fn entries_can_be_walked_while_names_come_and_go() {
    let mut fs = Filesystem::new(0);
    for name in ["a", "b", "c"] {
        fs.create_file(ROOT, name, 0).unwrap();
    }
    let names = fs.names();
    let next = |fs: &Filesystem, after: Option<&str>| {
        let found = fs.next_entry(ROOT, after, names).unwrap();
        found.map(|(name, _)| name.to_string())
    };
    assert_eq!(next(&fs, None).as_deref(), Some("a"));
    // Neither a new file nor a new name of an old one is met on the way.
    fs.rename((ROOT, "a"), (ROOT, "a.bak"), 0).unwrap();
    fs.create_file(ROOT, "aa", 0).unwrap();
    assert_eq!(next(&fs, Some("a")).as_deref(), Some("b"));
    // What is removed is not, and the walk goes on behind it.
    fs.unlink(ROOT, "b", 0).unwrap();
    assert_eq!(next(&fs, Some("b")).as_deref(), Some("c"));
    assert_eq!(next(&fs, Some("c")), None);
}
