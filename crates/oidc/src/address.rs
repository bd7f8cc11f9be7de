//! Where the platform sends anything on a client's word: never inside, unless the city's settings allow the network. A
//! client's address is looked up first and every address that it gives is judged, so that a name that leads inside is no
//! way around.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network, as `10.1.0.0/16` or `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no network; write it as 10.1.0.0/16 or fd00::/8");
        let (base, bits) = text.split_once('/').ok_or_else(wrong)?;
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let bits: u8 = bits.parse().map_err(|_| wrong())?;
        let max = if base.is_ipv4() { 32 } else { 128 };
        if bits > max {
            return Err(wrong());
        }
        Ok(Self { base, bits })
    }
}

impl Network {
    /// Whether the address is in it.
    pub fn holds(&self, address: IpAddr) -> bool {
        let shared = |a: u128, b: u128, width: u32| {
            let bits = u32::from(self.bits);
            bits == 0 || (a ^ b) >> (width - bits) == 0
        };
        match (self.base, plain(address)) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                shared(u32::from(base).into(), u32::from(a).into(), 32)
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => shared(base.into(), a.into(), 128),
            _ => false,
        }
    }
}

/// An IPv4 address that came in IPv6's clothes (mapped, NAT64, 6to4) as what it is.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 =
        |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b) {
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => v4(g, h),
        (0x2002, _) => v4(b, c),
        _ => address,
    }
}

/// Whether an address is out in the world: not this machine, not a private, shared, link-local, documentation, multicast
/// or reserved one (IANA's special-purpose registries).
pub fn is_outside(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(a) => is_outside_v4(a),
        IpAddr::V6(a) => is_outside_v6(a),
    }
}

fn is_outside_v4(a: Ipv4Addr) -> bool {
    let [o1, o2, o3, _] = a.octets();
    let special = a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_broadcast()
        || a.is_documentation()
        || a.is_multicast()
        || o1 == 0
        || o1 >= 240
        || (o1 == 100 && (64..128).contains(&o2))
        || (o1 == 192 && o2 == 0 && o3 == 0)
        || (o1 == 198 && (o2 == 18 || o2 == 19));
    !special
}

fn is_outside_v6(a: Ipv6Addr) -> bool {
    let s = a.segments();
    // Only 2000::/3 is given out; of that, not the documentation's and not the special 2001::/23.
    (s[0] & 0xe000) == 0x2000
        && !(s[0] == 0x2001 && (s[1] == 0xdb8 || s[1] < 0x200))
        && s[0] != 0x3fff
}

/// Whether something may be sent to an address.
pub fn may_reach(address: IpAddr, allowed: &[Network]) -> bool {
    is_outside(address) || allowed.iter().any(|network| network.holds(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_is_not_reached_unless_it_is_allowed() {
        for inside in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.9",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "100::1",
            "2001::1",
        ] {
            let address: IpAddr = inside.parse().unwrap();
            assert!(!may_reach(address, &[]), "{inside}");
        }
        for outside in [
            "8.8.8.8",
            "114.114.114.114",
            "2400:3200::1",
            "64:ff9b::808:808",
        ] {
            assert!(may_reach(outside.parse().unwrap(), &[]), "{outside}");
        }
        let allowed: Vec<Network> = ["10.1.0.0/16", "fd00::/8", "127.0.0.0/8"]
            .iter()
            .map(|n| n.parse().unwrap())
            .collect();
        for (address, may) in [
            ("10.1.255.1", true),
            ("10.2.0.1", false),
            ("fd12::1", true),
            ("127.0.0.1", true),
            ("::ffff:10.1.0.1", true),
            ("::1", false),
        ] {
            assert_eq!(
                may_reach(address.parse().unwrap(), &allowed),
                may,
                "{address}"
            );
        }
        for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
