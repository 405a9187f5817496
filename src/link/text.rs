//! Percent-encoding and base64url, as a URL's fragment needs them.
//!
//! `,` `:` `/` and `=` stay readable inside values; `&` and `;` separate, so they are encoded there, as is all that a
//! fragment may not hold (RFC 3986, section 3.5).

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Encodes a parameter's name.
pub fn encode_key(key: &str) -> String {
    encode(key, b"-._~")
}

/// Encodes a value.
pub fn encode_value(value: &str) -> String {
    encode(value, b"-._~,:/=*()!+@$")
}

fn encode(text: &str, readable: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || readable.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from(HEX[usize::from(digit)]));
            }
        }
    }
    out
}

/// Decodes `%XX`. A `%` that no two hexadecimal digits follow stands for itself; bytes that are not UTF-8 become U+FFFD.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url without padding (RFC 4648, section 5).
pub fn encode_base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            let digit = word >> (18 - 6 * i) & 63;
            out.push(char::from(BASE64[digit as usize]));
        }
    }
    out
}

/// The bytes of base64url text; `None` unless it is exactly what [`encode_base64`] writes.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0u32;
        for byte in chunk {
            word = word << 6 | BASE64.iter().position(|b| b == byte)? as u32;
        }
        word <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    (encode_base64(&out) == text).then_some(out)
}
