#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::app::run_scheduled("reconcile", reconcile::handle).await
}
