//! Stores that honour the conditions of writes in one request, but not those at the end of an upload in parts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollcall::error::Kind;
use rollcall::load::store::{Bucket, Condition, Store};

use crate::support::stores::{Home, On};

/// Larger than a part.
const LARGE: usize = 6 << 20;

#[derive(Clone)]
struct Server {
    /// The condition that is ignored at the end of an upload in parts.
    ignored: Option<header::HeaderName>,
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    parts: Arc<Mutex<Vec<Bytes>>>,
    /// The headers with which the last upload in parts of each object began.
    begun: Arc<Mutex<BTreeMap<String, HeaderMap>>>,
}

fn tag(content: &[u8]) -> String {
    format!("\"{}-{:?}\"", content.len(), content.first())
}

impl Server {
    fn holds(&self, key: &str, conditions: &HeaderMap) -> bool {
        let objects = self.objects.lock().unwrap();
        let standing = objects.get(key).map(|content| tag(content));
        let said = |name: header::HeaderName| conditions.get(name).map(|value| value.to_str().unwrap());
        (said(header::IF_NONE_MATCH).is_none() || standing.is_none())
            && said(header::IF_MATCH).is_none_or(|wanted| standing.as_deref() == Some(wanted))
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let (key, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
    match head.method {
        Method::POST if query.contains("uploadId") => {
            let mut conditions = head.headers;
            if let Some(ignored) = &server.ignored {
                conditions.remove(ignored);
            }
            if !server.holds(&key, &conditions) {
                return StatusCode::PRECONDITION_FAILED.into_response();
            }
            let content = std::mem::take(&mut *server.parts.lock().unwrap()).concat();
            server.objects.lock().unwrap().insert(key, content.into());
            "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>".into_response()
        }
        Method::POST => {
            server.begun.lock().unwrap().insert(key, head.headers);
            "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
                .into_response()
        }
        Method::PUT if query.contains("partNumber") => {
            let tag = tag(&body);
            server.parts.lock().unwrap().push(body);
            [(header::ETAG, tag)].into_response()
        }
        Method::PUT if !server.holds(&key, &head.headers) => StatusCode::PRECONDITION_FAILED.into_response(),
        Method::PUT => {
            let tag = tag(&body);
            server.objects.lock().unwrap().insert(key, body);
            [(header::ETAG, tag)].into_response()
        }
        Method::DELETE => {
            if query.contains("uploadId") {
                server.parts.lock().unwrap().clear();
            } else {
                server.objects.lock().unwrap().remove(&key);
            }
            StatusCode::NO_CONTENT.into_response()
        }
        _ => match server.objects.lock().unwrap().get(&key) {
            Some(content) => ([(header::ETAG, tag(content))], content.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

/// A server that ignores this condition, and the store over it.
async fn store_of(
    ignored: Option<header::HeaderName>,
    change: impl FnOnce(&mut Bucket),
) -> (Server, Arc<dyn Store>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server { ignored, objects: Arc::default(), parts: Arc::default(), begun: Arc::default() };
    let service = Router::new().fallback(answer).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let change = |bucket: &mut Bucket| {
        bucket.endpoint = Some(url.parse().unwrap());
        change(bucket);
    };
    (server, Home::new(On::S3).await.again(change).await)
}

#[tokio::test]
async fn an_object_uploaded_in_parts_is_also_encrypted_with_the_given_key() {
    let (server, store) = store_of(None, |bucket| {
        (bucket.kms_key, bucket.archive_kms_key) = (Some("one".to_owned()), Some("two".to_owned()));
    })
    .await;
    for (name, key) in [("lake/x", "one"), ("archive/x", "two")] {
        let mut upload = store.upload(name).await.unwrap();
        upload.write(vec![7; LARGE].into()).await.unwrap();
        upload.finish(Condition::Absent).await.unwrap();
        let begun = server.begun.lock().unwrap();
        let (_, begun) = begun.iter().find(|(key, _)| key.ends_with(name)).unwrap();
        let header = |name: &str| begun.get(format!("x-amz-server-side-encryption{name}")).cloned();
        assert_eq!(header("-aws-kms-key-id").unwrap(), key);
        assert_eq!(
            (header("").unwrap(), header("-bucket-key-enabled").unwrap()),
            ("aws:kms".parse().unwrap(), "true".parse().unwrap())
        );
    }
    store.close().await;
}

#[tokio::test]
async fn a_store_that_ignores_one_condition_of_uploads_in_parts_is_refused_before_it_matters() {
    for (ignored, is_refused) in
        [(None, false), (Some(header::IF_NONE_MATCH), true), (Some(header::IF_MATCH), true)]
    {
        let (server, store) = store_of(ignored.clone(), |_| {}).await;
        let mut upload = store.upload("large").await.unwrap();
        upload.write(vec![7; LARGE].into()).await.unwrap();
        let outcome = upload.finish(Condition::Absent).await.map_err(|error| error.kind());
        store.close().await;
        assert_eq!(outcome, if is_refused { Err(Kind::Unconditional) } else { Ok(()) }, "{ignored:?}");
        let keys: Vec<String> = server.objects.lock().unwrap().keys().cloned().collect();
        let expected = usize::from(!is_refused);
        assert_eq!(keys.iter().filter(|key| key.ends_with("large")).count(), expected, "{ignored:?}");
        assert_eq!(keys.len(), expected, "no trial stays: {keys:?}");
    }
}

#[tokio::test]
async fn uploads_in_parts_work_even_if_the_object_that_proved_other_writes_is_gone() {
    let (_, store) = store_of(None, |_| {}).await;
    store.put("proof", "{}".into(), Condition::Absent).await.unwrap();
    store.prove("proof", "{}".into()).await.unwrap();
    store.delete("proof").await.unwrap();
    store.put("large", vec![7; LARGE].into(), Condition::Absent).await.unwrap();
    store.close().await;
    assert_eq!(store.get("proof").await.unwrap(), None);
}
