//! Questions and orders to the kernel about links, addresses and routes, one at a time.
//!
//! A plain socket: containers are created by short-lived processes that have no async runtime.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload,
};
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkAttribute, LinkMessage};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteScope, RouteType,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rtnetlink::{
    AddressMessageBuilder, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth,
    RouteMessageBuilder,
};

use super::Ipv4Net;

/// The number of the table of local routes.
const TABLE_LOCAL: u32 = 255;

/// What is known of a link.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) alias: Option<String>,
    pub(super) up: bool,
}

/// A socket to the network namespace in which it was opened.
pub(super) struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// The link of this name.
    pub(super) fn link(&mut self, name: &str) -> io::Result<Option<Link>> {
        let message = LinkMessageBuilder::<LinkUnspec>::new()
            .name(name.to_owned())
            .build();
        match self.ask(RouteNetlinkMessage::GetLink(message), 0) {
            Ok(answers) => Ok(answers.into_iter().find_map(|answer| match answer {
                RouteNetlinkMessage::NewLink(link) => Some(describe(&link)),
                _ => None,
            })),
            Err(error) if error.raw_os_error() == Some(nix::libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a bridge that says by its alias whose it is.
    pub(super) fn add_bridge(&mut self, name: &str, alias: &str) -> io::Result<()> {
        self.create(RouteNetlinkMessage::NewLink(LinkBridge::new(name).build()))?;
        let named = LinkMessageBuilder::<LinkUnspec>::new()
            .name(name.to_owned())
            .append_extra_attribute(LinkAttribute::IfAlias(alias.to_owned()))
            .build();
        self.order(RouteNetlinkMessage::SetLink(named), 0)
    }

    /// Makes a pair of devices: one here on a bridge and up, its peer in another namespace.
    pub(super) fn add_pair(
        &mut self,
        name: &str,
        bridge: u32,
        peer: &str,
        namespace: BorrowedFd<'_>,
    ) -> io::Result<()> {
        let other = LinkMessageBuilder::<LinkUnspec>::new()
            .name(peer.to_owned())
            .append_extra_attribute(LinkAttribute::NetNsFd(namespace.as_raw_fd()))
            .build();
        let pair = LinkMessageBuilder::<LinkVeth>::new(name, peer)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(other)))
            .controller(bridge)
            .up()
            .build();
        self.create(RouteNetlinkMessage::NewLink(pair))
    }

    pub(super) fn remove_link(&mut self, index: u32) -> io::Result<()> {
        let message = LinkMessageBuilder::<LinkUnspec>::new().index(index).build();
        self.order(RouteNetlinkMessage::DelLink(message), 0)
    }

    /// Gives a link, which is down, a hardware address.
    pub(super) fn set_hardware_address(&mut self, index: u32, address: [u8; 6]) -> io::Result<()> {
        let message = LinkMessageBuilder::<LinkUnspec>::new()
            .index(index)
            .append_extra_attribute(LinkAttribute::Address(address.to_vec()))
            .build();
        self.order(RouteNetlinkMessage::SetLink(message), 0)
    }

    pub(super) fn raise(&mut self, index: u32) -> io::Result<()> {
        let message = LinkMessageBuilder::<LinkUnspec>::new()
            .index(index)
            .up()
            .build();
        self.order(RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Gives a link an address; one that it has already is no error.
    pub(super) fn add_address(
        &mut self,
        index: u32,
        address: Ipv4Addr,
        prefix: u8,
    ) -> io::Result<()> {
        let message = AddressMessageBuilder::<Ipv4Addr>::new()
            .index(index)
            .address(address, prefix)
            .build();
        self.order(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    /// Says that a block is reached directly through a link.
    pub(super) fn add_link_route(&mut self, network: Ipv4Net, index: u32) -> io::Result<()> {
        let message = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(network.address(), network.prefix())
            .output_interface(index)
            .scope(RouteScope::Link)
            .build();
        self.order(
            RouteNetlinkMessage::NewRoute(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    pub(super) fn add_default_route(&mut self, gateway: Ipv4Addr) -> io::Result<()> {
        let message = RouteMessageBuilder::<Ipv4Addr>::new()
            .gateway(gateway)
            .build();
        self.order(
            RouteNetlinkMessage::NewRoute(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    /// Makes all addresses of a block local, so that each can be bound (`ip route add local NET dev lo`).
    pub(super) fn add_local_route(&mut self, network: Ipv4Net, loopback: u32) -> io::Result<()> {
        self.order(
            RouteNetlinkMessage::NewRoute(local_route(network, loopback)),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    /// Takes back what [`Netlink::add_local_route`] made; a route that is not there is no error.
    pub(super) fn remove_local_route(&mut self, network: Ipv4Net, loopback: u32) -> io::Result<()> {
        let message = RouteNetlinkMessage::DelRoute(local_route(network, loopback));
        match self.order(message, 0) {
            Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(()),
            outcome => outcome,
        }
    }

    /// The blocks that addresses and routes of this namespace use, without the default route.
    pub(super) fn used(&mut self) -> io::Result<Vec<Ipv4Net>> {
        let mut addresses = AddressMessage::default();
        addresses.header.family = AddressFamily::Inet;
        let mut used = Vec::new();
        for answer in self.ask(RouteNetlinkMessage::GetAddress(addresses), NLM_F_DUMP)? {
            if let RouteNetlinkMessage::NewAddress(message) = answer {
                used.extend(
                    message
                        .attributes
                        .iter()
                        .filter_map(|attribute| match attribute {
                            AddressAttribute::Address(IpAddr::V4(address)) => {
                                Some(Ipv4Net::new(*address, message.header.prefix_len))
                            }
                            _ => None,
                        }),
                );
            }
        }
        let routes = RouteMessageBuilder::<Ipv4Addr>::new().build();
        for answer in self.ask(RouteNetlinkMessage::GetRoute(routes), NLM_F_DUMP)? {
            if let RouteNetlinkMessage::NewRoute(message) = answer {
                used.extend(destination(&message));
            }
        }
        used.retain(|network| network.prefix() > 0);
        Ok(used)
    }

    /// Orders that something new be made.
    fn create(&mut self, message: RouteNetlinkMessage) -> io::Result<()> {
        self.order(message, NLM_F_CREATE | NLM_F_EXCL)
    }

    fn order(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.ask(message, NLM_F_ACK | flags).map(drop)
    }

    fn ask(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        let mut request = NetlinkMessage::from(message);
        self.sequence += 1;
        request.header.flags = NLM_F_REQUEST | flags;
        request.header.sequence_number = self.sequence;
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut answers = Vec::new();
        loop {
            let (received, _) = self.socket.recv_from_full()?;
            let mut rest = received.as_slice();
            while !rest.is_empty() {
                let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                    .map_err(io::Error::other)?;
                let length = (answer.header.length as usize)
                    .next_multiple_of(4)
                    .min(rest.len());
                rest = &rest[length.max(1)..];
                match answer.payload {
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok(answers),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    NetlinkPayload::Done(_) => return Ok(answers),
                    NetlinkPayload::InnerMessage(message) => {
                        answers.push(message);
                        if flags & (NLM_F_ACK | NLM_F_DUMP) == 0 {
                            return Ok(answers);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn describe(message: &LinkMessage) -> Link {
    use rtnetlink::packet_route::link::LinkFlags;
    Link {
        index: message.header.index,
        alias: message
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::IfAlias(alias) => Some(alias.clone()),
                _ => None,
            }),
        up: message.header.flags.contains(LinkFlags::Up),
    }
}

fn destination(message: &RouteMessage) -> Option<Ipv4Net> {
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => Some(Ipv4Net::new(
                *address,
                message.header.destination_prefix_length,
            )),
            _ => None,
        })
}

fn local_route(network: Ipv4Net, loopback: u32) -> RouteMessage {
    RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(network.address(), network.prefix())
        .output_interface(loopback)
        .kind(RouteType::Local)
        .scope(RouteScope::Host)
        .table_id(TABLE_LOCAL)
        .build()
}
