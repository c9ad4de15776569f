//! Faults that wait for requests: by operation, for the next few, or by chance with a seed.

use serde::{Deserialize, Serialize};

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// The next so many requests that it fits, each time.
    Next(u32),
    /// So many of 1,000 requests that it fits, until it is cleared; the same seed strikes the same ones.
    Chance {
        /// 1 to 1,000.
        permille: u32,
        /// Of the generator.
        seed: u64,
    },
}

impl Default for When {
    fn default() -> Self {
        When::Next(1)
    }
}

/// A fault of kind `K` that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault<K> {
    /// Part of the operation's name, such as `POST /rest/api/3/issue/bulk`; a final `$` ties it to the name's end, so
    /// that `issue/bulk$` leaves `issue/bulkfetch` alone. Empty fits every operation.
    #[serde(default)]
    pub operation: String,
    /// What happens.
    pub kind: K,
    /// When.
    #[serde(default)]
    pub when: When,
}

impl<K> Fault<K> {
    /// Strikes the next request of an operation.
    pub fn next(operation: &str, kind: K) -> Self {
        Fault {
            operation: operation.to_owned(),
            kind,
            when: When::Next(1),
        }
    }

    /// Whether it is for this operation.
    pub fn names(&self, operation: &str) -> bool {
        match self.operation.strip_suffix('$') {
            Some(end) => operation.ends_with(end),
            None => operation.contains(&self.operation),
        }
    }

    /// Whether it strikes this time; a spent one never does.
    fn strikes(&mut self) -> bool {
        match &mut self.when {
            When::Next(left) => {
                let struck = *left > 0;
                *left = left.saturating_sub(1);
                struck
            }
            When::Chance { permille, seed } => {
                // SplitMix64 (Steele, Lea, Flood 2014): enough for choosing, and the state is one number.
                *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *seed;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (z ^ (z >> 31)) % 1000 < u64::from(*permille)
            }
        }
    }

    fn is_spent(&self) -> bool {
        self.when == When::Next(0)
    }
}

/// The faults of one emulator, oldest first.
#[derive(Clone, Debug)]
pub struct Faults<K>(Vec<Fault<K>>);

impl<K> Default for Faults<K> {
    fn default() -> Self {
        Faults(Vec::new())
    }
}

impl<K: Clone> Faults<K> {
    /// Adds one.
    pub fn arm(&mut self, fault: Fault<K>) {
        self.0.push(fault);
    }

    /// Takes all back.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What waits still.
    pub fn armed(&self) -> &[Fault<K>] {
        &self.0
    }

    /// The kind of the oldest fault that names the operation, fits the place that asks, and strikes.
    pub fn strike(&mut self, operation: &str, fits: impl Fn(&K) -> bool) -> Option<K> {
        let struck = self.0.iter_mut().find_map(|fault| {
            (fault.names(operation) && fits(&fault.kind) && fault.strikes())
                .then(|| fault.kind.clone())
        });
        self.0.retain(|fault| !fault.is_spent());
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_for_the_next_two_strikes_twice_where_it_fits() {
        let mut faults = Faults::default();
        faults.arm(Fault {
            operation: "issue/bulk$".to_owned(),
            kind: "drop",
            when: When::Next(2),
        });
        assert_eq!(faults.strike("POST issue/bulkfetch", |_| true), None);
        assert_eq!(
            faults.strike("POST issue/bulk", |kind| *kind != "drop"),
            None
        );
        assert_eq!(faults.strike("POST issue/bulk", |_| true), Some("drop"));
        assert_eq!(faults.strike("POST issue/bulk", |_| true), Some("drop"));
        assert_eq!(faults.strike("POST issue/bulk", |_| true), None);
        assert!(faults.armed().is_empty());
    }

    #[test]
    fn chance_strikes_about_as_often_as_it_says_and_the_same_with_one_seed() {
        let struck = |seed| {
            let mut faults = Faults::default();
            faults.arm(Fault {
                operation: String::new(),
                kind: (),
                when: When::Chance {
                    permille: 250,
                    seed,
                },
            });
            (0..2_000)
                .filter(|_| faults.strike("any", |()| true).is_some())
                .collect::<Vec<u32>>()
        };
        let (one, same, other) = (struck(7), struck(7), struck(8));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert!((400..600).contains(&one.len()), "{}", one.len());
    }
}
