//! A bucket that keeps what is replaced: nobody who was forgotten is in any version of it.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use bytes::Bytes;
use futures::{StreamExt, stream};
use rollcall::job::selection::Selection;
use rollcall::load::keys;
use rollcall::load::store::{Bucket, Condition, Location};
use rollcall::transform::tables::Table;

use crate::support::person::{assert_forgotten, forget, ok, run, vendor};
use crate::support::policies::open;
use crate::support::run::sync_of;
use crate::support::stores::server as s3;

/// A lake under a prefix of a bucket, and an object with more versions than one page of a list has.
const PREFIX: &str = "part/of/it/";
const OFTEN: &str = "part/of/it/plans/often";
const MANY: usize = 1010;
/// An object of somebody else's.
const BESIDE: &str = "lake/beside";

/// The keys of all versions that are not the latest, including those of deletions.
async fn replaced(client: &Client, bucket: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), (None, None));
    loop {
        let request = client.list_object_versions().bucket(bucket);
        let page = request.set_key_marker(after.0).set_version_id_marker(after.1).send().await.unwrap();
        let versions = page.versions().iter().map(|of| (of.is_latest(), of.key()));
        let markers = page.delete_markers().iter().map(|of| (of.is_latest(), of.key()));
        let old = versions.chain(markers).filter(|(is_latest, _)| *is_latest != Some(true));
        all.extend(old.map(|(_, key)| key.unwrap().to_owned()));
        if page.is_truncated() != Some(true) {
            return all;
        }
        after = (page.next_key_marker, page.next_version_id_marker);
    }
}

async fn put(client: &Client, bucket: &str, key: &str) {
    client.put_object().bucket(bucket).key(key).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forget_without_failures_also_deletes_the_replaced_versions_that_a_bucket_keeps() {
    let name = "versioned-forget";
    let bucket = Bucket {
        name: name.to_owned(),
        prefix: PREFIX.to_owned(),
        endpoint: Some(s3().parse().unwrap()),
        path_style: true,
        kms_key: None,
        archive_kms_key: None,
        single_writer: false,
    };
    let chain = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let settings = aws_sdk_s3::config::Builder::from(&chain).force_path_style(true).endpoint_url(s3());
    let settings = settings.region(aws_config::Region::new("us-east-1"));
    let client = Client::from_conf(settings.build());
    client.create_bucket().bucket(name).send().await.unwrap();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(name).versioning_configuration(enabled).send().await.unwrap();
    let store = Location::S3(bucket).open().await;
    let server = vendor();
    ok(run(&store, &server, open(), 0, sync_of(Selection::default())).await);
    put(&client, name, BESIDE).await;
    put(&client, name, BESIDE).await;
    let often = stream::iter(0..MANY).map(|_| put(&client, name, OFTEN));
    often.buffer_unordered(32).collect::<Vec<_>>().await;
    // An object that cannot be read may be repaired from one of its versions.
    let damaged = keys::object(Table::Lives, "2022-10-20".parse().unwrap());
    store.put(&damaged, Bytes::from_static(b"no Parquet"), Condition::Absent).await.unwrap();
    let before = replaced(&client, name).await.len();
    let failed = run(&store, &server, open(), 1, forget()).await.unwrap();
    assert_eq!((failed.ok, failed.erasure.unwrap().versions), (false, 0), "{:?}", failed.failures);
    assert!(replaced(&client, name).await.len() > before.max(MANY), "what was replaced is added");
    store.delete(&damaged).await.unwrap();

    let erasure = ok(run(&store, &server, open(), 2, forget()).await).erasure.unwrap();
    assert!(erasure.versions > MANY as u64, "{erasure:?}");
    let left = replaced(&client, name).await;
    // The log of this erasure itself was written twice.
    let is_log = |key: &String| key.starts_with(&format!("{PREFIX}{}", keys::ERASURES));
    assert!(left.contains(&BESIDE.to_owned()) && left.len() == 2, "{left:?}");
    assert!(left.iter().all(|key| key == BESIDE || is_log(key)), "{left:?}");
    assert_forgotten(&store, "versions").await;
}
