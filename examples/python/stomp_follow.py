"""Follows a destination over STOMP: pip install stomp.py websocket-client; python stomp_follow.py [destination]"""
import os
import random
import sys
import time
from urllib.parse import urlparse

import stomp

ADDRESS = urlparse(os.environ.get("PUSH_URL", "http://localhost:8000"))
PLACE = (ADDRESS.hostname, ADDRESS.port or (443 if ADDRESS.scheme == "https" else 80))
DESTINATION = sys.argv[1] if len(sys.argv) > 1 else "/topic/reservations/55/100"


class Listener(stomp.ConnectionListener):
    """Subscribes on each connection from the last position."""

    def __init__(self, connection):
        self.connection = connection
        self.since = None

    def on_connected(self, frame):
        headers = {"since": self.since} if self.since else {}
        self.connection.subscribe(DESTINATION, id="1", headers=headers)

    def on_message(self, frame):
        self.since = frame.headers["message-id"]
        print(frame.body, flush=True)

    def on_error(self, frame):
        print(frame.headers.get("message"), file=sys.stderr)


connection = stomp.WSStompConnection([PLACE], ws_path="/ws", heartbeats=(0, 0))
if ADDRESS.scheme == "https":
    connection.set_ssl([PLACE])
connection.set_listener("", Listener(connection))
try:
    while True:
        if not connection.is_connected():
            try:
                connection.connect(wait=True)
            except (stomp.exception.ConnectFailedException, OSError):
                print("trying again", file=sys.stderr)
        time.sleep(random.uniform(0.5, 2))
except KeyboardInterrupt:
    pass
