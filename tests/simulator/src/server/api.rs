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
use super::credentials::{Tokens, verify_signature};
use super::parameters::{Parameters, Request};
use super::reply::{Failure, Reply};
use super::roster::{Info, modify_list, public_list};
use crate::event::Event;
use crate::range::Range;
use crate::report::Query;
use crate::world::World;

/// For how long a token is said to be valid, in seconds.
const EXPIRE: u32 = 86_400;

/// The vendor's API over one world.
#[derive(Debug)]
pub(super) struct Api {
    world: World,
    options: ServerOptions,
    tokens: Tokens,
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
        let answer = async move |headers: HeaderMap, body: Bytes| api.answer(path, endpoint, &headers, &body);
        router.route(path, post(answer))
    })
}

impl Api {
    pub(super) fn new(world: World, options: ServerOptions) -> Self {
        let (tokens, calls, requests) = (Tokens::default(), AtomicU64::default(), Mutex::default());
        Self { world, options, tokens, calls, requests }
    }

    /// All calls so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers one call.
    fn answer(&self, path: &'static str, endpoint: Endpoint, headers: &HeaderMap, body: &[u8]) -> Response {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let reply = Reply::new(number, self.options.clock.now());
        let asked = serde_json::from_slice::<Parameters>(body);
        self.log(path, asked.as_ref().unwrap_or(&Parameters::default()));
        let answer = match asked {
            Ok(asked) => self.call(endpoint, headers, asked, &reply),
            Err(_) => Err(Failure::BAD_REQUEST),
        };
        answer.unwrap_or_else(|failure| reply.failure(failure))
    }

    fn call(
        &self,
        endpoint: Endpoint,
        headers: &HeaderMap,
        asked: Parameters,
        reply: &Reply,
    ) -> Result<Response, Failure> {
        match endpoint {
            Endpoint::TokenCreate | Endpoint::UserSearch => verify_signature(headers, &self.options)?,
            _ => self.tokens.verify(asked.token.as_deref(), &self.options)?,
        }
        let now = reply.now.as_second();
        Ok(match endpoint {
            Endpoint::TokenCreate => self.token(&asked, reply)?,
            Endpoint::UserSearch => {
                asked.email.ok_or(Failure::BAD_REQUEST)?;
                reply.success(json!({"userId": self.options.user_id}))
            }
            Endpoint::ModifyList => reply.success(modify_list(&self.world, &asked, now)?),
            Endpoint::PublicList => {
                reply.success(public_list(&self.world, &asked, now, self.options.public_list))
            }
            Endpoint::Info => reply.success(Info::new(self.event(&asked, now)?, now)),
            Endpoint::Report => {
                let range =
                    Range { start: asked.start_time, end: asked.end_time, ends: self.options.range_ends };
                let query = Query {
                    range,
                    viewer_details: self.options.viewer_details,
                    now: reply.now,
                    request_id: reply.request_id.clone(),
                };
                Reply::report(self.event(&asked, now)?, query)
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
            "expire": EXPIRE,
            "customerCode": "100001",
            "token": self.tokens.issue(reply.number),
        })))
    }

    /// The event asked for, as it is now.
    fn event(&self, asked: &Parameters, now: i64) -> Result<Event, Failure> {
        let id = asked.event_id.ok_or(Failure::BAD_REQUEST)?;
        self.world.event(id).and_then(|event| event.at(now)).ok_or(Failure::UNKNOWN_EVENT)
    }

    fn log(&self, path: &'static str, asked: &Parameters) {
        let Parameters { event_id, start_time, end_time, .. } = *asked;
        let request = Request { path, event_id, start_time, end_time };
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }
}
