//! Write, crash, reopen: the cache's store on a disk that loses, tears, fails and lies, against a model of what it owes.

mod model;
mod session;

use arbitrary::Unstructured;
use fastrand::Rng;

use session::Session;

/// Inputs are cut after so many steps, so that each run is short.
const MAX_STEPS: usize = 400;

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let seed = input.arbitrary().unwrap_or(0);
    let mut session = Session::new(seed);
    for _ in 0..MAX_STEPS {
        // An input that ends within a step ends the run there.
        if input.is_empty() || session.step(&mut input).is_err() {
            break;
        }
    }
    session.finish();
}

/// Runs the input that a seed gives.
pub fn run_seed(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut data = vec![0; rng.usize(50..1500)];
    rng.fill(&mut data);
    run(&data);
}
