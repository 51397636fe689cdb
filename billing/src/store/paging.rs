//! Cuts a page out of the rows that were looked through.

/// The first rows that the filter leaves, at most `limit`, and the number from below which the next page
/// goes on. With `may_be_more` there are rows that were not looked through.
pub(super) fn cut<T>(
    looked_through: Vec<T>,
    number: impl Fn(&T) -> i64,
    leaves: impl Fn(&T) -> bool,
    may_be_more: bool,
    limit: usize,
) -> (Vec<T>, Option<i64>) {
    let last = looked_through.last().map(&number);
    let mut left = looked_through.into_iter().filter(leaves);
    let page: Vec<T> = left.by_ref().take(limit).collect();
    let next = match left.next() {
        Some(_) => page.last().map(number),
        None => last.filter(|_| may_be_more),
    };
    (page, next)
}
