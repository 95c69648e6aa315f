"""Puts a tick onto the bus: pip install boto3; BUS=… AWS_ENDPOINT_URL=http://localhost:4567 python publish_bus.py 005930 70000"""
import datetime
import json
import os
import sys

import boto3

ticker = sys.argv[1] if len(sys.argv) > 1 else "005930"
price = sys.argv[2] if len(sys.argv) > 2 else "70000"
detail = {
    "ticker": ticker,
    "price": int(price),
    "change": 0,
    "change_rate": 0,
    "volume": 1,
    "bid_price": int(price),
    "ask_price": int(price),
    "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
}
entry = {"EventBusName": os.environ["BUS"], "Source": "market.price", "DetailType": "PriceTicked", "Detail": json.dumps(detail)}
answer = boto3.client("events").put_events(Entries=[entry])
# a call may succeed although an entry failed
if answer["FailedEntryCount"]:
    raise SystemExit(answer["Entries"])
print("published")
