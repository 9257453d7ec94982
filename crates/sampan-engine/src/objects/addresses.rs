//! Addresses and node ports of services.
//!
//! What is taken is kept in memory, read once from the stored services. A change of a service reserves what it
//! needs first and keeps it when it has been stored; otherwise the reservation lapses.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{ListRequest, Objects};
use crate::error::{Cause, CauseReason, Error};
use crate::resources::{self, Resource};

/// The node ports that services may have.
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30000..=32767;

/// The addresses that services may have.
#[derive(Debug, Clone, Copy)]
pub struct ServiceNetwork {
    /// The network's own address.
    pub network: Ipv4Addr,
    /// How many bits of it are fixed.
    pub prefix: u8,
    /// The address of the cluster's name server, given to nobody else.
    pub dns: Ipv4Addr,
}

impl ServiceNetwork {
    /// The address of the API itself: the first one.
    #[must_use]
    pub fn first(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network.to_bits() + 1)
    }

    fn contains(&self, address: Ipv4Addr) -> bool {
        let bits = u32::from(self.prefix);
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        address.to_bits() & mask == self.network.to_bits() & mask
    }

    /// How many addresses there are to give, without the network's own and the last.
    fn size(&self) -> u32 {
        (1_u32 << (32 - u32::from(self.prefix).clamp(1, 30))) - 2
    }
}

/// What is taken.
#[derive(Debug)]
pub(super) struct Addresses {
    network: ServiceNetwork,
    loaded: OnceCell<()>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    addresses: HashSet<Ipv4Addr>,
    ports: HashSet<u16>,
}

/// What a service needs that it did not have before; given back when dropped, unless kept.
#[derive(Debug)]
pub(super) struct Reservation<'a> {
    from: &'a Addresses,
    addresses: Vec<Ipv4Addr>,
    ports: Vec<u16>,
}

impl Reservation<'_> {
    /// The service is stored: what was reserved is taken for good.
    pub(super) fn keep(mut self) {
        self.addresses.clear();
        self.ports.clear();
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.from.release(&self.addresses, &self.ports);
    }
}

impl Addresses {
    pub(super) fn new(network: ServiceNetwork) -> Self {
        Self {
            network,
            loaded: OnceCell::new(),
            taken: Mutex::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, addresses: &[Ipv4Addr], ports: &[u16]) {
        let mut taken = self.taken();
        for address in addresses {
            taken.addresses.remove(address);
        }
        for port in ports {
            taken.ports.remove(port);
        }
    }

    fn nothing(&self) -> Reservation<'_> {
        Reservation {
            from: self,
            addresses: Vec::new(),
            ports: Vec::new(),
        }
    }
}

impl Objects {
    /// Gives a service the addresses and ports that it asks for or lacks; does nothing for other kinds.
    pub(super) async fn reserve_addresses(
        &self,
        resource: &'static Resource,
        name: &str,
        current: Option<&Value>,
        service: &mut Value,
    ) -> Result<Reservation<'_>, Error> {
        let addresses = &self.inner.addresses;
        let mut reservation = addresses.nothing();
        if resource.kind != "Service" || resource.custom.is_some() {
            return Ok(reservation);
        }
        addresses
            .loaded
            .get_or_try_init(|| self.load_addresses(resource))
            .await?;
        let invalid = |cause| Error::Invalid {
            resource,
            name: name.to_owned(),
            causes: vec![cause],
        };
        if let Some(current) = current {
            inherit(current, service);
        }
        let before = current.map(Claims::of).unwrap_or_default();
        reservation.address(&before, service).map_err(invalid)?;
        reservation.node_ports(&before, service).map_err(invalid)?;
        Ok(reservation)
    }

    /// Gives back what a service had and no longer has; `after` is `None` when it has been removed.
    pub(super) fn release_addresses(
        &self,
        resource: &Resource,
        before: &Value,
        after: Option<&Value>,
    ) {
        if resource.kind != "Service" || resource.custom.is_some() {
            return;
        }
        let mut gone = Claims::of(before);
        let kept = after.map(Claims::of).unwrap_or_default();
        gone.addresses
            .retain(|address| !kept.addresses.contains(address));
        gone.ports.retain(|port| !kept.ports.contains(port));
        self.inner.addresses.release(&gone.addresses, &gone.ports);
    }

    async fn load_addresses(&self, services: &'static Resource) -> Result<(), Error> {
        debug_assert_eq!(
            resources::of::<k8s_openapi::api::core::v1::Service>(),
            Some(services)
        );
        let list = self.list_values(services, &ListRequest::default()).await?;
        let mut taken = self.inner.addresses.taken();
        for service in &list.items {
            let claims = Claims::of(service);
            taken.addresses.extend(claims.addresses);
            taken.ports.extend(claims.ports);
        }
        Ok(())
    }
}

/// The addresses and node ports that are written in a service.
#[derive(Debug, Default)]
struct Claims {
    addresses: Vec<Ipv4Addr>,
    ports: Vec<u16>,
}

impl Claims {
    fn of(service: &Value) -> Self {
        let address = service.pointer("/spec/clusterIP").and_then(Value::as_str);
        Self {
            addresses: address
                .and_then(|text| text.parse().ok())
                .into_iter()
                .collect(),
            ports: ports(service).filter_map(node_port).collect(),
        }
    }
}

fn ports(service: &Value) -> impl Iterator<Item = &Value> {
    service
        .pointer("/spec/ports")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn node_port(port: &Value) -> Option<u16> {
    let number = port.get("nodePort")?.as_u64()?;
    u16::try_from(number).ok().filter(|number| *number != 0)
}

fn service_type(service: &Value) -> &str {
    service
        .pointer("/spec/type")
        .and_then(Value::as_str)
        .unwrap_or("ClusterIP")
}

/// Takes over what was given to the service before and is not written in the new one: clients apply manifests
/// that do not name addresses.
fn inherit(current: &Value, service: &mut Value) {
    if service_type(service) == "ExternalName" {
        return;
    }
    let unset = service
        .pointer("/spec/clusterIP")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty);
    if unset && service_type(current) != "ExternalName" {
        for field in ["clusterIP", "clusterIPs"] {
            if let Some(value) = current.pointer(&format!("/spec/{field}")) {
                service["spec"][field] = value.clone();
            }
        }
    }
    if !has_node_ports(service) {
        return;
    }
    let known: Vec<Value> = ports(current).cloned().collect();
    for port in service["spec"]["ports"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        let same = |old: &&Value| {
            ["port", "protocol"]
                .iter()
                .all(|field| old.get(field) == port.get(field))
        };
        if node_port(port).is_none()
            && let Some(number) = known.iter().find(same).and_then(node_port)
        {
            port["nodePort"] = number.into();
        }
    }
}

fn has_node_ports(service: &Value) -> bool {
    matches!(service_type(service), "NodePort" | "LoadBalancer")
}

impl Reservation<'_> {
    fn address(&mut self, before: &Claims, service: &mut Value) -> Result<(), Cause> {
        if service_type(service) == "ExternalName" {
            return Ok(());
        }
        let asked = service
            .pointer("/spec/clusterIP")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let address = match asked {
            "None" => {
                service["spec"]["clusterIPs"] = json!(["None"]);
                return Ok(());
            }
            "" => self.next_address()?,
            text => match text.parse() {
                Ok(address) if before.addresses.contains(&address) => address,
                Ok(address) => self.this_address(address)?,
                // What is not an address is refused by the validation.
                Err(_) => return Ok(()),
            },
        };
        let text = address.to_string();
        service["spec"]["clusterIPs"] = json!([text]);
        service["spec"]["clusterIP"] = text.into();
        let spec = super::metadata::field_map(super::metadata::map(service), "spec");
        spec.entry("ipFamilies").or_insert_with(|| json!(["IPv4"]));
        spec.entry("ipFamilyPolicy")
            .or_insert_with(|| "SingleStack".into());
        Ok(())
    }

    fn next_address(&mut self) -> Result<Ipv4Addr, Cause> {
        let network = self.from.network;
        let mut taken = self.from.taken();
        // The first addresses are left to those that ask for them by name.
        let reserved = 16.min(network.size() / 16);
        let first = network.network.to_bits() + 1;
        let free = (reserved..network.size())
            .map(|offset| Ipv4Addr::from_bits(first + offset))
            .find(|address| *address != network.dns && !taken.addresses.contains(address));
        let Some(address) = free else {
            return Err(Cause {
                reason: CauseReason::Invalid,
                field: "spec.clusterIPs".to_owned(),
                message: "Invalid value: []: failed to allocate a serviceIP: range is full"
                    .to_owned(),
            });
        };
        taken.addresses.insert(address);
        self.addresses.push(address);
        Ok(address)
    }

    fn this_address(&mut self, address: Ipv4Addr) -> Result<Ipv4Addr, Cause> {
        let problem = if !self.from.network.contains(address) {
            format!(
                "the provided IP ({address}) is not in the valid range. The range of valid IPs is {}/{}",
                self.from.network.network, self.from.network.prefix
            )
        } else if self.from.taken().addresses.insert(address) {
            self.addresses.push(address);
            return Ok(address);
        } else {
            format!("failed to allocate IP {address}: provided IP is already allocated")
        };
        Err(Cause {
            reason: CauseReason::Invalid,
            field: "spec.clusterIPs".to_owned(),
            message: format!("Invalid value: [\"{address}\"]: {problem}"),
        })
    }

    fn node_ports(&mut self, before: &Claims, service: &mut Value) -> Result<(), Cause> {
        let wanted = has_node_ports(service);
        let list = service["spec"]["ports"].as_array_mut();
        for (index, port) in list.into_iter().flatten().enumerate() {
            if !wanted {
                if let Value::Object(port) = port {
                    port.remove("nodePort");
                }
                continue;
            }
            let number = match node_port(port) {
                Some(number) if before.ports.contains(&number) => number,
                Some(number) => self.this_port(number, index)?,
                None => self.next_port(index)?,
            };
            port["nodePort"] = number.into();
        }
        Ok(())
    }

    fn this_port(&mut self, number: u16, index: usize) -> Result<u16, Cause> {
        let problem = if !NODE_PORTS.contains(&number) {
            format!(
                "provided port is not in the valid range. The range of valid ports is {}-{}",
                NODE_PORTS.start(),
                NODE_PORTS.end()
            )
        } else if self.from.taken().ports.insert(number) {
            self.ports.push(number);
            return Ok(number);
        } else {
            "provided port is already allocated".to_owned()
        };
        Err(Cause {
            reason: CauseReason::Invalid,
            field: format!("spec.ports[{index}].nodePort"),
            message: format!("Invalid value: {number}: {problem}"),
        })
    }

    fn next_port(&mut self, index: usize) -> Result<u16, Cause> {
        let mut taken = self.from.taken();
        let Some(number) = NODE_PORTS
            .into_iter()
            .find(|port| !taken.ports.contains(port))
        else {
            return Err(Cause {
                reason: CauseReason::Invalid,
                field: format!("spec.ports[{index}].nodePort"),
                message: "Invalid value: 0: failed to allocate a nodePort: range is full"
                    .to_owned(),
            });
        };
        taken.ports.insert(number);
        self.ports.push(number);
        Ok(number)
    }
}
