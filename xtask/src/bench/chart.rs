//! Charts and tables as HTML without scripts: text and lines take the page's colours, each column has a
//! shape of its own beside its colour, and all numbers stand in the tables.

use super::table::Samples;
use std::fmt::Write;

/// A row's height.
const ROW: f64 = 30.0;
/// Room for the rows' names.
const LEFT: f64 = 110.0;
const WIDTH: f64 = 860.0;
const RIGHT: f64 = 20.0;
/// Room for the legend above and the axis below.
const TOP: f64 = 40.0;
const BOTTOM: f64 = 44.0;

/// What text may hold.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Programs from top to bottom, and for each a mark of every column at the multiple of the base's time
/// that it took, on a logarithmic scale. A line goes on to the median.
pub struct Chart<'a> {
    pub title: &'a str,
    pub rows: &'a [&'a str],
    pub base: &'a str,
    pub columns: &'a [&'a str],
    pub samples: &'a Samples,
}

/// The numbers at the axis between two bounds: 1, 2, 5, 10, …
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    (first..=last)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)))
        .filter(|tick| (low..=high).contains(tick))
        .collect()
}

/// A column's mark.
fn mark(column: usize, x: f64, y: f64) -> String {
    let class = format!("c{column}");
    match column % 4 {
        0 => format!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="5"/>"#),
        1 => format!(
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="9" height="9"/>"#,
            x - 4.5,
            y - 4.5
        ),
        2 => format!(
            r#"<path class="{class}" d="M{x:.1} {:.1}l5.5 10h-11z"/>"#,
            y - 6.0
        ),
        _ => format!(
            r#"<path class="{class}" d="M{x:.1} {:.1}l6 6-6 6-6-6z"/>"#,
            y - 6.0
        ),
    }
}

impl Chart<'_> {
    /// The chart; nothing if there is nothing to show.
    pub fn svg(&self) -> String {
        let points: Vec<Vec<Option<(f64, f64)>>> = self
            .rows
            .iter()
            .map(|row| {
                let base = self.samples.fastest_and_median(row, self.base);
                let at = |column| {
                    let (fastest, median) = self.samples.fastest_and_median(row, column)?;
                    Some((fastest / base?.0, median / base?.0))
                };
                self.columns.iter().map(|column| at(column)).collect()
            })
            .collect();
        let all = || points.iter().flatten().flatten();
        let low = all().map(|point| point.0).fold(1.0, f64::min) * 0.9;
        let high = all().map(|point| point.1).fold(2.0, f64::max) * 1.1;
        let x = |value: f64| LEFT + (value / low).ln() / (high / low).ln() * (WIDTH - LEFT - RIGHT);
        let height = TOP + ROW * self.rows.len() as f64 + BOTTOM;
        let end = height - BOTTOM;
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}; the numbers are in the table below\">\n",
            escape(self.title)
        );
        let mut legend = LEFT;
        for (index, column) in self.columns.iter().enumerate() {
            let _ = writeln!(
                svg,
                r#"{}<text x="{:.1}" y="19">{}</text>"#,
                mark(index, legend, 14.0),
                legend + 12.0,
                escape(column)
            );
            legend += 40.0 + 7.0 * column.len() as f64;
        }
        for tick in ticks(low, high) {
            let at = x(tick);
            let class = if tick == 1.0 { "one" } else { "grid" };
            let _ = writeln!(
                svg,
                r#"<path class="{class}" d="M{at:.1} {TOP}V{end}"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">{tick} ×</text>"#,
                end + 18.0
            );
        }
        let _ = writeln!(
            svg,
            r#"<text x="{LEFT}" y="{:.1}">time, of {}’s; a line goes on to the median</text>"#,
            end + 38.0,
            escape(self.base)
        );
        for (index, (row, marks)) in self.rows.iter().zip(&points).enumerate() {
            let y = TOP + ROW * (index as f64 + 0.5);
            let _ = writeln!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 10.0,
                y + 5.0,
                escape(row)
            );
            for (column, mark_at) in marks.iter().enumerate() {
                let Some((fastest, median)) = *mark_at else {
                    continue;
                };
                let _ = writeln!(
                    svg,
                    r#"<path class="to" d="M{:.1} {y:.1}H{:.1}"/>{}"#,
                    x(fastest),
                    x(median),
                    mark(column, x(fastest), y)
                );
            }
        }
        svg + "</svg>"
    }
}

/// A Markdown table as HTML.
pub fn table(markdown: &str) -> String {
    let mut html = "<div class=\"scroll\"><table>\n".to_owned();
    for (number, line) in markdown.lines().enumerate() {
        if number == 1 {
            continue;
        }
        let cells = line.trim_matches('|').split('|').map(str::trim);
        html += "<tr>";
        for (index, cell) in cells.enumerate() {
            let text = escape(cell);
            let text = match text.strip_prefix("**").and_then(|it| it.strip_suffix("**")) {
                Some(bold) => format!("<strong>{bold}</strong>"),
                None => text,
            };
            let _ = match (number, index) {
                (0, _) => write!(html, "<th scope=\"col\">{text}</th>"),
                (_, 0) => write!(html, "<th scope=\"row\">{text}</th>"),
                _ => write!(html, "<td>{text}</td>"),
            };
        }
        html += "</tr>\n";
    }
    html + "</table></div>\n"
}

/// A page of its own.
pub fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
:root {{ --text: #1c2024; --back: #fff; --line: #d5d9de; --c0: #1f6feb; --c1: #b35900; --c2: #6f42c1; --c3: #1a7f37; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --text: #e6e8eb; --back: #16181b; --line: #3a3f45; --c0: #6cb0ff; --c1: #ffa657; --c2: #c9a4ff; --c3: #56d364; }}
}}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
.chart {{ width: 100%; height: auto; font-size: 13px; }}
.chart text {{ fill: var(--text); }}
.chart .grid {{ stroke: var(--line); }}
.chart .one {{ stroke: var(--text); }}
.chart .to {{ stroke: var(--text); opacity: 0.6; }}
.c0 {{ fill: var(--c0); }} .c1 {{ fill: var(--c1); }} .c2 {{ fill: var(--c2); }} .c3 {{ fill: var(--c3); }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.25rem 0.75rem; border-bottom: 1px solid var(--line); text-align: right; font-weight: normal; }}
th[scope="row"] {{ text-align: left; }} th[scope="col"] {{ font-weight: 600; vertical-align: bottom; }}
dt {{ font-weight: 600; }} dd {{ margin: 0 0 0.5rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}</body>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_round_numbers() {
        assert_eq!(ticks(0.9, 60.0), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(ticks(0.4, 1.5), [0.5, 1.0]);
    }

    #[test]
    fn each_measured_cell_has_a_mark_right_of_what_is_faster() {
        let mut samples = Samples::default();
        for (column, value) in [("base", 2.0), ("x", 4.0), ("y", 40.0)] {
            samples.add("a<b", column, value);
        }
        samples.add("only base", "base", 1.0);
        let chart = Chart {
            title: "t",
            rows: &["a<b", "only base"],
            base: "base",
            columns: &["x", "y"],
            samples: &samples,
        };
        let svg = chart.svg();
        // One of each is in the legend.
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("a&lt;b") && !svg.contains("a<b"));
        let x = |tag: &str, name: &str| -> f64 {
            let mark = svg.rsplit(tag).next().expect("a mark");
            let from = mark.split_once(name).expect("a place").1;
            from.split('"')
                .next()
                .and_then(|it| it.parse().ok())
                .expect("a number")
        };
        assert!(x("<circle", "cx=\"") < x("<rect", " x=\""));
    }

    #[test]
    fn a_markdown_table_becomes_one_of_html() {
        let html = table("| p | x |\n| --- | ---: |\n| a | **1.00** |\n");
        assert_eq!(
            html,
            "<div class=\"scroll\"><table>\n<tr><th scope=\"col\">p</th><th scope=\"col\">x</th></tr>\n\
             <tr><th scope=\"row\">a</th><td><strong>1.00</strong></td></tr>\n</table></div>\n"
        );
    }
}
