#!/usr/bin/env python3
"""Draws the four map layers of Tianmen's profile (layers/*.geojson) and its two tables (towns.csv, villages.csv).

Everything drawn here is SCHEMATIC: not surveyed, not approved for navigation or publication as a map.

Inputs (folder --data, see layers/SOURCE.md):
  towns/tianmen_towns.csv       code, name, village_count, bbox_w/s/e/n (boxes from sizhi, MIT); the amap_* columns are not read
  towns/tianmen_villages.csv    code, name, town_code
  rivers/gshhg_wdbii_rivers_hubei.geojson   the features named 汉江 and 东荆河 (GSHHG, LGPL)

How: every town is an ellipse touching the four sides of its box; the ellipses' union, closed and cut by the Han River in
the south and west, is the outline; each place of the outline belongs to the town whose ellipse it is deepest in; the borders
between towns are simplified and rounded off as shared arcs, so that the towns tile the outline; villages are spread evenly in
their town by Lloyd's relaxation from a fixed seed. The same inputs give the same bytes.

Needs Python 3.11+, numpy and shapely 2:   python3 cities/tianmen/tools/make_layers.py --data <folder>
"""
import argparse, csv, json, math
from pathlib import Path
import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString, MultiPoint, Point, Polygon, box, mapping
from shapely.ops import linemerge, polygonize, split, unary_union

HERE = Path(__file__).resolve().parent.parent
LON0, LAT0 = 113.0, 30.6                       # origin of the flat plane used for drawing, km
KX, KY = 111.32 * math.cos(math.radians(LAT0)), 110.95
WINDOW = (112.35, 30.22, 113.70, 31.05)        # west, south, east, north of the river layer

# Towns without a box in the source: placed by hand between their neighbours (west, south, east, north).
BY_HAND = {
    "黄潭镇": (112.995, 30.622, 113.150, 30.722),    # between 渔薪镇, 汪场镇, 佛子山镇 and 竟陵街道
    "胡市镇": (113.325, 30.715, 113.455, 30.838),    # between 皂市镇, 九真镇, 卢市镇 and 净潭乡
    "石家河镇": (113.048, 30.712, 113.208, 30.852),  # between 佛子山镇, 竟陵街道 and 九真镇
}
# Farms whose published boxes span several exclaves: one sensible body each, inside the box.
ONE_BODY = {
    "蒋湖农场": (112.752, 30.602, 112.842, 30.672),
    "沉湖管委会": (113.318, 30.468, 113.392, 30.520),
}


def km(lon, lat):
    return (lon - LON0) * KX, (lat - LAT0) * KY


def deg(geometry):
    return shapely.transform(geometry, lambda p: np.column_stack((p[:, 0] / KX + LON0, p[:, 1] / KY + LAT0)))


def chaikin(points, rounds):
    """Corner cutting; the ends stay, a ring stays a ring."""
    ring = points[0] == points[-1]
    for _ in range(rounds):
        out = [] if ring else [points[0]]
        for (ax, ay), (bx, by) in zip(points, points[1:]):
            out += [(0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by), (0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by)]
        points = out + [out[0]] if ring else out + [points[-1]]
    return points


def superellipse(b, power=2.1, n=96):
    (w, s), (e, t) = km(b[0], b[1]), km(b[2], b[3])
    cx, cy, rx, ry = (w + e) / 2, (s + t) / 2, (e - w) / 2, (t - s) / 2
    angles = np.linspace(0, 2 * math.pi, n, endpoint=False)
    c, d = np.cos(angles), np.sin(angles)
    return Polygon(np.column_stack((cx + rx * np.sign(c) * np.abs(c) ** (2 / power), cy + ry * np.sign(d) * np.abs(d) ** (2 / power))))


def read_towns(data):
    towns = []
    for row in csv.DictReader(open(data / "towns/tianmen_towns.csv", encoding="utf-8")):
        name = row["name"]
        if name in BY_HAND:
            bounds, how = BY_HAND[name], "hand"
        elif name in ONE_BODY:
            bounds, how = ONE_BODY[name], "farm"
        else:
            bounds, how = tuple(float(row[k]) for k in ("bbox_w", "bbox_s", "bbox_e", "bbox_n")), "box"
        towns.append({"code": row["code"], "name": name, "village_count": int(row["village_count"]), "box": bounds, "how": how})
    return towns


def read_rivers(data):
    rivers = {}
    for feature in json.load(open(data / "rivers/gshhg_wdbii_rivers_hubei.geojson", encoding="utf-8"))["features"]:
        name = feature["properties"].get("name_guess", "")
        if name:
            rivers.setdefault(name[:3].split(" ")[0], []).append(LineString(feature["geometry"]["coordinates"]))
    return {name: linemerge(MultiLineString(lines)) for name, lines in rivers.items()}


def draw_outline(towns, han):
    """The ellipses' union, closed, cut by the Han River, rounded."""
    body = unary_union([superellipse(t["box"]) for t in towns])
    near = han.intersection(body.buffer(2.5))
    body = unary_union([body, near.buffer(0.8)]).buffer(4.5).buffer(-5.5).buffer(1.0)
    body = max(getattr(body, "geoms", [body]), key=lambda g: g.area)
    body = Polygon(body.exterior).simplify(0.5)
    ring = chaikin([(x + 0.7 * wave(x, y, 0.9), y + 0.7 * wave(y, x, 2.2)) for x, y in densify(body.exterior)], 2)
    body = Polygon(ring).buffer(0)
    x0, y0, x1, y1 = body.bounds
    (ax, ay), (bx, by) = han.coords[0], han.coords[-1]     # lengthened, so that it cuts the whole sheet in two
    knife = LineString([(ax, ay + 200), *han.coords, (bx + 200, by)])
    sides = split(box(x0 - 60, y0 - 60, x1 + 60, y1 + 60), knife)
    centre = Point(*km(113.1, 30.66))
    north = next(side for side in sides.geoms if side.contains(centre))
    body = body.intersection(north)
    body = max(getattr(body, "geoms", [body]), key=lambda g: g.area)
    return Polygon(body.exterior).simplify(0.06)


def densify(ring, step=2.2):
    points = [ring.interpolate(d) for d in np.linspace(0, ring.length, max(8, int(ring.length / step)), endpoint=False)]
    out = [(p.x, p.y) for p in points]
    return out + [out[0]]


def wave(x, y, phase):
    """A smooth, repeatable wobble in about −1..1, so that borders do not look ruled."""
    return 0.5 * math.sin(0.61 * x + 0.23 * y + phase) + 0.3 * math.sin(1.13 * y - 0.47 * x + 2 * phase) + 0.2 * math.sin(1.9 * x + 1.7 * y + 3 * phase)


def draw_cells(towns, outline, step=0.12):
    """Each pixel goes to the town whose ellipse it is deepest in; then borders become shared, rounded arcs."""
    x0, y0, x1, y1 = outline.bounds
    xs, ys = np.arange(x0 - step, x1 + step, step), np.arange(y0 - step, y1 + step, step)
    gx, gy = np.meshgrid(xs, ys)
    vw = np.vectorize(wave)
    wx, wy = gx + 0.9 * vw(gx, gy, 0.4), gy + 0.9 * vw(gy, gx, 1.7)
    depth = []
    for t in towns:
        (w, s), (e, n) = km(*t["box"][:2]), km(*t["box"][2:])
        cx, cy, rx, ry = (w + e) / 2, (s + n) / 2, (e - w) / 2, (n - s) / 2
        size = math.sqrt(rx * ry)
        # A distance in radii, a little sharper for small towns so that they keep their place among large ones.
        depth.append((np.sqrt(((wx - cx) / rx) ** 2 + ((wy - cy) / ry) ** 2) - 1.0) * size ** 0.8)
    label = np.argmin(np.array(depth), axis=0)
    label = one_piece(label, len(towns))
    cells = []
    for k in range(len(towns)):
        rows = [box(j0, i, j1 + 1, i + 1) for i in range(len(ys)) for j0, j1 in runs(label[i] == k)]   # whole numbers: exact
        cells.append(unary_union(rows))
    arcs = linemerge(unary_union([c.boundary for c in cells]))
    arcs = [shapely.transform(a, lambda p: p * step + (xs[0] - step / 2, ys[0] - step / 2)) for a in arcs.geoms]
    arcs = [LineString(chaikin(list(a.simplify(0.35).coords), 2)) for a in arcs]
    inner = unary_union(arcs)
    lines = unary_union([inner.intersection(outline.buffer(0.4)), LineString(outline.exterior)])
    faces = [f for f in polygonize(lines) if outline.contains(f.representative_point())]
    pieces = [[] for _ in towns]
    for face in faces:
        p = face.representative_point()
        k = label[int(round((p.y - ys[0]) / step)), int(round((p.x - xs[0]) / step))]
        pieces[k].append(face)
    merged = [unary_union(p) for p in pieces]
    # A scrap cut off by the outline goes to the neighbour with the longest common border.
    for k, shape in enumerate(merged):
        parts = sorted(getattr(shape, "geoms", [shape]), key=lambda g: -g.area)
        merged[k] = parts[0]
        for scrap in parts[1:]:
            best = max((j for j in range(len(towns)) if j != k), key=lambda j: merged[j].intersection(scrap).length)
            merged[best] = unary_union([merged[best], scrap])
    return merged


def runs(row):
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(int), [0]))))
    return [(a, b - 1) for a, b in zip(edges[::2], edges[1::2])]


def one_piece(label, count):
    """Keeps each town's largest connected part; what falls off takes the label around it."""
    for _ in range(4):
        loose = np.zeros(label.shape, bool)
        for k in range(count):
            parts = components(label == k)
            for part in sorted(parts, key=len)[:-1]:
                for i, j in part:
                    loose[i, j] = True
        if not loose.any():
            break
        while loose.any():
            i, j = np.nonzero(loose)
            for a, b in zip(i, j):
                for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                    c, d = a + di, b + dj
                    if 0 <= c < label.shape[0] and 0 <= d < label.shape[1] and not loose[c, d]:
                        label[a, b] = label[c, d]
                        loose[a, b] = False
                        break
    return label


def components(mask):
    seen, parts = np.zeros(mask.shape, bool), []
    for start in zip(*np.nonzero(mask)):
        if seen[start]:
            continue
        seen[start], stack, part = True, [start], []
        while stack:
            i, j = stack.pop()
            part.append((i, j))
            for c, d in ((i, j + 1), (i + 1, j), (i, j - 1), (i - 1, j)):
                if 0 <= c < mask.shape[0] and 0 <= d < mask.shape[1] and mask[c, d] and not seen[c, d]:
                    seen[c, d] = True
                    stack.append((c, d))
        parts.append(part)
    return parts


def spread(cell, count, seed):
    """`count` points spread evenly inside `cell`: random start from the seed, then Lloyd's relaxation."""
    rng = np.random.default_rng(seed)
    inner = cell.buffer(-0.35)
    inner = cell if inner.is_empty else inner
    x0, y0, x1, y1 = inner.bounds
    grid = rng.random((60 * count + 4000, 2)) * (x1 - x0, y1 - y0) + (x0, y0)
    grid = grid[shapely.contains_xy(inner, grid[:, 0], grid[:, 1])]
    points = grid[:count].copy()
    for _ in range(14):
        owner = np.argmin(((grid[:, None, :] - points[None, :, :]) ** 2).sum(2), axis=1)
        for k in range(count):
            mine = grid[owner == k]
            if len(mine):
                points[k] = mine.mean(0)
    points += rng.normal(0, 0.16, points.shape)      # a village map is not a lattice
    return [p if shapely.contains_xy(cell, *p) else np.array(cell.representative_point().coords[0]) for p in points]


def write(name, features):
    path = HERE / "layers" / f"{name}.geojson"
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    path.write_text('{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n", encoding="utf-8")
    print(path.name, path.stat().st_size, "bytes,", len(features), "features")


def tidy(value):
    """Coordinates as short decimals (5 places, about a metre)."""
    if isinstance(value, (list, tuple)):
        return [tidy(v) for v in value]
    return round(value, 5) if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with towns/ and rivers/")
    data = parser.parse_args().data
    towns, rivers = read_towns(data), read_rivers(data)
    han = shapely.transform(rivers["汉江"], lambda p: np.column_stack(((p[:, 0] - LON0) * KX, (p[:, 1] - LAT0) * KY)))
    outline = draw_outline(towns, han)
    # Rounded once, before the tiling is cut, so that neighbours keep exactly the same vertices.
    cells = draw_cells(towns, outline)
    cells_deg = list(shapely.coverage_simplify([deg(c) for c in cells], 0.0004))
    cells_deg = [shapely.transform(c, lambda p: np.round(p, 5)) for c in cells_deg]
    outline_deg = unary_union(cells_deg)
    outline_deg = Polygon(max(getattr(outline_deg, "geoms", [outline_deg]), key=lambda g: g.area).exterior)

    def emit(geometry, **properties):
        g = mapping(geometry)
        return {"type": "Feature", "properties": properties, "geometry": {"type": g["type"], "coordinates": tidy(g["coordinates"])}}

    write("outline", [emit(outline_deg, code="429006", name="天门市", name_en="Tianmen", schematic=True)])
    english = {"汉江": "Han River", "东荆河": "Dongjing River"}
    write("river", [emit(line.intersection(box(*WINDOW)).simplify(0.0004), name=name, name_en=english[name], schematic=False) for name, line in rivers.items()])
    features = []
    for t, c in zip(towns, cells_deg):
        seat = c.representative_point() if not c.contains(c.centroid) else c.centroid
        t["lon"], t["lat"] = round(seat.x, 5), round(seat.y, 5)
        features.append(emit(c, code=t["code"], name=t["name"], village_count=t["village_count"], schematic=True, drawn_from=t["how"], label=[t["lon"], t["lat"]]))
    write("towns", features)
    villages = list(csv.DictReader(open(data / "towns/tianmen_villages.csv", encoding="utf-8")))
    places = {}
    for t, c in zip(towns, cells_deg):
        mine = [v for v in villages if v["town_code"] == t["code"]]
        flat = shapely.transform(c, lambda p: np.column_stack(((p[:, 0] - LON0) * KX, (p[:, 1] - LAT0) * KY)))
        for v, (x, y) in zip(mine, spread(flat, len(mine), int(t["code"]))):
            places[v["code"]] = (x / KX + LON0, y / KY + LAT0)
    write("villages", [emit(Point(places[v["code"]]), code=v["code"], name=v["name"], town_code=v["town_code"], schematic=True) for v in villages])

    with open(HERE / "towns.csv", "w", encoding="utf-8", newline="") as out:
        w = csv.writer(out, lineterminator="\n")
        w.writerow(["code", "name", "village_count", "lon", "lat", "drawn_from"])
        w.writerows([t["code"], t["name"], t["village_count"], t["lon"], t["lat"], t["how"]] for t in towns)
    with open(HERE / "villages.csv", "w", encoding="utf-8", newline="") as out:
        w = csv.writer(out, lineterminator="\n")
        w.writerow(["code", "name", "town_code"])
        w.writerows([v["code"], v["name"], v["town_code"]] for v in villages)
    check(cells_deg, outline_deg, towns, places, villages)


def check(cells, outline, towns, places, villages):
    """What must hold of the drawing; stops with the reason when it does not."""
    assert len(cells) == 28 and len(places) == 639 == len(villages)
    assert all(c.geom_type == "Polygon" and c.is_valid and not c.interiors for c in cells), [t["name"] for t, c in zip(towns, cells) if c.geom_type != "Polygon" or not c.is_valid or c.interiors]
    overlap = sum(a.intersection(b).area for i, a in enumerate(cells) for b in cells[:i])
    gap = outline.area - unary_union(cells).area
    assert overlap < 1e-9 and abs(gap) < 1e-9, (overlap, gap)
    by_code = {t["code"]: c for t, c in zip(towns, cells)}
    assert all(by_code[v["town_code"]].covers(Point(places[v["code"]])) for v in villages)
    area = outline.area * KX * KY
    print(f"area {area:.0f} km2; overlap {overlap:.1e}; gap {gap:.1e}")
    for t, c in zip(towns, cells):
        print(f"  {t['name']}\t{c.area * KX * KY:7.1f} km2\t{t['how']}")


if __name__ == "__main__":
    main()
