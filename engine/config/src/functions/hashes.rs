//! Digests of texts and files, and names made from them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::files::read;
use super::{Call, FunctionError, Row, plain};
use crate::expr_value::ExprValue;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("base64sha256(text: string) -> string", "Returns the SHA-256 digest of the text in Base64.",
        r#"length(base64sha256("hi")) == 44"#, |call| base64(Sha256::digest(text(call)?))),
    plain("base64sha512(text: string) -> string", "Returns the SHA-512 digest of the text in Base64.",
        r#"length(base64sha512("hi")) == 88"#, |call| base64(Sha512::digest(text(call)?))),
    plain("filebase64sha256(path: string) -> string", "Returns the SHA-256 digest of a file in Base64.",
        r#"filebase64sha256("hello.txt") == base64sha256(file("hello.txt"))"#, |call| base64(Sha256::digest(read(call)?))),
    plain("filebase64sha512(path: string) -> string", "Returns the SHA-512 digest of a file in Base64.",
        r#"filebase64sha512("hello.txt") == base64sha512(file("hello.txt"))"#, |call| base64(Sha512::digest(read(call)?))),
    plain("filemd5(path: string) -> string", "Returns the MD5 digest of a file in hexadecimal.",
        r#"filemd5("hello.txt") == md5(file("hello.txt"))"#, |call| hex(Md5::digest(read(call)?))),
    plain("filesha1(path: string) -> string", "Returns the SHA-1 digest of a file in hexadecimal.",
        r#"filesha1("hello.txt") == sha1(file("hello.txt"))"#, |call| hex(Sha1::digest(read(call)?))),
    plain("filesha256(path: string) -> string", "Returns the SHA-256 digest of a file in hexadecimal.",
        r#"filesha256("hello.txt") == sha256(file("hello.txt"))"#, |call| hex(Sha256::digest(read(call)?))),
    plain("filesha512(path: string) -> string", "Returns the SHA-512 digest of a file in hexadecimal.",
        r#"filesha512("hello.txt") == sha512(file("hello.txt"))"#, |call| hex(Sha512::digest(read(call)?))),
    plain("md5(text: string) -> string", "Returns the MD5 digest of the text in hexadecimal. It protects nothing.",
        r#"md5("hello world") == "5eb63bbbe01eeed093cb22bb8f5acdc3""#, |call| hex(Md5::digest(text(call)?))),
    plain("sha1(text: string) -> string", "Returns the SHA-1 digest of the text in hexadecimal. It protects nothing.",
        r#"substr(sha1("hello world"), 0, 8) == "2aae6c35""#, |call| hex(Sha1::digest(text(call)?))),
    plain("sha256(text: string) -> string", "Returns the SHA-256 digest of the text in hexadecimal.",
        r#"substr(sha256("hi"), 0, 8) == "8f434346""#, |call| hex(Sha256::digest(text(call)?))),
    plain("sha512(text: string) -> string", "Returns the SHA-512 digest of the text in hexadecimal.",
        r#"length(sha512("hi")) == 128"#, |call| hex(Sha512::digest(text(call)?))),
    plain("uuidv5(namespace: string, name: string) -> string",
        "Returns the UUID of a name in a namespace: dns, url, oid, x500 or a UUID.",
        r#"uuidv5("dns", "www.terraform.io") == "a5008fae-b28c-5ba5-96cd-82b4c53552d6""#, uuid),
];

fn text<'a>(call: &'a Call<'_>) -> Result<&'a [u8], FunctionError> {
    Ok(call.text(0)?.as_bytes())
}

fn hex(digest: impl AsRef<[u8]>) -> Result<ExprValue, FunctionError> {
    Ok(ExprValue::string(hex::encode(digest)))
}

fn base64(digest: impl AsRef<[u8]>) -> Result<ExprValue, FunctionError> {
    Ok(ExprValue::string(BASE64_STANDARD.encode(digest)))
}

/// # Source
/// RFC 9562, sections 5.5 and 6.6.
fn uuid(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let namespace = match call.text(0)?.as_str() {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let bytes = hex::decode(namespace.replace('-', "")).ok().filter(|bytes| bytes.len() == 16);
    let bytes = bytes
        .ok_or_else(|| FunctionError::argument(0, "the namespace must be dns, url, oid, x500 or a UUID"))?;
    let digest = Sha1::new().chain_update(bytes).chain_update(call.text(1)?.as_bytes()).finalize();
    let mut id = digest[..16].to_vec();
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let text = hex::encode(id);
    let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
    Ok(ExprValue::string(parts.join("-")))
}
