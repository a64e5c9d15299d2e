//! Which part of the images one of several processes takes.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};

/// One of `count` equal parts; `number` counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    count: usize,
}

impl Shard {
    /// The share of a list: every `count`th, so that slow stretches are spread over all.
    pub fn of<T>(self, list: Vec<T>) -> Vec<T> {
        let mine = list.into_iter().skip(self.number - 1);
        mine.step_by(self.count).collect()
    }

    /// The part of a SLURM array's task; `None` outside of an array. `variable` looks one up in
    /// the environment.
    ///
    /// # Errors
    /// Where the variables contradict each other.
    pub fn of_slurm(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let Some(id) = variable("SLURM_ARRAY_TASK_ID") else {
            return Ok(None);
        };
        let number = |name: &str, text: String| {
            let number = text.parse::<usize>();
            number.with_context(|| format!("{name}={text:?} is no number; give --shard i/n"))
        };
        let read = |name: &str| variable(name).map(|text| number(name, text)).transpose();
        let id = number("SLURM_ARRAY_TASK_ID", id)?;
        let count = read("SLURM_ARRAY_TASK_COUNT")?;
        let count = count.context("SLURM_ARRAY_TASK_COUNT is not set; give --shard i/n")?;
        let first = read("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = read("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let place = id
            .checked_sub(first)
            .filter(|p| p % step == 0)
            .map(|p| p / step);
        let place = place.filter(|p| *p < count).with_context(|| {
            format!("task {id} is none of {count} from {first} on in steps of {step}; number the array without gaps, or give --shard i/n")
        })?;
        Ok(Some(Self {
            number: place + 1,
            count,
        }))
    }
}

impl FromStr for Shard {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let told = "it is i/n with i from 1 to n, as 2/8";
        let (number, count) = text.split_once('/').context(told)?;
        let shard = Self {
            number: number.trim().parse().context(told)?,
            count: count.trim().parse().context(told)?,
        };
        ensure!((1..=shard.count).contains(&shard.number), told);
        Ok(shard)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slurm(variables: &[(&str, &str)]) -> Result<Option<String>> {
        let find = |name: &str| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Ok(Shard::of_slurm(find)?.map(|s| s.to_string()))
    }

    #[test]
    fn the_shards_of_a_list_hold_each_item_once() {
        for count in 1..9 {
            let shards = (1..=count).map(|i| format!("{i}/{count}").parse::<Shard>());
            let mut all: Vec<u32> = shards
                .flat_map(|s| s.expect("a shard").of((0..20).collect()))
                .collect();
            all.sort_unstable();
            assert_eq!(all, (0..20).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "1", "0/3", "4/3", "1/0", "a/b", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_array_job_knows_its_shard_by_itself() {
        let [id, count, min, step] =
            ["ID", "COUNT", "MIN", "STEP"].map(|name| ["SLURM_ARRAY_TASK_", name].concat());
        let (id, count, min, step) = (&*id, &*count, &*min, &*step);
        assert_eq!(slurm(&[]).expect("no array"), None);
        let told =
            |variables: &[(&str, &str)]| slurm(variables).expect("an array").expect("a shard");
        assert_eq!(told(&[(id, "0"), (count, "8"), (min, "0")]), "1/8");
        assert_eq!(told(&[(id, "8"), (count, "8"), (min, "1")]), "8/8");
        assert_eq!(
            told(&[(id, "14"), (count, "3"), (min, "10"), (step, "2")]),
            "3/3"
        );
        for wrong in [
            vec![(id, "3")],
            vec![(id, "x"), (count, "8")],
            // --array=1,5,9
            vec![(id, "9"), (count, "3"), (min, "1"), (step, "1")],
            vec![(id, "3"), (count, "2"), (min, "0"), (step, "2")],
        ] {
            let why = slurm(&wrong).expect_err("contradicting").to_string();
            assert!(why.contains("--shard"), "{why}");
        }
    }
}
