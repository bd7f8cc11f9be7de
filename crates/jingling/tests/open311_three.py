"""Makes a request with the client `three` of PyPI, with a photo and attributes, as a form with parts, and prints what it understood.

The client is of 2013 and asks the standard library for a name that Python 3 calls otherwise; that name is given to it, nothing else.

Arguments: the endpoint's address, the key, the city's name there, the code of a service, the file of the photo, what is the matter.
"""

import itertools
import json
import sys

itertools.ifilter = filter

from three import Three  # noqa: E402

address, key, jurisdiction, code, photo, words = sys.argv[1:]
client = Three(address, api_key=key, jurisdiction=jurisdiction)


def report():
    with open(photo, "rb") as media:
        fields = {"attribute[DEPTH]": "2", "attribute[COLOUR][]": ["red", "blue"]}
        return client.post(
            code,
            lat="30.67679",
            long="113.18715",
            description=words,
            name="San Zhang",
            phone="13912345678",
            media=media,
            **fields,
        )


made = report()
told = {
    "made": made,
    "kind": client.post_response.request.headers["content-type"].split(";")[0],
    "again": report(),
    "wrong": client.post("B9999", lat="30.67679", long="113.18715", media=("a.txt", b"no picture")),
    "services": len(client.services()),
}
# This client has no way to send a key but with what it posts: it reads what the city lets anybody read.
told["request"] = client.request(made[0]["service_request_id"])
told["token"] = client.token(made[0]["token"])
print(json.dumps(told, ensure_ascii=False))
