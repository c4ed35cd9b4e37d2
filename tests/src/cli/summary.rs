//! What was played, in one line for people.

use super::report::Report;

/// The line.
pub(super) fn of(report: &Report) -> String {
    let mut line = match report.len {
        Some(len) => format!("{} of {len} bytes", report.downloaded),
        None => format!("{} bytes", report.downloaded),
    };
    line += &format!(
        " present after {}, {} fetched, ",
        counted(report.requests, "request", "requests"),
        report.bytes_fetched,
    );
    if report.bytes_from_cache > 0 {
        line += &format!("{} from the cache, ", report.bytes_from_cache);
    }
    line += &format!(
        "{} and {}",
        counted(report.retries, "retry", "retries"),
        counted(report.stalls, "stall", "stalls"),
    );
    if let Some(duration) = report.duration_s {
        line += &format!("; {duration:.3} s of audio");
    }
    line + &format!("; first byte after {:.1} ms", report.first_byte_ms)
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_played() {
        let mut report = Report {
            downloaded: 10,
            requests: 1,
            bytes_fetched: 12,
            retries: 2,
            first_byte_ms: 1.25,
            ..Report::default()
        };
        assert_eq!(
            of(&report),
            "10 bytes present after 1 request, 12 fetched, 2 retries and 0 stalls; first byte after 1.2 ms"
        );
        (report.len, report.duration_s, report.bytes_from_cache) = (Some(20), Some(3.0), 8);
        assert!(of(&report).contains(" 12 fetched, 8 from the cache, 2 retries "));
        assert!(of(&report).starts_with("10 of 20 bytes present"));
        assert!(of(&report).contains("; 3.000 s of audio;"));
    }
}
