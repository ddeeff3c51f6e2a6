//! All sessions of the shop, with their copies.

use redis::AsyncCommands as _;

use super::{Grows, Row, Steps, taken};
use crate::world::{Setup, california, id_of};

/// A shop with so many open sessions.
pub async fn sessions(sizes: &[usize]) -> Vec<Row> {
    let world = Setup::default().unlimited().build().await;
    let mut redis = world.keys.connection().await;
    let (mut rows, mut there) = (Vec::new(), 0);
    // The first only opens the connections, and loads the scripts.
    for (nth, size) in [1].iter().chain(sizes).enumerate() {
        let guest = world.guest();
        let first = guest.fill_cart(&[("espresso-beans", 1)]).await;
        there += 1;
        world.copy_session(id_of(&first), size.saturating_sub(there)).await;
        there = there.max(*size);
        if nth == 1 {
            rows.clear();
        }
        let mut steps = Steps { world: &world, size: *size, rows: &mut rows };
        let session = steps.of("initiate", Grows::Nothing, 201, guest.initiate(&[("espresso-beans", 1)])).await;
        let checkout = id_of(&session);
        steps.of("get-session", Grows::Nothing, 200, guest.session(checkout)).await;
        let _: u64 = redis.del(format!("{}checkout:session:{checkout}", world.keys.prefix())).await.expect("an answer");
        steps.of("get-session, without a copy", Grows::Nothing, 200, guest.session(checkout)).await;
        steps.of("update-address", Grows::Nothing, 200, guest.ship_to(checkout, &california())).await;
        let (run, reconciled) = taken(&world, world.tell_abandoned(world.app())).await;
        assert!(reconciled.is_ok(), "{reconciled:?}");
        rows.push(Row { step: "reconcile, nothing abandoned", grows: Grows::Nothing, size: *size, taken: run });
    }
    rows
}
