//! Orders that wait for the reconciler.

use std::sync::Arc;

use super::{Grows, Row, taken};
use crate::world::{Setup, World, id_of, total_of};

const RUN: Grows = Grows::Everything("each order is looked at, with its payment: the next row says what one takes");

/// Runs of the reconciler over so many orders whose customers haven't authenticated yet.
pub async fn waiting(sizes: &[usize]) -> Vec<Row> {
    let mut rows = Vec::new();
    for size in sizes {
        let world = Setup::default().unlimited().cards().build().await;
        // The connections are there, and the server knows the scripts.
        waiting_order(&world).await;
        world.make_all_due().await;
        assert_eq!(run(&world).await.1, 1);
        let (idle, none) = run(&world).await;
        assert_eq!(none, 0);
        for _ in 1..*size {
            waiting_order(&world).await;
        }
        world.make_all_due().await;
        let (all, looked_at) = run(&world).await;
        assert_eq!(looked_at, *size);
        rows.push(Row { step: "reconcile, a whole run", grows: RUN, size: *size, taken: all });
        let taken = all.of_one(&idle, *size);
        rows.push(Row { step: "reconcile, of it for each order", grows: Grows::Nothing, size: *size, taken });
    }
    rows
}

async fn waiting_order(world: &Arc<World>) {
    let guest = world.guest();
    let (session, card) = (guest.fill_cart(&[("espresso-beans", 1)]).await, world.stripe().secured().await);
    guest.pay(id_of(&session), total_of(&session), &card).await.expect(202);
}

/// What a run takes, and how many orders it has looked at.
async fn run(world: &Arc<World>) -> (super::Taken, usize) {
    let (taken, reconciled) = taken(world, world.reconcile(world.app())).await;
    let reconciled = reconciled.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(reconciled.failed, 0, "{reconciled:?}");
    (taken, usize::try_from(reconciled.open + reconciled.settled).expect("few"))
}
