//! `termask stats`: numbers about a folder's annotations.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::core::printable::{printable_json, printable_text};
use crate::store::stats::{self, Stats};

/// What a line of `--csv` holds.
const COLUMNS: &str =
    "class,objects,area,spent_ms,accepted,rejected,flagged,proposals,proposal_iou";

/// Counts images, objects, classes, verdicts, time, and how far the engine was right.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder with the images.
    dir: PathBuf,
    /// Prints all numbers as JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Prints a line a class: objects, area, time, verdicts and agreement with the proposals.
    #[arg(long)]
    csv: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let stats = stats::stats(&args.dir)?;
    if args.json {
        println!("{}", printable_json(&serde_json::to_string_pretty(&stats)?));
    } else if args.csv {
        print!("{}", csv(&stats));
    } else {
        print!("{}", table(&stats));
    }
    for why in &stats.unreadable {
        eprintln!("termask: {why}");
    }
    Ok(ExitCode::SUCCESS)
}

fn csv(stats: &Stats) -> String {
    let lines = stats.classes.iter().map(|(name, class)| {
        let name = printable_text(name).replace('"', "\"\"");
        let agreement = &class.agreement;
        format!(
            "\"{name}\",{},{},{},{},{},{},{},{:.4}\n",
            class.objects,
            class.area,
            class.spent_ms,
            class.accepted,
            class.rejected,
            class.flagged,
            agreement.proposed,
            agreement.mean_iou
        )
    });
    format!("{COLUMNS}\n{}", lines.collect::<String>())
}

fn table(stats: &Stats) -> String {
    const BAR: u64 = 30;
    let images = &stats.images;
    let judged = stats.verdicts.iter().filter(|(_, n)| **n > 0);
    let judged: String = judged
        .map(|(v, n)| [", ", &n.to_string(), " ", v].concat())
        .collect();
    let mut lines = vec![
        format!(
            "images   {} untouched, {} begun, {} finished",
            images.untouched, images.begun, images.finished
        ),
        format!("objects  {}{judged}", stats.objects),
    ];
    if let (Some(rate), Some(median)) = (stats.objects_per_hour, stats.median_ms) {
        let median = median as f64 / 1000.0;
        lines.push(format!(
            "speed    {rate:.0} objects an hour, {median:.1} s for the one in the middle"
        ));
    }
    let agreement = &stats.all.agreement;
    if agreement.proposed > 0 {
        let (all, same) = (agreement.proposed, agreement.unchanged);
        let iou = agreement.mean_iou;
        lines.push(format!(
            "engine   {all} proposals, {same} kept as they were, mean IoU {iou:.3} with what was kept"
        ));
    }
    let most = stats.classes.values().map(|c| c.objects).max();
    let most = most.unwrap_or(1).max(1);
    for (name, class) in &stats.classes {
        let bar = "█".repeat((class.objects * BAR).div_ceil(most) as usize);
        let count = class.objects.max(1);
        let (area, time) = (
            class.area / count,
            class.spent_ms as f64 / 1000.0 / count as f64,
        );
        let name = printable_text(name);
        lines.push(format!(
            "{name:<16} {:>7} {bar:<30} {area} px, {time:.1} s each",
            class.objects
        ));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::stats::ClassStats;

    #[test]
    fn a_line_of_csv_has_a_column_each_and_a_name_breaks_none() {
        let mut stats = Stats::default();
        let class = ClassStats {
            objects: 2,
            area: 90,
            spent_ms: 1500,
            accepted: 1,
            ..ClassStats::default()
        };
        stats.classes.insert("a \"cup\",\n\u{1b}[2J".into(), class);
        let text = csv(&stats);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], COLUMNS);
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[1].starts_with("\"a \"\"cup\"\","), "{text}");
        assert!(lines[1].ends_with("\",2,90,1500,1,0,0,0,0.0000"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
