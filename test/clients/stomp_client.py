"""A ticket buyer's client in Python, on stomp.py as its documentation uses it. Prints a line for each frame it receives."""
import json
import sys
import threading

import stomp

host, port, destination, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
enough, subscribed, left = threading.Event(), threading.Event(), threading.Event()


class Listener(stomp.ConnectionListener):
    received = 0

    def report(self, kind, **facts):
        print(json.dumps({"kind": kind, **facts}), flush=True)

    def on_connected(self, frame):
        self.report("connected", headers=frame.headers)

    def on_message(self, frame):
        self.report("message", headers=frame.headers, body=json.loads(frame.body))
        self.received += 1
        if self.received >= wanted:
            enough.set()

    def on_receipt(self, frame):
        self.report("receipt", headers=frame.headers)
        {"r-sub": subscribed, "r-unsub": left}.get(frame.headers["receipt-id"], threading.Event()).set()

    def on_error(self, frame):
        self.report("error", headers=frame.headers, body=frame.body)


connection = stomp.WSStompConnection([(host, port)], ws_path="/ws", heartbeats=(10000, 10000))
connection.set_listener("", Listener())
connection.connect(wait=True)
connection.subscribe(destination=destination, id="python-1", ack="auto", headers={"receipt": "r-sub"})
if not subscribed.wait(20) or not enough.wait(20):
    sys.exit("the messages did not come in time")
connection.unsubscribe(id="python-1", headers={"receipt": "r-unsub"})
if not left.wait(20):
    sys.exit("no receipt for UNSUBSCRIBE")
connection.disconnect(receipt="r-end")
