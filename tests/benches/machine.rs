//! What one chunk costs the machine: `handle(BytesReceived)` and its actions, with 1 and with 1,000 tracks.

use std::time::Instant;

use infill_tests::alloc::{Counting, allocations};
use infill_tests::steady::Steady;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: u32 = 200_000;

#[allow(clippy::print_stdout)]
fn main() {
    println!("tracks  ns per BytesReceived  ns per chunk (with Written)  allocations");
    for tracks in [1, 1_000] {
        let mut steady = Steady::new(tracks);
        let before = allocations();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            steady.chunk();
        }
        let whole = start.elapsed() / ROUNDS;
        let mut arrivals = std::time::Duration::ZERO;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let arrival = steady.arrive();
            arrivals += start.elapsed();
            steady.answer(arrival);
        }
        let allocated = allocations() - before;
        println!(
            "{tracks:>6}  {:>20}  {:>27}  {allocated:>11}",
            (arrivals / ROUNDS).as_nanos(),
            whole.as_nanos()
        );
    }
}
