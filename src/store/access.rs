//! Who is logged in to the dashboard. What a browser holds is never kept, only its SHA-256; a session can be ended from
//! here at once.

use std::future::Future;

use jiff::Timestamp;

use super::StoreError;

/// So many sessions are kept; the one that was unused longest goes first.
pub const SESSIONS_MOST: u32 = 10_000;
/// So many log-ins may be with the provider at once; the oldest goes first.
pub const LOGINS_MOST: u32 = 1_000;

/// The SHA-256 of a random value that only the browser has.
pub type Hashed = [u8; 32];

/// One log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// By what it is known.
    pub sha256: Hashed,
    /// The person's name, as the provider told it.
    pub name: String,
    /// Their groups, as the provider told them: what these may do is the configuration's, and asked at every request.
    pub groups: Vec<String>,
    /// Since when.
    pub began_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// Not valid from then on.
    pub ends_at: Timestamp,
}

/// A log-in that is with the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// By what the browser that began it is known.
    pub sha256: Hashed,
    /// What the provider gives back.
    pub state: String,
    /// What the ID token must hold.
    pub nonce: String,
    /// PKCE's secret.
    pub verifier: String,
    /// Where the person wanted to go.
    pub back: String,
    /// Not valid from then on.
    pub ends_at: Timestamp,
}

/// Remembers who is logged in. Every method is one transaction.
pub trait Sessions: Sync {
    /// Begins one.
    fn begin_session(
        &self,
        session: &Session,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// A session that has not ended.
    fn session(
        &self,
        sha256: Hashed,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;
    /// It was used.
    fn touch_session(
        &self,
        sha256: Hashed,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// All that have not ended, those used last first.
    fn sessions(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Session>, StoreError>> + Send;
    /// Ends one; false when it was not there.
    fn end_session(&self, sha256: Hashed) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Remembers a log-in that goes to the provider.
    fn begin_login(
        &self,
        login: &Login,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Takes it out: each is good for one answer.
    fn take_login(
        &self,
        sha256: Hashed,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Login>, StoreError>> + Send;
    /// The key that forms are signed with; the first caller's is kept.
    fn form_key(&self, new: [u8; 32]) -> impl Future<Output = Result<[u8; 32], StoreError>> + Send;
}
