//! Runs the cases in turn and prints medians and ratios.

use std::time::Duration;

use super::child::OriginProcess;
use super::{Case, Failure, Setting, Usage, median};

/// All rounds of all cases.
struct Results<'a> {
    cases: &'a [Case],
    rounds: Vec<Vec<Usage>>,
}

/// Compares: the parent's part.
pub(super) fn compare(setting: &Setting, cases: &[Case]) -> Result<(), Failure> {
    let origin = OriginProcess::start(setting)?;
    let mut results = Results { cases, rounds: Vec::new() };
    // One round warms up: page cache, lazily bound symbols.
    for round in 0..=setting.rounds {
        let usages: Result<Vec<Usage>, _> = cases.iter().map(|case| origin.run(case)).collect();
        if round > 0 {
            results.rounds.push(usages?);
        } else {
            usages?;
        }
    }
    results.print(setting);
    Ok(())
}

impl Results<'_> {
    #[allow(clippy::print_stdout, reason = "a benchmark's output")]
    fn print(&self, setting: &Setting) {
        println!("{} (medians of {} rounds)", setting.title, setting.rounds);
        println!(
            "{:<28} {:>9} {:>9} {:>9}  ratios: wall, cpu",
            "", "wall ms", "cpu ms", "peak MiB"
        );
        for (index, case) in self.cases.iter().enumerate() {
            let median = self.medians(index);
            let ratios: Vec<String> =
                case.against.iter().filter_map(|base| self.ratio(index, base)).collect();
            println!(
                "{:<28} {:>9.1} {:>9.0} {:>9.1}  {}",
                case.name,
                median.wall.as_secs_f64() * 1e3,
                median.cpu.as_secs_f64() * 1e3,
                median.peak_kib as f64 / 1024.0,
                ratios.join("; ")
            );
        }
    }

    /// Ratios are taken round by round, for the machine's speed drifts, and the median of those is what counts.
    fn ratio(&self, index: usize, base: &str) -> Option<String> {
        let of = self.cases.iter().position(|case| case.name == base)?;
        let ratios = |part: fn(&Usage) -> Duration| {
            let each = self.rounds.iter().map(|round| {
                part(&round[index]).as_secs_f64() / part(&round[of]).as_secs_f64().max(1e-6)
            });
            median(each.collect())
        };
        let (wall, cpu) = (ratios(|usage| usage.wall), ratios(|usage| usage.cpu));
        Some(format!("{wall:.2}x, {cpu:.2}x of {base}"))
    }

    fn medians(&self, index: usize) -> Usage {
        let of = |part: fn(&Usage) -> f64| {
            median(self.rounds.iter().map(|round| part(&round[index])).collect())
        };
        Usage {
            wall: Duration::from_secs_f64(of(|usage| usage.wall.as_secs_f64())),
            cpu: Duration::from_secs_f64(of(|usage| usage.cpu.as_secs_f64())),
            peak_kib: of(|usage| usage.peak_kib as f64) as u64,
        }
    }
}
