//! A1-A7: bytes that are not what was asked for belong where the answer says.

use infill_tests::{
    origin::content,
    runtime::{Cause, Notice, Noticed, Runtime, StoreKind},
};

use crate::case::{Case, LEN, PATH, SEED, notices};

both! {
    a1_a_server_without_ranges_is_read_in_one_go,
    a1_a_200_to_a_resume_is_skipped_to_the_gap,
    a1_a_seek_on_a_server_without_ranges_is_right,
    a1_a_server_without_ranges_plays_through_a_small_store,
    a2_a_206_that_starts_earlier_is_placed_where_it_starts,
    a2_a_206_that_starts_later_leaves_a_gap_that_is_asked_again,
    a2_a_server_that_never_serves_the_wanted_byte_is_asked_plainly,
    a3_short_parts_are_put_together,
    a4_a_206_without_a_position_is_asked_plainly,
    a5_what_follows_a_slice_is_not_read,
    a5_the_whole_behind_the_head_of_its_first_slice_is_cut,
    a5_the_whole_behind_the_head_of_a_later_slice_is_refused,
    a6_a_slice_that_says_200_is_a_slice,
    a7_an_unasked_206_is_placed_by_its_range,
    a7_unasked_parts_without_a_position_are_an_error,
}

fn a1_a_server_without_ranges_is_read_in_one_go(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().ignore_range();
    case.plays_with(1);
}

fn a1_a_200_to_a_resume_is_skipped_to_the_gap(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(200_000);
    case.on().from(1).ignore_range();
    let stream = case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), Some(200_000)]);
    let noticed = notices(&stream);
    assert!(noticed.contains(&Noticed::Notice(Notice::RangesIgnored)), "{noticed:?}");
}

fn a1_a_seek_on_a_server_without_ranges_is_right(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().ignore_range().rate(3_000_000);
    let mut stream = case.open();
    stream.check_at(SEED, LEN - 5000, 5000);
    stream.check_at(SEED, 0, 5000);
    case.reads_on(&mut stream);
    case.rests(&mut stream);
    assert!(case.requests().len() <= 2, "{}", case.story());
}

fn a1_a_server_without_ranges_plays_through_a_small_store(runtime: Runtime) {
    let total = 16 << 20;
    let mut case = Case::new(runtime);
    case.settings = case.settings.clone().store(StoreKind::memory(1 << 20));
    case.origin.put(PATH, content(SEED, total));
    case.on().ignore_range();
    let mut stream = case.open();
    let reading = stream.read_on(SEED);
    assert_eq!((reading.count, reading.end), (total, Ok(())));
    // Each request fetches everything from byte 0 again. A few are made before it is learned that ranges are ignored;
    // none for each window, of which there are 16 at least.
    assert!(case.requests().len() <= 5, "{}", case.story());
}

fn a2_a_206_that_starts_earlier_is_placed_where_it_starts(runtime: Runtime) {
    for earlier in ["by a little", "at a block", "at 0"] {
        let case = Case::new(runtime);
        case.on().nth(0).cut_at(100_001);
        let resume = case.on().from(1);
        match earlier {
            "by a little" => drop(resume.shift_start(-1000)),
            "at a block" => drop(resume.align_start(65_536)),
            _ => drop(resume.start_at(0)),
        }
        case.plays_with(2);
    }
}

fn a2_a_206_that_starts_later_leaves_a_gap_that_is_asked_again(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_001);
    case.on().nth(1).shift_start(1000);
    case.plays_with(3);
    assert_eq!(case.firsts(), [Some(0), Some(100_001), Some(100_001)]);
}

fn a2_a_server_that_never_serves_the_wanted_byte_is_asked_plainly(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_001);
    case.on().from(1).shift_start(1000);
    case.plays_within(6);
    let plain = case.firsts().contains(&None);
    assert!(plain, "{}", case.story());
    // All of what is served lies before the wanted byte.
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_001);
    case.on().from(1).start_at(0).short(50_000);
    case.plays_within(6);
}

fn a3_short_parts_are_put_together(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().short(65_536);
    case.plays_with(5);
    assert_eq!(case.firsts(), [0, 65_536, 131_072, 196_608, 262_144].map(Some));
}

fn a4_a_206_without_a_position_is_asked_plainly(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().no_content_range();
    case.plays_with(2);
    assert_eq!(case.firsts(), [Some(0), None]);
    // In the middle, too: the plain answer is skipped to the gap.
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(150_000);
    case.on().from(1).no_content_range();
    case.plays_with(3);
    assert_eq!(case.firsts(), [Some(0), Some(150_000), None]);
}

fn a5_what_follows_a_slice_is_not_read(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().append_junk(5000);
    let stream = case.plays_with(1);
    assert!(stream.handle().stats().bytes_fetched <= LEN + 5000);
    // At the end of a slice that is not the last.
    let case = Case::new(runtime).piecewise(100_000);
    case.on().append_junk(5000);
    case.plays_with(3);
}

fn a5_the_whole_behind_the_head_of_its_first_slice_is_cut(runtime: Runtime) {
    let case = Case::new(runtime).piecewise(100_000);
    case.on().nth(0).whole_behind_slice();
    case.plays_with(3);
    assert_eq!(case.firsts(), [0, 100_000, 200_000].map(Some));
}

fn a5_the_whole_behind_the_head_of_a_later_slice_is_refused(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).whole_behind_slice();
    case.plays_with(3);
    assert_eq!(case.firsts(), [Some(0), Some(100_000), None]);
}

fn a6_a_slice_that_says_200_is_a_slice(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).slice_as_200();
    case.plays_with(2);
    let case = Case::new(runtime).piecewise(100_000);
    case.on().slice_as_200();
    case.plays_with(3);
}

fn a7_an_unasked_206_is_placed_by_its_range(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).no_content_range();
    case.on().nth(1).unasked_206(0, 99_999);
    case.plays_with(3);
    assert_eq!(case.firsts(), [Some(0), None, Some(100_000)]);
    // Not even from the beginning.
    let case = Case::new(runtime);
    case.on().nth(0).no_content_range();
    case.on().nth(1).unasked_206(200_000, 299_999);
    case.plays_within(4);
}

fn a7_unasked_parts_without_a_position_are_an_error(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    case.on().no_content_range().unasked_206(0, 99_999);
    let error = case.refused();
    assert_eq!(error.cause(), &Cause::NoPosition, "{error}");
    assert!(case.requests().len() <= 8, "{}", case.story());
}
