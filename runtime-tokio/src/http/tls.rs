//! TLS for infill's own reqwest clients: rustls with ring, set up here, because reqwest's own set-up takes its
//! cryptography from the process, and panics where there is none.

use std::sync::Arc;

use rustls::ClientConfig;

/// The configuration. The roots are Mozilla's, unless the platform's verifier was asked for.
pub(super) fn config() -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    #[cfg(feature = "platform-verifier")]
    let config = rustls_platform_verifier::BuilderVerifierExt::with_platform_verifier(config)
        .map_err(|error| error.to_string())?;
    #[cfg(not(feature = "platform-verifier"))]
    let config = {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
        config.with_root_certificates(roots.collect::<rustls::RootCertStore>())
    };
    let mut config = config.with_no_client_auth();
    if cfg!(feature = "http2") {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(config)
}
