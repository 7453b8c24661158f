//! How many files the process may hold open while their fate is undecided (version-4.md 2.2).

use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};

use crate::report::Reporter;

/// When the system does not say.
const FALLBACK: usize = 512;
/// A limit that many programs have by default, and that is low for this one.
const LOW_LIMIT: u64 = 4096;

/// Raises the limit of open files as far as it goes; returns how many of them may be held.
///
/// Half of what could be open before is left to everything else that the process does.
pub fn raise_limit(reporter: &mut dyn Reporter) -> usize {
    let Rlimit { current: Some(soft), maximum: Some(hard) } = getrlimit(Resource::Nofile) else { return FALLBACK };
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(hard), maximum: Some(hard) });
    let limit = if raised.is_ok() { hard } else { soft };
    if limit <= LOW_LIMIT {
        reporter.info(format!("only {limit} files can be open at once: finds fewer unchanged files (see ulimit -Hn)"));
    }
    usize::try_from(limit.saturating_sub(soft / 2)).unwrap_or(FALLBACK)
}
