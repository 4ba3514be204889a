//! The vendor's webinar-report API on this machine. Prints its base URL when it is ready.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use jiff::civil::Date;
use simulator::{
    Clock, EmptyPage, Fault, PublicList, Quirks, RangeEnds, Server, ServerOptions, ViewerDetails, Viewers,
    World, WorldOptions,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Simulates the vendor's webinar-report API; prints its base URL when it is ready.
#[derive(Debug, Parser)]
#[command(version)]
#[allow(clippy::struct_excessive_bools, reason = "each says one thing of the vendor, in any combination")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    bind: SocketAddr,
    /// The seed of all events
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many events there are besides the vendor's sample
    #[arg(long, default_value_t = 24)]
    events: u64,
    /// How many viewers an event has: a number, or the least and the most
    #[arg(long, default_value = "0..300")]
    viewers: Viewers,
    /// The first day on which events start, in UTC+8
    #[arg(long, default_value = "2022-10-20")]
    first_day: Date,
    /// Over how many days the events are spread
    #[arg(long, default_value_t = 10)]
    days: u32,
    /// A token that is valid besides those issued
    #[arg(long)]
    token: Option<String>,
    /// How many requests an issued token is good for [default: any number]
    #[arg(long)]
    token_expires_after: Option<u64>,
    /// The code by which a token is refused.
    #[arg(long, default_value_t = 401)]
    token_code: i64,
    /// An issued token ends those before it
    #[arg(long)]
    new_token_ends_old: bool,
    /// The customer's key
    #[arg(long, default_value = "demo")]
    app_key: String,
    /// The secret under which calls are signed
    #[arg(long, default_value = "demo")]
    app_secret: String,
    /// The user for whom tokens are issued
    #[arg(long, default_value_t = 1)]
    user_id: u64,
    /// Which ends of a range belong to it
    #[arg(long, value_enum, default_value_t)]
    range_ends: RangeEnds,
    /// What the totals of viewers cover when a range is asked for
    #[arg(long, value_enum, default_value_t)]
    viewer_details: ViewerDetails,
    /// Leave out viewings of another kind than `liveType` asks for
    #[arg(long)]
    live_type_filters: bool,
    /// The shape of the list of public events
    #[arg(long, value_enum, default_value_t)]
    public_list: PublicList,
    /// What stands where a list has no event on a page
    #[arg(long, value_enum, default_value_t)]
    empty_page: EmptyPage,
    /// What time it always is, such as 2022-11-01T00:00:00Z [default: the machine's time]
    #[arg(long)]
    now: Option<Timestamp>,
    /// What goes wrong: `NAME[=VALUE][@WHEN]`, such as `reset@rate:0.1` or `status=503@every:3`; may be repeated
    #[arg(long = "fault")]
    faults: Vec<Fault>,
    /// What is odd about every report
    #[command(flatten)]
    quirks: Quirks,
    /// The seed of what goes wrong at random
    #[arg(long, default_value_t = 1)]
    fault_seed: u64,
    /// How long every answer is thought about before it begins, in milliseconds
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Send gzip to clients that take it
    #[arg(long)]
    gzip: bool,
    /// Stop when standard input is closed, as it is when the process that started this one ends
    #[arg(long)]
    until_stdin_closes: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let world = World::new(WorldOptions {
        seed: options.seed,
        events: options.events,
        viewers: options.viewers,
        first_day: options.first_day,
        days: options.days,
        ..WorldOptions::default()
    });
    let server = Server::start(
        world,
        ServerOptions {
            bind: options.bind,
            token: options.token,
            token_expires_after: options.token_expires_after,
            token_code: options.token_code,
            new_token_ends_old: options.new_token_ends_old,
            app_key: options.app_key,
            app_secret: options.app_secret,
            user_id: options.user_id,
            range_ends: options.range_ends,
            viewer_details: options.viewer_details,
            live_type_filters: options.live_type_filters,
            public_list: options.public_list,
            empty_page: options.empty_page,
            clock: options.now.map_or(Clock::System, Clock::Fixed),
            faults: options.faults,
            fault_seed: options.fault_seed,
            quirks: options.quirks,
            gzip: options.gzip,
            latency: Duration::from_millis(options.latency),
            ..ServerOptions::default()
        },
    )?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    writeln!(io::stdout(), "{}", server.url())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stdin_closed(), if options.until_stdin_closes => {}
    }
    Ok(())
}

/// Returns when standard input is closed. What comes in until then is dropped.
async fn stdin_closed() {
    let (closed, is_closed) = oneshot::channel::<()>();
    thread::spawn(move || {
        // An unreadable input counts as closed.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(closed);
    });
    // The sender is dropped without sending anything.
    let _ = is_closed.await;
}
