//! How a container becomes ready to serve, and how it reports that it can't.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use serde_json::json;

use crate::{
    app::{App, Clock, StartError},
    config::{
        Config, TelemetryConfig,
        lambda::LambdaConfig,
        vars::{ConfigError, Vars},
    },
    telemetry::{self, emf::Metrics},
};

/// How long the report of a failure to Lambda may take. The process ends in any case.
const PATIENCE: Duration = Duration::from_secs(1);

/// A container that is ready to serve. On failure the reasons are logged.
pub(super) async fn start(function: &str) -> Result<(Arc<App>, Arc<Metrics>), ExitCode> {
    let vars = Vars::from_env();
    // Before everything else, so that every fault is logged in the usual form.
    let mut lenient = vars.clone();
    let (telemetry, lambda) = (TelemetryConfig::read(&mut lenient), LambdaConfig::read(&mut lenient));
    telemetry::init(&telemetry, &lambda);
    telemetry::log_panics();
    let app = match Config::read(vars).map_err(StartError::from).and_then(|config| App::new(config, Clock::System)) {
        Ok(app) => Arc::new(app),
        Err(error) => {
            let errors = reasons(&error);
            telemetry::cannot_start(&telemetry, &lambda, Clock::System.now(), &errors);
            tell_lambda(&lambda, &errors);
            return Err(ExitCode::FAILURE);
        }
    };
    for name in &app.config.unknown {
        tracing::warn!("{name}");
    }
    app.warm_up(function).await;
    Ok((app, Arc::new(Metrics::new(&telemetry))))
}

fn reasons(error: &StartError) -> Vec<String> {
    match error {
        StartError::Config(ConfigError(faults)) => faults.clone(),
        StartError::Keys(_) | StartError::Redis(_) => vec![error.to_string()],
    }
}

/// Tells Lambda, so that a caller who invokes the function by name reads the reasons too. If this fails, the reasons
/// are still in the log.
fn tell_lambda(lambda: &LambdaConfig, errors: &[String]) {
    let Some(authority) = &lambda.runtime_api else { return };
    let body = json!({"errorType": "Checkout.CannotStart", "errorMessage": errors.join("; "), "stackTrace": []});
    let body = body.to_string();
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: Checkout.CannotStart\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let tell = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        // Wait for the answer: until then Lambda may not have read the whole request.
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    };
    let _: std::io::Result<()> = tell();
}
