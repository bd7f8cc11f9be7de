#!/usr/bin/env python3
"""Thiessen areas by an independent program (shapely: GEOS' Voronoi cells cut by the basin), for tests/areal.rs. Prints km²."""
from shapely import MultiPoint, Point, Polygon, voronoi_polygons

basin = Polygon(
    [(0, 0), (40, -5), (70, 10), (55, 30), (80, 50), (50, 70), (30, 45), (10, 60), (-10, 30)],
    [[(20, 15), (30, 15), (30, 25), (20, 25)]],
)
gauges = [(5, 5), (25, 20), (45, 5), (60, 15), (50, 40), (70, 52), (15, 45), (-20, 20), (40, 60), (90, 0)]
cells = voronoi_polygons(MultiPoint(gauges), extend_to=basin.envelope.buffer(200)).geoms
for gauge in gauges:
    cell = next(c for c in cells if c.contains(Point(gauge)))
    print(f"{cell.intersection(basin).area:.9f}")
