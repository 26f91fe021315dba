//! A cook, a guest and a table between them: the example of README.md.
//!
//! ```sh
//! cargo run --release --example kitchen
//! ```
//!
//! Shows tasklets that meet at a channel. `send` waits until somebody receives,
//! so the cook is never more than one dish ahead.

use greenling::{Channel, enter, spawn};

fn main() {
    enter(|| {
        let plates = Channel::new();
        let table = plates.clone();
        spawn(move || {
            for dish in ["soup", "fish", "cheese"] {
                println!("cook: {dish}");
                table.send(dish).unwrap(); // waits for a guest
            }
        });
        let guest = spawn(move || [0; 3].map(|_| plates.receive().unwrap()));
        println!("menu: {:?}", guest.join().unwrap());
    });
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    const README: &str = include_str!("../README.md");

    /// The first block of code in README.md in this language.
    fn block(language: &str) -> &'static str {
        let start = README.find(&format!("```{language}\n")).expect("a block");
        let text = &README[start + language.len() + 4..];
        &text[..text.find("```").expect("its end")]
    }

    #[test]
    fn the_readme_shows_this_program() {
        assert!(include_str!("kitchen.rs").contains(block("rust")));
    }

    /// Runs this test again in a process of its own, to see what it prints.
    #[test]
    fn it_prints_what_the_readme_says() {
        if std::env::var_os("KITCHEN").is_some() {
            return super::main();
        }
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "tests::it_prints_what_the_readme_says",
                "--nocapture",
            ])
            .env("KITCHEN", "1")
            .output()
            .expect("it runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{printed}");
        assert!(printed.contains(block("text")), "{printed}");
    }
}
