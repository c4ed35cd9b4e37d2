//! `play` and `play-tokio` as programs: what they write, what they report, how they end.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use infill_tests::cli::{self, Exit, Failure, Options, Session};
use infill_tests::fixtures::{Fixture, named};
use infill_tests::origin::{Origin, Resource, content};
use serde_json::Value;

// Their `main` is not called here.
#[allow(dead_code)]
#[path = "../examples/play.rs"]
mod blocking;
#[allow(dead_code)]
#[path = "../examples/play-tokio.rs"]
mod on_tokio;

type Play = fn(&Options, &Session) -> Result<(), Failure>;

const PROGRAMS: [(&str, Play); 2] = [("play", blocking::play), ("play-tokio", on_tokio::run)];

struct Ran {
    exit: Exit,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

fn run<A: Into<OsString>>((name, play): (&str, Play), args: impl IntoIterator<Item = A>) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = args.into_iter().map(Into::into);
    let exit = cli::run(name, args, false, &mut out, &mut err, play);
    Ran {
        exit,
        out: String::from_utf8(out).expect("programs write UTF-8"),
        err: String::from_utf8(err).expect("programs write UTF-8"),
    }
}

fn serve(origin: &Origin, fixture: &Fixture) -> String {
    let path = format!("/{}", fixture.name);
    let resource = Resource::new(fixture.bytes).content_type(fixture.content_type);
    origin.put(&path, resource);
    origin.url(&path)
}

/// `bytes` are all that is to be read there.
fn assert_sought(seek: &Value, to: &Value, bytes: &[u8]) {
    let head = bytes.iter().take(16).map(|byte| format!("{byte:02x}"));
    assert_eq!(&seek["to"], to, "{seek}");
    assert_eq!(seek["read"], bytes.len(), "{seek}");
    assert_eq!(seek["head"], head.collect::<String>(), "{seek}");
    assert!(seek["ms"].as_f64() > Some(0.0), "{seek}");
}

#[test]
fn everything_at_once_comes_out_as_the_origin_holds_it() {
    let fixture = named("tone.wav");
    let dir = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let origin = Origin::start();
        let url = serve(&origin, fixture);
        let (raw, wav) = (dir.path().join("raw"), dir.path().join("wav"));
        let ran = run(
            program,
            [
                OsString::from(format!("{url}?token=secret")),
                "--seek-byte=60000".into(),
                "--seek-byte=7".into(),
                "--seek=1.5".into(),
                "--raw".into(),
                raw.clone().into(),
                "--wav".into(),
                wav.clone().into(),
                "--stats=-".into(),
            ],
        );
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""), "{}", program.0);
        assert!(std::fs::read(&raw).unwrap() == fixture.bytes, "--raw");
        // The fixture has 16-bit samples, so that decoding loses nothing.
        let (samples, written) = (&fixture.bytes[44..], std::fs::read(&wav).unwrap());
        assert!(written[44..] == *samples, "--wav");

        let json = ran.json();
        let (second, at) = (2 * fixture.rate as usize, 3 * fixture.rate as usize);
        assert_sought(&json["seeks"][0], &60_000.into(), &fixture.bytes[60_000..]);
        assert_sought(&json["seeks"][1], &7.into(), &fixture.bytes[7..][..65_536]);
        let heard = &samples[at..samples.len().min(at + second)];
        assert_sought(&json["seeks"][2], &1.5.into(), heard);
        assert_eq!(json["url"], url, "no query");
        assert_eq!(json["len"], fixture.bytes.len());
        assert_eq!((&json["kind"], &json["status"]), (&"file".into(), &"committed".into()));
        assert_eq!((&json["downloaded"], &json["error"]), (&json["len"], &Value::Null));
        // One for a seek may have been overtaken by the first one before it was sent.
        let sent = origin.requests("/tone.wav").len() as u64;
        assert!(json["requests"].as_u64().unwrap() >= sent, "{json}");
        assert!(json["bytes_fetched"].as_u64() >= json["len"].as_u64(), "{json}");
        let frames = samples.len() as u64 / 2;
        assert_eq!(json["frames"], frames);
        assert_eq!(json["duration_s"], frames as f64 / f64::from(fixture.rate));
        assert!(json["open_ms"].as_f64() <= json["first_byte_ms"].as_f64(), "{json}");
    }
}

#[test]
fn to_nowhere_everything_is_read_and_decoded_if_it_can_be() {
    let noise = content(1, 100_000);
    for program in PROGRAMS {
        let origin = Origin::start();
        let url = serve(&origin, named("tone-cbr.mp3"));
        let json = run(program, [url.as_str(), "--stats=-"]).json();
        assert!(json["frames"].as_u64().unwrap() > 44_100, "{json}");
        assert_eq!((&json["status"], &json["requests"]), (&"committed".into(), &1.into()));

        origin.put("/noise", Resource::new(noise.clone()));
        let ran = run(program, [origin.url("/noise"), "--stats=-".into()]);
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
        let json = ran.json();
        assert_eq!((&json["downloaded"], &json["frames"]), (&100_000.into(), &Value::Null));
        let ran = run(program, [origin.url("/noise"), "--wav=/nowhere/x".into()]);
        assert_eq!(ran.exit, Exit::Failed, "audio was asked for");
        assert!(ran.err.contains("no audio of a known format"), "{}", ran.err);
    }
}

#[test]
fn a_404_is_named_in_one_line_and_reported_all_the_same() {
    let origin = Origin::start();
    let dir = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let stats = dir.path().join("stats");
        let args: [OsString; 3] =
            [origin.url("/none?token=secret").into(), "--stats".into(), stats.clone().into()];
        let ran = run(program, args);
        let cause = format!(
            "the origin answered 404 (no such resource); at byte 0, attempt 1, {}",
            origin.url("/none")
        );
        assert_eq!(ran.exit, Exit::Failed);
        assert_eq!((ran.out.as_str(), ran.err), ("", format!("{}: {cause}\n", program.0)));
        let json: Value = serde_json::from_slice(&std::fs::read(stats).unwrap()).unwrap();
        assert_eq!((&json["error"], &json["status"]), (&cause.into(), &"failed".into()));
        assert_eq!((&json["requests"], &json["retries"]), (&1.into(), &0.into()));
        assert_eq!((&json["len"], &json["url"]), (&Value::Null, &origin.url("/none").into()));
    }
}

#[test]
fn giving_up_in_the_middle_keeps_what_was_delivered() {
    let bytes = content(2, 300_000);
    let dir = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let origin = Origin::start();
        origin.put("/a", Resource::new(bytes.clone()));
        origin.on("/a").nth(0).cut_at(100_000);
        origin.on("/a").from(1).status(503);
        let raw = dir.path().join("raw");
        let began = Instant::now();
        let args: [OsString; 5] = [
            origin.url("/a").into(),
            "--raw".into(),
            raw.clone().into(),
            "--give-up=0.3".into(),
            "--stats=-".into(),
        ];
        let ran = run(program, args);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(ran.exit, Exit::Failed);
        assert!(ran.err.contains("the origin answered 503") && ran.err.contains("at byte 100000"));
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(std::fs::read(&raw).unwrap() == bytes[..100_000], "--raw");
        let json = ran.json();
        assert_eq!((&json["downloaded"], &json["len"]), (&100_000.into(), &300_000.into()));
        assert_eq!(json["status"], "failed");
        assert!(json["requests"].as_u64().unwrap() >= 2, "{json}");
    }
}

#[test]
fn a_local_path_plays_without_a_request() {
    let fixture = named("tone.flac");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture.name);
    for program in PROGRAMS {
        let args: [OsString; 3] = [path.clone().into(), "--stats".into(), "-".into()];
        let json = run(program, args).json();
        assert_eq!((&json["url"], &json["requests"]), (&path.to_str().into(), &0.into()));
        assert_eq!(
            (&json["status"], &json["len"]),
            (&"committed".into(), &fixture.bytes.len().into())
        );
        assert!(json["frames"].as_u64().unwrap() > 44_100, "{json}");
        let ran = run(program, ["no/such/file"]);
        assert_eq!(ran.exit, Exit::Failed);
        assert!(ran.err.contains("can't open no/such/file"), "{}", ran.err);
    }
}

#[test]
fn read_ahead_bounds_each_request() {
    for program in PROGRAMS {
        let origin = Origin::start();
        let url = serve(&origin, named("tone.flac"));
        let json =
            run(program, [url.as_str(), "--raw=/dev/null", "--read-ahead=40000", "--stats=-"])
                .json();
        assert_eq!(json["downloaded"], named("tone.flac").bytes.len(), "{json}");
        assert!(json["requests"].as_u64().unwrap() >= 3, "{json}");
        assert_eq!(json["bytes_fetched"], json["len"], "{json}");
    }
}

#[test]
fn with_a_cache_it_goes_on_where_it_was() {
    let fixture = named("tone.wav");
    let len = fixture.bytes.len() as u64;
    let dir = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let origin = Origin::start();
        let url = serve(&origin, fixture);
        origin.on("/tone.wav").nth(0).cut_at(50_000);
        origin.on("/tone.wav").nth(1).status(503);
        origin.on("/tone.wav").nth(1).retry_after("60");
        let (raw, cache) = (dir.path().join("raw"), dir.path().join(program.0));
        let play = |more: &[&str]| {
            let cache = format!("--cache={}", cache.display());
            let raw = format!("--raw={}", raw.display());
            run(program, [&[&url, &cache, &raw, "--stats=-"], more].concat())
        };
        let ran = play(&["--give-up=0.3"]);
        assert_eq!(ran.exit, Exit::Failed, "{}", ran.err);
        let json = ran.json();
        assert_eq!((&json["downloaded"], &json["bytes_from_cache"]), (&50_000.into(), &0.into()));

        let json = play(&[]).json();
        assert_eq!(json["bytes_fetched"], len - 50_000, "{json}");
        assert_eq!(json["bytes_from_cache"], 50_000, "{json}");
        assert_eq!((&json["status"], &json["downloaded"]), (&"committed".into(), &len.into()));
        assert!(std::fs::read(&raw).unwrap() == fixture.bytes, "--raw");

        // Complete: nobody is asked, or even there.
        drop(origin);
        let json = play(&["--seek=0.5"]).json();
        assert_eq!((&json["requests"], &json["bytes_fetched"]), (&0.into(), &0.into()), "{json}");
        assert_eq!((&json["bytes_from_cache"], &json["error"]), (&len.into(), &Value::Null));
        assert!(std::fs::read(&raw).unwrap() == fixture.bytes, "--raw");
    }
}

#[test]
fn a_limit_of_the_cache_is_kept() {
    let fixture = named("tone.wav");
    let dir = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let origin = Origin::start();
        let url = serve(&origin, fixture);
        let cache = format!("--cache={}", dir.path().join(program.0).display());
        let json =
            run(program, [&url, &cache, "--cache-limit=65536", "--raw=/dev/null", "--stats=-"])
                .json();
        assert_eq!((&json["error"], &json["len"]), (&Value::Null, &fixture.bytes.len().into()));
        let again = run(program, [&url, &cache, "--raw=/dev/null", "--stats=-"]).json();
        assert!(again["bytes_from_cache"].as_u64().unwrap() <= 65_536, "{again}");
    }
}

#[test]
fn what_is_not_understood_is_said_before_anything_happens() {
    for (name, _) in PROGRAMS {
        let unused: Play = |_, _| panic!("it plays");
        let ran = run((name, unused), ["--loud"]);
        assert_eq!(ran.exit, Exit::Usage);
        let line = format!("{name}: there is no option --loud (--help tells more)\n");
        assert_eq!((ran.out.as_str(), ran.err), ("", line));
        let help = run((name, unused), ["--help"]);
        assert_eq!((help.exit, help.err.as_str()), (Exit::Done, ""));
        assert!(help.out.contains(&format!("--example {name} -- <URL or path>")));
    }
}

#[test]
fn what_can_not_be_written_is_a_failure() {
    let origin = Origin::start();
    let url = serve(&origin, named("tone-plain.mp3"));
    for program in PROGRAMS {
        for option in ["--raw", "--wav", "--stats"] {
            let ran = run(program, [url.as_str(), option, "/nowhere/file"]);
            assert_eq!(ran.exit, Exit::Failed, "{option}");
            let line = format!("{}: can't write /nowhere/file: ", program.0);
            assert!(ran.err.starts_with(&line), "{option}: {}", ran.err);
        }
    }
}
