"""Reads the portal's catalogue with rdflib and its CSV with Python's own reader; prints what it understood as JSON."""
import csv
import json
import pathlib
import sys

from rdflib import Graph, Namespace, RDF
from rdflib.namespace import DCAT, DCTERMS, FOAF

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
folder = pathlib.Path(sys.argv[1])
catalogue = (folder / "catalog.jsonld").read_text(encoding="utf-8")
graph = Graph().parse(data=catalogue, format="json-ld", publicID="https://city.example.gov.cn/api/v1/public/catalog.jsonld")


def last(iri):
    return str(iri).rsplit("/", 1)[-1]


# What DCAT-AP 3.0 makes mandatory of each class.
MANDATORY = {
    DCAT.Catalog: [DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.dataset],
    DCAT.Dataset: [DCTERMS.title, DCTERMS.description],
    DCAT.Distribution: [DCAT.accessURL],
    FOAF.Agent: [FOAF.name],
}
missing = []
for kind, properties in MANDATORY.items():
    things = list(graph.subjects(RDF.type, kind))
    if not things:
        missing.append(str(kind))
    for thing in things:
        missing += [f"{thing} {p}" for p in properties if graph.value(thing, p) is None and not list(graph.objects(thing, p))]

datasets = []
for one in graph.subjects(RDF.type, DCAT.Dataset):
    names = graph.objects(graph.value(one, DCTERMS.publisher), FOAF.name)
    period = graph.value(one, DCTERMS.temporal)
    contact = graph.value(one, DCAT.contactPoint)
    # A day that is none, or a time that is none, is no value.
    assert graph.value(one, DCTERMS.modified).toPython() is not None
    datasets.append({
        "title": sorted(t.language for t in graph.objects(one, DCTERMS.title)),
        "licence": str(graph.value(one, DCTERMS.license)),
        "publisher": next(str(n) for n in names if n.language == "zh"),
        "issued": graph.value(one, DCTERMS.issued).toPython().isoformat(),
        "languages": sorted(last(x) for x in graph.objects(one, DCTERMS.language)),
        "periodicity": last(graph.value(one, DCTERMS.accrualPeriodicity)),
        "years": [str(graph.value(period, DCAT.startDate)), str(graph.value(period, DCAT.endDate))],
        "contact": str(graph.value(contact, VCARD.hasEmail)),
    })
distributions = sorted(
    (
        {
            "download": str(graph.value(one, DCAT.downloadURL)),
            "media": str(graph.value(one, DCAT.mediaType)).split("/media-types/")[1],
            "bytes": int(graph.value(one, DCAT.byteSize)),
            "licence": str(graph.value(one, DCTERMS.license)),
        }
        for one in graph.objects(None, DCAT.distribution)
    ),
    key=lambda d: d["download"],
)
with open(folder / "plan.csv", encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file, strict=True))
assert all(None not in row and None not in row.values() for row in rows), "a row has more or fewer cells than columns"
for row in rows:
    float(row["value"])
plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
json.dump(
    {
        "datasets": datasets,
        "distributions": distributions,
        "rows": len(rows),
        "json": len(plan["indicators"]),
        "evidence": next(row["evidence"] for row in rows if row["id"] == "5g-user-penetration"),
        "missing": missing,
    },
    sys.stdout,
)
