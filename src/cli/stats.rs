//! `termask stats`: numbers about a folder's annotations.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::core::printable::printable_text;
use crate::store::stats::{self, Stats};

/// Counts images, objects, classes, verdicts and time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder with the images.
    dir: PathBuf,
    /// Prints all numbers as JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Prints a line a class: class, objects, area, `spent_ms`.
    #[arg(long)]
    csv: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let stats = stats::stats(&args.dir)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&stats)?);
    } else if args.csv {
        print!("{}", csv(&stats));
    } else {
        print!("{}", table(&stats));
    }
    for why in &stats.unreadable {
        eprintln!("{why}");
    }
    Ok(ExitCode::SUCCESS)
}

fn csv(stats: &Stats) -> String {
    let lines = stats.classes.iter().map(|(name, class)| {
        let name = name.replace('"', "\"\"");
        format!(
            "\"{name}\",{},{},{}\n",
            class.objects, class.area, class.spent_ms
        )
    });
    format!("class,objects,area,spent_ms\n{}", lines.collect::<String>())
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
    let rate = stats.objects_per_hour;
    lines.extend(rate.map(|rate| format!("speed    {rate:.0} objects an hour")));
    let most = stats.classes.values().map(|c| c.objects).max();
    let most = most.unwrap_or(1).max(1);
    for (name, class) in &stats.classes {
        let bar = "█".repeat((class.objects * BAR).div_ceil(most) as usize);
        let mean = class.area / class.objects.max(1);
        let name = printable_text(name);
        lines.push(format!(
            "{name:<16} {:>7} {bar:<30} {mean} px each",
            class.objects
        ));
    }
    lines.join("\n") + "\n"
}
