//! Certificate and key: the city's own, or a self-signed pair made at the first start.

use super::certificate::{ServerCertificate, TlsFloor};
use super::options::TlsSource;
use model::Problem;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The settings of a TLS server from the source given. Makes the self-signed pair when its folder
/// has neither file.
///
/// # Errors
/// A [`Problem`] that names the file.
pub fn server_config(source: &TlsSource) -> Result<Arc<ServerConfig>, Problem> {
    if let TlsSource::Made(config) = source {
        return Ok(config.clone());
    }
    let served = ServerCertificate::open(source)?;
    server_config_for(served, TlsFloor::default())
}

/// The same for clients that may show a certificate of their own (X.509). That they hold its key is proved here; whose it is,
/// and whether it is good, the [`super::seam::Authenticator`] decides, which knows each one by itself.
///
/// # Errors
/// As [`server_config`].
pub fn device_config(source: &TlsSource) -> Result<Arc<ServerConfig>, Problem> {
    if let TlsSource::Made(config) = source {
        return Ok(config.clone());
    }
    let served = ServerCertificate::open(source)?;
    device_config_for(served, TlsFloor::default())
}

/// The settings of a TLS server with a certificate that may be renewed, and the oldest version that is spoken.
///
/// # Errors
/// When rustls refuses what it is given.
pub fn server_config_for(
    served: Arc<ServerCertificate>,
    floor: TlsFloor,
) -> Result<Arc<ServerConfig>, Problem> {
    config(served, floor, None)
}

/// The same for devices, which may show a certificate of their own (see [`device_config`]).
///
/// # Errors
/// When rustls refuses what it is given.
pub fn device_config_for(
    served: Arc<ServerCertificate>,
    floor: TlsFloor,
) -> Result<Arc<ServerConfig>, Problem> {
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    config(served, floor, Some(Arc::new(AnyCertificate { algorithms })))
}

fn config(
    served: Arc<ServerCertificate>,
    floor: TlsFloor,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, Problem> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let place = served.path().to_owned();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(floor.versions())
        .map(|builder| match clients {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        })
        .map(|builder| builder.with_cert_resolver(served))
        .map(Arc::new)
        .map_err(|e| not_a_pair(&place, e))
}

/// The files of a source, made where it says so.
pub(crate) fn pair_of(source: &TlsSource) -> Result<(PathBuf, PathBuf), Problem> {
    match source {
        TlsSource::Pem { certificate, key } => Ok((certificate.clone(), key.clone())),
        TlsSource::SelfSigned { directory, names } => {
            let pair = self_signed_paths(directory);
            if !pair.0.exists() && !pair.1.exists() {
                make(directory, &pair, names)?;
            }
            Ok(pair)
        }
        TlsSource::Made(_) => Err(Problem::new(
            "tls-missing",
            "these settings were made already and have no files",
            "tls",
            "name certificate and key, or a folder for a self-signed pair",
        )),
    }
}

pub(crate) fn not_a_pair(certificate: &Path, error: impl std::fmt::Display) -> Problem {
    Problem::new(
        "tls-pair",
        format!("certificate and key do not work together: {error}"),
        certificate.display().to_string(),
        "give a certificate chain, the server's own first, and the key that belongs to it",
    )
}

/// Takes any certificate whose key the client holds.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Where the self-signed pair of a folder lies: certificate and key.
pub fn self_signed_paths(directory: &Path) -> (PathBuf, PathBuf) {
    (directory.join("certificate.pem"), directory.join("key.pem"))
}

fn make(
    directory: &Path,
    (certificate, key): &(PathBuf, PathBuf),
    names: &[String],
) -> Result<(), Problem> {
    let pair = rcgen::generate_simple_self_signed(names).map_err(|e| {
        Problem::new(
            "tls-names",
            format!("cannot make a certificate for {names:?}: {e}"),
            "tls",
            "give host names or IP addresses",
        )
    })?;
    let failed = |path: &Path, e: std::io::Error| {
        Problem::new(
            "tls-write",
            format!("cannot write: {e}"),
            path.display().to_string(),
            "make the folder writable for the user that runs the platform",
        )
    };
    fs::create_dir_all(directory).map_err(|e| failed(directory, e))?;
    // The key first: a certificate without its key would never be mended by a later start.
    write_private(key, pair.signing_key.serialize_pem().as_bytes()).map_err(|e| failed(key, e))?;
    fs::write(certificate, pair.cert.pem()).map_err(|e| failed(certificate, e))
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(crate) fn unreadable(path: &Path, error: impl std::fmt::Display) -> Problem {
    Problem::new(
        "tls-file",
        format!("cannot be read as PEM: {error}"),
        path.display().to_string(),
        "give a PEM file; remove both files of a self-signed pair to have a new one made",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("tls");
        let source = TlsSource::SelfSigned {
            directory: directory.clone(),
            names: vec!["localhost".into(), "127.0.0.1".into()],
        };
        server_config(&source).unwrap();
        let (certificate, key) = self_signed_paths(&directory);
        let first = fs::read(&certificate).unwrap();
        server_config(&source).unwrap();
        assert_eq!(fs::read(&certificate).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(&key).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let own = TlsSource::Pem { certificate, key };
        server_config(&own).unwrap();
    }

    #[test]
    fn a_missing_or_broken_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let certificate = dir.path().join("city.pem");
        let key = dir.path().join("city.key");
        let own = TlsSource::Pem {
            certificate: certificate.clone(),
            key,
        };
        assert!(server_config(&own).unwrap_err().place.ends_with("city.pem"));
        fs::write(&certificate, "no PEM").unwrap();
        assert!(server_config(&own).is_err());
    }
}
