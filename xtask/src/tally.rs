//! Counts tests by reading the summaries of cargo's and node's test runners.

use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::process;

/// How many tests or checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many passed.
    pub passed: u32,
    /// How many failed, or could not be run.
    pub failed: u32,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Tally {
    /// This count, or an error where nothing was counted: a suite that finds no test has failed.
    pub fn or_none_ran(self) -> Result<Self> {
        ensure!(self != Self::default(), "no test ran");
        Ok(self)
    }

    /// Whether something ran and nothing failed.
    pub fn is_success(self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

/// Runs a test runner, shows what it prints and counts its summaries. A runner that fails without having counted a failed
/// test (it did not compile, it crashed) counts as one.
pub fn run(command: &mut Command) -> Result<Tally> {
    let shown = process::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{shown}`"))?;
    let mut tally = Tally::default();
    for line in BufReader::new(child.stdout.take().context("the output is piped")?).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally += summary(&line);
    }
    if !child.wait()?.success() && tally.failed == 0 {
        eprintln!("`{shown}` failed");
        tally.failed = 1;
    }
    Ok(tally)
}

fn summary(line: &str) -> Tally {
    let line = line.trim();
    if let Some(counts) = line.strip_prefix("test result: ") {
        return Tally {
            passed: before(counts, " passed"),
            failed: before(counts, " failed"),
        };
    }
    let Some((name, count)) = line
        .strip_prefix("ℹ ")
        .or(line.strip_prefix("# "))
        .and_then(|rest| rest.split_once(' '))
    else {
        return Tally::default();
    };
    let count = count.parse().unwrap_or(0);
    match name {
        "pass" => Tally {
            passed: count,
            failed: 0,
        },
        "fail" | "cancelled" => Tally {
            passed: 0,
            failed: count,
        },
        _ => Tally::default(),
    }
}

/// The number that stands before a word.
fn before(text: &str, word: &str) -> u32 {
    let number = text
        .split(word)
        .next()
        .and_then(|head| head.rsplit(' ').next());
    number.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_both_runners_are_read() {
        let cargo = "test result: FAILED. 8 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.06s";
        assert_eq!(
            summary(cargo),
            Tally {
                passed: 8,
                failed: 1
            }
        );
        assert_eq!(
            summary("ℹ pass 12"),
            Tally {
                passed: 12,
                failed: 0
            }
        );
        assert_eq!(
            summary("# fail 3"),
            Tally {
                passed: 0,
                failed: 3
            }
        );
        assert_eq!(
            summary("ℹ cancelled 1"),
            Tally {
                passed: 0,
                failed: 1
            }
        );
        for other in [
            "ℹ duration_ms 12.5",
            "# tests 4",
            "running 9 tests",
            "ℹ suites 2",
        ] {
            assert_eq!(summary(other), Tally::default(), "{other}");
        }
    }

    #[test]
    fn a_runner_that_dies_before_its_summary_has_failed() {
        let tally = run(Command::new("sh").args(["-c", "echo no summary; exit 1"])).unwrap();
        assert_eq!(
            tally,
            Tally {
                passed: 0,
                failed: 1
            }
        );
        assert!(!tally.is_success());
        assert!(
            Tally::default().or_none_ran().is_err(),
            "no test at all is no success"
        );
    }
}
