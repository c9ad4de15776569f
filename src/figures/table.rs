//! A table as plain data: under every chart, in every export. Text in it may come from findings: whoever writes it out
//! escapes it for where it goes; the forms for files stand in [`super::export`].

use serde::{Deserialize, Serialize};

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// There is none.
    None,
    /// A whole number.
    Count(i64),
    /// Days, with one decimal.
    Days(f64),
    /// Words.
    Text(String),
}

impl Cell {
    /// As people read it.
    pub fn shown(&self) -> String {
        match self {
            Cell::None => "–".to_owned(),
            Cell::Count(n) if *n < 0 => format!("−{}", super::grouped(n.unsigned_abs())),
            Cell::Count(n) => super::grouped(n.unsigned_abs()),
            Cell::Days(days) => format!("{days:.1}"),
            Cell::Text(text) => text.clone(),
        }
    }

    /// It says that there is nothing.
    pub fn is_nought(&self) -> bool {
        matches!(self, Cell::None | Cell::Count(0))
    }

    /// How it sorts: numbers before words, nothing last.
    pub fn order(&self, other: &Cell) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        let number = |cell: &Cell| match cell {
            #[allow(clippy::cast_precision_loss)] // Counts fit an f64 many times over.
            Cell::Count(n) => Some(*n as f64),
            Cell::Days(days) => Some(*days),
            Cell::None | Cell::Text(_) => None,
        };
        match (self, other) {
            (Cell::Text(a), Cell::Text(b)) => a
                .to_lowercase()
                .cmp(&b.to_lowercase())
                .then_with(|| a.cmp(b)),
            (Cell::None, Cell::None) => Ordering::Equal,
            (Cell::None, _) => Ordering::Greater,
            (_, Cell::None) => Ordering::Less,
            _ => match (number(self), number(other)) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            },
        }
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Self {
        Cell::Count(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Cell {
    fn from(n: i64) -> Self {
        Cell::Count(n)
    }
}

impl From<f64> for Cell {
    fn from(days: f64) -> Self {
        Cell::Days(days)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::None, Into::into)
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in exports and URLs: never changed once released.
    pub key: String,
    /// Its heading.
    pub label: String,
    /// It holds numbers, which stand at the right.
    pub is_numeric: bool,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it is of.
    pub caption: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows, each as long as the columns.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows; a key that ends in `:n` is a column of numbers.
    pub fn new(caption: &str, columns: &[(&str, &str)]) -> Self {
        let column = |(key, label): &(&str, &str)| Column {
            key: key.trim_end_matches(":n").to_owned(),
            label: (*label).to_owned(),
            is_numeric: key.ends_with(":n"),
        };
        Table {
            caption: caption.to_owned(),
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    /// The places of columns that a reader needs: not those of numbers that are all nought, nor what was open at the end
    /// where that is now. What the rows are of and their first number always stand. Exports have every column.
    pub fn telling(&self) -> Vec<usize> {
        let place = |key: &str| self.columns.iter().position(|column| column.key == key);
        let first = self.columns.iter().position(|column| column.is_numeric);
        let (end, now) = (place("open_at_end"), place("open"));
        let is_now = |row: &Vec<Cell>| end.map(|at| &row[at]) == now.map(|at| &row[at]);
        let repeats = end.filter(|_| self.rows.iter().all(is_now));
        let tells = |at: &usize| {
            let says = self.rows.iter().any(|row| !row[*at].is_nought());
            *at == 0 || Some(*at) == first || (says && Some(*at) != repeats)
        };
        (0..self.columns.len()).filter(tells).collect()
    }

    /// Sorts by a column; false when there is none with this key. Equal rows keep their order, and rows without a value
    /// stay last.
    pub fn sort(&mut self, key: &str, descending: bool) -> bool {
        let Some(at) = self.columns.iter().position(|column| column.key == key) else {
            return false;
        };
        let none = |row: &[Cell]| row.get(at).is_none_or(|cell| *cell == Cell::None);
        self.rows.sort_by(|a, b| {
            let order = match (a.get(at), b.get(at)) {
                (Some(a), Some(b)) => a.order(b),
                _ => std::cmp::Ordering::Equal,
            };
            if descending && !none(a) && !none(b) {
                order.reverse()
            } else {
                order
            }
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sort_by_number_or_word_and_those_without_a_value_stay_last() {
        let mut table = Table::new("t", &[("name", "Name"), ("open:n", "Open")]);
        let row = |name: &str, open: Option<u64>| vec![Cell::from(name), Cell::from(open)];
        table.rows = vec![row("b", Some(10)), row("A", None), row("c", Some(9))];
        let names = |table: &Table| -> Vec<String> {
            table.rows.iter().map(|row| row[0].shown()).collect()
        };
        assert!(table.sort("open", false));
        assert_eq!(names(&table), ["c", "b", "A"]);
        assert!(table.sort("open", true));
        assert_eq!(names(&table), ["b", "c", "A"]);
        assert!(table.sort("name", false));
        assert_eq!(names(&table), ["A", "b", "c"]);
        assert!(!table.sort("nothing", false));
    }

    #[test]
    fn columns_that_tell_nothing_are_no_use_to_a_reader() {
        let columns = [
            ("name", "Name"),
            ("open:n", "Open"),
            ("late:n", "Late"),
            ("open_at_end:n", "At the end"),
        ];
        let telling = |rows: [[u64; 3]; 2]| {
            let mut table = Table::new("t", &columns);
            let row = |numbers: [u64; 3]| {
                let numbers = numbers.map(Cell::from).into_iter();
                [Cell::from("a")].into_iter().chain(numbers).collect()
            };
            table.rows = rows.map(row).to_vec();
            table.telling()
        };
        assert_eq!(telling([[3, 1, 3], [2, 0, 2]]), [0, 1, 2]);
        assert_eq!(telling([[3, 0, 3], [2, 0, 1]]), [0, 1, 3]);
        assert_eq!(telling([[0, 0, 0], [0, 0, 0]]), [0, 1]);
    }
}
