//! Encryption of the way to the relay: which is wanted, what is trusted, and the handshake. TLS 1.2 at least
//! (RFC 8996).

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::domain::PhiClass;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;

/// The setting `tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TlsMode {
    /// Never.
    Off,
    /// STARTTLS if it is offered, whatever name its certificate bears (RFC 7435). An attacker on the way can prevent it.
    Opportunistic,
    /// STARTTLS with a certificate that is trusted and fits the name, or nothing is sent (RFC 3207).
    #[default]
    Required,
    /// TLS from the first octet, certificate checked likewise (RFC 8314).
    Implicit,
}

impl TlsMode {
    /// The mode for a letter: health information goes over verified TLS alone, whatever the account says.
    pub const fn for_letter(self, phi: PhiClass) -> Self {
        match (self, phi) {
            (Self::Off | Self::Opportunistic, PhiClass::Identified) => Self::Required,
            (mode, _) => mode,
        }
    }

    /// Whether it ends in verified TLS.
    pub const fn is_strict(self) -> bool {
        matches!(self, Self::Required | Self::Implicit)
    }

    /// The least that a connection must offer to carry what this mode carries.
    pub const fn least(self) -> Security {
        if self.is_strict() { Security::Verified } else { Security::Plain }
    }
}

/// The setting `requiretls`: what is demanded of the hops behind the relay (RFC 8689).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RequireTls {
    /// Nothing.
    #[default]
    Never,
    /// Checked encryption, of every letter, where the relay offers to see to it.
    IfOffered,
    /// Checked encryption of letters with health information, or they are not sent.
    Phi,
}

/// What one letter demands of the hops behind the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onward {
    /// Nothing.
    Free,
    /// Checked encryption, where the relay offers it.
    Wished,
    /// Checked encryption, or it is not sent.
    Demanded,
}

impl RequireTls {
    /// What a letter demands.
    pub const fn for_letter(self, phi: PhiClass) -> Onward {
        match (self, phi) {
            (Self::IfOffered, _) => Onward::Wished,
            (Self::Phi, PhiClass::Identified) => Onward::Demanded,
            (Self::Never | Self::Phi, _) => Onward::Free,
        }
    }
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Security {
    /// Not at all.
    Plain,
    /// Encrypted towards somebody whose certificate nobody checked.
    Encrypted,
    /// Encrypted towards the relay that was meant.
    Verified,
}

/// The two ways of shaking hands.
pub(in crate::provider) struct Tls {
    name: ServerName<'static>,
    checked: Arc<ClientConfig>,
    unchecked: Arc<ClientConfig>,
}

impl Tls {
    /// Trusts the machine's authorities, and those in `accept_ca_file` if it is given.
    ///
    /// # Errors
    /// Says in words what is wrong with the host name or the file.
    pub fn new(host: &str, accept_ca_file: Option<&Path>) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| "host is not a host name".to_owned())?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = accept_ca_file {
            let unreadable = |_| "accept_ca_file cannot be read as PEM certificates".to_owned();
            for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
                let refused = |_| "accept_ca_file holds a certificate that cannot be trusted".to_owned();
                roots.add(certificate.map_err(unreadable)?).map_err(refused)?;
            }
        }
        let crypto = Arc::new(ring::default_provider());
        let verifier = Arc::new(AnyCertificate(crypto.clone()));
        let builder = || {
            ClientConfig::builder_with_provider(crypto.clone())
                .with_safe_default_protocol_versions()
                .map_err(|_| "this build has no usable TLS version".to_owned())
        };
        Ok(Self {
            name,
            checked: Arc::new(builder()?.with_root_certificates(roots).with_no_client_auth()),
            unchecked: Arc::new(
                builder()?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
            ),
        })
    }

    /// Shakes hands; with `strict`, only with the relay that was meant.
    ///
    /// # Errors
    /// Nothing was sent. `TlsRequired` where the relay is not who it should be, `ProviderError` where the connection
    /// broke.
    pub async fn handshake<S>(&self, stream: S, strict: bool) -> Result<TlsStream<S>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = if strict { &self.checked } else { &self.unchecked };
        TlsConnector::from(config.clone()).connect(self.name.clone(), stream).await.map_err(|error| {
            let failed = |fault, remedy, text: &str| Failure::new(fault).about(About::Path).remedy(remedy).text(text);
            let distrusted = |text: &str| failed(Fault::TlsRequired, Remedy::UseEncryption, text);
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidCertificate(reason)) => distrusted(distrust(reason)),
                Some(_) => distrusted("the TLS handshake with the relay failed"),
                None => {
                    let text = "the connection broke during the TLS handshake";
                    failed(Fault::ProviderError, Remedy::WaitForRelay, text)
                }
            }
        })
    }
}

fn distrust(reason: &CertificateError) -> &'static str {
    match reason {
        CertificateError::UnknownIssuer => "the relay's certificate comes from an authority that is not trusted",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the relay's certificate has expired",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the relay's certificate is for another name"
        }
        _ => "the relay's certificate is not acceptable",
    }
}

/// Takes any certificate, for opportunistic encryption; the handshake's signature is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
