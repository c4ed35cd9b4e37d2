//! The simulator: a machine among scripted origins, a network, a store and readers, in virtual time.
//!
//! One seed gives one session: what is opened and read, what goes wrong, and every latency. Time jumps to whatever
//! happens next. After every event the promises are checked against models that know the truth; at the end all faults
//! are over, every reader must get through, every file must become complete, and closing must leave nothing behind.
//!
//! ```text
//!   plan ──► world ──► machine            (events)
//!             ▲  └───── machine           (actions) ──► invariants
//!             ├── origin, answer, fault   what servers do
//!             ├── network, store          when it arrives, when it is kept
//!             └── reader                  who wants it
//! ```
//! [`run`] plays a plan, [`run_seed`] draws one first. [`Scene`] plays a single scene by hand, for golden transcripts.

mod answer;
mod cache;
mod content;
mod draw;
mod fault;
mod invariants;
mod lived;
mod many;
mod network;
mod origin;
mod plan;
mod promise;
mod reader;
mod script;
mod stage;
mod stale;
mod store;
mod transcript;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use content::{Content, MAX_TOTAL};
pub use draw::{ANSWERS, CACHED_ANSWERS, cached_plan, fixed_plans, plan};
pub use fault::{Coverage, Fault};
pub use invariants::Tally;
pub use lived::{Lived, Trial};
pub use many::{Sessions, Sums, each, seeds};
pub use plan::{
    BodyFraming, Boundary, CachePlan, Deed, End, Expires, Incident, Move, NetworkPlan, Plan,
    ReaderPlan, TrackPlan, Validators,
};
pub use script::Scene;
pub use transcript::{Transcript, action_line, event_line};
pub use world::Report;

use world::World;

/// How many lines of the transcript a failure shows.
const TAIL: usize = 60;

/// Plays the session of a seed. The error says what broke, and how to see it again.
pub fn run_seed(seed: u64) -> Result<Report, String> {
    let plan = plan(seed);
    run(&plan).map_err(|error| {
        format!(
            "seed {seed}: {error}\n\nreplay with its whole transcript: \
             INFILL_SEED={seed} cargo test -p infill-tests --test simulator -- --nocapture"
        )
    })
}

/// Plays the session with a cache of a seed. The error says what broke, and how to see it again.
pub fn run_cached_seed(seed: u64) -> Result<Report, String> {
    run(&cached_plan(seed)).map_err(|error| {
        format!(
            "seed {seed}: {error}\n\nreplay with its whole transcript: \
             INFILL_SEED={seed} cargo test -p infill-tests --test lives -- --nocapture"
        )
    })
}

/// Plays a session. The error says what broke, and shows what happened just before.
pub fn run(plan: &Plan) -> Result<Report, String> {
    if let Ok(report) = attempt(plan, None) {
        return Ok(report);
    }
    // Once more, exactly as before, but written down.
    let (outcome, transcript) = run_traced(plan);
    match outcome {
        Ok(_) => {
            Err("it failed, but not when played again: the machine is not deterministic".into())
        }
        Err(error) => Err(format!("{error}\n{}\n{error}", transcript.tail(TAIL))),
    }
}

/// Plays a session and writes everything down.
pub fn run_traced(plan: &Plan) -> (Result<Report, String>, Transcript) {
    let transcript = Transcript::default();
    (attempt(plan, Some(transcript.clone())), transcript)
}

/// Plays a session and writes everything to standard output as it happens.
pub fn run_live(plan: &Plan) -> Result<Report, String> {
    attempt(plan, Some(Transcript::live()))
}

fn attempt(plan: &Plan, transcript: Option<Transcript>) -> Result<Report, String> {
    let play = || World::new(plan.clone(), transcript).run();
    catch_unwind(AssertUnwindSafe(play)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without words".to_owned())
    })
}
