//! A file in a form (`multipart/form-data`): what is told when the form cannot be read or holds none.

use crate::error::ApiError;
use axum::extract::multipart::MultipartError;
use axum::http::StatusCode;

/// The form could not be read: it is too large, cut off, or no form.
pub(crate) fn broken(error: &MultipartError) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(),
        StatusCode::INTERNAL_SERVER_ERROR => ApiError::internal(error.body_text()),
        _ => refused(["表单读不出来", &error.body_text()]),
    }
}

/// The form was read and holds no file.
pub(crate) fn missing() -> ApiError {
    refused(["表单里没有文件", "no file in the form"])
}

fn refused(what: [&str; 2]) -> ApiError {
    ApiError::both(
        StatusCode::BAD_REQUEST,
        "multipart",
        what,
        ["表单", "body"],
        [
            "请在字段 file 中发送一个文件，放在其他字段之后",
            "send one file in the field \"file\", after the others",
        ],
    )
}
