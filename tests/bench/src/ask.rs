//! Requests and nothing else: how long the vendor alone takes to answer.

use std::io;

use futures::{StreamExt, TryStreamExt, stream};

use crate::Outcome;

#[tokio::main]
pub(crate) async fn ask(url: &str, concurrency: usize) -> Outcome {
    let client = reqwest::Client::new();
    let url = format!("{url}/eventopenapi/event/report/details");
    let bodies = io::stdin().lines().collect::<Result<Vec<_>, _>>()?;
    let asked = stream::iter(bodies).map(|body| {
        let request = client.post(&url).header("content-type", "application/json").body(body);
        async move {
            let mut answer = request.send().await?.error_for_status()?;
            while answer.chunk().await?.is_some() {}
            Ok::<_, reqwest::Error>(())
        }
    });
    asked.buffer_unordered(concurrency).try_collect::<()>().await?;
    Ok(())
}
