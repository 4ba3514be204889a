//! A connection to a server that loses every n-th answer: the request is done, and the connection breaks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Lossy {
    address: SocketAddr,
    counters: Arc<Counters>,
}

struct Counters {
    every: u64,
    requests: AtomicU64,
    lost: AtomicU64,
}

impl Lossy {
    /// In front of the server at `url`, for as long as the test runs.
    pub(crate) async fn start(url: &str, every: u64) -> Self {
        let server = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counters = Arc::new(Counters { every, requests: AtomicU64::new(0), lost: AtomicU64::new(0) });
        let shared = Arc::clone(&counters);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, counters }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many answers were lost.
    pub(crate) fn lost(&self) -> u64 {
        self.counters.lost.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways. What the client sends after an answer, or first, begins a request.
async fn carry(mut client: TcpStream, server: String, counters: Arc<Counters>) {
    let Ok(mut server) = TcpStream::connect(&server).await else { return };
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut is_new, mut is_lost) = (true, false);
    loop {
        tokio::select! {
            sent = client.read(&mut asked) => {
                let Ok(length @ 1..) = sent else { return };
                if is_new {
                    is_new = false;
                    let number = counters.requests.fetch_add(1, Ordering::SeqCst) + 1;
                    is_lost = number.is_multiple_of(counters.every);
                }
                if server.write_all(&asked[..length]).await.is_err() {
                    return;
                }
            }
            sent = server.read(&mut answered) => {
                let Ok(length @ 1..) = sent else { return };
                if is_lost && !answered[..length].starts_with(b"HTTP/1.1 100") {
                    counters.lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                is_new = !answered[..length].starts_with(b"HTTP/1.1 100");
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
