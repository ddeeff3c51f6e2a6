"""Handles each event once: it may come more often, and may be told again by an operator."""
import json
import logging
import os
import time

import boto3

SEEN = boto3.resource("dynamodb").Table(os.environ["SEEN_TABLE"])
KEPT_SECONDS = 90 * 24 * 60 * 60


def handle(detail):
    """The shop's own work. If the function dies right after it, it comes again: pass the eventId on to what must know."""
    print(f"pack order {detail['orderNumber']}")


def once(detail):
    key = {"eventId": detail["eventId"]}
    if "Item" not in SEEN.get_item(Key=key, ConsistentRead=True):
        handle(detail)
        SEEN.put_item(Item=key | {"ttl": int(time.time()) + KEPT_SECONDS})


def handler(batch, context):
    failed = []
    for message in batch["Records"]:
        try:
            once(json.loads(message["body"])["detail"])
        except Exception:  # Whatever it is, the other messages don't wait for it.
            logging.exception("not handled, it comes again")
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
