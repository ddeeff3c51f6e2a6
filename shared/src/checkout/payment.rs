//! Finishing payments. A use case first writes into the order what it wants of the payment. The finisher then does it
//! at the provider, with an idempotency key that the order determines, and writes the result into the order. If a
//! process dies in between, anyone may finish it: the customer's next try, the webhook or the reconciler.

use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    checkout::request_context::{RequestContext, Retry},
    crash,
    domain::{
        cause,
        open::OpenLimit,
        order::Order,
        payment::{CustomerAction, Intent, IntentStatus, Ledger, NextAction, Refunded},
    },
    ports::{
        Attempt, ChangeId, Charge, DeclinePlaces, Orders as _, PaymentError, Payments as _, RefundCall, Saved,
        Sessions as _, StoreError, Stores, Waits,
    },
};

/// The most actions on one payment in one call: more than any payment needs.
const STEPS: u32 = 8;
/// Attempts at writing the provider's reply into the order.
const ATTEMPTS: u32 = 12;

/// What finishing needs.
#[derive(Debug)]
pub struct Finisher<'a, S> {
    pub stores: &'a S,
    /// The decline places that the request has taken.
    pub places: &'a DeclinePlaces,
    pub now: OffsetDateTime,
    /// No action begins after this.
    pub deadline: Instant,
    /// Names this request.
    pub request: ChangeId,
}

/// An order after the next actions of its payment.
#[derive(Clone, Debug)]
pub struct Finished {
    pub order: Order,
    /// The browser goes on with it, while the customer must act.
    pub action: Option<CustomerAction>,
    /// The provider gave no answer. It must be asked again.
    pub unanswered: bool,
    /// Set if the order was cancelled because its source address has as many open orders as this limit allows.
    pub too_many_open: Option<OpenLimit>,
}

/// The result of writing a reply into the order.
enum Written {
    News,
    NoNews,
    /// The order may not stay open while the customer pays: the limit of open orders is reached.
    TooManyOpenOrders(OpenLimit),
}

/// The provider's reply to an action.
enum ProviderReply {
    Intent {
        intent: Intent,
        declined: Option<String>,
    },
    Nothing {
        declined: Option<String>,
    },
    AmountRefused {
        code: String,
    },
    /// With the ledger, if the refund was refused or is of another amount: it says why.
    Refund {
        id: Uuid,
        refunded: Refunded,
        ledger: Option<Ledger>,
    },
    Ledger(Ledger),
}

impl ProviderReply {
    /// The provider's code for why the card was declined, if it was.
    fn declined(&self) -> Option<&str> {
        match self {
            Self::Intent { declined, .. } | Self::Nothing { declined } => declined.as_deref(),
            Self::AmountRefused { .. } | Self::Refund { .. } | Self::Ledger(_) => None,
        }
    }
}

impl<S: Stores> Finisher<'_, S> {
    /// For a request.
    pub fn of<'a, Who>(stores: &'a S, context: &'a RequestContext<Who>) -> Finisher<'a, S> {
        let RequestContext { now, deadline, places, .. } = context;
        Finisher { stores, places: places.as_ref(), now: *now, deadline: *deadline, request: context.request() }
    }

    /// Does every action that is left at the provider, and writes the results into the order. `hint` is what may have
    /// changed there: it is read first.
    ///
    /// # Errors
    /// When the database fails. A provider that doesn't answer is not an error: see [`Finished::unanswered`].
    pub async fn finish(&self, mut order: Order, hint: Option<NextAction>) -> Result<Finished, StoreError> {
        let mut changes = 0;
        let mut first = hint;
        let mut too_many_open = None;
        for _ in 0..STEPS {
            let next = first.take().or_else(|| order.next_action(self.now));
            let Some(next) = next.filter(|_| Instant::now() < self.deadline) else { break };
            crash::point("payment: before the provider").await;
            let asked = tokio::time::timeout_at(self.deadline, self.ask(&order, &next)).await;
            let late =
                |_| PaymentError::Unknown { operation: "finish", reason: "the request's time is over".to_owned() };
            let reply = match asked.map_err(late).flatten() {
                Ok(reply) => reply,
                Err(error) => {
                    tracing::warn!(error = cause::chain(&error), "The outcome of a payment is unknown");
                    return Ok(Finished { order, action: None, unanswered: true, too_many_open });
                }
            };
            let failed = matches!(&reply, ProviderReply::Refund { refunded: Refunded::TryAgain { .. }, .. });
            if reply.declined().is_some() {
                self.places.keep();
            }
            crash::point("payment: the provider has answered").await;
            let action = match &reply {
                ProviderReply::Intent { intent, .. } => intent.action.clone(),
                _ => None,
            };
            let written;
            (order, written) = self.write_down(order, &reply, &mut changes).await?;
            if failed {
                // Not at once: the provider has just failed.
                return Ok(Finished { order, action: None, unanswered: true, too_many_open });
            }
            match (written, &reply) {
                // The client never gets the intent's secret, so nothing can be paid once it is cancelled.
                (Written::TooManyOpenOrders(limit), ProviderReply::Intent { intent, .. }) => {
                    tracing::warn!(order = %order.id, "Payment cancelled: too many open orders at the source address");
                    first = Some(NextAction::GiveUp(Some(intent.id.clone())));
                    too_many_open = Some(limit);
                }
                (Written::News, _) if action.is_none() => crash::point("payment: written down").await,
                _ => {
                    crash::point("payment: written down").await;
                    return Ok(Finished { order, action, unanswered: false, too_many_open });
                }
            }
        }
        Ok(Finished { order, action: None, unanswered: false, too_many_open })
    }

    async fn ask(&self, order: &Order, next: &NextAction) -> Result<ProviderReply, PaymentError> {
        let plain = |intent| ProviderReply::Intent { intent, declined: None };
        match next {
            NextAction::Pay => self.pay(order).await,
            NextAction::Look(intent) => {
                let intent = self.stores.payments().look(intent).await?;
                // It may be declined: authentication failed, or another card was declined.
                self.decided(intent).await
            }
            NextAction::GiveUp(Some(intent)) | NextAction::Void(intent) => {
                Ok(plain(self.stores.payments().cancel(intent).await?))
            }
            NextAction::GiveUp(None) => match self.find(order).await? {
                Some(intent) => Ok(plain(self.stores.payments().cancel(&intent.id).await?)),
                None => Ok(ProviderReply::Nothing { declined: None }),
            },
            NextAction::Capture { intent, amount } => {
                Ok(plain(self.stores.payments().capture(intent, *amount, order.currency).await?))
            }
            NextAction::Refund { intent, refund, attempt, amount } => {
                let payments = self.stores.payments();
                let currency = order.currency;
                let call = RefundCall { intent, id: *refund, attempt: *attempt, amount: *amount, currency };
                let refunded = payments.refund(call).await?;
                let expected = order.payment.refund(*refund).map(|refund| refund.amount);
                let ledger = match &refunded {
                    Refunded::Made(made) if Some(made.amount) == expected => None,
                    Refunded::TryAgain { .. } => None,
                    // Somebody may have refunded at the provider.
                    _ => Some(payments.ledger(intent, currency).await?),
                };
                Ok(ProviderReply::Refund { id: *refund, refunded, ledger })
            }
            NextAction::ReadLedger(intent) => {
                Ok(ProviderReply::Ledger(self.stores.payments().ledger(intent, order.currency).await?))
            }
        }
    }

    async fn find(&self, order: &Order) -> Result<Option<Intent>, PaymentError> {
        let Some(card) = &order.payment.card else { return Ok(None) };
        self.stores.payments().find(order.id, card.deadline, self.now).await
    }

    async fn pay(&self, order: &Order) -> Result<ProviderReply, PaymentError> {
        let Some(card) = &order.payment.card else { return Ok(ProviderReply::Nothing { declined: None }) };
        let charge = Charge {
            order: order.id,
            payer: card.payer.as_ref(),
            limit: card.deadline,
            amount: order.summary.total,
            currency: order.currency,
            method: order.payment.method,
            token: &card.token,
            return_url: card.return_url.as_ref(),
            customer: card.customer.as_ref(),
            saves: card.saves,
            capture: card.capture,
        };
        match self.stores.payments().pay(charge).await {
            Ok(intent) => self.decided(intent).await,
            // Refused without a payment, for example because the token is used up.
            Err(PaymentError::Refused { code, .. }) => Ok(ProviderReply::Nothing { declined: Some(code) }),
            Err(PaymentError::AmountRefused { code, .. }) => Ok(ProviderReply::AmountRefused { code }),
            Err(error) => Err(error),
        }
    }

    /// A declined payment can still be paid with another card in the browser. So it is cancelled before stock and
    /// coupons are given back.
    async fn decided(&self, intent: Intent) -> Result<ProviderReply, PaymentError> {
        let IntentStatus::Declined(code) = &intent.status else {
            return Ok(ProviderReply::Intent { intent, declined: None });
        };
        crash::point("payment: declined and not cancelled").await;
        let cancelled = self.stores.payments().cancel(&intent.id).await?;
        Ok(ProviderReply::Intent { intent: cancelled, declined: Some(code.clone()) })
    }

    /// Writes the reply into the order, on top of what others have written meanwhile.
    async fn write_down(
        &self,
        mut order: Order,
        reply: &ProviderReply,
        changes: &mut u32,
    ) -> Result<(Order, Written), StoreError> {
        let mut retry = Retry::new(self.request, ATTEMPTS, self.deadline);
        loop {
            let mut next = order.clone();
            let news = match reply {
                ProviderReply::Intent { intent, declined } => next.learn(intent, declined.as_deref(), self.now),
                ProviderReply::Nothing { declined } => next.learn_nothing_was_paid(declined.as_deref(), self.now),
                ProviderReply::AmountRefused { code } => next.learn_the_amount_was_refused(code, self.now),
                ProviderReply::Refund { id, refunded, ledger } => {
                    // What was refused doesn't count any more beside what the provider has made.
                    let news = next.learn_refund(*id, refunded, self.now);
                    ledger.as_ref().is_some_and(|ledger| next.learn_ledger(ledger, self.now)) || news
                }
                ProviderReply::Ledger(ledger) => next.learn_ledger(ledger, self.now),
            };
            if !news {
                return Ok((order, Written::NoNews));
            }
            *changes += 1;
            // Before it is written: what is reported twice harms less than what nobody hears of.
            for incident in next.incidents(&order) {
                self.stores.payments().report(order.id, &incident);
            }
            let saved = match self.save(&order, &mut next, *changes).await? {
                Waits::Saved(saved) => saved,
                Waits::TooManyOpenOrders(limit) => return Ok((order, Written::TooManyOpenOrders(limit))),
            };
            match saved {
                Saved::Done => return Ok((next, Written::News)),
                Saved::Conflict(Some(fresh)) => order = *fresh,
                Saved::Conflict(None) | Saved::AlreadyAnswered => {
                    match self.stores.orders().get(&order.owner, order.id).await? {
                        Some(fresh) => order = fresh,
                        // The order has been claimed: the reconciler continues.
                        None => return Ok((order, Written::NoNews)),
                    }
                }
            }
            if !retry.again().await {
                // Another request or the reconciler continues.
                return Ok((order, Written::NoNews));
            }
        }
    }

    async fn save(&self, before: &Order, next: &mut Order, change: u32) -> Result<Waits, StoreError> {
        let waits = next.begin_to_wait();
        let release = next.follow(before);
        let reopens = release.session;
        let change = self.request.payment_step(change);
        let attempt = Attempt { request: self.request, change, deadline: self.deadline, places: self.places };
        let orders = self.stores.orders();
        let saved = if waits {
            orders.wait(next, attempt).await?
        } else {
            Waits::Saved(orders.save(next, release, None, attempt).await?)
        };
        if reopens && matches!(saved, Waits::Saved(Saved::Done)) {
            // The session is open again, but its copy still says that it is an order.
            let sessions = self.stores.sessions();
            if let Some(loaded) = sessions.load(next.checkout, None, self.now).await? {
                sessions.touch(loaded, self.now).await;
            }
        }
        Ok(saved)
    }
}
