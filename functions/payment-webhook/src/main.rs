// What an event may set off is nested deeper than the compiler looks by itself.
#![recursion_limit = "256"]

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::app::run(env!("CARGO_PKG_NAME"), payment_webhook::handle).await
}
