//! https on loopback, with a certificate made here.

use std::io::BufReader;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use infill_tokio::reqwest::Client as Http;
use infill_tokio::{Client, ErrorKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;

use crate::origin::{Plan, answer, content, request};

/// Serves `content` over TLS, `connections` times.
fn serve(content: Vec<u8>, connections: usize) -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for number in 0..connections {
            let (socket, _) = listener.accept().unwrap();
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut reader = BufReader::new(rustls::StreamOwned::new(session, socket));
            while let Some(seen) = request(&mut reader, number) {
                if answer(&content, &Plan::Serve, &seen, reader.get_mut()).is_none() {
                    break;
                }
            }
        }
    });
    (addr, certificate)
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_certificate_that_the_embedder_trusts_is_good() {
    let bytes = content(1 << 20);
    let (addr, certificate) = serve(bytes.clone(), 1);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let http = Http::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let client = Client::builder().http(http).build().unwrap();
    let url = format!("https://localhost:{}/a.mp3", addr.port());
    let mut stream = client.open(url).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(all == bytes);
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (addr, _) = serve(content(1000), 64);
    let client = Client::builder().give_up_after(Duration::from_millis(300)).build().unwrap();
    let url = format!("https://localhost:{}/a.mp3", addr.port());
    let error = client.open(url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
}
