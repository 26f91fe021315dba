//! The log of keys.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use greenling_tls::{ConfigErrorKind, Error, Role, Version};

use super::support::*;

/// A writer whose content can be looked at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lines(&self) -> Vec<String> {
        sorted(&String::from_utf8(self.0.lock().unwrap().clone()).unwrap())
    }
}

fn sorted(text: &str) -> Vec<String> {
    assert!(text.ends_with('\n'), "whole lines");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn both_sides_log_the_same_keys_under_the_clients_random() {
    for (version, labels) in [
        (Version::Tls12, &["CLIENT_RANDOM"][..]),
        (
            Version::Tls13,
            &[
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_TRAFFIC_SECRET_0",
                "EXPORTER_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_TRAFFIC_SECRET_0",
            ],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.log");
        let ours = Shared::default();
        let by_callback = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&by_callback);
        let client = client().versions(version..=version).keylog(ours.clone());
        let server = server()
            .keylog_file(&path)
            .on_keylog(move |connection, line| {
                assert_eq!(connection.role(), Role::Server);
                *told.lock().unwrap() += &format!("{line}\n");
            });
        let pair = Pair::connected(client, server);

        let lines = ours.lines();
        let found: Vec<_> = lines
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(found, labels, "{version}");
        assert_eq!(
            sorted(&std::fs::read_to_string(&path).unwrap()),
            lines,
            "{version}"
        );
        assert_eq!(sorted(&by_callback.lock().unwrap()), lines, "{version}");
        let hello = message(&pair.client_sent, 1);
        let random: String = hello[2..34]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(
            lines
                .iter()
                .all(|line| line.split(' ').nth(1) == Some(&random))
        );
    }
}

#[test]
fn the_file_is_for_its_owner_alone_and_is_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.log");
    for count in [1, 2] {
        let client = client().versions(Version::Tls12..=Version::Tls12);
        Pair::connected(client, server().keylog_file(&path));
        assert_eq!(
            std::fs::read_to_string(&path).unwrap().lines().count(),
            count
        );
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    match server().keylog_file(&path).build() {
        Err(Error::Config(error)) => assert_eq!(error.kind(), ConfigErrorKind::Permissions),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.log");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    if std::os::unix::fs::chown(&path, Some(65534), None).is_err() {
        // Only the superuser can give files away, and can write to others' files.
        return;
    }
    match server().keylog_file(&path).build() {
        Err(Error::Config(error)) => assert_eq!(error.kind(), ConfigErrorKind::Permissions),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_writer_that_fails_changes_nothing() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    Pair::connected(client(), server().keylog(Full));
}

/// Run by [`the_environment_does_not_switch_it_on`], which sets a variable.
#[test]
#[ignore = "the other half of a test"]
fn a_connection_without_a_key_log() {
    Pair::connected(client(), server());
}

#[test]
fn the_environment_does_not_switch_it_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.log");
    run_alone(
        "keylog::a_connection_without_a_key_log",
        &[("SSLKEYLOGFILE", &path)],
    );
    assert!(!path.exists());
}
