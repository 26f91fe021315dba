//! `/files/`: what is inside of the root, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;

use crate::server::Server;

#[test]
fn files() {
    let top = tempfile::tempdir().unwrap();
    let root = top.path().join("root");
    fs::create_dir_all(root.join("dir")).unwrap();
    fs::write(top.path().join("secret"), "secret").unwrap();
    fs::write(root.join("a b.txt"), "0123456789").unwrap();
    fs::write(root.join("dir/index.html"), "<p>index").unwrap();
    fs::write(root.join(".hidden"), "hidden").unwrap();
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(root.join("big.bin"), &big).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    let server = Server::start(&["--root", root.to_str().unwrap()]);
    let mut client = server.connect();

    let small = client.get("/files/a%20b.txt");
    assert_eq!((small.status, small.text()), (200, "0123456789"));
    assert_eq!(
        small.field("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let modified = small.field("last-modified").unwrap();
    client.send(format!(
        "GET /files/a%20b.txt HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: {modified}\r\n\r\n"
    ));
    let unchanged = client.reply();
    assert_eq!((unchanged.status, unchanged.text()), (304, ""));
    client.send("GET /files/a%20b.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=2-4\r\n\r\n");
    let part = client.reply();
    assert_eq!((part.status, part.text()), (206, "234"));
    assert_eq!(part.field("content-range"), Some("bytes 2-4/10"));
    client.send("GET /files/a%20b.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=10-\r\n\r\n");
    assert_eq!(client.reply().field("content-range"), Some("bytes */10"));
    client.send("HEAD /files/a%20b.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.reply_head().field("content-length"), Some("10"));

    assert!(client.get("/files/big.bin").body == big);
    client.send("GET /files/big.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=1000000-\r\n\r\n");
    assert!(client.reply().body == big[1_000_000..]);

    assert_eq!(client.get("/files/dir/").text(), "<p>index");
    let moved = client.get("/files/dir");
    assert_eq!(
        (moved.status, moved.field("location")),
        (301, Some("./dir/"))
    );
    client.send("POST /files/dir/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.reply().status, 405);
    for outside in [
        "../secret",
        "dir/../../secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "out",
        ".hidden",
        "missing",
        "",
        "%00",
        "/etc/passwd",
        "a%20b.txt/",
    ] {
        assert_eq!(
            client.get(&format!("/files/{outside}")).status,
            404,
            "{outside}"
        );
    }
}
