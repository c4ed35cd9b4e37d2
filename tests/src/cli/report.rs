//! What happened, as one JSON object. Its keys are the programs' interface.

use infill_blocking::ResourceStatus;
use serde::Serialize;
use url::Url;

/// The report of one run. Times are milliseconds, measured around the calls that an embedder makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// What was played: a URL without its query, user-info and fragment, or a path.
    pub url: String,
    /// What sort of source it is.
    pub kind: Kind,
    /// The length in bytes, if it became known.
    pub len: Option<u64>,
    /// How complete it was at the end.
    pub status: Status,
    /// How many bytes were present at the end.
    pub downloaded: u64,
    /// Requests that were made.
    pub requests: u64,
    /// Body bytes that came over the network.
    pub bytes_fetched: u64,
    /// Bytes that an earlier run had left in the cache.
    pub bytes_from_cache: u64,
    /// Failures that were retried.
    pub retries: u64,
    /// Transfers that were given up for coming (almost) to a halt.
    pub stalls: u64,
    /// How long opening took, successful or not.
    pub open_ms: f64,
    /// From the beginning of opening to the end of the first read, or for how long it was waited for in vain.
    pub first_byte_ms: f64,
    /// The seeks that were asked for, in order.
    pub seeks: Vec<Sought>,
    /// How long the audio is, if that was found out.
    pub duration_s: Option<f64>,
    /// How many frames all of the audio decoded to, if all was decoded.
    pub frames: Option<u64>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// What sort of source was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One file.
    #[default]
    File,
}

/// How complete the source was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Being filled.
    #[default]
    Active,
    /// Complete.
    Committed,
    /// Not to be had.
    Failed,
}

/// One seek.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sought {
    /// Where to.
    pub to: Position,
    /// From the seek to the last byte that was read there.
    pub ms: f64,
    /// How many bytes were read there; of decoded audio, as 16-bit samples.
    pub read: u64,
    /// The first 16 of them in hexadecimal digits.
    pub head: String,
}

/// A position in a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Position {
    /// A byte.
    Byte(u64),
    /// A time in seconds.
    Seconds(f64),
}

impl Report {
    /// The JSON object, in one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and finite numbers can be written as JSON")
    }
}

impl Sought {
    /// A seek after which `bytes` were read.
    pub fn new(to: Position, ms: f64, bytes: &[u8]) -> Self {
        let head = &bytes[..bytes.len().min(16)];
        Self {
            to,
            ms,
            read: bytes.len() as u64,
            head: head.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

impl From<&ResourceStatus> for Status {
    fn from(status: &ResourceStatus) -> Self {
        match status {
            ResourceStatus::Active { .. } => Self::Active,
            ResourceStatus::Committed { .. } => Self::Committed,
            ResourceStatus::Failed { .. } => Self::Failed,
        }
    }
}

/// What was given to be played, without what may be secret: as errors show it.
pub fn shown(source: &str) -> String {
    if !source.contains("://") {
        return source.to_owned();
    }
    let Ok(mut url) = Url::parse(source) else {
        // Whatever it is, what looks like a secret stays hidden.
        let end = source.find(['?', '#']).unwrap_or(source.len());
        let (scheme, rest) = source[..end].split_once("://").unwrap_or(("", ""));
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        return format!("{scheme}://{rest}");
    };
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that can't have user-info.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_that_are_promised_also_where_there_is_nothing_to_say() {
        let mut report = Report::default();
        report.seeks.push(Sought::new(Position::Byte(7), 1.0, b""));
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        let keys = |value: &serde_json::Value| {
            let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
            keys.sort_unstable();
            keys.join(" ")
        };
        assert_eq!(
            keys(&json),
            "bytes_fetched bytes_from_cache downloaded duration_s error first_byte_ms frames kind len open_ms \
             requests retries seeks stalls status url"
        );
        assert_eq!(keys(&json["seeks"][0]), "head ms read to");
        let nulls = json.as_object().unwrap().iter();
        let nulls: Vec<_> = nulls.filter(|(_, value)| value.is_null()).collect();
        assert_eq!(nulls.len(), 4, "len, duration_s, frames, error: {nulls:?}");
    }

    #[test]
    fn values_are_written_as_promised() {
        let report = Report {
            url: "a \"b\"\n".into(),
            status: Status::Committed,
            seeks: vec![
                Sought::new(Position::Byte(700_000), 1.5, &[0xab; 65_536]),
                Sought::new(Position::Seconds(1.0), 2.25, &[0, 1]),
            ],
            ..Report::default()
        };
        let json = report.to_json();
        assert!(!json.contains('\n'));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["url"], "a \"b\"\n");
        assert_eq!((&json["kind"], &json["status"]), (&"file".into(), &"committed".into()));
        assert_eq!(
            json["seeks"],
            serde_json::json!([
                { "to": 700_000, "ms": 1.5, "read": 65_536, "head": "ab".repeat(16) },
                { "to": 1.0, "ms": 2.25, "read": 2, "head": "0001" },
            ])
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        for (source, expected) in [
            ("music/a b.mp3", "music/a b.mp3"),
            ("what?.mp3", "what?.mp3"),
            ("http://u:p@a.example/b.mp3?token=1#t", "http://a.example/b.mp3"),
            ("HTTP://A.example", "http://a.example/"),
            ("http://u:p@[bad/b?token=1", "http://[bad/b"),
        ] {
            assert_eq!(shown(source), expected);
        }
    }
}
