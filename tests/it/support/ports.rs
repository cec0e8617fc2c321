//! Ports on loopback that nobody else is given while a test needs them.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpSocket;

/// A port at which nobody listens, and nobody else can while the socket lives. The socket itself may begin to.
pub fn closed() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

/// A port for a server that is told where to listen. While the socket lives, nobody who asks for any free port is given
/// this one; who asks for this very one gets it, if they allow themselves an address in use (`SO_REUSEADDR`), as servers
/// do.
///
/// # Errors
/// The machine has no such address.
pub fn reserved(at: IpAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(at, 0))?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}
