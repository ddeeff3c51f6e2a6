#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::app::run_scheduled(env!("CARGO_PKG_NAME"), reconcile::handle).await
}
