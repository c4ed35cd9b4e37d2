//! When commands to the cache are answered.

use infill_core::catalog::{Catalog, Generation, Key, Place, Record, ResourceKey, StoredFacts};
use infill_core::{
    Action, Command, CommandId, Config, Event, Instant, Machine, Restored, StoreFailure,
};

const ASSET: Key = Key([7; 20]);

/// A cache with one asset.
fn restored() -> Restored {
    let place =
        Place { key: ResourceKey::file(ASSET), generation: Generation(1 << 32), file_bits: 24 };
    let label = "http://a.example/a".into();
    let mut catalog = Catalog::new();
    catalog.apply(&Record::Open { place, label, facts: StoredFacts::default() });
    Restored { catalog, salt: 1, ..Restored::default() }
}

fn actions(machine: &mut Machine, event: Event) -> Vec<Action> {
    machine.handle(Instant::ZERO, event);
    std::iter::from_fn(|| machine.poll_action()).collect()
}

fn answer(actions: &[Action]) -> Option<bool> {
    actions.iter().find_map(|action| match action {
        Action::Answered { result, .. } => Some(result.is_ok()),
        _ => None,
    })
}

/// A machine that was told to remove the asset, and the operation that it asks for.
fn removing() -> (Machine, infill_core::OpId) {
    let mut machine = Machine::new(Config::default());
    actions(&mut machine, Event::Restored(Box::new(restored())));
    let what = Command::Remove(ASSET);
    let asked = actions(&mut machine, Event::Command { command: CommandId(1), what });
    assert_eq!(answer(&asked), None);
    let op = asked.iter().find_map(|action| match action {
        Action::Remove { op, .. } => Some(*op),
        _ => None,
    });
    (machine, op.expect("the files are to be deleted"))
}

#[test]
fn a_removal_is_answered_once_the_journal_says_so() {
    let (mut machine, op) = removing();
    let asked = actions(&mut machine, Event::Removed { op, result: Ok(()) });
    assert_eq!(answer(&asked), None, "or a process that ends now would list it again: {asked:?}");
    let append = asked.iter().find_map(|action| match action {
        Action::Append { op, records, .. } => Some((*op, records.clone())),
        _ => None,
    });
    let (op, records) = append.expect("it is written down");
    assert_eq!(records, [Record::Remove { generation: Generation(1 << 32) }]);
    let told = actions(&mut machine, Event::Appended { op, result: Ok(100) });
    assert_eq!(answer(&told), Some(true));
    assert!(machine.is_quiescent());
}

#[test]
fn a_removal_that_fails_says_so() {
    let failure = || StoreFailure { full: false, detail: "no".into() };
    let (mut machine, op) = removing();
    let told = actions(&mut machine, Event::Removed { op, result: Err(failure()) });
    assert_eq!(answer(&told), Some(false), "{told:?}");
}
