//! PostgreSQL's frontend/backend protocol 3.0 as bytes: what a client sends, read with every length
//! checked, and what it is answered. Pure: no socket, no clock.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Longest message before sign-in, in bytes, as in PostgreSQL itself.
pub const OPENING_BYTES_MAX: usize = 10_000;
/// Most parameter types, parameters or formats in one message.
const ITEMS_MAX: usize = 65_535;

const CANCEL: i32 = 80_877_102;
const TLS: i32 = 80_877_103;
const GSS: i32 = 80_877_104;

/// Bytes that are no message of the protocol. The connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A length below what the message needs, or above the limit.
    #[error("a message of {length} bytes; at most {max} are taken")]
    Length {
        /// What the message says.
        length: i64,
        /// The limit in force.
        max: usize,
    },
    /// A type of message that clients do not send.
    #[error("a message of the unknown type {0:#04x}")]
    Kind(u8),
    /// A message that ends before its fields do, or holds more.
    #[error("the message {0} does not hold what its type says")]
    Body(&'static str),
    /// Text that is not UTF-8.
    #[error("the text in the message {0} is not UTF-8")]
    Text(&'static str),
    /// Another major version.
    #[error("protocol version {0}.{1}; version 3.0 is spoken here")]
    Version(u16, u16),
}

/// The first message of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Asks for TLS.
    Tls,
    /// Asks for GSSAPI encryption.
    Gss,
    /// Asks that another connection's query be stopped.
    Cancel {
        /// The connection's number.
        id: i32,
        /// The connection's secret.
        key: i32,
    },
    /// Asks to sign in.
    Startup {
        /// Minor protocol version asked for.
        minor: u16,
        /// `user`, `database` and settings.
        parameters: Vec<(String, String)>,
    },
}

/// What is described or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement.
    Statement,
    /// A portal: a statement with its parameters.
    Portal,
}

/// A message after the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frontend {
    /// The password.
    Password(String),
    /// Statements to run at once.
    Query(String),
    /// A statement to prepare.
    Parse {
        /// Its name; empty for the unnamed one.
        name: String,
        /// One statement.
        sql: String,
        /// Types of parameters, 0 where the client leaves it open.
        types: Vec<u32>,
    },
    /// Parameters for a prepared statement.
    Bind {
        /// The portal's name.
        portal: String,
        /// The statement's name.
        statement: String,
        /// Formats of the parameters: none, one for all, or one each.
        parameter_formats: Vec<i16>,
        /// The parameters; `None` is null.
        parameters: Vec<Option<Bytes>>,
        /// Formats of the result's columns, likewise.
        result_formats: Vec<i16>,
    },
    /// What are its parameters and columns?
    Describe(Target, String),
    /// Rows of a portal.
    Execute {
        /// Its name.
        portal: String,
        /// Most rows for now; 0 for all.
        rows_max: u32,
    },
    /// Forget it.
    Close(Target, String),
    /// Send what is ready.
    Flush,
    /// The end of a series of messages.
    Sync,
    /// Good-bye.
    Terminate,
    /// Data of a COPY that was never begun.
    Copy,
    /// The old way to call a function.
    FunctionCall,
}

/// A bounded view of one message's body.
struct Body {
    bytes: Bytes,
    name: &'static str,
}

impl Body {
    fn need(&self, count: usize) -> Result<(), WireError> {
        match self.bytes.len() >= count {
            true => Ok(()),
            false => Err(WireError::Body(self.name)),
        }
    }

    fn u8(&mut self) -> Result<u8, WireError> {
        self.need(1)?;
        Ok(self.bytes.get_u8())
    }

    fn i16(&mut self) -> Result<i16, WireError> {
        self.need(2)?;
        Ok(self.bytes.get_i16())
    }

    fn i32(&mut self) -> Result<i32, WireError> {
        self.need(4)?;
        Ok(self.bytes.get_i32())
    }

    fn text(&mut self) -> Result<String, WireError> {
        let end = self.bytes.iter().position(|b| *b == 0);
        let end = end.ok_or(WireError::Body(self.name))?;
        let text = self.bytes.split_to(end);
        self.bytes.advance(1);
        String::from_utf8(text.into()).map_err(|_| WireError::Text(self.name))
    }

    /// A count of items that take at least `bytes_each`.
    fn count(&mut self, bytes_each: usize) -> Result<usize, WireError> {
        let count = usize::from(self.i16()? as u16).min(ITEMS_MAX);
        self.need(count * bytes_each)?;
        Ok(count)
    }

    fn formats(&mut self) -> Result<Vec<i16>, WireError> {
        let count = self.count(2)?;
        (0..count).map(|_| self.i16()).collect()
    }

    fn target(&mut self) -> Result<Target, WireError> {
        match self.u8()? {
            b'S' => Ok(Target::Statement),
            b'P' => Ok(Target::Portal),
            _ => Err(WireError::Body(self.name)),
        }
    }

    fn end<T>(self, message: T) -> Result<T, WireError> {
        match self.bytes.is_empty() {
            true => Ok(message),
            false => Err(WireError::Body(self.name)),
        }
    }
}

/// The length field at `offset`, which counts itself; `None` while it is not there yet.
fn length(bytes: &[u8], offset: usize, max: usize) -> Result<Option<usize>, WireError> {
    let Some(field) = bytes.get(offset..offset + 4) else {
        return Ok(None);
    };
    let length = i32::from_be_bytes([field[0], field[1], field[2], field[3]]);
    match usize::try_from(length) {
        Ok(length) if (4..=max).contains(&length) => Ok(Some(length)),
        _ => Err(WireError::Length {
            length: length.into(),
            max,
        }),
    }
}

/// Takes the first message; `None` while it is not whole.
///
/// # Errors
/// When the bytes are none.
pub fn opening(bytes: &mut BytesMut) -> Result<Option<Opening>, WireError> {
    let Some(length) = length(bytes, 0, OPENING_BYTES_MAX)? else {
        return Ok(None);
    };
    if bytes.len() < length {
        return Ok(None);
    }
    let mut body = Body {
        bytes: bytes.split_to(length).freeze(),
        name: "Startup",
    };
    body.bytes.advance(4);
    match body.i32()? {
        TLS => body.end(Some(Opening::Tls)),
        GSS => body.end(Some(Opening::Gss)),
        CANCEL => {
            let (id, key) = (body.i32()?, body.i32()?);
            body.end(Some(Opening::Cancel { id, key }))
        }
        version => {
            let (major, minor) = ((version >> 16) as u16, version as u16);
            if major != 3 {
                return Err(WireError::Version(major, minor));
            }
            let mut parameters = Vec::new();
            loop {
                let name = body.text()?;
                if name.is_empty() {
                    return body.end(Some(Opening::Startup { minor, parameters }));
                }
                let value = body.text()?;
                parameters.push((name, value));
            }
        }
    }
}

/// Takes the next message; `None` while it is not whole.
///
/// # Errors
/// When the bytes are none.
pub fn frontend(bytes: &mut BytesMut, bytes_max: usize) -> Result<Option<Frontend>, WireError> {
    let Some(&kind) = bytes.first() else {
        return Ok(None);
    };
    let name = name(kind).ok_or(WireError::Kind(kind))?;
    let Some(length) = length(bytes, 1, bytes_max)? else {
        return Ok(None);
    };
    if bytes.len() < 1 + length {
        return Ok(None);
    }
    let mut body = Body {
        bytes: bytes.split_to(1 + length).freeze(),
        name,
    };
    body.bytes.advance(5);
    let message = match kind {
        b'p' => Frontend::Password(body.text()?),
        b'Q' => Frontend::Query(body.text()?),
        b'P' => {
            let (name, sql) = (body.text()?, body.text()?);
            let count = body.count(4)?;
            let types = (0..count).map(|_| Ok(body.i32()? as u32));
            let types = types.collect::<Result<_, WireError>>()?;
            Frontend::Parse { name, sql, types }
        }
        b'B' => {
            let (portal, statement) = (body.text()?, body.text()?);
            let parameter_formats = body.formats()?;
            let count = body.count(4)?;
            let mut parameters = Vec::with_capacity(count);
            for _ in 0..count {
                parameters.push(match usize::try_from(body.i32()?) {
                    Err(_) => None,
                    Ok(length) => {
                        body.need(length)?;
                        Some(body.bytes.split_to(length))
                    }
                });
            }
            Frontend::Bind {
                portal,
                statement,
                parameter_formats,
                parameters,
                result_formats: body.formats()?,
            }
        }
        b'D' => Frontend::Describe(body.target()?, body.text()?),
        b'C' => Frontend::Close(body.target()?, body.text()?),
        b'E' => Frontend::Execute {
            portal: body.text()?,
            rows_max: body.i32()?.max(0) as u32,
        },
        b'H' => Frontend::Flush,
        b'S' => Frontend::Sync,
        b'X' => Frontend::Terminate,
        b'F' => return Ok(Some(Frontend::FunctionCall)),
        _ => return Ok(Some(Frontend::Copy)),
    };
    body.end(Some(message))
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        b'p' => "PasswordMessage",
        b'Q' => "Query",
        b'P' => "Parse",
        b'B' => "Bind",
        b'D' => "Describe",
        b'C' => "Close",
        b'E' => "Execute",
        b'H' => "Flush",
        b'S' => "Sync",
        b'X' => "Terminate",
        b'F' => "FunctionCall",
        b'd' => "CopyData",
        b'c' => "CopyDone",
        b'f' => "CopyFail",
        _ => return None,
    })
}

/// Whether a transaction is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// None.
    Idle,
    /// One is.
    Open,
    /// One is, and a statement in it failed.
    Failed,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnHeader {
    /// Its name.
    pub name: String,
    /// Its type's number.
    pub type_id: u32,
    /// Its type's size in bytes; negative when it varies.
    pub type_size: i16,
    /// Whether it is sent as binary.
    pub binary: bool,
}

/// Messages to the client, as bytes to be sent.
#[derive(Debug, Default)]
pub struct Backend {
    /// The bytes.
    pub bytes: BytesMut,
}

impl Backend {
    fn message(&mut self, kind: u8, body: impl FnOnce(&mut BytesMut)) {
        self.bytes.put_u8(kind);
        let start = self.bytes.len();
        self.bytes.put_i32(0);
        body(&mut self.bytes);
        let length = (self.bytes.len() - start) as i32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }

    /// Asks for the password as it is.
    pub fn ask_password(&mut self) {
        self.message(b'R', |b| b.put_i32(3));
    }

    /// Signed in.
    pub fn signed_in(&mut self) {
        self.message(b'R', |b| b.put_i32(0));
    }

    /// The newest minor version spoken is 0, and these options are unknown.
    pub fn negotiate(&mut self, unknown: &[&str]) {
        self.message(b'v', |b| {
            b.put_i32(0);
            b.put_i32(unknown.len() as i32);
            unknown.iter().for_each(|name| put_text(b, name));
        });
    }

    /// A setting's value.
    pub fn parameter(&mut self, name: &str, value: &str) {
        self.message(b'S', |b| {
            put_text(b, name);
            put_text(b, value);
        });
    }

    /// What a cancel request needs.
    pub fn key(&mut self, id: i32, key: i32) {
        self.message(b'K', |b| {
            b.put_i32(id);
            b.put_i32(key);
        });
    }

    /// Ready for the next statement.
    pub fn ready(&mut self, transaction: Transaction) {
        self.message(b'Z', |b| {
            b.put_u8(match transaction {
                Transaction::Idle => b'I',
                Transaction::Open => b'T',
                Transaction::Failed => b'E',
            })
        });
    }

    /// A statement was prepared.
    pub fn parsed(&mut self) {
        self.message(b'1', |_| {});
    }

    /// Parameters were taken.
    pub fn bound(&mut self) {
        self.message(b'2', |_| {});
    }

    /// Closed.
    pub fn closed(&mut self) {
        self.message(b'3', |_| {});
    }

    /// The statement gives no rows.
    pub fn no_rows(&mut self) {
        self.message(b'n', |_| {});
    }

    /// There was no statement.
    pub fn empty(&mut self) {
        self.message(b'I', |_| {});
    }

    /// There are more rows.
    pub fn suspended(&mut self) {
        self.message(b's', |_| {});
    }

    /// Types of the parameters.
    pub fn parameters(&mut self, types: &[u32]) {
        self.message(b't', |b| {
            b.put_u16(types.len() as u16);
            types.iter().for_each(|t| b.put_u32(*t));
        });
    }

    /// The columns.
    pub fn columns(&mut self, columns: &[ColumnHeader]) {
        self.message(b'T', |b| {
            b.put_u16(columns.len() as u16);
            for column in columns {
                put_text(b, &column.name);
                b.put_i32(0);
                b.put_i16(0);
                b.put_u32(column.type_id);
                b.put_i16(column.type_size);
                b.put_i32(-1);
                b.put_i16(column.binary.into());
            }
        });
    }

    /// A row of `count` cells: `cells` writes each with its length, see [`put_cell`].
    pub fn row(&mut self, count: usize, cells: impl FnOnce(&mut BytesMut)) {
        self.message(b'D', |b| {
            b.put_u16(count as u16);
            cells(b);
        });
    }

    /// A statement is done.
    pub fn complete(&mut self, tag: &str) {
        self.message(b'C', |b| put_text(b, tag));
    }

    /// An error or a notice, by its fields.
    pub fn report(&mut self, is_error: bool, fields: &[(u8, String)]) {
        self.message(if is_error { b'E' } else { b'N' }, |b| {
            for (kind, text) in fields {
                b.put_u8(*kind);
                put_text(b, text);
            }
            b.put_u8(0);
        });
    }
}

/// A text that ends with a zero byte; one inside is left out, since it would end the text.
fn put_text(bytes: &mut BytesMut, text: &str) {
    for part in text.split('\0') {
        bytes.put_slice(part.as_bytes());
    }
    bytes.put_u8(0);
}

/// A cell: its length, then what `write` puts.
pub fn put_cell(bytes: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let start = bytes.len();
    bytes.put_i32(0);
    write(bytes);
    let length = (bytes.len() - start - 4) as i32;
    bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// A cell without a value.
pub fn put_null(bytes: &mut BytesMut) {
    bytes.put_i32(-1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(parts: &[&[u8]]) -> BytesMut {
        BytesMut::from(parts.concat().as_slice())
    }

    #[test]
    fn the_first_message_is_read() {
        let mut b = bytes(&[b"\0\0\0\x08\x04\xd2\x16\x2f"]);
        assert_eq!(opening(&mut b), Ok(Some(Opening::Tls)));
        let mut b = bytes(&[b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07\0\0\0\x09"]);
        assert_eq!(opening(&mut b), Ok(Some(Opening::Cancel { id: 7, key: 9 })));
        let mut b = bytes(&[b"\0\0\0\x13\0\x03\0\0user\0wang\0\0"]);
        let startup = Opening::Startup {
            minor: 0,
            parameters: vec![("user".into(), "wang".into())],
        };
        assert_eq!(opening(&mut b), Ok(Some(startup)));
        assert!(b.is_empty());
        let mut b = bytes(&[b"\0\0\0\x13\0\x03\0\0user"]);
        assert_eq!(opening(&mut b), Ok(None));
        let mut b = bytes(&[b"\0\0\0\x09\0\x02\0\0\0"]);
        assert_eq!(opening(&mut b), Err(WireError::Version(2, 0)));
        // What a browser sends.
        let mut b = bytes(&[b"GET / HTTP/1.1\r\n"]);
        assert!(matches!(opening(&mut b), Err(WireError::Length { .. })));
    }

    #[test]
    fn messages_are_read_one_after_another() {
        let mut b = bytes(&[b"Q\0\0\0\x0dSELECT 1\0", b"P\0\0\0\x0fs\0$1\0\0\x01\0\0"]);
        let query = Frontend::Query("SELECT 1".into());
        assert_eq!(frontend(&mut b, 100), Ok(Some(query)));
        assert_eq!(frontend(&mut b, 100), Ok(None));
        b.extend_from_slice(b"\0\x14S");
        let parse = Frontend::Parse {
            name: "s".into(),
            sql: "$1".into(),
            types: vec![20],
        };
        assert_eq!(frontend(&mut b, 100), Ok(Some(parse)));
        assert_eq!(frontend(&mut b, 100), Ok(None));
        b.extend_from_slice(b"\0\0\0\x04");
        assert_eq!(frontend(&mut b, 100), Ok(Some(Frontend::Sync)));
        assert!(b.is_empty());
    }

    #[test]
    fn bodies_that_lie_are_told() {
        for body in [
            &b"P\0\0\0\x06\0\0"[..],
            b"B\0\0\0\x0c\0\0\0\0\xff\xff\0\0",
            b"D\0\0\0\x06X\0",
            b"Q\0\0\0\x06ab",
            b"S\0\0\0\x05x",
        ] {
            let mut b = BytesMut::from(body);
            assert!(
                matches!(frontend(&mut b, 100), Err(WireError::Body(_))),
                "{body:?}"
            );
        }
        let mut b = BytesMut::from(&b"Q\0\0\0\x06\xff\0"[..]);
        assert_eq!(frontend(&mut b, 100), Err(WireError::Text("Query")));
        let mut b = BytesMut::from(&b"Q\x7f\xff\xff\xff"[..]);
        assert!(matches!(
            frontend(&mut b, 100),
            Err(WireError::Length { max: 100, .. })
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(kind in 0_usize..16, noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let kinds = b"pQPBDCEHSXFdcf\0~";
            let mut framed = BytesMut::new();
            framed.put_u8(kinds[kind]);
            framed.put_i32(noise.len() as i32 + 4);
            framed.extend_from_slice(&noise);
            let before = framed.len();
            match frontend(&mut framed, 1_000) {
                Ok(Some(_)) => prop_assert!(framed.len() < before),
                Ok(None) => prop_assert_eq!(framed.len(), before),
                Err(_) => {}
            }
            let mut raw = BytesMut::from(noise.as_slice());
            while let Ok(Some(_)) = frontend(&mut raw, 1_000) {}
            let mut first = BytesMut::new();
            first.put_i32(noise.len() as i32 + 8);
            first.put_i32(196_608);
            first.extend_from_slice(&noise);
            let _ = opening(&mut first);
            let _ = opening(&mut BytesMut::from(noise.as_slice()));
        }
    }
}
