//! Lists the objects of a bucket, page by page.

use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::Object;

use super::failure::{Request, explain};
use super::{Below, Head, Listed, S3, Version};
use crate::error::Result;

impl S3 {
    /// See `Store::list`.
    pub(super) async fn list_all(&self, prefix: &str, after: &str) -> Result<Vec<Listed>> {
        let after = (!after.is_empty()).then(|| self.key(after));
        let mut pages = self.request(prefix).set_start_after(after).into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain(Request::List, prefix, &error))?;
            all.extend(page.contents.into_iter().flatten().filter_map(|object| self.listed(object)));
        }
        Ok(all)
    }

    /// See `Store::below`.
    pub(super) async fn list_below(&self, prefix: &str) -> Result<Below> {
        let mut pages = self.request(prefix).delimiter("/").into_paginator().send();
        let mut below = Below::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain(Request::List, prefix, &error))?;
            let folders = page.common_prefixes.into_iter().flatten();
            below.folders.extend(folders.filter_map(|folder| self.own(&folder.prefix?).map(str::to_owned)));
            below
                .objects
                .extend(page.contents.into_iter().flatten().filter_map(|object| self.listed(object)));
        }
        Ok(below)
    }

    fn request(&self, prefix: &str) -> ListObjectsV2FluentBuilder {
        self.client.list_objects_v2().bucket(&self.bucket.name).prefix(self.key(prefix))
    }

    /// The store's key for a key of the bucket, without the prefix that all of them have; `None` if it has another.
    fn own<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(&self.bucket.prefix)
    }

    /// The object as it is listed; `None` if its key ends with `/`: a console creates such empty objects for what
    /// it shows as folders.
    fn listed(&self, object: Object) -> Option<Listed> {
        let key = object.key.unwrap_or_default();
        let key = self.own(&key).filter(|key| !key.ends_with('/'))?.to_owned();
        let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        Some(Listed { key, head: Head { size, version: Version(object.e_tag.unwrap_or_default()) } })
    }
}
