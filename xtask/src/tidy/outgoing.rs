//! The platform opens connections of its own in few places, each of which judges where to: nobody makes it speak with what
//! is inside (服务端请求伪造). Another place that connects is told here.

use crate::{Finding, Tree};
use anyhow::Result;

/// How a connection is opened or a name looked up.
const OPENS: [&str; 6] = [
    "TcpStream::connect",
    "lookup_host",
    "to_socket_addrs",
    "UdpSocket::",
    "reqwest::",
    "hyper_util::client",
];
/// Where that may stand, and why.
const ALLOWED: [(&str, &str); 4] = [
    (
        "crates/api/src/outgoing.rs",
        "every address is judged by crates/oidc/src/address.rs first",
    ),
    (
        "crates/gateway/src/sl651/",
        "a UDP door listens, and answers the address that spoke",
    ),
    (
        "crates/sim/",
        "plays devices against the city it is given; never within a server",
    ),
    ("crates/testkit/", "only tests know it"),
];

/// Looks at every source file of the crates.
///
/// # Errors
/// When a file cannot be read as text.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.ending(&[".rs"]) {
        let is_source = (file.starts_with("crates/") || file.starts_with("protocols/"))
            && file.contains("/src/");
        if is_source && !ALLOWED.iter().any(|(place, _)| file.starts_with(place)) {
            findings.extend(opens(&tree.text(file)?).map(|(line, what)| {
                Finding::new(
                    format!("{file}:{line}"),
                    format!("{what} opens a connection"),
                    "go by a place that judges the address, or name this one and why in xtask/src/tidy/outgoing.rs",
                )
            }));
        }
    }
    Ok(findings)
}

/// Line and what stands there, without tests and comments.
fn opens(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().enumerate().filter_map(|(n, line)| {
        let is_comment = line.trim_start().starts_with("//");
        let found = OPENS.iter().find(|what| line.contains(**what))?;
        (!is_comment).then_some((n + 1, *found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_found_and_a_word_about_it_is_not() {
        let text = "//! TcpStream::connect is elsewhere\nlet s = TcpStream::connect(a);\n#[cfg(test)]\nreqwest::get(x);\n";
        assert_eq!(opens(text).collect::<Vec<_>>(), [(2, "TcpStream::connect")]);
    }
}
