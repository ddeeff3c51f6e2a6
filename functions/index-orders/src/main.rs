#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::app::run_stream(env!("CARGO_PKG_NAME"), index_orders::handle).await
}
