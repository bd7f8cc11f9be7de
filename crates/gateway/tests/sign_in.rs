//! Who gets in, who does not, and that one peer's guesses stay its own.

use crate::support::{Connect, Raw, open, options, text};
use gateway::mqtt::{TlsSource, tls};
use std::sync::Arc;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_wrong_password_or_an_unknown_device_is_refused_and_counted() {
    let door = open(options()).await;
    for (version, user, password, code) in [
        (4, "dev-1", "wrong", 4),
        (4, "nobody", "secret", 4),
        (5, "dev-1", "wrong", 0x86),
        (5, "nobody", "secret", 0x86),
    ] {
        let mut raw = door.dial().await;
        raw.version = version;
        let answer = raw.connect("x", user, password, Connect::default()).await;
        assert_eq!((answer[0], answer[3]), (0x20, code));
        raw.ends().await;
    }
    assert_eq!(door.metric(|m| &m.sign_ins_failed_total), 4);
    assert!(door.sink.presence.lock().unwrap().is_empty());
}

#[tokio::test]
async fn guessing_is_limited_and_a_known_device_is_not_locked_out() {
    let mut options = options();
    options.limits.sign_in_failures_per_username_max = 3;
    options.limits.sign_in_failures_per_peer_max = 5;
    let door = open(options).await;
    drop(door.client(5, "dev-1", "dev-1").await);
    let mut answers = Vec::new();
    for user in [
        "dev-2", "dev-2", "dev-2", "dev-2", "dev-3", "dev-4", "dev-5",
    ] {
        let mut raw = door.dial().await;
        answers.push(raw.connect("x", user, "wrong", Connect::default()).await[3]);
    }
    // Three guesses for one name, five for one peer; then both wait.
    assert_eq!(answers, [0x86, 0x86, 0x86, 0x9f, 0x86, 0x86, 0x9f]);
    assert_eq!(door.metric(|m| &m.sign_ins_limited_total), 2);
    // From the same address, the device that is known there still gets in.
    door.client(5, "dev-1", "dev-1").await.ping().await;
}

#[tokio::test]
async fn client_identifiers() {
    let door = open(options()).await;
    // Version 5 without one is given one.
    let mut raw = door.dial().await;
    let answer = raw.connect("", "city", "secret", Connect::default()).await;
    assert_eq!(answer[3], 0);
    assert!(String::from_utf8_lossy(&answer).contains("auto-"));
    // 3.1.1 without one, and with a session to remember, is refused.
    let mut raw = door.dial().await;
    raw.version = 4;
    let keep = Connect {
        clean: false,
        ..Connect::default()
    };
    assert_eq!(
        raw.connect("", "city", "secret", keep).await,
        [0x20, 2, 0, 2]
    );
    // Control characters and too long ones are refused.
    for id in ["a\nb".to_owned(), "x".repeat(257)] {
        let mut raw = door.dial().await;
        assert_eq!(
            raw.connect(&id, "city", "secret", Connect::default()).await[3],
            0x85
        );
    }
}

#[tokio::test]
async fn a_will_to_a_strange_topic_is_refused() {
    for (version, code) in [(4, 5), (5, 0x87)] {
        let door = open(options()).await;
        let mut raw = door.dial().await;
        raw.version = version;
        let mut will = if version == 5 { vec![0] } else { vec![] };
        will.extend(text("devices/dev-2/up"));
        will.extend(text("gone"));
        let connect = Connect {
            will: Some(will),
            ..Connect::default()
        };
        assert_eq!(
            raw.connect("dev-1", "dev-1", "secret", connect).await[3],
            code
        );
    }
}

#[tokio::test]
async fn whoever_says_nothing_is_dropped() {
    let mut options = options();
    options.session.connect_timeout_ms = 50;
    let door = open(options).await;
    door.dial().await.ends().await;
    assert_eq!(door.metric(|m| &m.faults_total), 1);
}

#[tokio::test]
async fn silence_beyond_the_keep_alive_ends_the_connection() {
    let door = open(options()).await;
    let mut raw = door.dial().await;
    let connect = Connect {
        keep_alive_seconds: 1,
        ..Connect::default()
    };
    assert_eq!(raw.connect("dev-1", "dev-1", "secret", connect).await[3], 0);
    let answer = raw.receive().await;
    assert_eq!((answer[0], answer[2]), (0xe0, 0x8d), "{answer:02x?}");
}

#[tokio::test]
async fn tls_with_a_certificate_made_at_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.listen_tls = vec!["127.0.0.1:0".parse().unwrap()];
    options.tls = Some(TlsSource::SelfSigned {
        directory: dir.path().to_owned(),
        names: vec!["localhost".into()],
    });
    let door = open(options).await;
    let (certificate, _) = tls::self_signed_paths(dir.path());
    let mut roots = rustls::RootCertStore::empty();
    use rustls_pki_types::pem::PemObject;
    roots
        .add(rustls_pki_types::CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let address = door.handle.addresses_tls()[0];
    let dial = || async { TcpStream::connect(address).await.unwrap() };
    // A peer that speaks no TLS does not disturb.
    let mut plain = Raw::new(dial().await, 5);
    plain.send(&[0x10, 0]).await;
    let stream = connector
        .connect("localhost".try_into().unwrap(), dial().await)
        .await
        .unwrap();
    let mut raw = Raw::new(stream, 5);
    assert_eq!(
        raw.connect("dev-1", "dev-1", "secret", Connect::default())
            .await[3],
        0
    );
    for id in 1..=100 {
        raw.publish("devices/dev-1/up", id, b"{}").await;
        assert_eq!(raw.receive().await, [0x40, 2, 0, id as u8]);
    }
    drop(plain);
    door.until(|d| d.metric(|m| &m.tls_failures_total) == 1)
        .await;
}
