//! How the cost of an operation grows with the work around it.
//!
//! The rule: where n things are around it, an operation may cost what it costs at
//! its cheapest, times the growth of the logarithm of n, and [`MEMORY_NS`]. What is
//! dearer is flagged.
//!
//! The allowance is for memory. Among ten tasklets all that an operation looks at
//! is in the first cache, a nanosecond away. Among a million the one that is woken has
//! not run for long: a dozen lines of its block, its stack and the object it waits for
//! come from memory, most of them after a page walk, 150 ns each, which no algorithm
//! avoids. Over five powers of ten a logarithm makes 6 of 1, a square root 316, and a
//! walk along all of them 100,000: the allowance hides no walk.

use crate::results::Row;

/// What looking at memory that is in no cache may add to an operation.
pub(crate) const MEMORY_NS: f64 = 2000.0;

/// One contender's cost over the sizes of a case.
#[derive(Debug, PartialEq)]
pub(crate) struct Growth {
    pub(crate) x_first: u64,
    pub(crate) x_last: u64,
    /// The lowest median, which is not always that of the smallest size: what
    /// happens once weighs most there.
    pub(crate) lowest: f64,
    pub(crate) last: f64,
    /// `last` over `lowest`.
    pub(crate) ratio: f64,
    /// The highest cost that is no worse than O(log n).
    pub(crate) limit: f64,
}

impl Growth {
    /// The growth over `rows`, all of one contender; `None` with less than two.
    pub(crate) fn of(rows: &[&Row]) -> Option<Growth> {
        let mut points: Vec<(u64, f64)> = rows
            .iter()
            .filter_map(|row| Some((row.x?, row.median())))
            .collect();
        points.sort_by_key(|&(x, _)| x);
        let (&(x_first, _), &(x_last, last)) = (points.first()?, points.last()?);
        if x_first == x_last {
            return None;
        }
        let &(x_lowest, lowest) = points.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        if lowest <= 0.0 {
            return None;
        }
        Some(Growth {
            x_first,
            x_last,
            lowest,
            last,
            ratio: last / lowest,
            limit: lowest * logarithm(x_last) / logarithm(x_lowest) + memory(&rows[0].unit),
        })
    }

    /// What the cost is multiplied by when the size is multiplied by ten, on
    /// average.
    pub(crate) fn per_tenfold(&self) -> f64 {
        let tenfolds = (self.x_last as f64 / self.x_first as f64).log10();
        self.ratio.powf(1.0 / tenfolds)
    }

    pub(crate) fn is_within(&self) -> bool {
        self.last <= self.limit
    }
}

/// The allowance in `unit`; memory that is held has none.
fn memory(unit: &str) -> f64 {
    match unit {
        "ns" | "ns/KiB" => MEMORY_NS,
        "us" => MEMORY_NS / 1000.0,
        _ => 0.0,
    }
}

/// Levels of a tree with `x` leaves; at least 1, since even one is looked at.
fn logarithm(x: u64) -> f64 {
    (x as f64).log2().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(unit: &str, cost: impl Fn(f64) -> f64) -> Growth {
        let rows: Vec<Row> = [10, 100, 1000, 10_000, 100_000, 1_000_000]
            .map(|x| Row {
                case: "growth".into(),
                who: "greenling".into(),
                unit: unit.into(),
                x: Some(x),
                values: vec![cost(x as f64)],
            })
            .into();
        Growth::of(&rows.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn constant_and_logarithmic_costs_are_within() {
        let constant = growth("ns", |_| 5.0);
        assert_eq!((constant.ratio, constant.per_tenfold()), (1.0, 1.0));
        assert!(constant.is_within());
        assert!(growth("us", |x| 5.0 * x.log2()).is_within());
        // Out of the caches on the way.
        assert!(growth("ns", |x| if x < 1e5 { 5.0 } else { 1500.0 }).is_within());
        // What happens once is spread over more and more.
        assert!(growth("us", |x| 5.0 + 1e4 / x).is_within());
    }

    #[test]
    fn roots_and_walks_are_not() {
        assert!(!growth("us", |x| 5.0 * x.sqrt()).is_within());
        assert!(!growth("ns", |x| 5.0 * x.sqrt()).is_within());
        assert!(!growth("ns", |x| 5.0 + x / 100.0).is_within());
        assert!((growth("ns", |x| x).per_tenfold() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn memory_may_not_grow_for_being_memory() {
        assert!(growth("bytes", |_| 4800.0).is_within());
        assert!(!growth("bytes", |x| 100.0 * x.sqrt()).is_within());
    }

    #[test]
    fn one_size_is_no_growth() {
        assert_eq!(Growth::of(&[]), None);
    }
}
