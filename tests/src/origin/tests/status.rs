//! A18 and B18-B25 on the wire.

use super::*;

#[test]
fn a18_head_is_forbidden() {
    let origin = origin();
    origin.on("/a").on_head().status(403);
    let head = request(&origin, "HEAD", "/a", "", SOON);
    assert_eq!((head.status, head.body.len()), (403, 0));
    assert_eq!(get(&origin, "/a", "").status, 200);
}

#[test]
fn b18_nothing_where_audio_is_due() {
    let origin = origin();
    origin.on("/a").nth(0).no_content();
    origin.on("/a").nth(1).empty(200);
    origin.on("/a").nth(2).empty(403);
    for (status, length) in [(204, "-"), (200, "0"), (403, "0")] {
        let answer = get_range(&origin, "0-");
        assert_eq!((answer.status, answer.value("Content-Length")), (status, length));
        assert!(answer.body.is_empty());
    }
}

#[test]
fn b19_pages() {
    let origin = origin();
    origin.on("/a").nth(0).html_page();
    origin.on("/a").nth(1).json_page();
    for (kind, start) in [("text/html; charset=utf-8", "<!DOCTYPE"), ("application/json", "{")] {
        let answer = get_range(&origin, "5000-");
        assert_eq!((answer.status, answer.value("Content-Type")), (200, kind));
        assert!(answer.body.starts_with(start.as_bytes()));
        assert_eq!((answer.value("ETag"), answer.value("Content-Range")), ("-", "-"));
    }
}

#[test]
fn b21_redirects_take_turns() {
    let origin = origin();
    origin.on("/r").redirects(302, [origin.url("/a?node=1"), origin.url_by_name("/a")]);
    origin.on("/s").redirect(307, "../a");
    let seen: Vec<_> =
        (0..3).map(|_| get(&origin, "/r", "").value("Location").to_owned()).collect();
    assert_eq!(seen, [origin.url("/a?node=1"), origin.url_by_name("/a"), origin.url("/a?node=1")]);
    let relative = get(&origin, "/s", "");
    assert_eq!((relative.status, relative.value("Location")), (307, "../a"));
}

#[test]
fn b22_signed_urls_expire() {
    let origin = origin();
    origin.on("/a").signed_for_requests("token", 2);
    let status = |target| get(&origin, target, "").status;
    assert_eq!([status("/a?token=x"), status("/a?token=x"), status("/a?token=x")], [200, 200, 403]);
    assert_eq!([status("/a?k=1&token=y"), status("/a"), status("/a?token=x")], [200, 403, 403]);

    origin.put("/b", content(SEED, 10));
    origin.on("/b").signed_for("t", Duration::from_millis(30));
    assert_eq!(get(&origin, "/b?t=1", "").status, 200);
    std::thread::sleep(Duration::from_millis(40));
    assert_eq!(get(&origin, "/b?t=1", "").status, 403);
    assert_eq!(get(&origin, "/b?t=2", "").status, 200);
}

#[test]
fn b23_b24_b25_statuses_and_retry_after() {
    let origin = origin();
    origin.on("/a").first(9).times(8).status(503).retry_after("soon");
    for _ in 0..8 {
        let answer = get(&origin, "/a", "");
        assert_eq!((answer.status, answer.value("Retry-After")), (503, "soon"));
        assert_eq!(answer.body, b"injected 503\n");
    }
    assert_eq!(get(&origin, "/a", "").status, 200);
    for status in [401, 403, 404, 408, 410, 425, 429, 500, 502, 503, 504] {
        origin.on("/s").times(1).status(status).retry_after("-1");
        let answer = get(&origin, "/s", "");
        assert_eq!((answer.status, answer.value("Retry-After")), (status, "-1"));
        assert_eq!(answer.value("ETag"), "-");
    }
    origin.on("/d").status(429).retry_after_date(Duration::from_secs(7));
    let answer = get(&origin, "/d", "");
    let date = |name| httpdate::parse_http_date(answer.value(name)).unwrap();
    assert_eq!(date("Retry-After").duration_since(date("Date")).unwrap(), Duration::from_secs(7));
}
