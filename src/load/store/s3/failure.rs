//! What it means when a request to S3 fails, and what to do.

use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use crate::aws::{is_transient, status};
use crate::error::{Error, Kind};

/// The code with which S3 answers for an object in a class such as Glacier.
const FROZEN: &str = "InvalidObjectState";

/// The kind of a request, with the verb for messages and the permission that it needs.
#[derive(Clone, Copy)]
pub(super) enum Request {
    List,
    Read,
    Write,
    Abort,
    Delete,
    ListVersions,
    DeleteVersion,
}

impl Request {
    fn right(self) -> &'static str {
        match self {
            Self::List => "s3:ListBucket",
            // Without the second permission, S3 answers a request for a missing object with 403 instead of 404.
            Self::Read => "s3:GetObject` and `s3:ListBucket",
            Self::Write => "s3:PutObject",
            Self::Abort => "s3:AbortMultipartUpload",
            Self::Delete => "s3:DeleteObject",
            Self::ListVersions => "s3:ListBucketVersions",
            Self::DeleteVersion => "s3:DeleteObjectVersion",
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Abort => "abort the upload of",
            Self::Delete => "delete",
            Self::ListVersions => "list the versions of",
            Self::DeleteVersion => "delete a version of",
        })
    }
}

/// What the errors of all operations have in common.
pub(super) trait Said: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static {}

impl<E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static> Said for E {}

/// Whether the bucket is missing: the status alone could also mean a missing object.
pub(super) fn is_no_bucket<E: Said>(error: &SdkError<E>) -> bool {
    error.code() == Some("NoSuchBucket")
}

/// Whether a conditional write lost against another write, or against an earlier attempt of its own. The answer to the end of
/// an upload in parts can report that with the status 200.
pub(super) fn is_lost<E: Said>(error: &SdkError<E>) -> bool {
    let lost = ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "NoSuchUpload"];
    let is_said = error.code().is_some_and(|code| lost.contains(&code));
    is_said || matches!(status(error), Some(404 | 409 | 412)) && !is_no_bucket(error)
}

/// Whether the store certainly did not do a write, and would refuse it even if nobody else wrote.
pub(super) fn is_certain<E: Said>(error: &SdkError<E>) -> bool {
    match status(error) {
        Some(404 | 408 | 409 | 412 | 429) => is_no_bucket(error),
        Some(status) => (300..500).contains(&status) || status == 501,
        None => matches!(error, SdkError::ConstructionFailure(_)),
    }
}

/// The error of a failed request, with what the store's answer said and what to do.
pub(super) fn explain<E: Said>(request: Request, key: &str, error: &SdkError<E>) -> Error {
    let status = status(error);
    let said = error.code().map(|code| match error.message() {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    });
    if status == Some(501) && matches!(request, Request::Write) {
        let refused =
            unconditional("the store cannot do a write as it is asked to, perhaps for its condition");
        let said = said.unwrap_or_else(|| "HTTP status 501".to_owned());
        return refused.with("key", key).caused_by(said);
    }
    let hint = match (error.code(), status) {
        (Some("NoSuchBucket"), _) => "create the bucket, or name another one with `--store`".to_owned(),
        (Some("PermanentRedirect" | "AuthorizationHeaderMalformed"), _) | (_, Some(301)) => {
            "set `AWS_REGION` to the region of the bucket".to_owned()
        }
        (Some("ExpiredToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch"), _) => {
            "check the AWS credentials".to_owned()
        }
        (Some(FROZEN), _) => {
            "a rule of the bucket has moved it to a class that cannot be read: restore it, and exempt rollcall's objects from the rule"
                .to_owned()
        }
        (Some("RequestTimeTooSkewed"), _) => "set the clock of this machine".to_owned(),
        (_, Some(403)) => format!("check the permission for `{}`, and for the KMS key", request.right()),
        (_, Some(_)) if is_transient(error) => "run it again: the failure may pass".to_owned(),
        (_, Some(_)) => "see what the store says".to_owned(),
        (_, None) => "check the network, and the AWS credentials and region; export those of a profile that logs in by a \
                      browser: `aws configure export-credentials --format env`"
            .to_owned(),
    };
    let id = error.request_id().map(str::to_owned);
    let kind = if error.code() == Some(FROZEN) { Kind::Frozen } else { Kind::Store };
    let mut explained = Error::new(kind, format!("cannot {request} `{key}`"));
    explained = explained.transient(is_transient(error)).hint(hint);
    explained = match (said, status) {
        (Some(said), _) => explained.caused_by(said),
        (None, Some(status)) => explained.caused_by(format!("HTTP status {status}")),
        (None, None) => explained.caused_by(one_line(error)),
    };
    match id {
        Some(id) => explained.with("requestId", id),
        None => explained,
    }
}

/// An error and its causes, on one line. The error of missing credentials lists every place that was searched, one per line.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut said = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        said.push(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "));
        cause = error.source();
    }
    said.join(": ")
}

/// The error of a store without the conditional writes that keep writers from overwriting each other.
pub(super) fn unconditional(message: &str) -> Error {
    let hint = "use another store or, if only one process ever writes there, give `--single-writer`";
    Error::new(Kind::Unconditional, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    #[test]
    fn an_object_in_a_class_that_cannot_be_read_is_not_taken_for_one_without_permission() {
        for (code, kind, hint) in [
            ("InvalidObjectState", Kind::Frozen, "restore it"),
            ("AccessDenied", Kind::Store, "check the permission for `s3:GetObject`"),
        ] {
            let response = HttpResponse::new(403.try_into().unwrap(), SdkBody::empty());
            let said = GetObjectError::generic(ErrorMetadata::builder().code(code).build());
            let error = explain(Request::Read, "archive/x", &SdkError::service_error(said, response));
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(hint), "{error}");
        }
    }
}
