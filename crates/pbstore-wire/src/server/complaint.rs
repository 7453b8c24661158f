//! Warnings about what peers do, which they must not be able to fill a log with.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// At most one line in this time.
const EVERY: Duration = Duration::from_secs(10);

/// Something that may happen very often and is worth a line now and then.
#[derive(Default)]
pub(crate) struct Complaint {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<Instant>,
    count: u64,
}

impl Complaint {
    /// Log that it happened, or only count it when there was a line a moment ago.
    pub(crate) fn warn(&self, text: impl FnOnce() -> String) {
        if let Some(count) = self.due() {
            let times = if count > 1 { format!(" ({count} times since the last warning)") } else { String::new() };
            log::warn!("{}{times}", text());
        }
    }

    /// How often it happened, if that is to be said now.
    fn due(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        if state.last.is_some_and(|last| last.elapsed() < EVERY) {
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_it_once_and_counts() {
        let complaint = Complaint::default();
        assert_eq!(complaint.due(), Some(1));
        assert_eq!((complaint.due(), complaint.due()), (None, None));
        complaint.state.lock().unwrap().last = Instant::now().checked_sub(EVERY);
        assert_eq!(complaint.due(), Some(3));
    }
}
