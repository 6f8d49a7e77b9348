//! Which addresses a server's owner may reach (DESIGN.md, Safety): decided on the address that is then dialled.

use crate::error::Exchange;
use crate::{Error, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const NO_ENTRY: &str =
    "no entry of \"rest_fdw.allowed_hosts\" matches it; only a superuser can change that setting";

/// Where connections may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// Anywhere: the server belongs to a superuser.
    pub unrestricted: bool,
    /// The rules, one of which must match. Without any: public addresses over https only.
    pub allowed: Vec<HostRule>,
}

/// One entry of `rest_fdw.allowed_hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostRule {
    /// A host name, or a literal address as it stands in the URL, in lower case.
    Host(String),
    /// `*.example.com`: every name below `example.com`, not that name itself.
    Suffix(String),
    /// A block of addresses in CIDR form (RFC 4632, RFC 4291 section 2.3).
    Network {
        /// The block's address.
        address: IpAddr,
        /// Leading bits that must agree.
        prefix: u8,
    },
}

impl Egress {
    /// No bounds.
    pub fn unrestricted() -> Self {
        Egress {
            unrestricted: true,
            allowed: Vec::new(),
        }
    }

    /// Bounded by the value of `rest_fdw.allowed_hosts`: host names, `*.suffix` and CIDR blocks, separated by commas or spaces.
    pub fn restricted(allowed_hosts: &str) -> Result<Self> {
        let entries = allowed_hosts
            .split([',', ' ', '\t', '\n'])
            .filter(|entry| !entry.is_empty());
        Ok(Egress {
            unrestricted: false,
            allowed: entries.map(HostRule::parse).collect::<Result<_>>()?,
        })
    }

    /// The same rules for a server that may point anywhere: they name the hosts that its API may lead to.
    pub fn unrestricted_but_naming(allowed_hosts: &str) -> Result<Self> {
        Ok(Egress {
            unrestricted: true,
            ..Egress::restricted(allowed_hosts)?
        })
    }

    /// Whether a rule names `host` (as it stands in a URL): a next page may be there, though no credentials go there.
    pub fn names(&self, host: &str) -> bool {
        self.allowed.iter().any(|rule| rule.names(host))
    }

    /// Whether a connection to `host` may be tried at all, before its name is looked up.
    pub fn check_host(&self, scheme: &str, host: &str) -> Result<()> {
        let reason = if self.unrestricted || self.allowed.iter().any(|rule| rule.may_match(host)) {
            return Ok(());
        } else if !self.allowed.is_empty() {
            NO_ENTRY
        } else if scheme == "https" {
            return Ok(());
        } else {
            "this server's owner is no superuser and may use https only; a superuser can add the host to \"rest_fdw.allowed_hosts\""
        };
        Err(forbidden(host, reason))
    }

    /// Whether `address`, which `host` was resolved to, may be dialled.
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<()> {
        if self.unrestricted || self.allowed.iter().any(|rule| rule.matches(host, address)) {
            return Ok(());
        }
        let target = if host == address.to_string() {
            host.to_owned()
        } else {
            format!("{host} ({address})")
        };
        if !self.allowed.is_empty() {
            return Err(forbidden(&target, NO_ENTRY));
        }
        match not_public(address) {
            None => Ok(()),
            Some(kind) => Err(forbidden(
                &target,
                &format!("it is {kind}; a superuser can add it to \"rest_fdw.allowed_hosts\""),
            )),
        }
    }
}

impl HostRule {
    /// Reads one entry.
    pub fn parse(entry: &str) -> Result<Self> {
        let invalid = |reason: &str| {
            Error::option("rest_fdw.allowed_hosts", format!("\"{entry}\": {reason}"))
        };
        if let Some(suffix) = entry.strip_prefix("*.") {
            return match plain_name(suffix) {
                true => Ok(HostRule::Suffix(suffix.to_ascii_lowercase())),
                false => Err(invalid("after \"*.\" there must be a domain name")),
            };
        }
        if let Some((address, prefix)) = entry.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| {
                invalid("must be a host name, *.suffix, an address or a CIDR block")
            })?;
            let bits = if address.is_ipv4() { 32 } else { 128 };
            return match prefix.parse() {
                Ok(prefix) if prefix <= bits => Ok(HostRule::Network { address, prefix }),
                _ => Err(invalid(&format!(
                    "after the slash there must be a number from 0 to {bits}"
                ))),
            };
        }
        let bare = entry.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            return Ok(HostRule::Network { address, prefix });
        }
        match plain_name(entry) {
            true => Ok(HostRule::Host(entry.to_ascii_lowercase())),
            false => Err(invalid(
                "must be a host name, *.suffix, an address or a CIDR block, without scheme, port and path",
            )),
        }
    }

    /// Whether it could match `host` once the addresses are known.
    fn may_match(&self, host: &str) -> bool {
        match self {
            HostRule::Network { .. } => true,
            named => named.names(host),
        }
    }

    /// Whether it matches `host` by what is written there.
    fn names(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match (self, bare.parse()) {
            (HostRule::Network { .. }, Ok(address)) => self.matches(host, address),
            (HostRule::Network { .. }, Err(_)) => false,
            _ => self.matches(host, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        }
    }

    fn matches(&self, host: &str, address: IpAddr) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match self {
            HostRule::Host(name) => host == *name,
            HostRule::Suffix(suffix) => host
                .strip_suffix(suffix.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            HostRule::Network {
                address: block,
                prefix,
            } => within(address.to_canonical(), block.to_canonical(), *prefix),
        }
    }
}

fn plain_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.split('.').all(label)
}

fn within(address: IpAddr, block: IpAddr, prefix: u8) -> bool {
    let (address, block, bits) = match (address, block) {
        (IpAddr::V4(address), IpAddr::V4(block)) => (
            u128::from(address.to_bits()) << 96,
            u128::from(block.to_bits()) << 96,
            32,
        ),
        (IpAddr::V6(address), IpAddr::V6(block)) => (address.to_bits(), block.to_bits(), 128),
        _ => return false,
    };
    let mask = u128::MAX
        .checked_shl(128 - u32::from(prefix.min(bits)))
        .unwrap_or(0);
    address & mask == block & mask
}

/// Why an address is not a public one, after the IANA special-purpose registries (RFC 6890).
fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => not_public_v4(address),
        IpAddr::V6(address) => not_public_v6(address),
    }
}

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    let kind = match (a, b, c) {
        (0, ..) => "an unspecified address",
        (127, ..) => "a loopback address",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (169, 254, _) => "a link-local address",
        (100, 64..=127, _) => "a shared address (RFC 6598)",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "a documentation address",
        (192, 0, 0) | (192, 88, 99) => "a protocol assignment",
        (198, 18..=19, _) => "a benchmarking address",
        (224..=239, ..) => "a multicast address",
        (240.., ..) => "a reserved address",
        _ => return None,
    };
    Some(kind)
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    let kind = match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => "an unspecified address",
        [0, 0, 0, 0, 0, 0, 0, 1] => "a loopback address",
        [0, 0, 0, 0, 0, 0xffff, ..] => "an IPv4-mapped address",
        [0, 0, 0, 0, 0, 0, ..] => "an IPv4-compatible address",
        [0x64, 0xff9b, ..] => "a NAT64 address",
        [0x100, 0, 0, 0, ..] => "a discard-only address",
        [0x2002, ..] => "a 6to4 address",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "a documentation address",
        [0x2001, 0..=0x1ff, ..] => "a protocol assignment",
        [0xfc00..=0xfdff, ..] => "a private address",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xfec0..=0xfeff, ..] => "a site-local address",
        [0xff00..=0xffff, ..] => "a multicast address",
        [0x2000..=0x3fff, ..] => return None,
        _ => "a reserved address",
    };
    Some(kind)
}

fn forbidden(target: &str, reason: &str) -> Error {
    Error::Forbidden {
        exchange: Exchange::default(),
        target: target.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn allows(egress: &Egress, host: &str, address: &str) -> bool {
        egress.check_address(host, address.parse().unwrap()).is_ok()
    }

    #[test]
    fn by_default_only_public_addresses_may_be_dialled() {
        let egress = Egress::restricted("").unwrap();
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:808:808::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!allows(&egress, "api.test", private), "{private}");
        }
        for public in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(allows(&egress, "api.test", public), "{public}");
        }
    }

    #[test]
    fn by_default_only_https_may_be_used() {
        let egress = Egress::restricted("").unwrap();
        assert!(egress.check_host("https", "api.test").is_ok());
        let error = egress.check_host("http", "api.test").unwrap_err();
        assert!(error.to_string().contains("https only"), "{error}");
    }

    #[test]
    fn rules_allow_exactly_what_they_name() {
        let egress =
            Egress::restricted("api.corp, *.example.com 10.0.0.0/8,fd00::/8,192.168.7.7").unwrap();
        for (host, address) in [
            ("api.corp", "10.0.0.1"),
            ("API.CORP.", "192.168.0.1"),
            ("a.example.com", "127.0.0.1"),
            ("a.b.Example.com", "127.0.0.1"),
            ("other", "10.255.255.255"),
            ("other", "::ffff:10.0.0.1"),
            ("other", "fd12::1"),
            ("other", "192.168.7.7"),
        ] {
            assert!(allows(&egress, host, address), "{host} {address}");
            assert!(egress.check_host("http", host).is_ok());
        }
        for (host, address) in [
            ("example.com", "127.0.0.1"),
            ("badexample.com", "127.0.0.1"),
            (".example.com", "127.0.0.1"),
            ("api.corp.evil.test", "127.0.0.1"),
            ("other", "11.0.0.0"),
            ("other", "8.8.8.8"),
            ("other", "fe80::1"),
            ("other", "192.168.7.8"),
        ] {
            assert!(!allows(&egress, host, address), "{host} {address}");
        }
    }

    #[test]
    fn a_name_that_no_rule_can_match_is_refused_before_it_is_looked_up() {
        let names = Egress::restricted("api.corp,*.example.com").unwrap();
        assert!(names.check_host("https", "other.test").is_err());
        assert!(names.check_host("http", "a.example.com").is_ok());
        let blocks = Egress::restricted("10.0.0.0/8").unwrap();
        assert!(blocks.check_host("http", "other.test").is_ok());
    }

    #[test]
    fn a_host_is_named_by_what_is_written() {
        let egress =
            Egress::unrestricted_but_naming("cdn.test, *.pages.test, 10.0.0.0/8, ::1").unwrap();
        for named in ["cdn.test", "CDN.test.", "a.pages.test", "10.1.2.3", "[::1]"] {
            assert!(egress.names(named), "{named}");
        }
        for other in [
            "evil.test",
            "pages.test",
            "cdn.test.evil",
            "11.0.0.1",
            "[::2]",
            "167772161",
            "012.0.0.1",
            "",
        ] {
            assert!(!egress.names(other), "{other}");
        }
        assert!(!Egress::unrestricted().names("cdn.test"));
    }

    #[test]
    fn a_block_of_no_bits_is_everything_of_its_family() {
        let egress = Egress::restricted("0.0.0.0/0").unwrap();
        assert!(allows(&egress, "x", "203.0.113.1"));
        assert!(!allows(&egress, "x", "::1"));
    }

    #[test]
    fn nonsense_in_the_setting_is_refused_by_entry() {
        for entry in [
            "http://api.test",
            "api.test:80",
            "10.0.0.0/33",
            "::/129",
            "*.",
            "a..b",
            "x/8",
            "10.0.0.0/x",
        ] {
            let error = Egress::restricted(entry).unwrap_err().to_string();
            assert!(
                error.contains(entry) && error.contains("allowed_hosts"),
                "{error}"
            );
        }
    }
}
