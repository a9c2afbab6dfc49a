//! Megabytes through TLS in and TLS out: pairs of the sealed relay, connections through HAProxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ticket::{RELAY_ALPN, Ticket, TicketKey};
use tasuki_turn_relay::shell::tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::contender::{Contender, Folder};

type Client = client::TlsStream<TcpStream>;

/// Both ends of what a contender joins.
pub(crate) struct Ends {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
    behind: TcpListener,
    pairs: u64,
}

impl Ends {
    pub(crate) async fn new(folder: &Folder) -> Result<Self> {
        let certificate = CertificateDer::from_pem_file(folder.file("cert.pem"))?;
        let private = PrivateKeyDer::from_pem_file(folder.file("key.pem"))?;
        let mut server = tls::server_config(vec![certificate.clone()], private)?;
        server.alpn_protocols.clear();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate)?;
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![RELAY_ALPN.to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            acceptor: TlsAcceptor::from(Arc::new(server)),
            behind: TcpListener::bind("127.0.0.1:0").await?,
            pairs: 0,
        })
    }

    /// Where HAProxy is to connect to.
    pub(crate) fn behind(&self) -> Result<SocketAddr> {
        Ok(self.behind.local_addr()?)
    }

    pub(crate) async fn join(&mut self, relay: &Contender) -> Result<(Client, Client)> {
        self.pairs += 1;
        let mut operator = self.present(relay.address, Role::Operator).await?;
        let mut agent = self.present(relay.address, Role::Agent).await?;
        let answers = (operator.read_u8().await?, agent.read_u8().await?);
        ensure!(answers == (1, 1), "the relay joins nobody");
        Ok((operator, agent))
    }

    pub(crate) async fn through(
        &self,
        haproxy: &Contender,
    ) -> Result<(Client, server::TlsStream<TcpStream>)> {
        let outside = self.connect(haproxy.address);
        let inside = async {
            let (stream, _) = self.behind.accept().await?;
            anyhow::Ok(self.acceptor.accept(stream).await?)
        };
        let (outside, inside) = tokio::try_join!(outside, inside)?;
        Ok((outside, inside))
    }

    async fn connect(&self, address: SocketAddr) -> Result<Client> {
        let tcp = TcpStream::connect(address).await?;
        let name = ServerName::try_from("relay.test")?;
        Ok(self.connector.connect(name, tcp).await?)
    }

    async fn present(&self, address: SocketAddr, role: Role) -> Result<Client> {
        let mut session = [0; 16];
        session[..8].copy_from_slice(&self.pairs.to_le_bytes());
        let mut nonce = session;
        nonce[15] = 1 + u8::from(role == Role::Agent);
        let ticket = Ticket { session: SessionId(session), leg: 0, role, expires: soon()?, nonce };
        let sealed = TicketKey::from_bytes([7; 32]).seal(&ticket);
        let mut client = self.connect(address).await?;
        client.write_u16(sealed.len() as u16).await?;
        client.write_all(&sealed).await?;
        client.flush().await?;
        Ok(client)
    }
}

pub(crate) fn soon() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the clock")?.as_secs() + 55)
}

/// Pushes so many megabytes in writes of that size through a pair, and waits for the last byte.
pub(crate) async fn push<W, R>(mut from: W, mut to: R, megabytes: usize, write: usize) -> Result<(W, R)>
where
    W: AsyncWrite + Unpin + Send + 'static,
    R: AsyncRead + Unpin,
{
    let total = megabytes * 1_000_000;
    let sending = tokio::spawn(async move {
        let chunk = vec![9; write];
        let mut left = total;
        while left > 0 {
            let now = left.min(write);
            from.write_all(&chunk[..now]).await?;
            left -= now;
        }
        from.flush().await?;
        anyhow::Ok(from)
    });
    let mut chunk = vec![0; 256 * 1024];
    let mut heard = 0;
    while heard < total {
        let read = to.read(&mut chunk).await?;
        ensure!(read > 0, "closed in the middle");
        heard += read;
    }
    Ok((sending.await??, to))
}
