"""Reads an event stream with one of two libraries. Prints a line of JSON for each event that the library hands out."""
import json
import sys

library, url, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])


def show(kind, data, ident):
    print(json.dumps({"event": kind, "data": data, "id": ident}), flush=True)


if library == "httpx-sse":
    import httpx
    from httpx_sse import connect_sse

    with httpx.Client(timeout=30) as client, connect_sse(client, "GET", url) as source:
        print(json.dumps({"open": source.response.status_code}), flush=True)
        for count, one in enumerate(source.iter_sse(), 1):
            show(one.event, one.data, one.id)
            if count == wanted:
                break
else:
    import requests
    import sseclient

    response = requests.get(url, stream=True, timeout=30)
    print(json.dumps({"open": response.status_code}), flush=True)
    for count, one in enumerate(sseclient.SSEClient(response).events(), 1):
        show(one.event, one.data, one.id)
        if count == wanted:
            break
