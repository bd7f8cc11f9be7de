//! E-mail over SMTP.

use super::settings::{MailTls, Smtp, secret};
use anyhow::{Context, Result};
use async_trait::async_trait;
use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use notice::{NotSent, Outgoing, Reach, Sender, Taken};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// A server that takes mail.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    time_max: Duration,
}

impl Mail {
    /// `authorities` is a PEM file of those that are believed.
    ///
    /// # Errors
    /// Settings that make no sense, files that do not read.
    pub fn new(folder: &Path, smtp: &Smtp, authorities: &Path) -> Result<Self> {
        let id = &smtp.common.id;
        let from = smtp
            .from
            .parse()
            .with_context(|| format!("from of notice.channel \"{id}\" is no address"))?;
        let (tls, usual) = match smtp.tls {
            MailTls::None => (Tls::None, 25),
            MailTls::Starttls => (Tls::Required(parameters(&smtp.host, authorities)?), 587),
            MailTls::Tls => (Tls::Wrapper(parameters(&smtp.host, authorities)?), 465),
        };
        let port = if smtp.port == 0 { usual } else { smtp.port };
        let time_max = Duration::from_secs(smtp.common.seconds_max);
        // "dangerous" means that TLS is ours to set, as it is above.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(port)
            .tls(tls)
            .timeout(Some(time_max));
        if !smtp.username.is_empty() {
            let password = secret(folder, &smtp.password_file, &smtp.common, "password_file")?;
            let password = password.expose().to_owned();
            builder = builder.credentials(Credentials::new(smtp.username.clone(), password));
        }
        Ok(Self {
            transport: builder.build(),
            from,
            time_max,
        })
    }

    fn message(&self, outgoing: &Outgoing) -> Result<Message, NotSent> {
        let never = |why: String| NotSent::Never(why);
        let to = outgoing.to.as_deref().unwrap_or_default();
        let to: Mailbox = to.parse().map_err(|e| never(format!("the address: {e}")))?;
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&outgoing.subject)
            // The same each time, so that what comes twice is seen to be one.
            .message_id(Some(format!("<{}@jingling>", digest(&outgoing.key))))
            .header(header::ContentType::TEXT_PLAIN)
            .body(outgoing.body.clone())
            .map_err(|e| never(e.to_string()))
    }
}

fn parameters(host: &str, authorities: &Path) -> Result<TlsParameters> {
    let mut builder =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
    let pem = std::fs::read(authorities).with_context(|| {
        format!(
            "reading {}, which notice.authorities names",
            authorities.display()
        )
    })?;
    builder = builder.add_root_certificate(Certificate::from_pem(&pem)?);
    Ok(builder.build()?)
}

fn digest(key: &str) -> String {
    let mut text = String::new();
    for byte in gm::sm3(key.as_bytes()).iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether a refusal is of who sends (RFC 4954, 6) and not of the message: the settings mend that, and what waits goes out then.
fn is_about_us(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    code.is_some_and(|code| [530, 534, 535, 538].contains(&code))
}

#[async_trait]
impl Sender for Mail {
    fn reach(&self) -> Reach {
        Reach::Email
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Taken, NotSent> {
        let message = self.message(outgoing)?;
        // The transport's own limit is of each step; this one is of them all.
        match tokio::time::timeout(self.time_max, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Taken::default()),
            Ok(Err(error)) if error.is_permanent() && !is_about_us(&error) => {
                Err(NotSent::Never(error.to_string()))
            }
            Ok(Err(error)) => Err(NotSent::Later(error.to_string())),
            Err(_) => Err(NotSent::Later("it took too long".to_owned())),
        }
    }
}
