//! TLS under ureq: whom a client believes, and who it says it is.

use crate::model::Connecting;
use crate::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    StreamOwned,
};
use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

/// The largest file of certificates that is read.
const MOST_READ: u64 = 4 << 20;

/// What the options of a server say about TLS, its files read.
pub(super) struct Tls {
    trust: Trust,
    identity: Option<Identity>,
    /// Made when the first connection needs it: reading the system's store takes a while.
    config: OnceLock<Arc<ClientConfig>>,
}

/// Whose certificates are believed.
enum Trust {
    /// Those that the system's store vouches for.
    System,
    /// Those that these authorities vouch for.
    Authorities(RootCertStore),
    Everybodys,
}

/// A certificate of the client's own, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    /// Reads the files that the options name. Errors name the file, and never what is in it.
    pub(super) fn new(options: &Connecting) -> Result<Tls> {
        let authorities = options.ca_file.as_deref().map(authorities).transpose()?;
        let trust = match authorities {
            _ if options.unverified => Trust::Everybodys,
            None => Trust::System,
            Some(authorities) => Trust::Authorities(authorities),
        };
        let tls = Tls {
            trust,
            identity: options
                .client_cert_file
                .as_deref()
                .map(identity)
                .transpose()?,
            config: OnceLock::new(),
        };
        if tls.identity.is_some() {
            // A key that is another certificate's is found now, not in the midst of a scan.
            tls.config()?;
        }
        Ok(tls)
    }

    fn config(&self) -> Result<Arc<ClientConfig>> {
        /// What all clients without options of their own share.
        static SYSTEMS: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let is_plain = matches!(self.trust, Trust::System) && self.identity.is_none();
        let place = if is_plain { &SYSTEMS } else { &self.config };
        match place.get() {
            Some(config) => Ok(Arc::clone(config)),
            None => {
                let config = Arc::new(self.build()?);
                Ok(Arc::clone(place.get_or_init(|| config)))
            }
        }
    }

    fn build(&self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| system(&error))?;
        let builder = match &self.trust {
            Trust::Authorities(authorities) => builder.with_root_certificates(authorities.clone()),
            Trust::System => {
                let verifier = rustls_platform_verifier::Verifier::new(provider);
                let verifier = verifier.map_err(|error| system(&error))?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
            Trust::Everybodys => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Credulous(provider))),
        };
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => builder
                .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
                .map_err(|error| {
                    Error::option(
                        "client_cert_file",
                        format!("its key cannot be used: {error}"),
                    )
                }),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn system(error: &dyn fmt::Display) -> Error {
    Error::System(format!("TLS cannot be used: {error}"))
}

/// The bytes of a file that an option names.
fn contents(option: &str, path: &str) -> Result<Vec<u8>> {
    let failed = |reason: String| Error::option(option, format!("file \"{path}\" {reason}"));
    let unread = |error: std::io::Error| failed(format!("cannot be read: {}", error.kind()));
    // What is no file, such as a pipe, might never end.
    if !fs::metadata(path).map_err(unread)?.is_file() {
        return Err(failed("is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unread)?;
    file.take(MOST_READ + 1)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    match bytes.len() as u64 > MOST_READ {
        true => Err(failed("is too large".to_owned())),
        false => Ok(bytes),
    }
}

fn certificates(option: &str, path: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::option(
            option,
            format!("file \"{path}\" holds no certificate in PEM form"),
        )),
    }
}

fn authorities(path: &str) -> Result<RootCertStore> {
    let pem = contents("ca_file", path)?;
    let mut store = RootCertStore::empty();
    for certificate in certificates("ca_file", path, &pem)? {
        store.add(certificate).map_err(|_| {
            let reason = format!("file \"{path}\" holds something that is not a certificate");
            Error::option("ca_file", reason)
        })?;
    }
    Ok(store)
}

fn identity(path: &str) -> Result<Identity> {
    let option = "client_cert_file";
    let pem = contents(option, path)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let reason =
            format!("file \"{path}\" holds no private key in PEM form without a passphrase");
        Error::option(option, reason)
    })?;
    Ok(Identity {
        chain: certificates(option, path, &pem)?,
        key,
    })
}

/// Believes everybody (`tls_verify 'off'`). What a peer signs with is still checked by nobody.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The link of the chain after the connection is made: TLS, where the URL wants it.
#[derive(Debug)]
pub(super) struct TlsConnector(pub(super) Arc<Tls>);

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let carry = |error: Error| ureq::Error::Other(Box::new(error));
        let host = details.uri.host().unwrap_or_default();
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| ureq::Error::Tls("the host is not a name that a certificate can have"))?;
        let config = self.0.config().map_err(carry)?;
        let mut session = ClientConnection::new(config, name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        session.complete_io(&mut socket)?;
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned::new(session, socket),
        })))
    }
}

/// A connection within TLS. The bounds are those of the attempt, as below it.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        _: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}
