//! Deliveries that Jira has not sent: each is made from a good one, by chance that is the same in every run.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use asaf::wire::signature::sha256;
use serde_json::Value;

use super::{Random, SECRET, change, signature};

/// A delivery as a forger sends it: header values, then the body.
pub(crate) type Forged = (Vec<Vec<u8>>, Vec<u8>);

/// A way to forge a delivery: a name, and what it makes of a good one.
pub(crate) type Attack = (&'static str, fn(&mut Random, Vec<u8>) -> Forged);

/// As Jira would sign it.
pub(crate) fn good(body: &[u8]) -> String {
    signature(SECRET, body)
}

fn one(value: impl Into<Vec<u8>>, body: Vec<u8>) -> Forged {
    (vec![value.into()], body)
}

fn digits(random: &mut Random, count: usize) -> String {
    (0..count)
        .map(|_| char::from(b"0123456789abcdef"[random.below(16)]))
        .collect()
}

/// Every way that we know.
pub(crate) const ATTACKS: [Attack; 18] = [
    ("no header", |_, body| (vec![], body)),
    ("an empty header", |random, body| {
        one(" ".repeat(random.below(3)), body)
    }),
    ("sha1 or another method", |random, body| {
        let method = [
            "sha1",
            "md5",
            "sha512",
            "SHA256",
            "Sha256",
            "sha-256",
            "hmac-sha256",
            "none",
            "",
            "plain",
        ][random.below(10)];
        let digits = good(&body)[7..].to_owned();
        one(format!("{method}={digits}"), body)
    }),
    ("digits in upper case", |_, body| {
        let value = format!("sha256={}", good(&body)[7..].to_uppercase());
        one(value, body)
    }),
    ("too short or too long", |random, body| {
        let value = good(&body);
        match random.below(2) {
            0 => one(value[..random.below(value.len())].to_owned(), body),
            _ => {
                let count = random.below(64) + 1;
                one(value + &digits(random, count), body)
            }
        }
    }),
    ("two headers", |random, body| {
        let (value, other) = (good(&body), format!("sha256={}", digits(random, 64)));
        let values = match random.below(3) {
            0 => vec![value.clone(), value],
            1 => vec![value, other],
            _ => vec![other, value],
        };
        (values.into_iter().map(String::into_bytes).collect(), body)
    }),
    ("several signatures in one header", |random, body| {
        let (value, other) = (good(&body), format!("sha256={}", digits(random, 64)));
        let between = [",", ", ", ";", " "][random.below(4)];
        one(format!("{value}{between}{other}"), body)
    }),
    ("one bit of the body changed", |random, mut body| {
        let value = good(&body);
        let at = random.below(body.len());
        body[at] ^= 1 << random.below(8);
        one(value, body)
    }),
    ("the body cut or longer", |random, mut body| {
        let value = good(&body);
        if random.below(2) == 0 {
            body.truncate(random.below(body.len()));
        } else {
            let more = random.below(40) + 1;
            body.extend((0..more).map(|_| b' '));
        }
        one(value, body)
    }),
    ("the same JSON written again", |random, body| {
        let value = good(&body);
        let mut json: Value = serde_json::from_slice(&body).unwrap();
        json["again"] = random.next().into();
        let mut same = json.clone();
        same.as_object_mut().unwrap().remove("again");
        let written = match random.below(2) {
            0 => serde_json::to_vec_pretty(&same).unwrap(),
            _ => serde_json::to_vec(&json).unwrap(),
        };
        one(value, written)
    }),
    ("one bit of the signature changed", |random, body| {
        let mut bytes = hex::decode(&good(&body)[7..]).unwrap();
        bytes[random.below(32)] ^= 1 << random.below(8);
        one(format!("sha256={}", hex::encode(bytes)), body)
    }),
    ("a random signature", |random, body| {
        one(format!("sha256={}", digits(random, 64)), body)
    }),
    ("another secret", |random, body| {
        let secret = match random.below(4) {
            0 => SECRET[..random.below(SECRET.len())].to_owned(),
            1 => SECRET.to_lowercase(),
            2 => format!("{SECRET}\n"),
            _ => digits(random, 32),
        };
        one(signature(&secret, &body), body)
    }),
    ("the signature of another delivery", |random, body| {
        one(good(&change(random.next() % 1_000, random.next())), body)
    }),
    ("a hash without a key", |random, body| {
        let bytes = match random.below(3) {
            0 => body.clone(),
            1 => [SECRET.as_bytes(), &body].concat(),
            _ => [&body, SECRET.as_bytes()].concat(),
        };
        one(format!("sha256={}", hex::encode(sha256(&bytes))), body)
    }),
    ("blanks, quotes and other spellings", |random, body| {
        let value = good(&body);
        let value = match random.below(5) {
            0 => format!("sha256= {}", &value[7..]),
            1 => format!("sha256 ={}", &value[7..]),
            2 => format!("\"{value}\""),
            3 => format!("sha256=0x{}", &value[7..]),
            _ => format!("sha256:{}", &value[7..]),
        };
        one(value, body)
    }),
    ("base64 for hexadecimal", |_, body| {
        use base64::Engine as _;
        let bytes = hex::decode(&good(&body)[7..]).unwrap();
        let value = base64::engine::general_purpose::STANDARD.encode(bytes);
        one(format!("sha256={value}"), body)
    }),
    ("bytes that are no text", |random, body| {
        let mut value = good(&body).into_bytes();
        let at = random.below(value.len());
        value[at] = 0x80 | u8::try_from(random.below(0x80)).unwrap();
        one(value, body)
    }),
];
