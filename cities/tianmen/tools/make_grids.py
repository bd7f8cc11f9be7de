"""Draws unit grids (单元网格) for the three streets of the main urban area, as a demonstration: no surveyed grids are published.

Each community's cell is the part of its street that lies nearest to the community's point (Voronoi), and is its grid 001. As
the points themselves are schematic (../layers/SOURCE.md), so are the grids. A city replaces the file by its surveyed one.

    python3 -m venv .venv && .venv/bin/pip install shapely==2.2.0 && .venv/bin/python make_grids.py
"""

import json
from pathlib import Path

from shapely import MultiPoint, Point, Polygon, voronoi_polygons

LAYERS = Path(__file__).parent.parent / "layers"
STREETS = ["429006001", "429006002", "429006003"]
DIGITS = 5


def features(name):
    return json.loads((LAYERS / f"{name}.geojson").read_text("utf-8"))["features"]


def rounded(ring):
    points = [[round(x, DIGITS), round(y, DIGITS)] for x, y in ring.coords]
    kept = [p for n, p in enumerate(points) if n == 0 or p != points[n - 1]]
    return kept if kept[0] == kept[-1] else kept + [kept[0]]


def main():
    towns = {f["properties"]["code"]: f for f in features("towns")}
    villages = features("villages")
    lines = []
    for code in STREETS:
        street = Polygon(towns[code]["geometry"]["coordinates"][0])
        own = [v for v in villages if v["properties"]["town_code"] == code]
        points = {v["properties"]["code"]: Point(v["geometry"]["coordinates"]) for v in own}
        names = {v["properties"]["code"]: v["properties"]["name"] for v in own}
        cells = voronoi_polygons(MultiPoint(list(points.values())), extend_to=street)
        for village in sorted(points):
            cell = next(c for c in cells.geoms if c.contains(points[village]))
            part = cell.intersection(street)
            if part.geom_type == "MultiPolygon":
                part = max(part.geoms, key=lambda p: p.area)
            lines.append(
                json.dumps(
                    {
                        "type": "Feature",
                        "properties": {
                            "code": f"{village}001",
                            "name": f"{names[village]}001网格",
                            "village_code": village,
                            "schematic": True,
                        },
                        "geometry": {"type": "Polygon", "coordinates": [rounded(part.exterior)]},
                    },
                    ensure_ascii=False,
                    separators=(",", ":"),
                )
            )
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    (LAYERS / "grids.geojson").write_text(text, "utf-8")
    print(len(lines), "grids")


if __name__ == "__main__":
    main()
