//! A part of what is at a URL, where that is the resource (RFC 8216, section 4.3.2.2): what is asked and answered
//! counts from the first byte of all, what the resource holds from the first byte of the part. Here, and nowhere
//! else, one becomes the other.

use super::{Asked, BodyPlace, Judgement, Remedy};
use crate::{ByteRange, Cause};

/// Which part; all of it if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slice(Option<ByteRange>);

impl Slice {
    /// These bytes are the resource; all of them where there is no range.
    pub(crate) fn new(range: Option<ByteRange>) -> Self {
        Self(range)
    }

    /// How long the resource is, which only a part says by itself.
    pub(crate) fn len(self) -> Option<u64> {
        self.0.map(ByteRange::len)
    }

    /// Whether it is not all that there is.
    pub(crate) fn is_part(self) -> bool {
        self.0.is_some()
    }

    /// What is asked of the origin.
    pub(crate) fn asked(self, asked: Asked) -> Asked {
        Asked { first: self.start().saturating_add(asked.first), ..asked }
    }

    /// The last byte to ask for, where the one after it is `end`: always one of the part's.
    pub(crate) fn last(self, end: Option<u64>) -> Option<u64> {
        let end = end.map(|end| self.start().saturating_add(end));
        let end = end.into_iter().chain(self.0.map(|range| range.end)).min();
        end.map(|end| end.saturating_sub(1))
    }

    /// What an answer means for the part.
    pub(crate) fn cut(self, judgement: Judgement, asked: Asked) -> Judgement {
        let Some(range) = self.0 else {
            return judgement;
        };
        let refuse = |cause, remedy| Judgement::Refuse { cause, remedy };
        // It may be written still: then it is there later (FAULTS C6).
        let too_short = |total| refuse(Cause::TooShort { wanted: range, total }, Remedy::Retry);
        match judgement {
            Judgement::Body(BodyPlace { total: Some(total), .. }) if total < range.end => {
                too_short(total)
            }
            Judgement::Body(place) if place.at >= range.end => {
                let wanted = self.start().saturating_add(asked.first);
                let remedy = if asked.plain { Remedy::Retry } else { Remedy::Plain };
                refuse(Cause::Misplaced { wanted, first: place.at }, remedy)
            }
            Judgement::Body(place) => Judgement::Body(within(range, place)),
            Judgement::End { total, version: super::Version::Same } => too_short(total),
            Judgement::End { version, .. } => Judgement::End { total: range.len(), version },
            Judgement::Refuse { .. } => judgement,
        }
    }

    fn start(self) -> u64 {
        self.0.map_or(0, |range| range.start)
    }
}

/// The same body, as the part sees it: what lies before it is passed over, what lies behind it is left alone.
fn within(range: ByteRange, place: BodyPlace) -> BodyPlace {
    let end = place.end.unwrap_or(u64::MAX);
    let skip = range.start.saturating_sub(place.at);
    BodyPlace {
        at: place.at.saturating_sub(range.start),
        skip,
        end: Some(end.min(range.end).saturating_sub(range.start)),
        goes_on: end > range.end,
        total: Some(range.len()),
        begins: place.begins || place.at == range.start,
        ..place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Known, ResponseHead, Validator, Version, judge};

    const SLICE: ByteRange = ByteRange::new(100, 150);

    fn slice() -> Slice {
        Slice::new(Some(SLICE))
    }

    fn judged(status: u16, fields: &[(&str, &str)], first: u64, total: Option<u64>) -> Judgement {
        let head = fields.iter().fold(ResponseHead::new(status), |head, (name, value)| {
            head.with_field(name, value.as_bytes())
        });
        let validator = Validator::default();
        let answered = total.is_some();
        let known = Known { answered, total, validator: &validator, etags_per_node: false };
        let asked = Asked { first, ..Asked::default() };
        slice().cut(judge(&head, slice().asked(asked), known), asked)
    }

    fn part(content_range: &str, first: u64) -> Judgement {
        judged(206, &[("Content-Range", content_range)], first, None)
    }

    fn body(judgement: Judgement) -> BodyPlace {
        match judgement {
            Judgement::Body(place) => place,
            other => panic!("{other:?}"),
        }
    }

    fn too_short(total: u64) -> Judgement {
        let cause = Cause::TooShort { wanted: SLICE, total };
        Judgement::Refuse { cause, remedy: Remedy::Retry }
    }

    #[test]
    fn what_is_asked_stays_within_the_slice() {
        let asked = Asked { first: 7, ..Asked::default() };
        assert_eq!(slice().asked(asked).first, 107);
        assert_eq!(slice().last(None), Some(149));
        assert_eq!(slice().last(Some(20)), Some(119));
        assert_eq!(slice().last(Some(1000)), Some(149));
        let all = Slice::default();
        assert_eq!(
            (all.asked(asked).first, all.last(None), all.last(Some(20))),
            (7, None, Some(19))
        );
        let most = Slice::new(Some(ByteRange::new(u64::MAX - 1, u64::MAX)));
        assert_eq!(most.asked(asked).first, u64::MAX, "a playlist may say anything");
    }

    #[test]
    fn a_part_is_placed_from_the_slices_start_on() {
        let place = body(part("bytes 110-149/1000", 10));
        assert_eq!((place.at, place.skip, place.end, place.total), (10, 0, Some(50), Some(50)));
        assert_eq!((place.behind, place.goes_on, place.begins), (Some(1000), false, false));
        assert!(body(part("bytes 100-149/1000", 0)).begins);
    }

    #[test]
    fn a2_a_part_that_begins_before_the_slice_is_passed_over_up_to_it() {
        let place = body(part("bytes 90-149/*", 0));
        assert_eq!((place.at, place.skip, place.end), (0, 10, Some(50)));
        assert!(!place.begins, "its first bytes are from somewhere in the middle");
    }

    #[test]
    fn a2_a_part_from_behind_the_slice_is_misplaced() {
        let misplaced = Judgement::Refuse {
            cause: Cause::Misplaced { wanted: 110, first: 150 },
            remedy: Remedy::Plain,
        };
        assert_eq!(part("bytes 150-160/1000", 10), misplaced);
    }

    #[test]
    fn c5_of_the_whole_file_the_slice_is_kept() {
        let place = body(judged(200, &[("Content-Length", "1000")], 20, None));
        assert_eq!((place.at, place.skip, place.end, place.total), (0, 100, Some(50), Some(50)));
        assert!(place.whole && place.goes_on && place.begins);
        let place = body(judged(200, &[("Transfer-Encoding", "chunked")], 20, None));
        assert_eq!((place.skip, place.end, place.goes_on), (100, Some(50), true));
    }

    #[test]
    fn c6_an_origin_that_has_not_all_of_it_yet_is_asked_again() {
        assert_eq!(part("bytes 100-119/120", 0), too_short(120));
        assert_eq!(judged(200, &[("Content-Length", "120")], 0, None), too_short(120));
        assert_eq!(judged(416, &[("Content-Range", "bytes */60")], 0, None), too_short(60));
        let place = body(part("bytes 100-119/*", 0));
        assert_eq!((place.end, place.goes_on), (Some(20), false), "the rest is asked for next");
    }

    #[test]
    fn a8_another_length_of_all_is_another_version() {
        let place = body(judged(206, &[("Content-Range", "bytes 100-149/2000")], 0, Some(1000)));
        assert_eq!(place.version, Version::Other);
        let end = judged(416, &[("Content-Range", "bytes */60")], 0, Some(1000));
        assert_eq!(end, Judgement::End { total: 50, version: Version::Other });
    }
}
