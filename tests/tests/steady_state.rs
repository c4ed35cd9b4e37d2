//! The hot path allocates nothing in the steady state.

use infill_tests::alloc::{Counting, allocations};
use infill_tests::steady::Steady;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_chunk_that_arrives_and_is_written_allocates_nothing() {
    for tracks in [1, 100] {
        let mut steady = Steady::new(tracks);
        let before = allocations();
        let actions: usize = (0..10_000).map(|_| steady.chunk()).sum();
        let during = allocations() - before;
        assert!(
            actions > 20_000,
            "a write and a publication each, and a grant now and then: {actions}"
        );
        // Half a second passes for each track now and then: its state is told again, which allocates nothing either.
        assert_eq!(during, 0, "{during} allocations with {tracks} tracks");
    }
}
