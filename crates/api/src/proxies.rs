//! Behind a reverse proxy (反向代理): who really asks, and whether over HTTPS. What a request says of that itself is believed
//! from named proxies alone, and of it only what those wrote: the right-most address that is none of theirs. Everything to the
//! left of that may have come from the client, and is not looked at.

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use model::Problem;
use oidc::address::Network;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// The header in which proxies write on whose behalf they ask. One is chosen, because a proxy that writes the one passes the
/// other on as the client sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto`: what most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl FromStr for Header {
    type Err = Problem;
    fn from_str(word: &str) -> Result<Self, Problem> {
        match word.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(Problem::new(
                "proxy-header",
                format!(
                    "\"{}\" is no header of proxies",
                    model::problem::quote(word)
                ),
                "http.proxy_header",
                "use \"x-forwarded-for\" or \"forwarded\", whichever your proxy writes",
            )),
        }
    }
}

/// Which proxies are believed, and how far.
#[derive(Clone, Debug)]
pub struct Options {
    /// Their networks; none: nobody is.
    pub trusted: Vec<Network>,
    /// The header that they write.
    pub header: Header,
    /// Most addresses of the header that are looked at, from the right.
    pub hops_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            header: Header::default(),
            hops_max: 16,
        }
    }
}

impl Options {
    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.holds(address))
    }
}

/// Who asks, as the named proxies say. Put into the request where one of them handed it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnBehalf {
    /// The address that asked the outermost of the named proxies.
    pub address: IpAddr,
    /// Whether it did over HTTPS; `None` when the proxy does not say.
    pub is_https: Option<bool>,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Notes on whose behalf a named proxy asks.
pub async fn believe(options: Options, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|c| c.0.ip().to_canonical());
    // Nobody but this sets it.
    request.extensions_mut().remove::<OnBehalf>();
    if let Some(peer) = peer.filter(|peer| options.trusts(*peer)) {
        let found = on_behalf(peer, request.headers(), &options);
        request.extensions_mut().insert(found);
    }
    next.run(request).await
}

/// On whose behalf `peer`, a named proxy, asks.
fn on_behalf(peer: IpAddr, headers: &HeaderMap, options: &Options) -> OnBehalf {
    let mut found = OnBehalf {
        address: peer,
        is_https: None,
    };
    let name = match options.header {
        Header::XForwardedFor => X_FORWARDED_FOR,
        Header::Forwarded => header::FORWARDED,
    };
    if options.header == Header::XForwardedFor {
        // The last word is the proxy's that asks us.
        let said = elements(headers, &X_FORWARDED_PROTO);
        found.is_https = said.last().and_then(|word| is_https(word));
    }
    for element in elements(headers, &name).iter().rev().take(options.hops_max) {
        let (address, proto) = match options.header {
            Header::XForwardedFor => (address_of(element), None),
            Header::Forwarded => (
                parameter(element, "for").and_then(|node| address_of(&node)),
                parameter(element, "proto").and_then(|word| is_https(&word)),
            ),
        };
        if options.header == Header::Forwarded {
            found.is_https = proto;
        }
        // Of what is unknown, hidden or nonsense, the proxy that wrote it down is all that is known.
        let Some(address) = address else {
            break;
        };
        found.address = address;
        if !options.trusts(address) {
            break;
        }
    }
    found
}

fn is_https(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
    }
}

/// The elements of a header that is a list, over all its lines, in order. A comma within quotes divides nothing.
fn elements(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let mut all = Vec::new();
    for line in headers.get_all(name) {
        let Ok(line) = line.to_str() else {
            // Whoever wrote that is no proxy that we know how to read.
            all.push(String::new());
            continue;
        };
        let (mut from, mut is_quoted) = (0, false);
        for (at, c) in line.char_indices() {
            match c {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => {
                    all.push(line[from..at].trim().to_owned());
                    from = at + 1;
                }
                _ => {}
            }
        }
        all.push(line[from..].trim().to_owned());
    }
    all
}

/// A parameter of an element of `Forwarded`.
fn parameter(element: &str, name: &str) -> Option<String> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.trim();
        let plain = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(value);
        (key.trim().eq_ignore_ascii_case(name)).then(|| plain.to_owned())
    })
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|a| a.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(header: Header) -> Options {
        Options {
            trusted: ["10.0.0.0/8", "fd00::/8"]
                .map(|network| network.parse().unwrap())
                .to_vec(),
            header,
            ..Options::default()
        }
    }

    fn found(header: Header, lines: &[(&'static str, &str)]) -> (String, Option<bool>) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let peer = "10.0.0.1".parse().unwrap();
        let found = on_behalf(peer, &headers, &options(header));
        (found.address.to_string(), found.is_https)
    }

    #[test]
    fn the_right_most_address_that_is_no_proxys_counts() {
        for (said, address) in [
            ("203.0.113.9", "203.0.113.9"),
            // What stands further left came from the client.
            ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
            ("1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
            ("10.9.9.9, 203.0.113.9", "203.0.113.9"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("2001:db8::7, fd00::1", "2001:db8::7"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            // Nobody but proxies: the outermost.
            ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
            // Nonsense hides what is left of it, and is nobody.
            ("1.1.1.1, unknown", "10.0.0.1"),
            ("1.1.1.1, <script>, 10.0.0.8", "10.0.0.8"),
            ("1.1.1.1, , 10.0.0.8", "10.0.0.8"),
            ("", "10.0.0.1"),
        ] {
            let (found, _) = found(Header::XForwardedFor, &[("x-forwarded-for", said)]);
            assert_eq!(found, address, "{said}");
        }
        let lines = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        assert_eq!(found(Header::XForwardedFor, &lines).0, "203.0.113.9");
        let long = "10.0.0.2, ".repeat(100) + "10.0.0.3";
        let said = format!("203.0.113.9, {long}");
        let lines = [("x-forwarded-for", said.as_str())];
        assert_eq!(found(Header::XForwardedFor, &lines).0, "10.0.0.2");
    }

    #[test]
    fn forwarded_is_read_as_its_standard_says() {
        for (said, expected) in [
            ("for=203.0.113.9", ("203.0.113.9", None)),
            (
                "For=\"[2001:db8::7]:4711\";proto=https;by=10.0.0.1",
                ("2001:db8::7", Some(true)),
            ),
            (
                "for=1.1.1.1;proto=https, for=203.0.113.9;proto=http, for=10.0.0.7;proto=https",
                ("203.0.113.9", Some(false)),
            ),
            (
                "for=1.1.1.1, for=_hidden;proto=https",
                ("10.0.0.1", Some(true)),
            ),
            ("for=\"1.1.1.1, for=2.2.2.2\"", ("10.0.0.1", None)),
            ("proto=https", ("10.0.0.1", Some(true))),
        ] {
            let (address, is_https) = found(Header::Forwarded, &[("forwarded", said)]);
            assert_eq!((address.as_str(), is_https), expected, "{said}");
        }
    }

    #[test]
    fn the_header_that_the_proxy_does_not_write_is_not_looked_at() {
        let lines = [
            ("forwarded", "for=1.1.1.1;proto=https"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        let (address, is_https) = found(Header::XForwardedFor, &lines);
        assert_eq!((address.as_str(), is_https), ("203.0.113.9", None));
        let lines = [
            ("forwarded", "for=203.0.113.9"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-proto", "https"),
        ];
        let (address, is_https) = found(Header::Forwarded, &lines);
        assert_eq!((address.as_str(), is_https), ("203.0.113.9", None));
    }

    #[test]
    fn the_last_word_on_https_is_the_proxys() {
        for (said, expected) in [
            ("https", Some(true)),
            ("http", Some(false)),
            ("https, http", Some(false)),
            ("HTTPS", Some(true)),
            ("wss", None),
        ] {
            let lines = [("x-forwarded-proto", said)];
            assert_eq!(found(Header::XForwardedFor, &lines).1, expected, "{said}");
        }
    }
}
