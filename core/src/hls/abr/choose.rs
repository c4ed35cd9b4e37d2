//! The rule: as good as the link and the buffer allow, and never so good that the buffer's reserve is spent.

use core::time::Duration;

/// The part of a segment's time that it may take to arrive while nothing is buffered.
const CAUTION: f64 = 0.4;
/// The same once the reserve is full: a link that is measured right keeps it so.
const CONFIDENCE: f64 = 0.9;
/// A higher variant than the one before must fit with this much to spare, or the choice would go back and forth on a link
/// between two rungs (FAULTS C35).
const CLIMB: f64 = 0.85;

/// All that the choice depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The variants that may be played: bits per second, lowest first.
    pub ladder: &'a [u64],
    /// The one before, by its place in the ladder.
    pub current: Option<usize>,
    /// Bits per second that the link gives; `None` before anything was measured.
    pub throughput: Option<u64>,
    /// How much is buffered.
    pub level: Duration,
    /// How much is to be buffered.
    pub read_ahead: Duration,
    /// How long a segment is.
    pub segment: Duration,
}

/// The place in the ladder of the variant to fetch next; 0 in an empty one.
///
/// A third of the read-ahead is the reserve. A variant fits if its segment arrives within a part of its own time that grows
/// with the buffer, from 0.4 when it is empty to 0.9 when the reserve is full; or, unless it is a higher one than before, if
/// the reserve is still full when it has arrived. Of those that fit the highest is taken, and the lowest where none does or
/// nothing was measured.
pub fn choose(situation: &Situation<'_>) -> usize {
    let Some(throughput) = situation.throughput.filter(|throughput| *throughput > 0) else {
        return 0;
    };
    let segment = situation.segment.as_secs_f64();
    let level = situation.level.as_secs_f64();
    let reserve = situation.read_ahead.as_secs_f64() / 3.0;
    let fill = if reserve > 0.0 { (level / reserve).min(1.0) } else { 1.0 };
    let within = segment * (CAUTION + (CONFIDENCE - CAUTION) * fill);
    let fits = |(place, rate): (usize, &u64)| {
        let climbs = situation.current.is_some_and(|current| place > current);
        let spare = if climbs { CLIMB } else { 1.0 };
        let download = segment * *rate as f64 / (throughput as f64 * spare);
        // What is buffered beyond the reserve pays for staying, not for climbing: it would be spent in one segment.
        let keeps = !climbs && level >= reserve && level + segment - download >= reserve;
        download <= within || keeps
    };
    let fitting = situation.ladder.iter().enumerate().filter(|each| fits(*each));
    fitting.map(|(place, _)| place).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LADDER: [u64; 4] = [32_000, 64_000, 128_000, 900_000];

    fn at(throughput: u64, level: u64, current: Option<usize>) -> usize {
        choose(&Situation {
            ladder: &LADDER,
            current,
            throughput: Some(throughput),
            level: Duration::from_secs(level),
            read_ahead: Duration::from_secs(60),
            segment: Duration::from_secs(6),
        })
    }

    #[test]
    fn it_starts_safe() {
        let nothing = Situation {
            ladder: &LADDER,
            current: None,
            throughput: None,
            level: Duration::ZERO,
            read_ahead: Duration::from_secs(60),
            segment: Duration::from_secs(6),
        };
        assert_eq!(choose(&nothing), 0);
        assert_eq!(at(200_000, 0, None), 1, "128 kb/s would take 0.64 of its time");
        assert_eq!(at(0, 60, None), 0);
    }

    #[test]
    fn the_buffer_makes_bold() {
        assert_eq!(at(200_000, 20, Some(1)), 2);
        assert_eq!(at(150_000, 0, Some(1)), 0);
        assert_eq!(at(800_000, 60, Some(3)), 3, "what is buffered pays for a slow one");
        assert_eq!(at(800_000, 20, Some(3)), 2, "but never from the reserve");
        assert_eq!(at(800_000, 60, Some(2)), 2, "nor for a climb that can't last");
    }

    #[test]
    fn c35_a_link_between_two_rungs_does_not_go_back_and_forth() {
        // Enough to stay, not enough to climb.
        let link = 128_000 * 100 / 85;
        assert_eq!(at(link, 20, Some(2)), 2);
        assert_eq!(at(link, 20, Some(1)), 1);
    }

    #[test]
    fn extremes_are_answered() {
        for ladder in [&[][..], &[0], &[u64::MAX, u64::MAX]] {
            for throughput in [None, Some(0), Some(1), Some(u64::MAX)] {
                for time in [Duration::ZERO, Duration::MAX] {
                    let situation = Situation {
                        ladder,
                        current: Some(usize::MAX),
                        throughput,
                        level: time,
                        read_ahead: time,
                        segment: time,
                    };
                    assert!(choose(&situation) < ladder.len().max(1));
                }
            }
        }
    }

    #[test]
    fn a_better_link_never_gives_less() {
        for level in 0..70 {
            let mut before = 0;
            for throughput in (0..2_000_000).step_by(10_000) {
                let chosen = at(throughput, level, Some(1));
                assert!(chosen >= before, "{level} s, {throughput} b/s");
                before = chosen;
            }
        }
    }
}
