//! Keeps what staff find orders by: every change of an order, out of the table's stream.

use std::sync::Arc;

use shared::{
    app::{App, Scheduled},
    checkout::search::{self, IndexRun},
    ports::{ChangedOrder, Stores as _},
};

/// Each order as it is now, so a record that comes late, twice or in another sequence does no harm. Lambda sends the
/// records again from the first that failed.
pub async fn handle(app: Arc<App>, context: Scheduled, changed: Vec<ChangedOrder>) -> IndexRun {
    search::index(app.search(), &context, &changed).await
}
