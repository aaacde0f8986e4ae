"""A function task: reads temperatures by station as JSON from input.txt, and writes a table as CSV to output.txt:
mean, deviation, lowest, highest, and by how much it gets warmer from one reading to the next."""

import csv
import json
import math
import sys


def summary(station, readings):
    count = len(readings)
    mean = math.fsum(readings) / count
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in readings) / count)
    # The slope of the straight line that is nearest to all readings.
    middle = (count - 1) / 2
    spread = math.fsum((index - middle) ** 2 for index in range(count))
    slope = math.fsum((index - middle) * value for index, value in enumerate(readings)) / spread if spread else 0.0
    return {
        "station": station,
        "readings": count,
        "mean": round(mean, 3),
        "deviation": round(deviation, 3),
        "lowest": min(readings),
        "highest": max(readings),
        "trend": round(slope, 4),
    }


def read(path):
    with open(path, encoding="utf-8") as file:
        stations = json.load(file)
    for station, readings in stations.items():
        if not readings:
            sys.exit(f"weather: {station} has no readings")
        for value in readings:
            if not isinstance(value, (int, float)) or not math.isfinite(value):
                sys.exit(f"weather: {station} has a reading that is no temperature: {value!r}")
    return stations


rows = [summary(station, readings) for station, readings in sorted(read("input.txt").items())]
with open("output.txt", "w", encoding="utf-8", newline="") as file:
    table = csv.DictWriter(file, fieldnames=rows[0].keys(), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
print(f"{len(rows)} stations")
