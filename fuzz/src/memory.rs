//! Counts what the code under test has on the heap, and stops the target when that is more than it promises.
//!
//! libFuzzer's own `-malloc_limit_mb` needs a sanitizer, which stable compilers do not have. Memory of C libraries is
//! not seen here; for that there is `-rss_limit_mb`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Once;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Largest heap of one input so far, and the bound that it was held to.
static LARGEST: AtomicUsize = AtomicUsize::new(0);
static BOUND: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator with the same arguments; counting changes nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Old and new are both there while the bytes are moved.
        grown(new_size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

fn grown(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

/// Runs `work`, which must not have more than `bound` bytes on the heap at any time.
///
/// # Panics
///
/// It had more.
pub fn within<T>(bound: usize, work: impl FnOnce() -> T) -> T {
    static AT_EXIT: Once = Once::new();
    // SAFETY: `print_statistics` may be called at any time.
    AT_EXIT.call_once(|| assert_eq!(unsafe { atexit(print_statistics) }, 0));
    BOUND.store(bound, Relaxed);
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    let used = PEAK.load(Relaxed) - before;
    LARGEST.fetch_max(used, Relaxed);
    assert!(used <= bound, "{used} bytes on the heap, of which {bound} are allowed");
    result
}

extern "C" {
    fn atexit(callback: extern "C" fn()) -> i32;
}

/// Says it in the form of libFuzzer's own statistics.
extern "C" fn print_statistics() {
    eprintln!("stat::peak_heap_bytes:          {}", LARGEST.load(Relaxed));
    eprintln!("stat::heap_bound_bytes:         {}", BOUND.load(Relaxed));
}
