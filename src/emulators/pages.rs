//! Pages of AWS listings: a token names the next row and belongs to its query, and a fault may cut a listing short.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::aws::faults::AwsFault;

/// Some rows of a listing, and how to get the next.
pub(crate) struct Page<'a, T> {
    /// The rows.
    pub(crate) rows: &'a [T],
    /// The token of the next page; none on the last.
    pub(crate) next: Option<String>,
}

/// The token was not given for this query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

/// What a token belongs to: the operation and everything that chooses the rows.
pub(crate) fn query(operation: &str, chosen: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    operation.hash(&mut hasher);
    chosen.to_string().hash(&mut hasher);
    hasher.finish()
}

/// The page that `token` names, of at most `size` rows.
///
/// # Errors
/// [`BadToken`], when the token is none of this query's.
pub(crate) fn page<'a, T>(
    all: &'a [T],
    query: u64,
    token: &Value,
    size: usize,
    fault: Option<&AwsFault>,
) -> Result<Page<'a, T>, BadToken> {
    let start = match token.as_str() {
        None | Some("") => 0,
        Some(token) => offset(token, query).ok_or(BadToken)?.min(all.len()),
    };
    let end = start.saturating_add(size).min(all.len());
    let next = |at: usize| format!("{query:016x}{at:x}");
    let (rows, next) = match fault {
        Some(AwsFault::EmptyListing) => (&all[..0], None),
        Some(AwsFault::EmptyPage) => (&all[..0], Some(next(start))),
        Some(AwsFault::TruncatedListing) => (&all[start..end], None),
        _ => (&all[start..end], (end < all.len()).then(|| next(end))),
    };
    Ok(Page { rows, next })
}

fn offset(token: &str, query: u64) -> Option<usize> {
    let (of, at) = (token.get(..16)?, token.get(16..)?);
    (u64::from_str_radix(of, 16) == Ok(query))
        .then(|| usize::from_str_radix(at, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_lead_through_all_rows_and_belong_to_their_query() {
        let rows: Vec<u32> = (0..45).collect();
        let (mut token, mut sizes) = (Value::Null, Vec::new());
        loop {
            let page = page(&rows, 7, &token, 20, None).unwrap();
            sizes.push(page.rows.len());
            match page.next {
                Some(next) => token = json!(next),
                None => break,
            }
        }
        assert_eq!(sizes, [20, 20, 5]);
        assert!(page(&rows, 8, &token, 20, None).is_err());
        for hostile in [
            "x",
            "ü",
            "0000000000000007zz",
            "ffffffffffffffffffffffffffffffffff",
        ] {
            assert!(
                page(&rows, 7, &json!(hostile), 20, None).is_err(),
                "{hostile}"
            );
        }
    }

    #[test]
    fn faults_cut_a_listing_short_or_give_an_empty_page_that_loses_nothing() {
        let rows: Vec<u32> = (0..45).collect();
        let cut = |fault: AwsFault| {
            let page = page(&rows, 7, &Value::Null, 20, Some(&fault)).unwrap();
            (page.rows.len(), page.next)
        };
        assert_eq!(cut(AwsFault::EmptyListing), (0, None));
        assert_eq!(cut(AwsFault::TruncatedListing), (20, None));
        let (empty, next) = cut(AwsFault::EmptyPage);
        assert_eq!(empty, 0);
        let after = page(&rows, 7, &json!(next), 20, None).unwrap();
        assert_eq!(after.rows[0], 0);
    }
}
