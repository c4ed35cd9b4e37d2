//! The scripted origins: versions of resources, URLs that redirect and expire, and the honest answer to a request.
//! What goes wrong with an answer is in `answer`.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use infill_core::http::{FetchRequest, ResponseHead};
use infill_core::{FailureKind, Instant};
use url::Url;

use super::answer;
use super::content::{Content, MAX_TOTAL};
use super::fault::Fault;
use super::lived::Trial;
use super::plan::{BodyFraming, Expires, Incident, Plan, TrackPlan, Validators};
use super::stage::Stage;

/// When the session takes place, as the origins' clocks have it.
const EPOCH: Duration = Duration::from_secs(1_700_000_000);

/// What an origin does with a request.
#[allow(clippy::large_enum_variant)] // It lives for one call.
#[derive(Debug)]
pub(super) enum Answer {
    /// It answers.
    Reply(Reply),
    /// There is no answer.
    Failed(FailureKind),
    /// There is nothing at all, for ever.
    Silent,
}

/// An answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) final_url: Option<Url>,
    pub(super) body: Bytes,
    pub(super) framing: BodyFraming,
    /// The positions that the body fills, when it is a part.
    pub(super) part: Option<Part>,
    pub(super) end: End,
    pub(super) slow: Option<Slow>,
}

/// Where a part belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) first: u64,
    /// After the last byte.
    pub(super) end: u64,
    pub(super) total: u64,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As its framing says.
    Regular,
    /// By a failure.
    Failed(FailureKind),
    /// Never: nothing more comes.
    Silent,
}

/// A body that comes slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slow {
    /// From this byte on.
    pub(super) from: u64,
    /// So much at once.
    pub(super) bytes: u64,
    /// So often.
    pub(super) every: Duration,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            final_url: None,
            body: Bytes::new(),
            framing: BodyFraming::Length,
            part: None,
            end: End::Regular,
            slow: None,
        }
    }

    /// Sets a field, in place of the one of this name.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.remove(name);
        self.fields.push((name, value.into()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.fields.retain(|(other, _)| *other != name);
    }

    /// The head as a driver reports it.
    pub(super) fn head(&self) -> ResponseHead {
        self.fields
            .iter()
            .fold(ResponseHead::new(self.status), |head, (name, value)| {
                head.with_field(name, value.as_bytes())
            })
            .with_final_url(self.final_url.clone())
    }
}

/// One version of a resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) content: Content,
    /// Seconds before [`EPOCH`].
    age: u64,
    number: usize,
}

/// A resource and its origin.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) plan: TrackPlan,
    pub(super) versions: Vec<Version>,
    /// Whether every answer must show the total, because nothing else tells versions apart.
    pub(super) total_is_validator: bool,
    /// How many requests came.
    requests: u32,
    /// When each original URL was given to the client.
    originals: Vec<Instant>,
    /// When each URL behind the redirect was given.
    finals: Vec<Instant>,
}

/// All origins.
#[derive(Debug)]
pub(super) struct Origins {
    pub(super) sites: Vec<Site>,
}

impl Origins {
    pub(super) fn new(plan: &Plan, stage: &mut Stage) -> Self {
        let sites = plan.tracks.iter().enumerate().map(|(index, track)| {
            let replaced = plan
                .incidents
                .iter()
                .any(|(_, incident)| *incident == Incident::Replace { track: index });
            Site::new(track.clone(), replaced, stage)
        });
        Self { sites: sites.collect() }
    }

    /// The URL to open a track with, counted from now.
    pub(super) fn give_url(&mut self, track: usize, now: Instant) -> Url {
        let site = &mut self.sites[track];
        site.originals.push(now);
        let (host, number) = (site.plan.host, site.originals.len() - 1);
        parse(&format!("http://origin{host}.test/{track}/u{number}?token={number}"))
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, stage: &mut Stage, request: &FetchRequest) -> Answer {
        let mut segments = request.url.path_segments().expect("http URLs have a path");
        let track: usize = segments
            .next()
            .and_then(|track| track.parse().ok())
            .expect("every URL that was given names its track");
        let name = segments.next().expect("every URL that was given has a name");
        let (kind, number) = name.split_at(1);
        let number: usize = number.parse().expect("every URL that was given is numbered");
        let site = &mut self.sites[track];
        site.requests += 1;
        if !site.is_valid(kind, number, stage) {
            return Answer::Reply(answer::denied(stage));
        }
        let mut answer = answer::answer(site, stage, request);
        if let Answer::Reply(reply) = &mut answer
            && site.plan.redirected
            && kind == "u"
        {
            stage.injected(Fault::Redirected);
            site.finals.push(stage.now);
            let (host, number) = (stage.rng.u8(0..2), site.finals.len() - 1);
            reply.final_url = Some(parse(&format!("http://cdn{host}.test/{track}/f{number}")));
        }
        answer
    }
}

impl Site {
    fn new(mut plan: TrackPlan, replaced: bool, stage: &mut Stage) -> Self {
        // ETags that were seen to lie tell nothing any more.
        let lies = plan.faults.iter().any(|(fault, _)| *fault == Fault::OtherEtag);
        let total_is_validator = replaced
            && match plan.validators {
                Validators::None => true,
                Validators::EtagOnly => lies,
                _ => false,
            };
        if total_is_validator {
            plan.framing = BodyFraming::Length;
        }
        let content = Content::new(plan.total, &mut stage.rng);
        Self {
            versions: vec![Version { content, age: 9_000_000, number: 0 }],
            plan,
            total_is_validator,
            requests: 0,
            originals: Vec::new(),
            finals: Vec::new(),
        }
    }

    /// The version that is served now.
    pub(super) fn current(&self) -> Version {
        *self.versions.last().expect("a site begins with a version and never loses one")
    }

    /// How many requests came, the present one included.
    pub(super) fn requests(&self) -> u32 {
        self.requests
    }

    /// Puts another version in place of the current one.
    pub(super) fn replace(&mut self, stage: &mut Stage) {
        let old = self.current();
        let total = match stage.rng.u32(0..3) {
            0 if !self.total_is_validator => old.content.total(),
            1 if old.content.total() > 20 => stage.rng.u64(1..old.content.total() - 10),
            // Not one that a lying total could hit.
            _ => (old.content.total() + stage.rng.u64(10..5000)).min(MAX_TOTAL - 10),
        };
        let total = match total == old.content.total() && self.total_is_validator {
            true => total - 10,
            false => total,
        };
        // A strong ETag may be all that tells two versions apart.
        let same_date = self.plan.validators == Validators::Strong && stage.rng.bool();
        let lies = self.plan.faults.iter().any(|(fault, _)| *fault == Fault::OtherEtag);
        let same_date = same_date && !lies;
        let content = Content::new(total, &mut stage.rng);
        let age = if same_date { old.age } else { old.age - 100_000 };
        self.versions.push(Version { content, age, number: old.number + 1 });
    }

    /// What a request gets when nothing goes wrong.
    pub(super) fn honest(&self, stage: &mut Stage, request: &FetchRequest, etag: &str) -> Reply {
        let version = self.current();
        let total = version.content.total();
        let date = SystemTime::UNIX_EPOCH
            + EPOCH
            + Duration::from_secs(stage.now.as_nanos() / 1_000_000_000);
        let modified = self.last_modified(version);
        let same_version = match &request.if_range {
            Some(validator) if self.plan.if_range => {
                *validator == etag || Some(validator) == modified.as_ref()
            }
            _ => true,
        };
        let range = !request.plain && self.honours_ranges() && same_version;
        let last = request.last.unwrap_or(u64::MAX).min(total - 1);
        let mut reply = if !range {
            let mut reply = Reply::new(200);
            reply.body = version.content.slice(0, total);
            reply
        } else if request.first > last {
            let mut reply = Reply::new(416);
            reply.set("Content-Range", format!("bytes */{total}"));
            reply
        } else {
            let mut reply = Reply::new(206);
            reply.place(version, Part { first: request.first, end: last + 1, total });
            reply
        };
        reply.set("Date", httpdate::fmt_http_date(date));
        if reply.status == 416 {
            reply.set("Content-Length", "0");
            return reply;
        }
        if self.plan.no_store {
            stage.lived.count(Trial::NoStore);
        }
        reply.frame(self.plan.framing);
        self.describe(&mut reply, etag, modified);
        reply
    }

    /// The ETag of the answer to this request, or nothing.
    pub(super) fn etag(&self, stage: &mut Stage) -> String {
        let number = self.current().number;
        match self.plan.validators {
            Validators::Strong | Validators::EtagOnly => format!("\"v{number}\""),
            Validators::Weak => format!("W/\"v{number}\""),
            Validators::Nodes => format!("\"n{}-v{number}\"", stage.rng.u8(0..3)),
            Validators::Modified | Validators::YoungModified | Validators::None => String::new(),
        }
    }

    fn last_modified(&self, version: Version) -> Option<String> {
        let before = match self.plan.validators {
            Validators::EtagOnly | Validators::None => return None,
            Validators::YoungModified => 30 - version.number.min(30) as u64,
            _ => version.age,
        };
        let time = SystemTime::UNIX_EPOCH + EPOCH - Duration::from_secs(before);
        Some(httpdate::fmt_http_date(time))
    }

    fn describe(&self, reply: &mut Reply, etag: &str, modified: Option<String>) {
        if let Some(content_type) = self.plan.content_type {
            reply.set("Content-Type", content_type);
        }
        if self.plan.no_store {
            reply.set("Cache-Control", "no-store");
        }
        if !etag.is_empty() {
            reply.set("ETag", etag);
        }
        if let Some(modified) = modified {
            reply.set("Last-Modified", modified);
        }
    }

    fn honours_ranges(&self) -> bool {
        self.plan.ranges && !(self.plan.late_ranges && self.requests <= 2)
    }

    /// Whether a URL of this kind and number has not expired.
    fn is_valid(&self, kind: &str, number: usize, stage: &mut Stage) -> bool {
        let (given, limit) = match (kind, self.plan.expires) {
            ("f", Expires::Final(limit)) => (self.finals.get(number), limit),
            // After the healing the embedder could be asked no more.
            ("u", Expires::Original(limit)) if !stage.healed => (self.originals.get(number), limit),
            _ => return true,
        };
        let valid = given.is_some_and(|given| stage.now.since(*given) <= limit);
        if !valid {
            stage.injected(Fault::Expired);
        }
        valid
    }
}

impl Reply {
    /// Makes the body this part of a version.
    pub(super) fn place(&mut self, version: Version, part: Part) {
        self.body = version.content.slice(part.first, part.end);
        self.part = Some(part);
        let Part { first, end, total } = part;
        self.set("Content-Range", format!("bytes {first}-{}/{total}", end - 1));
        if self.framing == BodyFraming::Length {
            self.set("Content-Length", self.body.len().to_string());
        }
    }

    /// Says the body's end in this way.
    pub(super) fn frame(&mut self, framing: BodyFraming) {
        self.framing = framing;
        self.remove("Content-Length");
        match framing {
            BodyFraming::Length => self.set("Content-Length", self.body.len().to_string()),
            BodyFraming::Chunked => self.set("Transfer-Encoding", "chunked"),
            BodyFraming::Close => {}
        }
    }
}

fn parse(url: &str) -> Url {
    Url::parse(url).expect("URLs of the simulator are well-formed")
}
