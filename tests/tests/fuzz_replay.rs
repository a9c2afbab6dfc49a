//! Replays the committed fuzz corpus through every decoder on every test run.
//!
//! Knows nothing of how the corpus was found: `./dev fuzz` looks, this remembers.

#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::{fs, path::PathBuf};

use targets::{
    TARGETS,
    requests::{BODIES, body_of},
};

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(folder) = fs::read_dir(corpus().join(name)) else { return Vec::new() };
    let paths = folder.map(|entry| entry.expect("the corpus can be listed").path());
    paths.map(|path| (path.clone(), fs::read(path).expect("a seed can be read"))).collect()
}

/// Bytes of every length below `longest`, drawn from a fixed seed: the same on every run.
fn arbitrary(longest: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut byte = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..longest).map(move |length| (0..length).map(|_| byte()).collect())
}

/// T59, S88.
#[test]
fn no_decoder_falls_over_a_seed_of_the_corpus() {
    for target in TARGETS {
        for (path, bytes) in seeds(target.name) {
            println!("{} {}", target.name, path.display());
            (target.decode)(&bytes);
        }
    }
}

/// T59, S88: a seed cut short and a seed with every bit flipped once are bytes of a stranger too.
#[test]
fn no_decoder_falls_over_a_damaged_seed() {
    for target in TARGETS {
        for (path, bytes) in seeds(target.name) {
            println!("{} {}", target.name, path.display());
            (0..bytes.len().min(512)).for_each(|cut| (target.decode)(&bytes[..cut]));
            for bit in 0..bytes.len().min(512) * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                (target.decode)(&flipped);
            }
        }
    }
}

/// T59.
#[test]
fn no_decoder_falls_over_arbitrary_bytes() {
    for target in TARGETS {
        println!("{}", target.name);
        arbitrary(600).for_each(|bytes| (target.decode)(&bytes));
    }
}

#[test]
fn every_target_has_seeds_and_every_corpus_folder_has_a_target() {
    for target in TARGETS {
        let name = target.name;
        let help = "run ./dev fuzz NAME and copy a few files of fuzz/new/NAME to fuzz/corpus/NAME";
        assert!(!seeds(name).is_empty(), "no seeds for {name}: {help}");
    }
    for entry in fs::read_dir(corpus()).expect("fuzz/corpus can be listed") {
        let name = entry.expect("a corpus folder can be read").file_name();
        let known = TARGETS.iter().any(|target| name == target.name);
        assert!(known, "fuzz/corpus/{} has no target in fuzz/src/targets.rs", name.display());
    }
}

/// T59, S88: of the API's paths none takes a body that the fuzzer does not reach.
#[test]
fn t59_the_body_of_each_path_of_the_api_is_decoded_and_has_a_seed() {
    let document = include_str!("../../signaling/src/shell/web/openapi.json");
    let document: serde_json::Value = serde_json::from_str(document).expect("the description");
    let paths = document["paths"].as_object().expect("paths").iter();
    let takes = |item: &serde_json::Value| {
        item.pointer("/post/requestBody/content/application~1json").is_some()
    };
    let described: Vec<&str> =
        paths.filter(|(_, item)| takes(item)).map(|(path, _)| path.as_str()).collect();
    for path in &described {
        let is_known = BODIES.iter().any(|(known, _)| known == path);
        assert!(is_known, "no decoder for {path} in fuzz/src/requests.rs");
    }
    let seeds = seeds("api_request");
    for (path, read) in BODIES {
        assert!(described.contains(path), "{path} takes no JSON body");
        let first = format!("POST {path}\n");
        let own = seeds.iter().filter(|(_, seed)| seed.starts_with(first.as_bytes()));
        let mut bodies = own.filter_map(|(_, seed)| body_of(seed));
        assert!(bodies.any(read), "no well-formed seed for {path} in fuzz/corpus/api_request");
    }
}
