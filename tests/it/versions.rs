//! A bucket that keeps what is replaced: nobody who was forgotten is in any version of it.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use rollcall::job::selection::Selection;
use rollcall::load::store::{Bucket, Location};

use crate::forget::{assert_forgotten, forget, ok, open, run, vendor};
use crate::run::sync_of;
use crate::stores::server as s3;

/// Every version of every object, as it lies in the bucket.
async fn versions(client: &aws_sdk_s3::Client, bucket: &str) -> Vec<Vec<u8>> {
    let listed = client.list_object_versions().bucket(bucket).send().await.unwrap();
    let mut all = Vec::new();
    for version in listed.versions() {
        let (key, id) = (version.key().unwrap(), version.version_id().unwrap());
        let object = client.get_object().bucket(bucket).key(key).version_id(id).send().await.unwrap();
        all.push(object.body.collect().await.unwrap().to_vec());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bucket_keeps_of_objects_that_were_replaced_goes_too() {
    let name = "versioned-forget";
    let bucket = Bucket {
        name: name.to_owned(),
        prefix: String::new(),
        endpoint: Some(s3().parse().unwrap()),
        path_style: true,
        kms_key: None,
        archive_kms_key: None,
        single_writer: false,
    };
    let chain = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let settings = aws_sdk_s3::config::Builder::from(&chain).force_path_style(true).endpoint_url(s3());
    let settings = settings.region(aws_config::Region::new("us-east-1"));
    let client = aws_sdk_s3::Client::from_conf(settings.build());
    client.create_bucket().bucket(name).send().await.unwrap();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(name).versioning_configuration(enabled).send().await.unwrap();
    let store = Location::S3(bucket).open().await;
    let server = vendor();
    ok(run(&store, &server, open(), 0, sync_of(Selection::default())).await);
    let erasure = ok(run(&store, &server, open(), 1, forget()).await).erasure.unwrap();
    assert!(erasure.versions > 0, "{erasure:?}");
    let now = store.list("", "").await.unwrap().len();
    let kept = versions(&client, name).await;
    // The log of the erasure itself was put twice.
    assert!((now..=now + 1).contains(&kept.len()), "{now} {}", kept.len());
    assert_forgotten(&store, "versions").await;
}
