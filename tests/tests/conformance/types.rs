//! What embedders rely on at compile time: sending, sharing, and the traits of their libraries.

use std::io::{Read, Seek};

use infill_tests::runtime::{
    Error, Notice, Notices, ResourceStatus, Source, State, StoreKind, StreamHandle,
};

fn shared<T: Send + Sync + 'static>() {}
fn pinned_anywhere<T: Unpin>() {}
fn cloned<T: Clone>() {}
fn sent<T: Send + 'static>(_: &T) {}

#[test]
fn everything_public_can_be_sent_and_shared() {
    shared::<infill_blocking::Client>();
    shared::<infill_tokio::Client>();
    shared::<infill_blocking::FileStream>();
    shared::<infill_tokio::FileStream>();
    shared::<StreamHandle>();
    shared::<Source>();
    shared::<Error>();
    shared::<Notices>();
    shared::<Notice>();
    shared::<ResourceStatus>();
    shared::<(State, StoreKind)>();
    shared::<infill_tokio::ClientBuilder>();
    cloned::<(infill_blocking::Client, infill_tokio::Client)>();
    cloned::<(StreamHandle, Source, Error)>();
}

#[test]
fn streams_have_the_traits_that_decoders_want() {
    fn reads<T: Read + Seek>() {}
    fn reads_async<T: tokio::io::AsyncRead + tokio::io::AsyncSeek>() {}
    reads::<infill_blocking::FileStream>();
    reads_async::<infill_tokio::FileStream>();
    pinned_anywhere::<infill_tokio::FileStream>();
}

#[test]
fn futures_can_be_spawned() {
    let runtime = infill_tests::runtime::tokio_runtime().clone();
    let client = infill_tokio::Client::builder().runtime(runtime).build().unwrap();
    let opening = client.open("http://127.0.0.1:9/never-polled");
    sent(&opening);
    sent(&async move {
        let stream = opening.await?;
        let mut some = [0; 10];
        let _count = stream.read_at(0, &mut some).await?;
        Ok::<_, std::io::Error>(stream.handle().notices().next().await)
    });
}
