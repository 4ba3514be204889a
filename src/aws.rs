//! What a failed call to any AWS service means.

use aws_sdk_s3::error::SdkError;

/// The HTTP status of the answer; `None` if there was no answer.
pub(crate) fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Whether the same call may succeed a moment later, although the SDK has already retried it.
pub(crate) fn is_transient<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        error => matches!(status(error), Some(408 | 429 | 500..)),
    }
}
