use engine_core::lock::Renewal;
use engine_core::mark::Lineage;
use engine_core::object_ref::ObjectRef;
use engine_core::ports::RunLog as _;
use engine_core::state::{Holder, ResourceRecord, State};

use super::*;
use crate::format::tests::{sample, schema_1};

fn files(directory: &tempfile::TempDir) -> RunFiles {
    RunFiles::new(&directory.path().join(".terrane"), &"dev".parse().unwrap())
}

fn held_by(run: &str, state: State) -> State {
    let holder = Holder {
        run: run.into(),
        who: "somebody@somewhere".into(),
        operation: "apply".into(),
        since: "2026-01-01T00:00:00Z".into(),
        renewal: Renewal::default(),
    };
    State { holder: Some(holder), ..state }
}

/// A state with records, and two of them.
fn records() -> (State, [(ObjectRef, ResourceRecord); 2]) {
    let mut state = sample();
    let (one, record) =
        state.records.first_key_value().map(|(one, record)| (one.clone(), record.clone())).unwrap();
    let two = ObjectRef { name: "two".into(), ..one.clone() };
    state.records.insert(two.clone(), record.clone());
    (state, [(one, record.clone()), (two, record)])
}

#[test]
fn what_a_dead_run_noted_is_put_into_the_state_that_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let (state, [(gone, _), (made, record)]) = records();
    let files = files(&directory);
    let log = files.begin(&state.lineage, &"one".into(), None).unwrap();
    log.note(&Deed::Removed(gone.clone()));
    log.note(&Deed::Applied(made.clone(), Box::new(record.clone())));
    drop(log);

    let left = files.left_behind().unwrap().unwrap();
    let mut before = held_by("one", state.clone());
    before.records.remove(&made);
    assert!(left.settle(&mut before));
    assert_eq!(before.holder, None);
    assert_eq!(before.records.get(&made), Some(&record));
    assert!(!before.records.contains_key(&gone));
}

#[test]
fn sample_that_went_on_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (state, [(gone, _), _]) = records();
    let files = files(&directory);
    let log = files.begin(&state.lineage, &"one".into(), None).unwrap();
    log.note(&Deed::Removed(gone));
    drop(log);
    let left = files.left_behind().unwrap().unwrap();
    let other = State { lineage: Lineage::new([9; 16]), ..held_by("one", state.clone()) };
    for later in [state.clone(), held_by("two", state), other] {
        let mut settled = later.clone();
        assert!(!left.settle(&mut settled));
        assert_eq!(settled, later);
    }
}

#[test]
fn runs_that_die_before_they_hold_the_lock_keep_what_the_one_before_left() {
    let directory = tempfile::tempdir().unwrap();
    let (state, [(gone, _), _]) = records();
    let files = files(&directory);
    let log = files.begin(&state.lineage, &"one".into(), None).unwrap();
    log.note(&Deed::Removed(gone.clone()));
    drop(log);
    let left = files.left_behind().unwrap().unwrap();
    drop(files.begin(&state.lineage, &"two".into(), Some(&left)).unwrap());
    let left = files.left_behind().unwrap().unwrap();
    drop(files.begin(&state.lineage, &"three".into(), Some(&left)).unwrap());
    let left = files.left_behind().unwrap().unwrap();
    for holder in ["one", "two", "three"] {
        let mut settled = held_by(holder, state.clone());
        assert!(left.settle(&mut settled), "{holder}");
        assert!(!settled.records.contains_key(&gone));
    }
}

#[test]
fn a_run_that_ends_well_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let files = files(&directory);
    let log = files.begin(&Lineage::new([1; 16]), &"one".into(), None).unwrap();
    log.close();
    assert_eq!(files.left_behind().unwrap(), None);
}

#[test]
fn a_line_that_was_cut_off_was_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let (state, [(gone, _), (other, _)]) = records();
    let files = files(&directory);
    let log = files.begin(&state.lineage, &"one".into(), None).unwrap();
    log.note(&Deed::Removed(gone.clone()));
    log.note(&Deed::Removed(other.clone()));
    drop(log);
    let whole = fs::read(&files.log).unwrap();
    let head = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in head..whole.len() {
        fs::write(&files.log, &whole[..cut]).unwrap();
        let left = files.left_behind().unwrap().unwrap();
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(left.deeds.len(), lines - 1, "cut at {cut}");
    }
    fs::write(&files.log, b"no log\n").unwrap();
    let error = files.left_behind().unwrap_err().to_string();
    assert!(error.contains("remove it"), "{error}");
}

#[test]
fn one_process_at_a_time_works_in_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let files = files(&directory);
    let lock = files.try_lock().unwrap().unwrap();
    assert!(files.try_lock().unwrap().is_none());
    drop(lock);
    assert!(files.try_lock().unwrap().is_some());
}

#[test]
fn a_run_goes_on_without_a_log_that_the_disk_has_no_room_for() {
    let directory = tempfile::tempdir().unwrap();
    let (state, [(gone, _), _]) = records();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (sender, deeds) = mpsc::channel();
    sender.send(Deed::Removed(gone.clone())).unwrap();
    drop(sender);
    write_all(full, Path::new("/dev/full"), &deeds);
    // Further notes go nowhere, and nothing waits for them.
    let log = files(&directory).begin(&state.lineage, &"one".into(), None).unwrap();
    log.finish();
    log.note(&Deed::Removed(gone));
    log.close();
}

#[test]
fn a_log_of_schema_1_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let files = files(&directory);
    let state = sample();
    drop(files.begin(&state.lineage, &"one".into(), None).unwrap());
    let old = String::from_utf8(schema_1().objects).unwrap();
    let head = format!("{{\"lineage\":\"{}\",\"run\":\"one\"}}\n", state.lineage);
    fs::write(&files.log, format!("{head}{{\"applied\":{}}}\n", old.trim_end())).unwrap();
    let left = files.left_behind().unwrap().unwrap();
    let (object_ref, record) = state.records.first_key_value().unwrap();
    assert_eq!(left.deeds, [Deed::Applied(object_ref.clone(), Box::new(record.clone()))]);

    fs::write(&files.log, head.replace("}", ",\"schema\":3}")).unwrap();
    let error = files.left_behind().unwrap_err().to_string();
    assert!(error.contains("it has schema 3, this version of terrane reads up to 2"), "{error}");
}
