//! Points between two effects, at which tests let a process die. In what is deployed they are nothing.

#[cfg(not(feature = "crash-points"))]
#[expect(clippy::unused_async, reason = "with the feature it may wait for the end")]
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

    /// Someone who is to die at the n-th point that they come to.
    #[derive(Debug, Default)]
    pub struct Dying {
        pub after: std::sync::atomic::AtomicUsize,
        dead: Notify,
    }

    /// Runs work until it is done, or has come to the point at which it dies: `None`. What it was doing is dropped.
    pub async fn dying_at<T>(nth: usize, work: impl Future<Output = T>) -> Option<T> {
        let dying = Arc::new(Dying { after: nth.into(), dead: Notify::new() });
        let death = Arc::clone(&dying);
        tokio::select! {
            biased;
            () = death.dead.notified() => None,
            output = DYING.scope(dying, work) => Some(output),
        }
    }

    /// Dies here if `CHECKOUT_CRASH_AT` names this point, as a process does that is killed. Panics here if
    /// `CHECKOUT_PANIC_AT` does, with a text as a customer's own would make it.
    pub async fn point(name: &'static str) {
        if PANIC_AT.as_deref() == Some(name) {
            // As the standard library does, with the text in the message.
            let personal = "Ada Lovelace, 12 St James Square, é".to_owned();
            let _ = &personal[..personal.len() - 1];
        }
        let named = CRASH_AT.as_deref() == Some(name);
        if named {
            // There is no other way to kill oneself without unsafe code.
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
