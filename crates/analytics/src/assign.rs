//! The cheapest way to pair rows with columns, exact.
//!
//! Belongs here: the Hungarian method with potentials (shortest augmenting paths, `O(rows² · columns)`), as Jonker and
//! Volgenant arrange it. Does not belong here: what the costs mean. Written out because the library at
//! hand (`pathfinding`) takes only weights with a total order, pairs every row, and brings its graph algorithms along.

/// Pairs `(row, column)` in order of rows, with the least total cost, where leaving a pair out costs `limit`.
/// `cost(row, column)` is finite and at least 0; pairs at or above `limit` are not made. Ties fall to the
/// earlier row and column, always the same way.
#[must_use]
pub fn assign(rows: usize, columns: usize, limit: f64, cost: impl Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
    if rows <= columns {
        let table: Vec<f64> = (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))).map(|(r, c)| cost(r, c).min(limit)).collect();
        return solve(rows, columns, limit, &table);
    }
    let table: Vec<f64> = (0..columns).flat_map(|c| (0..rows).map(move |r| (r, c))).map(|(r, c)| cost(r, c).min(limit)).collect();
    let mut pairs: Vec<_> = solve(columns, rows, limit, &table).into_iter().map(|(c, r)| (r, c)).collect();
    pairs.sort_unstable();
    pairs
}

/// The same for a table of rows that has no more rows than columns, its costs cut to `limit`.
fn solve(rows: usize, columns: usize, limit: f64, table: &[f64]) -> Vec<(usize, usize)> {
    let at = |row: usize, column: usize| table[(row - 1) * columns + column - 1];
    // Rows and columns are numbered from 1; 0 is "none", and column 0 holds the row being placed.
    let (mut u, mut v) = (vec![0.0; rows + 1], vec![0.0; columns + 1]);
    let mut row_of = vec![0; columns + 1];
    let mut came_from = vec![0; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut done = vec![false; columns + 1];
        while row_of[column] != 0 {
            done[column] = true;
            let here = row_of[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for c in 1..=columns {
                if done[c] {
                    continue;
                }
                let reduced = at(here, c) - u[here] - v[c];
                if reduced < least[c] {
                    (least[c], came_from[c]) = (reduced, column);
                }
                if least[c] < delta {
                    (delta, next) = (least[c], c);
                }
            }
            for c in 0..=columns {
                if done[c] {
                    u[row_of[c]] += delta;
                    v[c] -= delta;
                } else {
                    least[c] -= delta;
                }
            }
            column = next;
        }
        while column != 0 {
            let from = came_from[column];
            row_of[column] = row_of[from];
            column = from;
        }
    }
    let mut pairs: Vec<_> = (1..=columns).filter(|&c| row_of[c] != 0 && at(row_of[c], c) < limit).map(|c| (row_of[c] - 1, c - 1)).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn brute(rows: usize, columns: usize, limit: f64, cost: &[f64], row: usize, taken: &mut Vec<bool>) -> f64 {
        if row == rows {
            return 0.0;
        }
        let mut best = limit + brute(rows, columns, limit, cost, row + 1, taken);
        for c in 0..columns {
            if !taken[c] && cost[row * columns + c] < limit {
                taken[c] = true;
                best = best.min(cost[row * columns + c] + brute(rows, columns, limit, cost, row + 1, taken));
                taken[c] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_other_pairing_is_cheaper(rows in 0_usize..6, columns in 0_usize..6, cells in prop::collection::vec(0.0_f64..1.0, 36), limit in 0.1_f64..1.0) {
            let pairs = assign(rows, columns, limit, |r, c| cells[r * columns + c]);
            let mut taken = vec![false; columns];
            for &(_, c) in &pairs {
                prop_assert!(!taken[c]);
                taken[c] = true;
            }
            prop_assert!(pairs.is_sorted_by(|a, b| a.0 < b.0));
            let made: f64 = pairs.iter().map(|&(r, c)| cells[r * columns + c]).sum();
            let total = made + (rows - pairs.len()) as f64 * limit;
            let best = brute(rows, columns, limit, &cells, 0, &mut vec![false; columns]);
            prop_assert!((total - best).abs() < 1e-9, "{} against {}", total, best);
        }
    }
}
