//! A small OpenID Connect provider over HTTP: discovery, keys, log-in, and a token endpoint that checks the client, the
//! code and PKCE. A test may have it spoil one claim.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What a code is good for.
struct Granted {
    challenge: String,
    nonce: String,
    redirect: String,
    name: String,
    groups: Vec<String>,
}

#[derive(Default)]
struct State {
    codes: BTreeMap<String, Granted>,
    spoiled: Option<(String, Value)>,
    given: u32,
}

/// The provider, until the test ends.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    state: Arc<Mutex<State>>,
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}/realm", listener.local_addr().unwrap());
        let state: Arc<Mutex<State>> = Arc::default();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
        let (known, name) = (state.clone(), issuer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &name, &key, &known);
            }
        });
        Provider { issuer, state }
    }

    /// The next ID token has this claim instead.
    pub(crate) fn spoil(&self, claim: &str, value: Value) {
        self.state.lock().unwrap().spoiled = Some((claim.to_owned(), value));
    }

    /// Somebody logs in where we sent them; returns the path to which they come back.
    pub(crate) fn log_in(&self, at: &str, name: &str, groups: &[&str]) -> String {
        let (address, query) = at.split_once('?').unwrap();
        assert_eq!(address, format!("{}/authorize", self.issuer));
        let asked = pairs(query);
        assert_eq!(
            (asked["response_type"].as_str(), asked["client_id"].as_str()),
            ("code", "asaf")
        );
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let mut state = self.state.lock().unwrap();
        state.given += 1;
        let code = format!("code {}", state.given);
        let granted = Granted {
            challenge: asked["code_challenge"].clone(),
            nonce: asked["nonce"].clone(),
            redirect: asked["redirect_uri"].clone(),
            name: name.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        let path = granted
            .redirect
            .strip_prefix("https://asaf.example.com")
            .unwrap()
            .to_owned();
        state.codes.insert(code.clone(), granted);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &asked["state"])
            .finish();
        format!("{path}?{query}")
    }
}

fn answer(stream: TcpStream, issuer: &str, key: &EcdsaKeyPair, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        let lines = head.iter().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let path = head
        .first()
        .map_or("", |line| line.split(' ').nth(1).unwrap_or_default());
    let (status, said) = match path {
        "/realm/.well-known/openid-configuration" => (
            200,
            json!({ "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys") }),
        ),
        "/realm/keys" => (200, keys(key)),
        "/realm/token" => {
            let form = pairs(std::str::from_utf8(&body).unwrap());
            token(issuer, key, state, header("authorization"), &form)
        }
        _ => (404, json!({})),
    };
    let text = said.to_string();
    let mut stream = reader.into_inner();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
}

fn keys(key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "keys": [
        { "kty": "oct", "kid": "other", "k": "AAAA" },
        { "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "x": part(&point[1..33]), "y": part(&point[33..]) },
    ] })
}

fn token(
    issuer: &str,
    key: &EcdsaKeyPair,
    state: &Mutex<State>,
    authorization: Option<String>,
    form: &BTreeMap<String, String>,
) -> (u16, Value) {
    let basic = STANDARD.encode("asaf:a-viewers-token-that-nobody-guesses-0001");
    if authorization != Some(format!("Basic {basic}")) {
        return (401, json!({ "error": "invalid_client" }));
    }
    let mut state = state.lock().unwrap();
    let refused = (400, json!({ "error": "invalid_grant" }));
    let Some(granted) = state.codes.remove(&form["code"]) else {
        return refused;
    };
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    if proof != granted.challenge || form["redirect_uri"] != granted.redirect {
        return refused;
    }
    // The scene's clock.
    let now = "2026-11-24T08:20:00Z"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_second();
    let mut claims = json!({ "iss": issuer, "aud": "asaf", "sub": "1", "nonce": granted.nonce, "iat": now - 1, "exp": now + 600,
        "email": granted.name, "email_verified": true, "groups": granted.groups });
    let spoiled = state.spoiled.take();
    if let Some((name, value)) = &spoiled {
        claims[name] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(&json!({ "alg": "ES256", "kid": "k1" })),
        part(&claims)
    );
    let mut signature = key
        .sign(&SystemRandom::new(), signed.as_bytes())
        .unwrap()
        .as_ref()
        .to_vec();
    if spoiled.is_some_and(|(name, _)| name == "signature") {
        signature[5] ^= 1;
    }
    let id_token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    (
        200,
        json!({ "access_token": "none", "token_type": "Bearer", "id_token": id_token }),
    )
}
