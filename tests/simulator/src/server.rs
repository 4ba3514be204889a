//! The thin shell: the world's answers over HTTP.

mod api;
mod broken;
mod credentials;
mod damage;
mod faults;
mod gzip;
mod options;
mod parameters;
mod reply;
mod roster;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

use crate::world::World;
use api::Api;
pub use options::{Clock, EmptyPage, PublicList, ServerOptions};
pub use parameters::Request;

/// A running server, on a thread and a runtime of its own: tests may be synchronous or not. It stops on drop, and
/// answers that are being sent break off.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    api: Arc<Api>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts answering from `world`. When this returns, the server accepts connections.
    ///
    /// # Errors
    /// If the address cannot be bound, or the machine has no thread left.
    pub fn start(world: World, options: ServerOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.bind)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let api = Arc::new(Api::new(world, options));
        let (stop, stopped) = oneshot::channel();
        let router = api::router(&api);
        let thread = thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || serve(&runtime, listener, router, stopped))?;
        Ok(Self { address, api, stop: Some(stop), thread: Some(thread) })
    }

    /// The base URL: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All calls so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.api.requests()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been printed already.
            let _ = thread.join();
        }
    }
}

/// Serves until `stopped` resolves, which it does when its sender is dropped.
fn serve(runtime: &Runtime, listener: TcpListener, router: axum::Router, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        tokio::select! {
            // It never ends by itself.
            _ = axum::serve(listener, router) => {}
            _ = stopped => {}
        }
    });
}
