#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::app::run(env!("CARGO_PKG_NAME"), list_regions::handle).await
}
