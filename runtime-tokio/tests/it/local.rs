//! Local files through the same interface.

use std::io::{SeekFrom, Write};

use infill_tokio::{Client, ErrorKind, State};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::origin::content;

#[tokio::test]
async fn a_path_plays_like_a_url() {
    let bytes = content(500_000);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    let client = Client::new().unwrap();
    let mut stream = client.open(file.path()).await.unwrap();
    assert_eq!(stream.byte_len(), Some(500_000));
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(all == bytes);
    stream.seek(SeekFrom::End(-10)).await.unwrap();
    let mut buf = [0; 10];
    stream.read_exact(&mut buf).await.unwrap();
    assert_eq!(buf, bytes[499_990..]);
    assert_eq!(stream.handle().progress().state, State::Complete);
    let missing = client.open("/no/such/file.mp3").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Caller);
}
