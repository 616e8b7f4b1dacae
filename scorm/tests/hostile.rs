//! The entries of `fuzz/` over their corpus and over mutations of it, the same ones each time: no
//! bytes make this crate panic, hang or break a promise. `fuzz/README.md` says how to run more.

#[path = "../fuzz/entries.rs"]
mod entries;

use std::path::Path;
use std::{env, fs, panic};

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}

/// What means something to one parser or another.
const TOKENS: [&[u8]; 28] = [
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"../",
    b"\\",
    b"<!DOCTYPE a>",
    b"<![CDATA[",
    b"]]>",
    b"&lt;",
    b"&#x110000;",
    b"<item identifier='x'>",
    b"</item>",
    b"<imsss:sequencing IDRef='x'/>",
    b" xml:base='../'",
    b"identifierref",
    b"IDRef",
    b"isvisible='nearly'",
    b"<adlcp:prerequisites type='aicc_script'>~(a&{b,2*{c}})</adlcp:prerequisites>",
    b"xmlns:a='imsss'",
    b"\xfe\xff",
    b"\xc3\x28",
    b"::a:: {=%50%b ~%-50%c#d ####e}",
    b"{#1..2 =%100%3:0.1}",
    b"-1e999",
];

fn mutated(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(32)).min(bytes.len());
        match dice.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 if at < end => {
                bytes.drain(at..end);
            }
            3 if at < end => {
                let again = bytes[at..end].to_vec();
                let _ = bytes.splice(at..at, again.repeat(1 + dice.below(6)));
            }
            4 => bytes.truncate(at),
            5 => {
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len());
                let to = (from + dice.below(256)).min(other.len());
                let _ = bytes.splice(at..at, other[from..to].iter().copied());
            }
            6 => {
                let noise: Vec<u8> = (0..dice.below(24)).map(|_| dice.below(256) as u8).collect();
                let _ = bytes.splice(at..at, noise);
            }
            _ => {
                let token = TOKENS[dice.below(TOKENS.len())];
                let _ = bytes.splice(at..at, token.iter().copied());
            }
        }
    }
    bytes.truncate(1 << 16);
    bytes
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs an entry over its corpus and `rounds` mutations.
fn hold(name: &str, rounds: u64, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("a corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("read")).collect();
    assert!(!corpus.is_empty(), "no corpus for {name}");
    for (file, bytes) in files.iter().zip(&corpus) {
        let held = panic::catch_unwind(|| entry(bytes));
        assert!(held.is_ok(), "{name}: {}", file.display());
    }
    let seed = number("SCORM_FUZZ_SEED", 1);
    let mut dice = Dice(seed);
    for round in 0..rounds * number("SCORM_FUZZ_ROUNDS", 1) {
        let bytes = mutated(&corpus, &mut dice);
        if panic::catch_unwind(|| entry(&bytes)).is_err() {
            let kept = env::temp_dir().join(format!("scorm-{name}-{seed}-{round}"));
            fs::write(&kept, &bytes).expect("written");
            panic!("{name}, seed {seed}, round {round}: the input is {}", kept.display());
        }
    }
}

#[test]
fn packages_of_any_bytes() {
    hold("package", 3_000, entries::package);
}

#[test]
fn manifests_of_any_bytes() {
    hold("manifest", 1_200, entries::manifest);
}

#[test]
fn calls_in_any_order() {
    hold("data_model", 250, entries::data_model);
}

#[test]
fn trees_and_requests_of_any_kind() {
    hold("sequencing", 400, entries::sequencing);
}

#[test]
fn questions_of_any_bytes() {
    hold("gift", 6_000, entries::gift);
}
