//! Crash points: places between two effects at which a test ends the process. In a release build they do nothing.

#[cfg(not(feature = "crash-points"))]
#[expect(clippy::unused_async, reason = "with the feature it may wait forever")]
pub async fn point(_: &'static str) {}

#[cfg(feature = "crash-points")]
pub use armed::{Dying, dying_at, point};

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::{Arc, LazyLock};

    use tokio::sync::Notify;

    use crate::config::vars::Vars;

    static CRASH_AT: LazyLock<Option<String>> = LazyLock::new(|| Vars::from_env().get("CHECKOUT_CRASH_AT"));

    static PANIC_AT: LazyLock<Option<String>> = LazyLock::new(|| Vars::from_env().get("CHECKOUT_PANIC_AT"));

    tokio::task_local! {
        static DYING: Arc<Dying>;
    }

    /// A task that dies at the n-th crash point that it reaches.
    #[derive(Debug, Default)]
    pub struct Dying {
        pub after: std::sync::atomic::AtomicUsize,
        dead: Notify,
    }

    /// Runs work until it is done, or until it reaches the point at which it dies: then `None`, and the work is
    /// dropped.
    pub async fn dying_at<T>(nth: usize, work: impl Future<Output = T>) -> Option<T> {
        let dying = Arc::new(Dying { after: nth.into(), dead: Notify::new() });
        let death = Arc::clone(&dying);
        tokio::select! {
            biased;
            () = death.dead.notified() => None,
            output = DYING.scope(dying, work) => Some(output),
        }
    }

    /// Aborts the process if `CHECKOUT_CRASH_AT` names this point. Panics if `CHECKOUT_PANIC_AT` names it, with a
    /// customer's data in the text.
    pub async fn point(name: &'static str) {
        if PANIC_AT.as_deref() == Some(name) {
            // Like a panic of the standard library that has the text in its message.
            let personal = "Ada Lovelace, 12 St James Square, é".to_owned();
            let _ = &personal[..personal.len() - 1];
        }
        let named = CRASH_AT.as_deref() == Some(name);
        if named {
            // A process can't send itself SIGKILL without unsafe code.
            let _ = std::process::Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
        }
        let dies = DYING.try_with(|dying| {
            let before = dying.after.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            if before == 0 {
                dying.dead.notify_one();
            }
            before == 0
        });
        if dies.unwrap_or_default() {
            std::future::pending::<()>().await;
        }
    }
}
