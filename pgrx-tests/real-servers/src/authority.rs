//! A private certificate authority, made for a test.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority that nobody knows.
pub(crate) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Result<Authority, String> {
        let mut params = CertificateParams::new(Vec::new()).map_err(told)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a test");
        let key = KeyPair::generate().map_err(told)?;
        let certificate = params.self_signed(&key).map_err(told)?;
        Ok(Authority {
            certificate: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Its own certificate, in PEM form.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a host or address, and its key.
    pub(crate) fn issue(&self, name: &str) -> Result<(String, String), String> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(told)?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().map_err(told)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(told)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

fn told(error: rcgen::Error) -> String {
    format!("a certificate cannot be made: {error}")
}
