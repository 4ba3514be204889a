//! Options for the store.

use clap::Args;

use crate::address;
use crate::error::{Error, Kind, Result};
use crate::load::store::{Bucket, Location};

/// Options for the store, as they were given.
#[derive(Args, Clone, Debug)]
pub struct StoreOptions {
    /// Where the tables are kept: a folder, or `s3://bucket/prefix`.
    #[arg(long, env = "ROLLCALL_STORE", default_value = "./rollcall-data", global = true)]
    pub store: String,
    /// S3-compatible service other than Amazon's [default: the value of `AWS_ENDPOINT_URL_S3`].
    #[arg(long, env = "ROLLCALL_S3_ENDPOINT", value_name = "URL", global = true)]
    pub s3_endpoint: Option<String>,
    /// Put the bucket's name into the path of a URL, not into its host.
    #[arg(long, env = "ROLLCALL_S3_PATH_STYLE", global = true)]
    pub s3_path_style: bool,
    /// KMS key to encrypt objects with [default: the bucket's own setting].
    #[arg(long, env = "ROLLCALL_S3_KMS_KEY", value_name = "ARN", global = true)]
    pub s3_kms_key: Option<String>,
    /// KMS key to encrypt archived answers with [default: the key for all objects].
    #[arg(long, env = "ROLLCALL_ARCHIVE_KMS_KEY", value_name = "ARN", global = true)]
    pub archive_kms_key: Option<String>,
    /// Promise that only this process writes to the store: needed if an S3 store does not honour conditional writes.
    #[arg(long, env = "ROLLCALL_SINGLE_WRITER", global = true)]
    pub single_writer: bool,
}

impl StoreOptions {
    /// Where the tables are kept: a bucket if the address begins with `s3://`, otherwise a folder.
    pub fn location(&self) -> Result<Location> {
        let named = &self.store;
        let Some(place) = named.strip_prefix("s3://") else {
            if named.contains("://") || named.starts_with("s3:") || named.is_empty() {
                return Err(Error::new(Kind::Usage, format!("unknown kind of store `{named}`"))
                    .hint("name a folder, or a bucket like `s3://bucket/prefix`"));
            }
            return Ok(Location::Folder(named.into()));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(Error::new(Kind::Usage, format!("`{named}` names no bucket"))
                .hint("name it like `s3://bucket/prefix`"));
        }
        let prefix = prefix.trim_matches('/');
        if self.s3_endpoint.is_none() {
            address::check_endpoint("S3")?;
        }
        Ok(Location::S3(Bucket {
            name: bucket.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            endpoint: self.s3_endpoint.as_deref().map(address::checked).transpose()?,
            path_style: self.s3_path_style,
            kms_key: self.s3_kms_key.clone(),
            archive_kms_key: self.archive_kms_key.clone(),
            single_writer: self.single_writer,
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        options: StoreOptions,
    }

    #[test]
    fn each_option_for_a_bucket_sets_its_value() {
        type Says = fn(&Bucket) -> bool;
        let cases: [(&[&str], Says); 5] = [
            (&["--s3-endpoint", "https://example.com"], |bucket| bucket.endpoint.is_some()),
            (&["--s3-path-style"], |bucket| bucket.path_style),
            (&["--s3-kms-key", "one"], |bucket| bucket.kms_key.as_deref() == Some("one")),
            (&["--archive-kms-key", "two"], |bucket| bucket.archive_kms_key.as_deref() == Some("two")),
            (&["--single-writer"], |bucket| bucket.single_writer),
        ];
        let bucket = |words: &[&str]| {
            let words = [&["", "--store", "s3://bucket"], words].concat();
            match Words::parse_from(words).options.location().unwrap() {
                Location::S3(bucket) => bucket,
                Location::Folder(path) => panic!("{}", path.display()),
            }
        };
        for (words, says) in cases {
            assert!(says(&bucket(words)) && !says(&bucket(&[])), "{words:?}");
        }
    }

    #[test]
    fn a_store_has_one_address_however_it_is_written() {
        let here = std::env::current_dir().unwrap().join("rollcall-data");
        for (store, address) in [
            ("./rollcall-data", here.to_str()),
            ("/data/lake/", Some("/data/lake")),
            ("s3://bucket", Some("s3://bucket")),
            ("s3://bucket/", Some("s3://bucket")),
            ("s3://bucket//a/b/", Some("s3://bucket/a/b")),
            ("s3:///a", None),
            ("ftp://host", None),
        ] {
            let options = Words::parse_from(["", "--store", store]).options;
            assert_eq!(options.location().ok().map(|place| place.to_string()).as_deref(), address, "{store}");
        }
    }
}
