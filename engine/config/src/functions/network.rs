//! Functions on IP networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bigdecimal::ToPrimitive;

use super::{Call, FunctionError, Row, plain};
use crate::expr_value::ExprValue;
use crate::types::Type;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("cidrcontains(prefix: string, part: string) -> bool",
        "Tells whether an address, or all of another network, lies in the network.",
        r#"cidrcontains("10.0.0.0/8", "10.2.0.0/16") && !cidrcontains("10.0.0.0/8", "11.0.0.1")"#, |call| {
            let (network, part) = (Network::parse(call, 0)?, Network::parse_part(call, 1)?);
            if network.width != part.width {
                return Err(FunctionError::argument(1, "both must be IPv4 or both IPv6"));
            }
            Ok((network.prefix <= part.prefix && part.bits & network.mask() == network.bits).into())
        }),
    plain("cidrhost(prefix: string, number: number) -> string",
        "Returns an address of the network by its number; negative numbers count from the end.",
        r#"cidrhost("10.1.0.0/16", 258) == "10.1.1.2" && cidrhost("10.1.0.0/24", -1) == "10.1.0.255""#, |call| {
            let network = Network::parse(call, 0)?;
            let number = call.number(1)?.to_decimal();
            let number = number.is_integer().then(|| number.to_i128()).flatten();
            let host = number.and_then(|number| network.host(number)).ok_or_else(|| FunctionError::argument(1, "the network has no such address"))?;
            Ok(ExprValue::string(host.to_string()))
        }),
    plain("cidrnetmask(prefix: string) -> string", "Returns the mask of an IPv4 network.",
        r#"cidrnetmask("10.0.0.0/12") == "255.240.0.0""#, |call| {
            let network = Network::parse(call, 0)?;
            if network.width != 32 {
                return Err(FunctionError::argument(0, "only IPv4 networks have masks"));
            }
            Ok(ExprValue::string(network.address(network.mask()).to_string()))
        }),
    plain("cidrsubnet(prefix: string, newbits: number, number: number) -> string",
        "Returns a part of the network, whose prefix is longer by newbits, by its number.",
        r#"cidrsubnet("10.0.0.0/16", 8, 2) == "10.0.2.0/24""#, |call| {
            let subnet = Network::parse(call, 0)?.subnet(call, 1, call.int(2)?)?;
            Ok(ExprValue::string(subnet.to_string()))
        }),
    plain("cidrsubnets(prefix: string, newbits...: number) -> list(string)",
        "Returns consecutive parts of the network, each with a prefix longer by its newbits.",
        r#"cidrsubnets("10.0.0.0/16", 8, 8) == tolist(["10.0.0.0/24", "10.0.1.0/24"])"#, subnets),
];

/// A network: the bits of its first address and the length of its prefix.
struct Network {
    bits: u128,
    prefix: u32,
    /// 32 or 128.
    width: u32,
}

impl Network {
    fn parse(call: &Call<'_>, idx: usize) -> Result<Self, FunctionError> {
        Self::read(call.text(idx)?)
            .ok_or_else(|| FunctionError::argument(idx, "a network is required, such as \"10.0.0.0/16\""))
    }

    /// Reads a network, or a single address as the network of nothing else.
    fn parse_part(call: &Call<'_>, idx: usize) -> Result<Self, FunctionError> {
        let text = call.text(idx)?;
        let single = if text.contains(':') { "/128" } else { "/32" };
        Self::read(text).or_else(|| Self::read(&format!("{text}{single}"))).ok_or_else(|| {
            FunctionError::argument(idx, "an address or a network is required, such as \"10.0.0.1\"")
        })
    }

    fn read(text: &str) -> Option<Self> {
        text.split_once('/').and_then(|(address, prefix)| {
            let (bits, width) = match address.parse().ok()? {
                IpAddr::V4(address) => (address.to_bits().into(), 32),
                IpAddr::V6(address) => (address.to_bits(), 128),
            };
            let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= width)?;
            let network = Self { bits, prefix, width };
            Some(Self { bits: bits & network.mask(), ..network })
        })
    }

    /// Returns the bits below the prefix.
    fn host_mask(&self) -> u128 {
        u128::MAX.checked_shr(128 - self.width + self.prefix).unwrap_or(0)
    }

    fn mask(&self) -> u128 {
        u128::MAX >> (128 - self.width) & !self.host_mask()
    }

    fn address(&self, bits: u128) -> IpAddr {
        match u32::try_from(bits) {
            Ok(bits) if self.width == 32 => Ipv4Addr::from_bits(bits).into(),
            _ => Ipv6Addr::from_bits(bits).into(),
        }
    }

    fn host(&self, number: i128) -> Option<IpAddr> {
        let last = self.host_mask();
        let offset =
            if number < 0 { last.checked_sub(number.unsigned_abs() - 1)? } else { number.unsigned_abs() };
        (offset <= last).then(|| self.address(self.bits | offset))
    }

    /// Returns a part of the network; argument `idx` says by how much its prefix is longer.
    fn subnet(&self, call: &Call<'_>, idx: usize, number: i64) -> Result<Self, FunctionError> {
        let longer = u32::try_from(call.int(idx)?).ok();
        let prefix = longer
            .and_then(|longer| self.prefix.checked_add(longer))
            .filter(|prefix| *prefix <= self.width)
            .ok_or_else(|| FunctionError::argument(idx, "the prefix would be longer than an address"))?;
        let longer = prefix - self.prefix;
        let number = u128::try_from(number)
            .ok()
            .filter(|number| number.checked_shr(longer).unwrap_or(0) == 0)
            .ok_or_else(|| FunctionError::failed(format!("{longer} bits do not hold the number {number}")))?;
        let bits = self.bits | number.checked_shl(self.width - prefix).unwrap_or(0);
        Ok(Self { bits, prefix, width: self.width })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address(self.bits), self.prefix)
    }
}

fn subnets(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let network = Network::parse(call, 0)?;
    let end = network.bits | network.host_mask();
    let mut next = Some(network.bits);
    let mut found = Vec::new();
    for idx in 1..call.arguments.len() {
        let size = network.subnet(call, idx, 0)?;
        let last = size.host_mask();
        // The first address from `next` on that a network of this size can start at.
        let start = next
            .and_then(|next| next.checked_add(last))
            .map(|bits| bits & !last)
            .filter(|start| (start | last) <= end)
            .ok_or_else(|| FunctionError::argument(idx, "no room is left in the network"))?;
        next = (start | last).checked_add(1);
        let subnet = Network { bits: start, ..size };
        found.push(ExprValue::string(subnet.to_string()));
    }
    Ok(ExprValue::list(Type::String, found))
}
