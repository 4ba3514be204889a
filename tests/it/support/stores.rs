//! Stores to run on: a folder, and a bucket of a real S3 server.

use std::sync::Arc;

use rollcall::load::store::{Bucket, Location, Store};
use tempfile::TempDir;

/// Where a test keeps its lake.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On {
    Folder,
    S3,
}

/// An empty store, which is gone with its test.
pub(crate) struct Home {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) location: Location,
    folder: TempDir,
}

impl Home {
    pub(crate) async fn new(on: On) -> Self {
        let folder = TempDir::new().unwrap();
        let location = match on {
            On::Folder => Location::Folder(folder.path().join("store")),
            On::S3 => Location::S3(bucket(&folder, &server())),
        };
        Self { store: location.clone().open().await, location, folder }
    }

    /// The same store behind another address, or spoken to in another way.
    pub(crate) async fn again(&self, change: impl FnOnce(&mut Bucket)) -> Arc<dyn Store> {
        let Location::S3(mut bucket) = self.location.clone() else { panic!("no bucket") };
        change(&mut bucket);
        Location::S3(bucket).open().await
    }

    /// The options that name this store on the command line.
    pub(crate) fn words(&self) -> Vec<String> {
        match &self.location {
            Location::Folder(path) => vec!["--store".to_owned(), path.to_str().unwrap().to_owned()],
            Location::S3(bucket) => {
                let store = format!("s3://{}/{}", bucket.name, bucket.prefix);
                ["--store", &store, "--s3-path-style", "--s3-endpoint", &server()].map(str::to_owned).into()
            }
        }
    }

    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        keys(&self.store, prefix).await
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("store")
    }
}

pub(crate) async fn keys(store: &Arc<dyn Store>, prefix: &str) -> Vec<String> {
    store.list(prefix, "").await.unwrap().into_iter().map(|listed| listed.key).collect()
}

/// The address of the S3 server that the tests run beside.
pub(crate) fn server() -> String {
    std::env::var("ROLLCALL_TEST_S3")
        .expect("no S3 server: run the tests with `make test-rust`, which starts one")
}

/// A part of the test bucket that no other test uses.
fn bucket(folder: &TempDir, endpoint: &str) -> Bucket {
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    Bucket {
        name: "rollcall".to_owned(),
        prefix: format!("{}/", name.trim_start_matches('.')),
        endpoint: Some(endpoint.parse().unwrap()),
        path_style: true,
        kms_key: None,
        archive_kms_key: None,
        single_writer: false,
    }
}
