//! The thin shell: the world's answers over HTTP.

mod api;
mod credentials;
mod parameters;
mod reply;
mod roster;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use clap::ValueEnum;
use jiff::Timestamp;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

use crate::range::{RangeEnds, ViewerDetails};
use crate::world::World;
use api::Api;
pub use parameters::Request;

/// How a server answers.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// A token that is valid besides those that `token/create` issues.
    pub token: Option<String>,
    /// The customer's `AppKey`.
    pub app_key: String,
    /// The secret under which calls are signed.
    pub app_secret: String,
    /// The customer's user, for whom tokens are issued.
    pub user_id: u64,
    /// Which ends of a range belong to it.
    pub range_ends: RangeEnds,
    /// What the totals in `viewerDetails` cover when a range is asked for.
    pub viewer_details: ViewerDetails,
    /// The shape of what `event/public/list` answers.
    pub public_list: PublicList,
    /// What time it is.
    pub clock: Clock,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: None,
            app_key: "demo".to_owned(),
            app_secret: "demo".to_owned(),
            user_id: 1,
            range_ends: RangeEnds::default(),
            viewer_details: ViewerDetails::default(),
            public_list: PublicList::default(),
            clock: Clock::default(),
        }
    }
}

/// The shape of the `data` of `event/public/list`, which the vendor's page leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PublicList {
    /// The events alone: `[…]`.
    #[default]
    Array,
    /// In an object: `{"list": […]}`.
    Object,
}

/// What time it is to a server.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's time.
    #[default]
    System,
    /// Always this.
    Fixed(Timestamp),
}

impl Clock {
    fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(now) => now,
        }
    }
}

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
