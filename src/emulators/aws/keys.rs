//! Who calls: access keys, sessions that end, and roles that may be assumed. Signatures are not verified.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Who calls, as far as the answers depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Account id.
    pub account: String,
    /// IAM principal ARN.
    pub identity: String,
    /// The engine's own credentials.
    pub engine: bool,
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Unknown,
    Expired,
}

/// A session's credentials, as AssumeRole gives them.
pub(crate) struct Session {
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
}

struct Key {
    caller: Caller,
    session: Option<(String, Timestamp)>,
}

/// All keys.
#[derive(Default)]
pub(super) struct Keys {
    by_id: BTreeMap<String, Key>,
    issued: u64,
}

impl Keys {
    /// Long-term credentials.
    pub(super) fn add(&mut self, key_id: &str, caller: Caller) {
        let session = None;
        self.by_id
            .insert(key_id.to_owned(), Key { caller, session });
    }

    /// Who a key and its session token belong to.
    pub(super) fn caller(
        &self,
        key_id: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Caller, Refusal> {
        let key = self.by_id.get(key_id).ok_or(Refusal::Unknown)?;
        match &key.session {
            Some((expected, _)) if token != Some(expected) => Err(Refusal::Unknown),
            Some((_, expires)) if now >= *expires => Err(Refusal::Expired),
            _ => Ok(key.caller.clone()),
        }
    }

    /// Whether the key is that of a session: a role that assumes a role.
    pub(super) fn is_session(&self, key_id: &str) -> bool {
        self.by_id
            .get(key_id)
            .is_some_and(|key| key.session.is_some())
    }

    /// Makes a session; sessions that ended a day ago are forgotten.
    pub(super) fn issue(
        &mut self,
        caller: Caller,
        duration: SignedDuration,
        now: Timestamp,
    ) -> Session {
        let day = SignedDuration::from_hours(24);
        self.by_id.retain(|_, key| {
            let ended = key.session.as_ref().map(|(_, expires)| *expires);
            ended.is_none_or(|ended| now.duration_since(ended) < day)
        });
        self.issued += 1;
        let session = Session {
            key_id: format!("ASIAEMULATED{:08}", self.issued),
            secret: format!("emulated-secret-{:08}", self.issued),
            token: format!("emulated-session-token-{:08}", self.issued),
            expires: now + duration,
        };
        let key = Key {
            caller,
            session: Some((session.token.clone(), session.expires)),
        };
        self.by_id.insert(session.key_id.clone(), key);
        session
    }
}
