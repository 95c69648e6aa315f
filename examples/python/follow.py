"""Follows a log topic as JSON over WebSocket, and comes back by itself: pip install websockets; python follow.py [topic]"""
import asyncio
import json
import os
import random
import sys

import websockets

URL = os.environ.get("PUSH_URL", "http://localhost:8000").replace("http", "ws", 1) + "/ws"


def is_newer(position, since):
    """After a fault a message may come twice. A position is epoch-offset."""
    (epoch, offset), (old_epoch, old_offset) = position.split("-"), since.split("-")
    return epoch != old_epoch or int(offset) > int(old_offset)


async def follow(topic, handle):
    since = None
    failures = 0
    while True:
        try:
            async with websockets.connect(URL) as socket:
                print(f"connected to {URL}", file=sys.stderr)
                await socket.send(json.dumps({"type": "subscribe", "topic": topic, "since": since}))
                async for text in socket:
                    failures = 0
                    message = json.loads(text)
                    if message.get("type") == "ping":
                        await socket.send('{"type":"pong"}')
                    elif message.get("type") == "error":
                        # only what a busy server says is worth another try
                        if message["data"]["error_code"] in ("RATE_LIMIT_EXCEEDED", "INTERNAL_SERVER_ERROR"):
                            break
                        raise SystemExit(message["data"]["error_message"])
                    elif message.get("type") == "subscribed":
                        if message.get("recovered") is False:
                            print("messages are missing", file=sys.stderr)
                        if since is None or message.get("recovered") is False:
                            since = message.get("from", message["position"])
                    elif "position" in message and is_newer(message["position"], since):
                        since = message["position"]
                        handle(message)
        except (OSError, websockets.WebSocketException) as error:
            print(f"{error}; trying again", file=sys.stderr)
        failures += 1
        # full jitter: after an outage clients must not return together
        await asyncio.sleep(random.uniform(0.5, min(20, 2**failures)))


if __name__ == "__main__":
    topic = sys.argv[1] if len(sys.argv) > 1 else "ops:alert"
    try:
        asyncio.run(follow(topic, lambda message: print(json.dumps(message, ensure_ascii=False), flush=True)))
    except KeyboardInterrupt:
        pass
