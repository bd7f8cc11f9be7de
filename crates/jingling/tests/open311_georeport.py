"""Reads an Open311 endpoint with the client `georeport` of PyPI, in JSON and in XML, and prints what it understood as JSON.

Arguments: the endpoint's address, the city's name there, the code of a service, the id of a request.
"""

import json
import sys

from georeport import GeoReport

address, jurisdiction, code, request_id = sys.argv[1:]
told = {}
for form in ("json", "xml"):
    client = GeoReport(address, jurisdiction=jurisdiction, output_format=form)
    told[form] = {
        "services": sorted(s["service_code"] for s in client.get_service_list()),
        "definition": client.get_service_definition(code)["service_code"],
        "requests": client.get_service_requests(service_code=f"{code},B0101", status="open"),
        "request": client.get_service_request(request_id),
    }
print(json.dumps(told, ensure_ascii=False))
