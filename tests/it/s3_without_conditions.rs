//! A store that speaks S3 and does not honour conditional writes, as some do: it ignores them, or refuses them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollcall::error::Kind;
use rollcall::job::selection::Selection;
use rollcall::job::{Doctor, Job};
use rollcall::load::store::{Condition, Store};
use simulator::ServerOptions;

use crate::support::lake::cells_of;
use crate::support::run::{HOUR, config, job, later, server_at, small_world, sync_of};
use crate::support::stores::{Home, On};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Carelessness {
    Ignores,
    Refuses,
}

#[derive(Clone)]
struct Careless {
    objects: Arc<Mutex<BTreeMap<String, (Bytes, HeaderMap)>>>,
    carelessness: Carelessness,
}

impl Careless {
    async fn start(carelessness: Carelessness) -> (SocketAddr, Self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Self { objects: Arc::default(), carelessness };
        let service = Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        (address, state)
    }
}

async fn answer(State(state): State<Careless>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let key = parts.uri.path().trim_start_matches('/').replace("%3D", "=");
    let has = |name: header::HeaderName| parts.headers.contains_key(name);
    let mut objects = state.objects.lock().unwrap();
    match parts.method {
        Method::PUT => {
            let is_conditional = has(header::IF_MATCH) || has(header::IF_NONE_MATCH);
            if is_conditional && state.carelessness == Carelessness::Refuses {
                return StatusCode::NOT_IMPLEMENTED.into_response();
            }
            let mut kept = HeaderMap::new();
            // What the writer says of the object, and how it is to be encrypted.
            let said = ["x-amz-meta-", "x-amz-server-side-encryption"];
            let is_said = |name: &str| said.iter().any(|prefix| name.starts_with(prefix));
            let own = parts.headers.iter().filter(|(name, _)| is_said(name.as_str()));
            kept.extend(own.map(|(name, value)| (name.clone(), value.clone())));
            kept.insert(header::ETAG, format!("\"{:016x}\"", fnv(&body)).parse().unwrap());
            objects.insert(key, (body, kept));
            StatusCode::OK.into_response()
        }
        Method::DELETE if has(header::IF_MATCH) && state.carelessness == Carelessness::Refuses => {
            StatusCode::NOT_IMPLEMENTED.into_response()
        }
        Method::DELETE => {
            objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ if parts.uri.query().is_some_and(|query| query.contains("list-type=2")) => {
            let query = parts.uri.query().unwrap().replace("%2F", "/").replace("%3D", "=");
            let value =
                |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
            let (prefix, after) = (value("prefix="), value("start-after="));
            let listed = objects.iter().filter_map(|(key, (body, headers))| {
                let key = key.split_once('/')?.1;
                let (tag, size) = (headers[header::ETAG].to_str().unwrap(), body.len());
                let rest = key.strip_prefix(prefix).filter(|_| key > after)?;
                Some(match rest.split_once('/').filter(|_| !value("delimiter=").is_empty()) {
                    Some((folder, _)) => {
                        format!("<CommonPrefixes><Prefix>{prefix}{folder}/</Prefix></CommonPrefixes>")
                    }
                    None => {
                        format!("<Contents><Key>{key}</Key><ETag>{tag}</ETag><Size>{size}</Size></Contents>")
                    }
                })
            });
            let listed: String = listed.collect::<BTreeSet<_>>().into_iter().collect();
            format!("<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>")
                .into_response()
        }
        method => {
            let Some((body, headers)) = objects.get(&key) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            let range = parts.headers.get(header::RANGE).map(|range| {
                let range = range.to_str().unwrap().trim_start_matches("bytes=").split_once('-').unwrap();
                range.0.parse::<usize>().unwrap()..=range.1.parse().unwrap()
            });
            match (method, range) {
                (Method::HEAD, _) => {
                    let mut headers = headers.clone();
                    headers.insert(header::CONTENT_LENGTH, body.len().into());
                    (headers, "").into_response()
                }
                (_, Some(range)) => (headers.clone(), body.slice(range)).into_response(),
                (_, None) => (headers.clone(), body.clone()).into_response(),
            }
        }
    }
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[tokio::test]
async fn a_store_without_conditional_writes_is_refused_unless_a_single_writer_is_declared() {
    let server = server_at(later(), &small_world(3), ServerOptions::default());
    for carelessness in [Carelessness::Ignores, Carelessness::Refuses] {
        let (address, _) = Careless::start(carelessness).await;
        let home = Home::new(On::S3).await;
        let url = format!("http://{address}").parse::<reqwest::Url>().unwrap();
        let store = home.again(|bucket| bucket.endpoint = Some(url.clone())).await;
        let sync = async |store: &Arc<dyn Store>, hours: i32| {
            let all = sync_of(Selection::default());
            job(store, config(&server, Path::new("unused")), later() + HOUR * hours, all).await
        };
        let doctor = async |store: &Arc<dyn Store>| {
            let examine = Job::Doctor(Doctor::default());
            let report = job(store, config(&server, Path::new("unused")), later(), examine).await.unwrap();
            let failed = report.checks.into_iter().filter(|check| !check.ok);
            failed.map(|check| check.name).collect::<Vec<_>>()
        };
        assert_eq!(doctor(&store).await, ["conditions"], "{carelessness:?}");
        let error = sync(&store, 0).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unconditional, "{carelessness:?}: {error}");
        assert!(error.to_string().contains("`--single-writer`"), "{error}");
        let alone = home
            .again(|bucket| {
                bucket.endpoint = Some(url.clone());
                bucket.single_writer = true;
            })
            .await;
        assert_eq!(doctor(&alone).await, [""; 0]);
        let report = sync(&alone, 0).await.unwrap();
        assert!(report.ok, "{:?}", report.failures);
        let folder = Home::new(On::Folder).await;
        assert!(sync(&folder.store, 0).await.unwrap().ok);
        assert!(cells_of(&alone).await == cells_of(&folder.store).await);
        // If there is a lake already, the store is refused before anything is asked of the vendor.
        let asked = server.requests().len();
        assert_eq!(sync(&store, 1).await.unwrap_err().kind(), Kind::Unconditional);
        assert_eq!(server.requests().len(), asked);
        assert!(sync(&alone, 1).await.unwrap().ok);
    }
}

#[tokio::test]
async fn a_replaced_object_is_not_deleted_even_if_deletes_take_no_condition() {
    let (address, _) = Careless::start(Carelessness::Refuses).await;
    let home = Home::new(On::S3).await;
    let store = home
        .again(|bucket| {
            bucket.endpoint = Some(format!("http://{address}").parse().unwrap());
            bucket.single_writer = true;
        })
        .await;
    store.put("x", "old".into(), Condition::Absent).await.unwrap();
    let old = store.head("x").await.unwrap().unwrap().version;
    store.put("x", "new".into(), Condition::Unchanged(old.clone())).await.unwrap();
    store.delete_unchanged("x", &old).await.unwrap();
    let (content, new) = store.get("x").await.unwrap().unwrap();
    assert_eq!(content, "new");
    store.delete_unchanged("x", &new).await.unwrap();
    assert_eq!(store.head("x").await.unwrap(), None);
}

#[tokio::test]
async fn every_object_is_encrypted_with_the_given_key() {
    let (address, server) = Careless::start(Carelessness::Ignores).await;
    let home = Home::new(On::S3).await;
    let key = |name: &str| Some(format!("arn:aws:kms:eu-west-1:1:key/{name}"));
    for (kms_key, archive_kms_key, of_archive) in
        [(key("k"), None, key("k")), (key("k"), key("a"), key("a")), (None, key("a"), key("a"))]
    {
        let store = home
            .again(|bucket| {
                bucket.endpoint = Some(format!("http://{address}").parse().unwrap());
                (bucket.kms_key, bucket.archive_kms_key) = (kms_key.clone(), archive_kms_key.clone());
            })
            .await;
        for (name, expected) in [("lake/x", &kms_key), ("archive/x", &of_archive)] {
            server.objects.lock().unwrap().clear();
            store.put(name, "x".into(), Condition::Absent).await.unwrap();
            let objects = server.objects.lock().unwrap();
            let (_, headers) = objects.values().next().unwrap();
            let header = |name: &str| {
                let value = headers.get(format!("x-amz-server-side-encryption{name}"));
                value.map(|value| value.to_str().unwrap().to_owned())
            };
            let by_key = expected.is_some();
            assert_eq!(header("-aws-kms-key-id"), *expected, "{name}");
            assert_eq!(header(""), by_key.then(|| "aws:kms".to_owned()), "{name}");
            assert_eq!(header("-bucket-key-enabled"), by_key.then(|| "true".to_owned()), "{name}");
        }
    }
}
