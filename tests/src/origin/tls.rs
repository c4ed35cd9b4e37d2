//! https: a certificate authority made for one origin, and its server's configuration.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// The authority that signed the origin's certificate: what a client must trust.
#[derive(Clone, Debug)]
pub struct CertificateAuthority {
    pem: String,
    der: CertificateDer<'static>,
}

impl CertificateAuthority {
    /// Its certificate as PEM text.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate as DER.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// A client configuration (ring) that trusts this authority and no other.
    pub fn client_config(&self) -> Result<rustls::ClientConfig, rustls::Error> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.der.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth())
    }
}

/// A new authority, and a server that it vouches for as `localhost` and 127.0.0.1.
pub(super) fn make() -> Result<(CertificateAuthority, Arc<ServerConfig>), String> {
    let (authority, chain, key) = sign().map_err(|error| format!("certificate: {error}"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| format!("TLS configuration: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((authority, Arc::new(config)))
}

type Signed = (CertificateAuthority, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn sign() -> Result<Signed, rcgen::Error> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.distinguished_name.push(DnType::CommonName, "infill fault origin");
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    let authority =
        CertificateAuthority { pem: ca_certificate.pem(), der: ca_certificate.der().clone() };
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok((authority, vec![certificate.der().clone()], private))
}
