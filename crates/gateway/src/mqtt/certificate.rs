//! A server's certificate that can be renewed while the city runs: the files are read again, and connections from then on
//! get the new pair. Files that do not read, or do not belong together, change nothing.

use super::options::TlsSource;
use super::tls;
use model::Problem;
use parking_lot::RwLock;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{SupportedProtocolVersion, version};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::PathBuf;
use std::sync::Arc;

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TlsFloor {
    /// TLS 1.2 and 1.3: for devices that cannot do better.
    V12,
    /// TLS 1.3 alone.
    #[default]
    V13,
}

impl TlsFloor {
    /// The versions, as rustls takes them.
    pub(crate) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
        match self {
            Self::V12 => &BOTH,
            Self::V13 => &BOTH[..1],
        }
    }
}

impl std::str::FromStr for TlsFloor {
    type Err = Problem;
    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "1.2" => Ok(Self::V12),
            "1.3" => Ok(Self::V13),
            other => Err(Problem::new(
                "tls-version",
                format!(
                    "\"{}\" is no version of TLS that is spoken here",
                    model::problem::quote(other)
                ),
                "tls.version_min",
                "use \"1.3\", or \"1.2\" while old devices need it",
            )),
        }
    }
}

/// A pair of certificate and key, read from files and read again when they change.
#[derive(Debug)]
pub struct ServerCertificate {
    certificate: PathBuf,
    key: PathBuf,
    held: RwLock<Held>,
}

#[derive(Debug)]
struct Held {
    pair: Arc<CertifiedKey>,
    /// What the files held, to see whether they changed.
    read: (Vec<u8>, Vec<u8>),
}

impl ServerCertificate {
    /// Reads the pair; makes a self-signed one where the source says so and there is none.
    ///
    /// # Errors
    /// A [`Problem`] that names the file.
    pub fn open(source: &TlsSource) -> Result<Arc<Self>, Problem> {
        let (certificate, key) = tls::pair_of(source)?;
        let held = read(&certificate, &key)?;
        Ok(Arc::new(Self {
            certificate,
            key,
            held: RwLock::new(held),
        }))
    }

    /// Reads the files again; answers whether another pair is in use from here on.
    ///
    /// # Errors
    /// What is wrong with the files; the old pair stays.
    pub fn renew(&self) -> Result<bool, Problem> {
        let found = read(&self.certificate, &self.key)?;
        let mut held = self.held.write();
        let is_new = found.read != held.read;
        if is_new {
            *held = found;
        }
        Ok(is_new)
    }

    /// The certificates in use, the server's own first, DER.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.held.read().pair.cert.clone()
    }

    /// The certificate's file.
    pub fn path(&self) -> &std::path::Path {
        &self.certificate
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.held.read().pair.clone())
    }
}

fn read(certificate: &std::path::Path, key: &std::path::Path) -> Result<Held, Problem> {
    let bytes = |path: &std::path::Path| std::fs::read(path).map_err(|e| tls::unreadable(path, e));
    let read = (bytes(certificate)?, bytes(key)?);
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read.0)
        .collect::<Result<_, _>>()
        .map_err(|e| tls::unreadable(certificate, e))?;
    let private = PrivateKeyDer::from_pem_slice(&read.1).map_err(|e| tls::unreadable(key, e))?;
    let provider = rustls::crypto::ring::default_provider();
    // Also judges whether the two belong together.
    let pair = CertifiedKey::from_der(chain, private, &provider)
        .map_err(|e| tls::not_a_pair(certificate, e))?;
    Ok(Held {
        pair: Arc::new(pair),
        read,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_new_pair_is_taken_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = (dir.path().join("city.pem"), dir.path().join("city.key"));
        let write = |pair: &(String, String)| {
            fs::write(&certificate, &pair.0).unwrap();
            fs::write(&key, &pair.1).unwrap();
        };
        let (old, new) = (pair(), pair());
        write(&old);
        let source = TlsSource::Pem {
            certificate: certificate.clone(),
            key: key.clone(),
        };
        let served = ServerCertificate::open(&source).unwrap();
        let first = served.chain();
        assert!(!served.renew().unwrap());
        // Half of a renewal: the certificate is new, its key not yet.
        fs::write(&certificate, &new.0).unwrap();
        assert_eq!(served.renew().unwrap_err().code, "tls-pair");
        assert_eq!(served.chain(), first);
        fs::write(&certificate, "no PEM").unwrap();
        assert!(served.renew().is_err());
        assert_eq!(served.chain(), first);
        write(&new);
        assert!(served.renew().unwrap());
        assert_ne!(served.chain(), first);
    }

    #[test]
    fn versions_are_two_words() {
        assert_eq!("1.3".parse(), Ok(TlsFloor::V13));
        assert_eq!("1.2".parse(), Ok(TlsFloor::V12));
        for bad in ["1.1", "", "TLSv1.3"] {
            assert_eq!(bad.parse::<TlsFloor>().unwrap_err().code, "tls-version");
        }
        assert_eq!(TlsFloor::default().versions().len(), 1);
    }
}
