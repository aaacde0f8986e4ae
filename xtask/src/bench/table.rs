//! From measurements to a table.

use std::collections::BTreeMap;

/// What the columns behind the first show.
#[derive(Clone, Copy)]
pub enum Ratio {
    /// How often their time goes into the first one's: 2.00 is twice as fast.
    Speed,
    /// How much of the first one's time they take: 2.00 is half as fast.
    Time,
}

/// Measurements of cells, each a row and a column.
#[derive(Default)]
pub struct Samples {
    cells: BTreeMap<(String, String), Vec<f64>>,
    notes: BTreeMap<(String, String), String>,
}

impl Samples {
    /// Adds a measurement.
    pub fn add(&mut self, row: &str, column: &str, value: f64) {
        self.cells
            .entry((row.to_owned(), column.to_owned()))
            .or_default()
            .push(value);
    }

    /// Puts a word into a cell in place of measurements.
    pub fn note(&mut self, row: &str, column: &str, note: &str) {
        self.notes
            .insert((row.to_owned(), column.to_owned()), note.to_owned());
    }

    /// A cell's fastest measurement and its median.
    pub fn fastest_and_median(&self, row: &str, column: &str) -> Option<(f64, f64)> {
        let summary = self.summary(row, column)?;
        Some((summary.fastest, summary.median))
    }

    /// A cell's milliseconds as text.
    pub fn milliseconds(&self, row: &str, column: &str) -> String {
        match self.summary(row, column) {
            Some(it) => format!("{:.1} ms (+{:.0} %)", it.fastest, it.spread_percent()),
            None => self.missing(row, column),
        }
    }

    /// All measurements, as rows of columns.
    pub fn raw(&self) -> BTreeMap<&str, BTreeMap<&str, &[f64]>> {
        let mut rows: BTreeMap<&str, BTreeMap<&str, &[f64]>> = BTreeMap::new();
        for ((row, column), values) in &self.cells {
            rows.entry(row).or_default().insert(column, values);
        }
        rows
    }

    fn summary(&self, row: &str, column: &str) -> Option<Summary> {
        Summary::of(self.cells.get(&(row.to_owned(), column.to_owned()))?)
    }

    /// A Markdown table of the fastest measurements: what else a machine does only ever adds time. The
    /// first column is the measure of the others: it shows milliseconds, they show a `ratio` to it; the
    /// last row is the geometric mean over the rows that all columns have. After each stands how much
    /// slower the median was.
    pub fn markdown(&self, rows: &[&str], columns: &[&str], ratio: Ratio) -> String {
        let Some((&base, others)) = columns.split_first() else {
            return String::new();
        };
        let mut lines = vec![
            format!("| program | {} |", columns.join(" | ")),
            format!("| --- |{}", " ---: |".repeat(columns.len())),
        ];
        let mut logs = vec![Vec::new(); others.len()];
        for row in rows {
            let measure = self.summary(row, base);
            let mut cells = vec![self.milliseconds(row, base)];
            let ratios: Vec<Option<f64>> = others
                .iter()
                .map(|column| {
                    let (base, other) = (measure.as_ref()?, self.summary(row, column)?);
                    Some(match ratio {
                        Ratio::Speed => base.fastest / other.fastest,
                        Ratio::Time => other.fastest / base.fastest,
                    })
                })
                .collect();
            for (column, ratio) in others.iter().zip(&ratios) {
                cells.push(match (ratio, self.summary(row, column)) {
                    (Some(ratio), Some(it)) => {
                        format!("{ratio:.2} (+{:.0} %)", it.spread_percent())
                    }
                    _ => self.missing(row, column),
                });
            }
            if ratios.iter().all(Option::is_some) {
                for (logs, ratio) in logs.iter_mut().zip(ratios.iter().flatten()) {
                    logs.push(ratio.ln());
                }
            }
            lines.push(format!("| {row} | {} |", cells.join(" | ")));
        }
        let mut means = vec!["1".to_owned()];
        means.extend(logs.iter().map(|logs| match logs.len() {
            0 => "–".to_owned(),
            count => format!("**{:.2}**", (logs.iter().sum::<f64>() / count as f64).exp()),
        }));
        lines.push(format!("| **geometric mean** | {} |", means.join(" | ")));
        lines.join("\n") + "\n"
    }

    fn missing(&self, row: &str, column: &str) -> String {
        let note = self.notes.get(&(row.to_owned(), column.to_owned()));
        note.map_or("–", String::as_str).to_owned()
    }
}

/// What is said of a cell's measurements.
struct Summary {
    fastest: f64,
    median: f64,
}

impl Summary {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            (sorted.get(middle.checked_sub(1)?)? + sorted[middle]) / 2.0
        };
        Some(Self {
            fastest: *sorted.first()?,
            median,
        })
    }

    fn spread_percent(&self) -> f64 {
        (self.median / self.fastest - 1.0) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up() {
        let summary = Summary::of(&[4.0, 1.0, 3.0, 2.0, 10.0]).unwrap();
        assert_eq!((summary.fastest, summary.median), (1.0, 3.0));
        assert_eq!(summary.spread_percent(), 200.0);
        let even = Summary::of(&[1.0, 2.0]).unwrap();
        assert_eq!((even.fastest, even.median), (1.0, 1.5));
        assert!(Summary::of(&[]).is_none());
    }

    #[test]
    fn compares_with_the_first_column() {
        let mut samples = Samples::default();
        for (row, column, value) in [
            ("a", "x", 8.0),
            ("a", "y", 4.0),
            ("b", "x", 8.0),
            ("b", "y", 1.0),
            ("c", "x", 5.0),
        ] {
            samples.add(row, column, value);
        }
        samples.note("c", "y", "fails");
        let expected = "| program | x | y |\n| --- | ---: | ---: |\n\
                        | a | 8.0 ms (+0 %) | 2.00 (+0 %) |\n| b | 8.0 ms (+0 %) | 8.00 (+0 %) |\n\
                        | c | 5.0 ms (+0 %) | fails |\n| **geometric mean** | 1 | **4.00** |\n";
        assert_eq!(
            samples.markdown(&["a", "b", "c"], &["x", "y"], Ratio::Speed),
            expected
        );
    }
}
