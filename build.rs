//! Embedded folders are read by macros, which do not notice that their files changed.

fn main() {
    for folder in ["templates", "locales", "courses", "migrations"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
