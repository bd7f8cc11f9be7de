//! The body of a service request that is made: a form, or a form with photos (`multipart/form-data`), as clients of GeoReport v2
//! send them. It is read once, within limits; what is too large is told in the standard's form with the limit.

use crate::open311::Options;
use ::open311::Fault;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use url::form_urlencoded;

/// The name under which clients send photos.
const MEDIA: &str = "media";

/// A body that was read to find the key in it.
#[derive(Clone)]
pub(crate) struct Sent(pub Bytes);

/// A file of a form.
pub(crate) struct Media {
    /// Its name at the sender.
    pub name: String,
    /// What it holds.
    pub bytes: Bytes,
}

/// A form as it was sent.
#[derive(Default)]
pub(crate) struct Form {
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
    /// Its photos.
    pub media: Vec<Media>,
}

impl Form {
    /// The first value of that name that is not empty.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.fields.iter();
        let found = all.find(|(found, value)| found == name && !value.trim().is_empty());
        found.map(|(_, value)| value.trim())
    }
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let said = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    said.is_some_and(|said| {
        let kind = said.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("multipart/form-data")
    })
}

/// Reads a body whole, unless it is larger than a form of its kind may be.
///
/// # Errors
/// 413 with the limit and what to do; 400 when it broke off.
pub(crate) async fn body(
    options: &Options,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Fault> {
    let (most, mend) = match is_multipart(headers) {
        true => (
            options.form_bytes_max + options.media_bytes_max,
            "send smaller pictures, fewer, or their address as media_url",
        ),
        false => (
            options.form_bytes_max,
            "say less, and send pictures as multipart/form-data",
        ),
    };
    let too_large = || {
        Fault::new(
            413,
            format!("the form is larger than {most} bytes, the most that is taken: {mend}"),
        )
    };
    let said = headers.get(header::CONTENT_LENGTH);
    let said = said.and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|bytes| bytes > most) {
        return Err(too_large());
    }
    axum::body::to_bytes(body, most).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        match source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>()) {
            true => too_large(),
            false => Fault::invalid("the form broke off before its end"),
        }
    })
}

/// Reads a form of either kind.
///
/// # Errors
/// What is wrong with it, in the standard's form.
pub(crate) async fn form(
    options: &Options,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Form, Fault> {
    if !is_multipart(headers) {
        let fields = form_urlencoded::parse(&body).into_owned().collect();
        return Ok(Form {
            fields,
            media: Vec::new(),
        });
    }
    let mut request = Request::new(Body::from(body));
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, kind.clone());
    }
    // It was limited when it was read.
    DefaultBodyLimit::disable().apply(&mut request);
    let broken = |said: String| Fault::invalid(format!("the form does not read: {said}"));
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|e| broken(e.body_text()))?;
    let mut form = Form::default();
    while let Some(part) = parts
        .next_field()
        .await
        .map_err(|e| broken(e.body_text()))?
    {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(|e| broken(e.body_text()))?;
        match file {
            None => {
                let shown = model::problem::quote(&name);
                let value = String::from_utf8(bytes.into())
                    .map_err(|_| Fault::invalid(format!("{shown} is no UTF-8")))?;
                form.fields.push((name, value));
                if form.fields.len() > options.limits.fields_max {
                    let most = options.limits.fields_max;
                    let what = format!("the form has more than {most} fields");
                    return Err(Fault::invalid(what));
                }
            }
            // Browsers send a file without a name and without a byte where none was chosen.
            Some(file) if file.is_empty() && bytes.is_empty() => {}
            Some(file) if name == MEDIA || name.starts_with("media[") => {
                let most = options.media_files_max;
                if form.media.len() >= most {
                    let what = format!("more than {most} pictures were sent: send at most {most}");
                    return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE.as_u16(), what));
                }
                form.media.push(Media { name: file, bytes });
            }
            Some(_) => {
                let shown = model::problem::quote(&name);
                let what = format!("a file was sent as {shown}: send pictures as media");
                return Err(Fault::invalid(what));
            }
        }
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn options() -> Options {
        Options {
            jurisdiction_id: "tianmen".to_owned(),
            public_reads: false,
            contact: String::new(),
            public_url: String::new(),
            form_bytes_max: 100,
            media_bytes_max: 1_000,
            media_files_max: 2,
            limits: ::open311::Limits::default(),
        }
    }

    fn of(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))])
    }

    fn part(head: &str, body: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    }

    async fn read(parts: &[String]) -> Result<Form, Fault> {
        let body = Bytes::from(parts.concat() + "--x--\r\n");
        form(&options(), &of("multipart/form-data; boundary=x"), body).await
    }

    #[tokio::test]
    async fn fields_and_photos_of_a_multipart_form() {
        let photo = |n: u8| part(&format!("name=\"media\"; filename=\"{n}.jpg\""), "bytes");
        let text = part("name=\"description\"", "井盖缺失");
        let none = part("name=\"media\"; filename=\"\"", "");
        let form = read(&[text.clone(), none, photo(1)]).await.unwrap();
        assert_eq!(form.field("description"), Some("井盖缺失"));
        assert_eq!(form.field("api_key"), None);
        let names: Vec<&str> = form.media.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["1.jpg"]);

        let code = async |parts: &[String]| read(parts).await.map(drop).unwrap_err().code;
        assert_eq!(code(&[photo(1), photo(2), photo(3)]).await, 413);
        assert_eq!(code(&[part("name=\"cv\"; filename=\"a\"", "b")]).await, 400);
        assert_eq!(code(&[text.replace("\r\n\r\n", "")]).await, 400);
        let many = vec![text; 201];
        assert_eq!(code(&many).await, 400);
    }

    #[tokio::test]
    async fn what_is_too_large_is_told_with_the_limit_and_a_mend() {
        let plain = of("application/x-www-form-urlencoded");
        let photos = of("Multipart/Form-Data; boundary=x");
        for (headers, bytes, most) in [(&plain, 101, "100"), (&photos, 1_101, "1100")] {
            let sent = Body::from(vec![b'x'; bytes]);
            let fault = body(&options(), headers, sent).await.unwrap_err();
            assert_eq!(fault.code, 413);
            assert!(fault.description.contains(most), "{}", fault.description);
            let fits = Body::from(vec![b'x'; bytes - 1]);
            assert_eq!(
                body(&options(), headers, fits).await.unwrap().len(),
                bytes - 1
            );
        }
        let mut said = plain;
        said.insert(header::CONTENT_LENGTH, HeaderValue::from_static("5000"));
        let fault = body(&options(), &said, Body::empty()).await.unwrap_err();
        assert_eq!(fault.code, 413, "it is not read to the end to be refused");
    }
}
