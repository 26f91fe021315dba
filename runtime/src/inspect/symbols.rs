//! From addresses to names, files and lines.

use crate::system_stack::on_system_stack;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// A function that an address lies in, or one that is inlined there.
#[derive(Debug)]
pub(super) struct Symbol {
    name: String,
    place: Option<(String, u32)>,
}

/// What addresses were found to be. Looking one up takes a while.
#[derive(Debug, Default)]
pub(super) struct Symbols(HashMap<usize, Rc<[Symbol]>>);

/// The sources of this crate, as debug information has them: that of inlined
/// functions has their files, but no more of their names than the last part.
const HERE: &str = file!();

/// What takes backtraces: the innermost frames of a tasklet that runs.
const TAKING: [Part; 1] = [Part::here("inspect/", "inspect::")];

/// What says nothing of the program: how the scheduler was entered.
const INNER: [Part; 5] = [
    Part::here("context/", "context::"),
    Part::here("error.rs", "error::contain"),
    Part::here("scheduler/", "scheduler::"),
    Part::here("system_stack.rs", "system_stack::"),
    Part::here("wait/", "wait::"),
];

/// The first function of every tasklet, and of every thread. What calls it is
/// the same for all.
const ROOT: [Part; 2] = [
    Part::here("tasklet/entry.rs", "tasklet::entry::"),
    Part::foreign("/std/src/sys/backtrace.rs", "std::sys::backtrace::"),
];

/// What lies between a function that catches panics and the closure it calls.
const CATCHING: [Part; 6] = [
    Part::foreign("/alloc/src/boxed.rs", "alloc::boxed::"),
    Part::foreign("/core/src/ops/function.rs", "core::ops::function::"),
    Part::foreign(
        "/core/src/panic/unwind_safe.rs",
        "core::panic::unwind_safe::",
    ),
    Part::foreign("/std/src/panic.rs", "std::panic::catch_unwind"),
    Part::foreign("/std/src/panicking.rs", "std::panicking::"),
    Part::foreign("", "__rust_try"),
];

/// A part of a program.
struct Part {
    ours: bool,
    /// In the paths of its files; none of them if empty.
    file: &'static str,
    /// How its functions begin.
    name: &'static str,
}

impl Part {
    const fn here(file: &'static str, name: &'static str) -> Part {
        Part {
            ours: true,
            file,
            name,
        }
    }

    const fn foreign(file: &'static str, name: &'static str) -> Part {
        Part {
            ours: false,
            file,
            name,
        }
    }

    fn has(&self, symbol: &Symbol) -> bool {
        let name = symbol.name.trim_start_matches('<');
        let name = match self.ours {
            true => name.strip_prefix(concat!(env!("CARGO_CRATE_NAME"), "::")),
            false => Some(name),
        };
        if name.is_some_and(|name| name.starts_with(self.name)) {
            return true;
        }
        let Some((path, _)) = &symbol.place else {
            return false;
        };
        let folder = HERE.trim_end_matches("inspect/symbols.rs");
        let file = match self.ours {
            true => path.rsplit_once(folder).map(|(_, file)| file),
            false => path.find(self.file).map(|at| &path[at..]),
        };
        !self.file.is_empty() && file.is_some_and(|file| file.starts_with(self.file))
    }
}

impl Symbols {
    /// The functions of an address, innermost first.
    fn of(&mut self, address: usize) -> Rc<[Symbol]> {
        let known = self.0.entry(address);
        known.or_insert_with(|| resolve(address)).clone()
    }

    /// Writes the frames, a line each; all of them, or only the program's.
    pub(super) fn write(
        &mut self,
        out: &mut impl fmt::Write,
        addresses: &[usize],
        all: bool,
    ) -> fmt::Result {
        let resolved: Vec<_> = addresses.iter().map(|&it| (it, self.of(it))).collect();
        let functions: Vec<_> = resolved
            .iter()
            .flat_map(|(address, symbols)| symbols.iter().map(move |symbol| (*address, symbol)))
            .collect();
        let shown = if all {
            &functions
        } else {
            of_the_program(&functions)
        };
        for (address, symbol) in shown {
            write!(out, "      {}", symbol.name)?;
            match &symbol.place {
                Some((file, line)) => writeln!(out, " at {file}:{line}")?,
                None => writeln!(out, " at {address:#x}")?,
            }
        }
        Ok(())
    }
}

/// Without the frames below and above that are the same for every tasklet, if
/// anything is left then.
fn of_the_program<'a, 'b>(functions: &'a [(usize, &'b Symbol)]) -> &'a [(usize, &'b Symbol)] {
    let is = |parts: &[Part], symbol| parts.iter().any(|part| part.has(symbol));
    let taking = functions
        .iter()
        .rposition(|(_, symbol)| is(&TAKING, symbol));
    let functions = &functions[taking.map_or(0, |last| last + 1)..];
    let inner = |symbol| is(&INNER, symbol) || is(&CATCHING, symbol);
    let start = functions.iter().position(|(_, symbol)| !inner(symbol));
    let functions = &functions[start.unwrap_or(0)..];
    let Some(root) = functions.iter().position(|(_, symbol)| is(&ROOT, symbol)) else {
        return functions;
    };
    let inside = &functions[..root];
    let end = inside
        .iter()
        .rposition(|(_, symbol)| !is(&CATCHING, symbol));
    end.map_or(functions, |end| &inside[..=end])
}

/// Looks an address up. Reading debug information takes more stack than a
/// tasklet may have left.
fn resolve(address: usize) -> Rc<[Symbol]> {
    let mut symbols = Vec::new();
    on_system_stack(|| {
        backtrace::resolve(address as *mut _, |symbol| {
            let mut name = String::new();
            match symbol.name() {
                // The alternate form leaves the hash out.
                Some(text) => name = without_arguments(&format!("{text:#}")),
                None => name.push('?'),
            }
            let file = symbol.filename().map(|file| file.display().to_string());
            let place = file.zip(symbol.lineno());
            symbols.push(Symbol { name, place });
        });
    });
    if symbols.is_empty() {
        symbols.push(Symbol {
            name: "?".into(),
            place: None,
        });
    }
    symbols.into()
}

/// A function's name without the arguments of generics, which are longer than
/// all the rest: `<A as B<C>>::d::<E>` becomes `<A as B>::d`.
fn without_arguments(name: &str) -> String {
    let mut short = String::new();
    // How deep in arguments the reader is; the bracket of a path is none.
    let mut depth = 0;
    let mut last = ' ';
    for letter in name.chars() {
        let opens = letter == '<' && (depth > 0 || last.is_alphanumeric() || "_:}".contains(last));
        if opens {
            if depth == 0 {
                short.truncate(short.trim_end_matches("::").len());
            }
            depth += 1;
        } else if depth == 0 {
            short.push(letter);
        } else if letter == '>' && last != '-' {
            depth -= 1;
        }
        last = letter;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::without_arguments;

    #[test]
    fn names_lose_the_arguments_of_generics() {
        for (name, short) in [
            ("a::b", "a::b"),
            ("a<b>", "a"),
            ("a::b::<c::<d>, e>::f::<fn() -> g>", "a::b::f"),
            ("<a as b<c>>::d", "<a as b>::d"),
            ("a::<impl b>::c", "a::c"),
            (
                "<a>::b::{closure#0}::{closure#1}",
                "<a>::b::{closure#0}::{closure#1}",
            ),
            ("operator<", "operator"),
            ("", ""),
        ] {
            assert_eq!(without_arguments(name), short, "{name}");
        }
    }
}
