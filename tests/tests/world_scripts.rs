//! Scripts of the simulated world: those that are committed, and fresh ones by chance.

use std::path::PathBuf;

use tasuki_tests::world::Wiring;
use tasuki_tests::world::dice::Dice;
use tasuki_tests::world::script::{self, Reached};

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/world")
}

#[test]
fn every_committed_script_holds() {
    let mut count = 0;
    for entry in std::fs::read_dir(corpus()).expect("the corpus is in the tree") {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        script::run(&std::fs::read(&path).unwrap(), Wiring::Told);
        count += 1;
    }
    assert!(count > 0, "the corpus is not empty");
}

/// `TASUKI_WORLD_SEARCH=N` runs N random scripts; one that fails is left behind in
/// the corpus, to be kept with its mend.
#[test]
fn random_scripts_hold_as_well() {
    let runs = std::env::var("TASUKI_WORLD_SEARCH").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let from = std::env::var("TASUKI_WORLD_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let (mut accepted, mut delivered) = (0, 0);
    for seed in from..from + runs {
        let mut dice = Dice::new(seed);
        let length = 8 + dice.below(160) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| dice.below(256) as u8).collect();
        if seed % 2 == 0 {
            calm_down(&mut bytes);
        }
        // A consent soon, in most runs: what follows is where the states are.
        bytes.splice(8..8, [3, 0]);
        match std::panic::catch_unwind(|| script::run(&bytes, Wiring::Told)) {
            Ok(outcome) => {
                accepted += u32::from(outcome.accepted == Reached::Accepted);
                delivered += outcome.delivered;
            }
            Err(panic) => {
                let file = corpus().join(format!("found-{seed}.bin"));
                std::fs::write(&file, &bytes).unwrap();
                println!("left in {}", file.display());
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{accepted} of {runs} were accepted; {delivered} texts arrived");
    assert!(accepted > 0 && delivered > 0, "scripts by chance reach the states that matter");
}

/// Without cuts, outages and weather nothing may be lost at all: half of the runs.
fn calm_down(bytes: &mut [u8]) {
    bytes[5] = 0;
    for step in bytes[8..].chunks_exact_mut(2) {
        if matches!(step[0] % 8, 4 | 5 | 7) {
            step[0] = 1;
        }
    }
}
