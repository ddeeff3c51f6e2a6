//! Erasing the person from an order, in the tables of orders and of counters.

use aws_sdk_dynamodb::types::{Delete, Put};
use time::OffsetDateTime;

use crate::{
    adapters::{
        dynamodb::{
            client::{Dynamo, number, text, to_item},
            inventory, open_orders,
            transaction::{Write, delete, put},
        },
        stored::order::StoredOrder,
    },
    domain::order::{Order, OrderStatus},
    ports::{Attempt, StoreError},
};

impl Dynamo {
    /// Replaces an order by one without the person, if it still has this version. An order's key has its owner, so this
    /// is one transaction of a delete and a put, like a claim. None if the order has changed or moved.
    pub async fn erase_order(
        &self,
        order: &Order,
        now: OffsetDateTime,
        Attempt { change, deadline, .. }: Attempt<'_>,
    ) -> Result<Option<Order>, StoreError> {
        const OPERATION: &str = "erase person";
        const ORDER: &str = "order";
        let erased = order.clone().without_person(now);
        let item = to_item(OPERATION, &StoredOrder::new(&erased, change))?;
        let old = Delete::builder()
            .table_name(&self.tables.orders)
            .key("owner", text(order.owner.to_string()))
            .key("orderId", text(order.id.to_string()))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(order.version));
        let new = Put::builder().table_name(&self.tables.orders);
        let mut writes = vec![
            Write::named(ORDER, delete(old)),
            Write::named(ORDER, put(new, item, "attribute_not_exists(orderId)")),
        ];
        // A cancelled order has given its uses back already.
        if order.status != OrderStatus::Cancelled {
            writes.extend(inventory::forget_customer(&self.tables.inventory, order));
        }
        if let Some(open) = &order.open {
            writes.extend(open_orders::give_back(&self.tables.inventory, &order.owner, open));
        }
        let written = self.transact(OPERATION, change, writes, deadline).await?;
        Ok(written.is_ok().then_some(erased))
    }
}
