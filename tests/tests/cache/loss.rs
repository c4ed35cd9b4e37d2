//! What is on the disk goes away or changes, between lives and during one: the bytes that are read are right all the
//! same.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    thread,
};

use infill_tests::runtime::{Notice, Runtime, Stream};

use crate::case::{
    BLOCK, Case, LEN, SEED, cache_of, eventually, is_of_the_disk, key_of, notices, only,
};

both! {
    d1_d2_what_the_disk_lost_in_a_power_cut_is_a_hole,
    d2_garbage_is_never_read,
    d8_a_file_that_was_cut_is_fetched_again,
    d11_a_file_that_was_deleted_is_fetched_again,
    d11_files_deleted_during_a_life_cost_nothing_but_time,
    d11_the_directory_deleted_during_a_life_stops_nothing,
    d8_a_complete_file_cut_during_a_life,
    d2_files_cut_or_overwritten_while_they_come_are_seen_in_the_next_life,
    a_directory_where_a_data_file_should_be,
    d3_a_file_without_a_record_does_not_exist,
}

/// A cache with all of it, and nobody that has it open.
fn complete(runtime: Runtime) -> Case {
    let case = Case::new(runtime);
    case.plays();
    case.is_let_go();
    case
}

fn data_file(case: &Case) -> std::path::PathBuf {
    let files = case.data_files();
    assert_eq!(files.len(), 1, "{files:?}");
    files.into_iter().next().unwrap()
}

fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    let mut file = File::options().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// All is right, and so much was fetched again for it.
fn plays_for(case: &Case, again: u64) {
    case.plays();
    assert_eq!(case.sent(), LEN + again, "{}", case.story());
    // It is as good as new.
    case.plays();
    assert_eq!(case.sent(), LEN + again, "{}", case.story());
}

fn d1_d2_what_the_disk_lost_in_a_power_cut_is_a_hole(runtime: Runtime) {
    let case = complete(runtime);
    // The journal and the length were on the disk, two pages were not.
    overwrite(&data_file(&case), BLOCK + 4096, &[0; 8192]);
    plays_for(&case, BLOCK);
}

fn d2_garbage_is_never_read(runtime: Runtime) {
    let case = complete(runtime);
    overwrite(&data_file(&case), 0, &vec![0xa5; LEN as usize]);
    plays_for(&case, LEN);
    // The wrong byte is in the last, short one.
    let case = complete(runtime);
    overwrite(&data_file(&case), LEN - 1, &[0]);
    plays_for(&case, LEN % BLOCK);
}

fn d8_a_file_that_was_cut_is_fetched_again(runtime: Runtime) {
    for left in [0, 3 * BLOCK + 7] {
        let case = complete(runtime);
        File::options().write(true).open(data_file(&case)).unwrap().set_len(left).unwrap();
        plays_for(&case, LEN - left / BLOCK * BLOCK);
    }
    // Longer than it was means nothing.
    let case = complete(runtime);
    overwrite(&data_file(&case), LEN, &[7; 5000]);
    plays_for(&case, 0);
}

fn d11_a_file_that_was_deleted_is_fetched_again(runtime: Runtime) {
    let case = complete(runtime);
    fs::remove_file(data_file(&case)).unwrap();
    plays_for(&case, LEN);
    let case = complete(runtime);
    fs::remove_dir_all(data_file(&case).parent().unwrap()).unwrap();
    plays_for(&case, LEN);
    // All but the journal's name: what is without a journal is not there.
    let case = complete(runtime);
    fs::remove_file(case.journal()).unwrap();
    plays_for(&case, LEN);
}

/// Something happens to the disk in the middle of a life that fetches: who reads goes on, and gets what is right.
fn in_the_middle(runtime: Runtime, len: u64, disturb: impl Fn(&Case)) -> (Case, Stream) {
    let case = Case::of(runtime, len);
    case.on().rate(2 * len);
    let mut stream = case.open();
    stream.check_at(SEED, 0, len / 4);
    disturb(&case);
    case.reads_on(&mut stream);
    (case, stream)
}

/// All of it again, in the same life.
fn again(case: &Case, stream: &mut Stream) {
    let len = stream.byte_len().unwrap();
    for at in [0, len - 1000, len / 2, 100] {
        stream.check_at(SEED, at, 200_000);
    }
    stream.seek(SeekFrom::Start(0)).unwrap();
    case.reads_on(stream);
}

/// And the next life reads what is right.
fn next_life(case: &Case) {
    case.origin.heal_all();
    case.plays();
    let sent = case.sent();
    case.plays();
    assert_eq!(case.sent(), sent, "{}", case.story());
}

fn d11_files_deleted_during_a_life_cost_nothing_but_time(runtime: Runtime) {
    let (case, mut stream) = in_the_middle(runtime, 4 << 20, |case| {
        for file in case.data_files() {
            fs::remove_file(file).unwrap();
        }
    });
    again(&case, &mut stream);
    drop(stream);
    next_life(&case);
}

fn d11_the_directory_deleted_during_a_life_stops_nothing(runtime: Runtime) {
    // So long that another file is begun after that.
    let (case, mut stream) = in_the_middle(runtime, 20 << 20, |case| {
        // Files may be made while it is deleted.
        eventually("it is gone", || {
            let _ = fs::remove_dir_all(case.root());
            !case.root().exists()
        });
    });
    again(&case, &mut stream);
    // It is not made again behind its owner's back.
    let found = notices(&stream);
    assert!(found.iter().any(is_of_the_disk), "{found:?}");
    drop(stream);
    // The lock was of a file that is gone.
    next_life(&case);
}

fn d8_a_complete_file_cut_during_a_life(runtime: Runtime) {
    let (case, mut stream) = in_the_middle(runtime, 4 << 20, |_| {});
    for file in case.data_files() {
        File::options().write(true).open(file).unwrap().set_len(1_000_000).unwrap();
    }
    again(&case, &mut stream);
    let found = notices(&stream);
    assert!(found.iter().any(is_of_the_disk), "{found:?}");
    drop(stream);
    next_life(&case);
}

fn d2_files_cut_or_overwritten_while_they_come_are_seen_in_the_next_life(runtime: Runtime) {
    // Who reads ahead of it notices nothing; what was written is not what was recorded.
    let (case, stream) = in_the_middle(runtime, 4 << 20, |case| {
        for file in case.data_files() {
            File::options().write(true).open(file).unwrap().set_len(1000).unwrap();
        }
    });
    drop(stream);
    next_life(&case);
    let (case, stream) = in_the_middle(runtime, 4 << 20, |case| {
        for file in case.data_files() {
            overwrite(&file, 0, &[0x5a; 500_000]);
        }
    });
    drop(stream);
    next_life(&case);
}

fn a_directory_where_a_data_file_should_be(runtime: Runtime) {
    let case = complete(runtime);
    let file = data_file(&case);
    fs::remove_file(&file).unwrap();
    fs::create_dir_all(&file).unwrap();
    let mut stream = case.open();
    case.reads_on(&mut stream);
    stream.check_at(SEED, 0, LEN);
    drop(stream);
    assert!(file.is_dir() || !file.exists());
    // A file where its directory should be.
    let case = Case::new(runtime);
    let client = case.client();
    let key = key_of(&cache_of(&client), &case.url()).to_string();
    drop(client);
    fs::write(case.root().join(key), b"in the way").unwrap();
    let mut stream = case.open();
    case.reads_on(&mut stream);
    stream.check_at(SEED, 0, LEN);
    let found = notices(&stream);
    assert!(found.iter().any(|notice| matches!(notice, Notice::NotCached(_))), "{found:?}");
}

fn d3_a_file_without_a_record_does_not_exist(runtime: Runtime) {
    let case = Case::new(runtime);
    case.begins_with(BLOCK);
    case.is_let_go();
    // As if all had been written, and the process had died before it could say so.
    let file = data_file(&case);
    fs::write(&file, infill_tests::origin::content(SEED, LEN)).unwrap();
    let client = case.client();
    assert_eq!(only(&cache_of(&client)).stored, BLOCK);
    let mut stream = client.open(case.url()).unwrap();
    case.reads_on(&mut stream);
    assert_eq!(case.sent(), LEN, "{}", case.story());
    drop((stream, client));
    // A copy under another name is nobody's.
    let copy = file.with_file_name("0000000000000000000000000000000000000000-0000000100000001.0");
    fs::copy(&file, &copy).unwrap();
    let client = case.client();
    assert_eq!(cache_of(&client).list().unwrap().len(), 1);
    eventually("strays are swept away", || !copy.exists());
    thread::yield_now();
    assert!(file.exists());
}
