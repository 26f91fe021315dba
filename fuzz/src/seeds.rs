//! Writes the good files of each family of objects, as inputs to begin from, into
//! folders of the folder that is named.

use std::path::Path;

use greenling_fuzz::objects;

fn main() {
    let folder = std::env::args_os().nth(1).expect("a folder");
    for (name, family) in [
        ("certificates", &objects::CERTIFICATES),
        ("keys", &objects::KEYS),
        ("containers", &objects::CONTAINERS),
        ("verify", &objects::PATHS),
    ] {
        let folder = Path::new(&folder).join(name);
        std::fs::create_dir_all(&folder).expect("a new folder");
        for (name, input) in objects::seeds(family) {
            std::fs::write(folder.join(name), input).expect("a new file");
        }
    }
}
