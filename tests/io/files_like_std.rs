//! The same code on `greenling::fs` and on `std::fs`, with the same outcome.

use std::fmt::Debug;
use std::fs::TryLockError;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tests::isolated;

/// What happened, line by line.
#[derive(Default)]
struct Log(Vec<String>);

impl Log {
    fn note(&mut self, what: impl Debug) {
        self.0.push(format!("{what:?}"));
    }

    /// Errors are compared by kind and number.
    fn result<T: Debug>(&mut self, result: io::Result<T>) {
        let result = result.map_err(|error| (error.kind(), error.raw_os_error()));
        self.note(result);
    }
}

/// Runs a body on both and compares.
macro_rules! like_std {
    ($($name:ident($dir:ident, $log:ident) $body:block)+) => {$(
        #[test]
        fn $name() {
            fn stds($dir: &Path, $log: &mut Log) {
                use std::fs;
                $body
            }
            fn ours($dir: &Path, $log: &mut Log) {
                use greenling::fs;
                $body
            }
            let both = [stds, ours].map(|run| isolated(move || {
                let scratch = tempfile::tempdir().unwrap();
                let mut log = Log::default();
                run(scratch.path(), &mut log);
                log.0
            }));
            assert!(!both[0].is_empty());
            assert_eq!(both[1], both[0]);
        }
    )+};
}

like_std! {
    reading_and_writing(dir, log) {
        let path = dir.join("file");
        let mut file = fs::File::create(&path).unwrap();
        log.result(file.write(b"hello world"));
        log.result(file.write(b""));
        log.result(file.flush());
        log.result(file.read(&mut [0; 4]));
        log.result(file.sync_all());
        log.result(file.sync_data());
        drop(file);
        log.result(fs::read(&path));
        log.result(fs::read_to_string(&path));
        let mut file = fs::File::open(&path).unwrap();
        log.result(file.write(b"x"));
        let mut piece = [0; 4];
        log.result(file.read(&mut piece));
        log.note(piece);
        log.result(file.read(&mut []));
        let mut rest = String::new();
        log.result(file.read_to_string(&mut rest));
        log.note(rest);
        log.result(file.read(&mut piece));
        log.result(fs::write(&path, [0xff, 0xfe]));
        log.result(fs::read_to_string(&path));
    }

    seeking(dir, log) {
        let path = dir.join("file");
        fs::write(&path, "0123456789").unwrap();
        let mut options = fs::OpenOptions::new();
        let mut file = options.read(true).write(true).open(&path).unwrap();
        let mut two = [0; 2];
        for target in [
            SeekFrom::Start(4),
            SeekFrom::Current(1),
            SeekFrom::Current(0),
            SeekFrom::Current(-7),
            SeekFrom::Current(-2),
            SeekFrom::End(-3),
            SeekFrom::End(5),
            SeekFrom::Current(i64::MAX),
            SeekFrom::Start(u64::MAX),
            SeekFrom::End(-100),
            SeekFrom::Start(0),
        ] {
            log.result(file.seek(target));
            log.result(file.read(&mut two));
            log.note(two);
            log.result(file.stream_position());
        }
        log.result(file.seek(SeekFrom::Start(15)));
        log.result(file.write(b"end"));
        log.result(file.rewind());
        let mut all = Vec::new();
        log.result(file.read_to_end(&mut all));
        log.note(all);
    }

    reading_and_writing_in_turn(dir, log) {
        let path = dir.join("file");
        fs::write(&path, vec![b'.'; 200_000]).unwrap();
        let mut options = fs::OpenOptions::new();
        let mut file = options.read(true).write(true).open(&path).unwrap();
        // A fixed sequence of operations that looks random.
        let mut state = 12345u64;
        for step in 0..400u32 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let number = (state >> 33) as usize;
            let mut buffer = vec![0; [1, 7, 100, 5000, 70_000][number % 5]];
            match number / 5 % 5 {
                0 | 1 => {
                    log.result(file.read_exact(&mut buffer).map(|()| buffer));
                }
                2 => {
                    buffer.fill(b'a' + (step % 26) as u8);
                    log.result(file.write_all(&buffer));
                }
                3 => log.result(file.seek(SeekFrom::Start(number as u64 % 250_000))),
                _ => log.result(file.set_len(number as u64 % 50_000 + 180_000)),
            }
        }
        log.result(fs::read(&path));
    }

    appending(dir, log) {
        let path = dir.join("file");
        fs::write(&path, "first").unwrap();
        let mut options = fs::OpenOptions::new();
        let mut file = options.read(true).append(true).open(&path).unwrap();
        let mut piece = [0; 3];
        log.result(file.read(&mut piece));
        fs::write(&path, "longer than before").unwrap();
        log.result(file.write(b"!"));
        log.result(file.stream_position());
        log.result(file.read(&mut piece));
        log.result(file.rewind());
        log.result(file.write(b"?"));
        log.result(fs::read_to_string(&path));
    }

    options(dir, log) {
        let path = dir.join("file");
        let open = |change: &dyn Fn(&mut fs::OpenOptions)| {
            let mut options = fs::OpenOptions::new();
            change(&mut options);
            options.open(&path).map(drop)
        };
        log.result(open(&|options| { options.read(true); }));
        log.result(open(&|options| { options.create(true); }));
        log.result(open(&|options| { options.write(true).create_new(true); }));
        log.result(open(&|options| { options.write(true).create_new(true); }));
        log.result(fs::File::create_new(&path).map(drop));
        fs::write(&path, "text").unwrap();
        log.result(open(&|options| { options.write(true); }));
        log.result(fs::read(&path));
        log.result(open(&|options| { options.write(true).truncate(true); }));
        log.result(fs::read(&path));
        log.result(fs::File::open(dir).unwrap().read(&mut [0]));
        log.result(fs::File::create(dir).map(drop));
        log.result(fs::File::open(path.join("below")).map(drop));
    }

    what_is_known_of_files(dir, log) {
        let path = dir.join("file");
        fs::write(&path, "12345").unwrap();
        let known = fs::metadata(&path).unwrap();
        log.note((known.len(), known.is_file(), known.mode()));
        let file = fs::File::open(&path).unwrap();
        log.note(file.metadata().unwrap().ino() == known.ino());
        let mut permissions = known.permissions();
        permissions.set_mode(0o400);
        log.result(fs::set_permissions(&path, permissions.clone()));
        log.note(fs::metadata(&path).unwrap().mode());
        permissions.set_mode(0o644);
        log.result(file.set_permissions(permissions));
        log.note(fs::metadata(&path).unwrap().mode());
        log.result(fs::exists(&path));
        log.result(fs::exists(dir.join("nothing")));
        log.result(fs::metadata(dir.join("nothing")).map(|known| known.len()));
    }

    links_and_names(dir, log) {
        let [one, two, three] = ["one", "two", "three"].map(|name| dir.join(name));
        fs::write(&one, "content").unwrap();
        log.result(fs::hard_link(&one, &two));
        log.result(fs::hard_link(&one, &two));
        log.note(fs::metadata(&one).unwrap().nlink());
        std::os::unix::fs::symlink("one", &three).unwrap();
        log.result(fs::read_link(&three));
        log.result(fs::read_link(&one));
        log.note(fs::symlink_metadata(&three).unwrap().is_symlink());
        log.note(fs::metadata(&three).unwrap().is_symlink());
        log.note(fs::canonicalize(&three).unwrap() == fs::canonicalize(&one).unwrap());
        log.result(fs::rename(&two, dir.join("four")));
        log.result(fs::rename(&two, dir.join("four")));
        log.result(fs::copy(&one, dir.join("five")));
        log.result(fs::copy(&two, dir.join("six")));
        log.result(fs::remove_file(&one));
        log.result(fs::remove_file(&one));
        log.result(fs::read(&three));
        log.result(fs::read(dir.join("five")));
    }

    directories(dir, log) {
        let deep = dir.join("a/b/c");
        log.result(fs::create_dir(&deep));
        log.result(fs::create_dir_all(&deep));
        log.result(fs::create_dir_all(&deep));
        log.result(fs::create_dir(&deep));
        for number in 0..300 {
            fs::write(deep.join(number.to_string()), vec![0; number]).unwrap();
        }
        fs::create_dir(deep.join("directory")).unwrap();
        let mut entries: Vec<_> = fs::read_dir(&deep)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                assert_eq!(entry.path(), deep.join(entry.file_name()));
                let length = entry.metadata().unwrap().len();
                (entry.file_name(), kind.is_dir(), kind.is_file().then_some(length))
            })
            .collect();
        entries.sort();
        log.note(entries);
        log.result(fs::read_dir(dir.join("none")).map(drop));
        log.result(fs::read_dir(deep.join("0")).map(drop));
        log.result(fs::remove_dir(&deep));
        log.result(fs::remove_dir(deep.join("directory")));
        log.result(fs::remove_file(&deep));
        log.result(fs::remove_dir_all(dir.join("a")));
        log.result(fs::remove_dir_all(dir.join("a")));
    }

    directories_of_ones_own(dir, log) {
        let deep = dir.join("a/b/c");
        log.result(fs::DirBuilder::new().create(&deep));
        log.result(fs::DirBuilder::new().recursive(true).mode(0o700).create(&deep));
        log.result(fs::DirBuilder::new().recursive(true).create(&deep));
        log.result(fs::DirBuilder::new().create(&deep));
        log.note(fs::metadata(&deep).unwrap().mode() & 0o777);
        log.note(fs::metadata(dir.join("a")).unwrap().mode() & 0o777);
        let entry = fs::read_dir(dir).unwrap().next().unwrap().unwrap();
        log.note(entry.ino() == fs::metadata(dir.join("a")).unwrap().ino());
    }

    locks(dir, log) {
        let path = dir.join("file");
        let open = || fs::File::options().create(true).append(true).open(&path).unwrap();
        let (one, other, third) = (open(), open(), open());
        log.result(one.lock());
        log.note(other.try_lock().is_err());
        log.note(matches!(other.try_lock_shared(), Err(TryLockError::WouldBlock)));
        log.result(one.unlock());
        log.result(one.lock_shared());
        log.note(other.try_lock_shared().is_ok());
        log.note(matches!(third.try_lock(), Err(TryLockError::WouldBlock)));
        drop((one, other));
        log.note(third.try_lock().is_ok());
        log.result(third.unlock());
        log.result(third.unlock());
    }

    times_that_are_set(dir, log) {
        let path = dir.join("file");
        let file = fs::File::create(&path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        log.result(file.set_modified(time));
        log.note(file.metadata().unwrap().modified().unwrap() == time);
    }
}

#[test]
fn owners_are_changed() {
    isolated(|| {
        let scratch = tempfile::tempdir().unwrap();
        let (file, link) = (scratch.path().join("file"), scratch.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let was = std::fs::metadata(&file).unwrap();
        // To oneself, which everybody may.
        greenling::fs::chown(&link, Some(was.uid()), Some(was.gid())).unwrap();
        greenling::fs::lchown(&link, None, None).unwrap();
        if was.uid() != 0 {
            return;
        }
        greenling::fs::chown(&link, Some(12), None).unwrap();
        greenling::fs::lchown(&link, None, Some(34)).unwrap();
        let (file, link) = (std::fs::metadata(&file), std::fs::symlink_metadata(&link));
        let owners = |it: std::io::Result<std::fs::Metadata>| it.map(|it| (it.uid(), it.gid()));
        assert_eq!(owners(file).unwrap(), (12, was.gid()));
        assert_eq!(owners(link).unwrap(), (0, 34));
    });
}
