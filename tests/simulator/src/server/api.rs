//! The endpoints. All calls are answered in one place: [`Api::answer`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde_json::json;

use super::ServerOptions;
use super::broken::broken;
use super::credentials::{Nonces, Tokens, verify_signature};
use super::faults::Faults;
use super::gzip;
use super::parameters::{Parameters, Request};
use super::reply::{Failure, Reply};
use super::roster::{Info, modify_list, public_list};
use crate::event::Event;
use crate::fault::FaultKind;
use crate::query::Query;
use crate::range::Range;
use crate::world::World;

/// The vendor's API over one world.
#[derive(Debug)]
pub(super) struct Api {
    world: World,
    options: ServerOptions,
    tokens: Tokens,
    nonces: Nonces,
    faults: Faults,
    calls: AtomicU64,
    requests: Mutex<Vec<Request>>,
}

/// The vendor's endpoints.
#[derive(Clone, Copy)]
enum Endpoint {
    TokenCreate,
    UserSearch,
    ModifyList,
    PublicList,
    Info,
    Report,
}

const ENDPOINTS: [(&str, Endpoint); 6] = [
    ("/eventopenapi/token/create", Endpoint::TokenCreate),
    ("/eventopenapi/user/search/email", Endpoint::UserSearch),
    ("/eventopenapi/event/modify/list", Endpoint::ModifyList),
    ("/eventopenapi/event/public/list", Endpoint::PublicList),
    ("/eventopenapi/event/info", Endpoint::Info),
    ("/eventopenapi/event/report/details", Endpoint::Report),
];

/// The routes to `api`.
pub(super) fn router(api: &Arc<Api>) -> Router {
    ENDPOINTS.into_iter().fold(Router::new(), |router, (path, endpoint)| {
        let api = Arc::clone(api);
        let answer =
            async move |headers: HeaderMap, body: Bytes| api.answer(path, endpoint, &headers, &body).await;
        router.route(path, post(answer))
    })
}

impl Api {
    pub(super) fn new(world: World, options: ServerOptions) -> Self {
        let (tokens, nonces, faults) = (Tokens::default(), Nonces::default(), Faults::new(&options));
        let (calls, requests) = (AtomicU64::default(), Mutex::default());
        Self { world, options, tokens, nonces, faults, calls, requests }
    }

    /// All calls so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers one call, or fails to if a fault strikes it.
    async fn answer(
        &self,
        path: &'static str,
        endpoint: Endpoint,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let reply = Reply::new(number, self.options.clock.now(), self.options.timeless);
        let asked = serde_json::from_slice::<Parameters>(body);
        let fault = self.log(number, path, asked.as_ref().unwrap_or(&Parameters::default()));
        let answer = || {
            let asked = asked.map_err(|_| Failure::BAD_REQUEST);
            asked
                .and_then(|asked| self.call(endpoint, headers, asked, &reply))
                .unwrap_or_else(|failure| reply.failure(failure))
        };
        if !self.options.latency.is_zero() {
            tokio::time::sleep(self.options.latency).await;
        }
        let response = match fault {
            Some(fault) => broken(fault, &reply, answer).await,
            None => answer(),
        };
        if self.options.gzip && gzip::is_accepted(headers) { gzip::gzip(response) } else { response }
    }

    fn call(
        &self,
        endpoint: Endpoint,
        headers: &HeaderMap,
        asked: Parameters,
        reply: &Reply,
    ) -> Result<Response, Failure> {
        match endpoint {
            Endpoint::TokenCreate | Endpoint::UserSearch => {
                verify_signature(headers, &self.options, &self.nonces)?;
            }
            _ => {
                if self.options.signature_everywhere {
                    verify_signature(headers, &self.options, &self.nonces)?;
                }
                self.tokens.verify(asked.token.as_deref(), &self.options)?;
            }
        }
        let now = reply.now.as_second();
        Ok(match endpoint {
            Endpoint::TokenCreate => self.token(&asked, reply)?,
            Endpoint::UserSearch => {
                let email = asked.email.ok_or(Failure::BAD_REQUEST)?;
                if self.options.email.as_ref().is_some_and(|known| *known != email) {
                    return Err(Failure::UNKNOWN_USER);
                }
                reply.success(json!({"userId": self.options.user_id}))
            }
            Endpoint::ModifyList => {
                reply.success(modify_list(&self.world, &asked, now, self.options.empty_page)?)
            }
            Endpoint::PublicList => {
                let ServerOptions { public_list: shape, empty_page, .. } = self.options;
                reply.success(public_list(&self.world, &asked, now, shape, empty_page))
            }
            Endpoint::Info => reply.success(Info::new(self.event(&asked, now)?, now)),
            Endpoint::Report => {
                let length = asked.end_time.zip(asked.start_time).map(|(end, start)| end - start);
                if self.options.quirks.longest_range.is_some_and(|longest| length > Some(longest)) {
                    return Err(Failure::BAD_REQUEST);
                }
                let range =
                    Range { start: asked.start_time, end: asked.end_time, ends: self.options.range_ends };
                let query = Query {
                    range,
                    live_type: asked.live_type.filter(|_| self.options.live_type_filters),
                    viewer_details: self.options.viewer_details,
                    now: reply.now,
                    request_id: reply.request_id.clone(),
                };
                Reply::report(self.event(&asked, now)?, query, self.options.quirks)
            }
        })
    }

    /// Issues a token to the customer's user.
    fn token(&self, asked: &Parameters, reply: &Reply) -> Result<Response, Failure> {
        if asked.user_id.ok_or(Failure::BAD_REQUEST)? != self.options.user_id {
            return Err(Failure::UNKNOWN_USER);
        }
        Ok(reply.success(json!({
            "productId": 1,
            "createTime": reply.now.as_millisecond(),
            "expire": self.options.token_valid,
            "customerCode": "100001",
            &self.options.token_field: self.tokens.issue(reply.number, &self.options),
        })))
    }

    /// The event asked for, as it is now.
    fn event(&self, asked: &Parameters, now: i64) -> Result<Event, Failure> {
        let id = asked.event_id.ok_or(Failure::BAD_REQUEST)?;
        self.world.event(id).and_then(|event| event.at(now)).ok_or(Failure::UNKNOWN_EVENT)
    }

    /// Logs the call `number`, and says what is to go wrong with it.
    fn log(&self, number: u64, path: &'static str, asked: &Parameters) -> Option<&FaultKind> {
        let Parameters { event_id, start_time, end_time, .. } = *asked;
        let request = Request { path, event_id, start_time, end_time, fault: None };
        let fault = self.faults.strike(number, &request);
        let request = Request { fault: fault.map(FaultKind::name), ..request };
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        fault
    }
}
