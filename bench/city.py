"""A city for benches: made in a folder, served on free ports, asked through the command line."""
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
WAIT_S = 30


def programs(profile, load=True):
    """Builds and names the binary and the load generator."""
    flags = ["--release"] if profile == "release" else []
    subprocess.run(["cargo", "build", "--quiet", "--locked", *flags, "--package", "jingling"], cwd=ROOT, check=True)
    if load:
        subprocess.run(["cargo", "build", "--quiet", "--locked", *flags, "--package", "gateway", "--example", "mqtt_load"], cwd=ROOT, check=True)
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / ("release" if profile == "release" else "debug")
    return folder / "jingling", folder / "examples" / "mqtt_load"


def until(ask):
    """Asks again until there is an answer."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            answer = ask()
        except (OSError, ValueError):
            answer = None
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"no answer in {WAIT_S} s")
        time.sleep(0.005)


class City:
    """A city's folder."""

    def __init__(self, jingling, folder, demo=False):
        self.jingling, self.dir = jingling, folder
        self.addresses = {}
        self.run("init", folder, *(["--demo"] if demo else []))

    def run(self, *words):
        return subprocess.run([self.jingling, *words], check=True, capture_output=True, text=True).stdout

    def devices(self, count):
        """Registers devices; gives the file with a JSON line for each."""
        file = self.dir / "bench-devices"
        with file.open("w") as out:
            for n in range(count):
                made = self.run("device", "add", self.dir, "--id", f"urn:ngsi-ld:AirQualityObserved:load-{n}", "--type", "AirQualityObserved", "--json")
                out.write(json.dumps(json.loads(made)) + "\n")
        return file

    def serve(self, *settings):
        """Starts the server with settings; returns when it is ready."""
        file = self.dir / "run" / "addresses.json"
        file.unlink(missing_ok=True)
        ports = [f"{key}=127.0.0.1:0" for key in ("http.listen", "mqtt.listen", "mqtt.tls_listen")]
        chosen = [*ports, "log.level=warn", *settings]
        server = subprocess.Popen([self.jingling, "serve", self.dir, *(w for s in chosen for w in ("--set", s))])
        self.addresses = until(lambda: json.loads(file.read_text()))
        return server

    def stop(self, server):
        server.send_signal(signal.SIGINT)
        if server.wait() != 0:
            raise RuntimeError(f"the server ended with {server.returncode}")

    def query(self, sql):
        return json.loads(self.run("query", self.dir, sql, "--json", "--set", "sql.rows_max=100000000", "--set", "sql.seconds_max=600", "--set", "sql.memory_mib_max=4096"))

    def check(self):
        done = subprocess.run([self.jingling, "check", self.dir, "--json"], capture_output=True, text=True)
        return json.loads(done.stdout)["findings"]


def crowd(base, token, count):
    """Makes so many entities more, spread over the city in a grid, through the real door."""
    side, batch_max = max(1, round(count ** 0.5)), 1000
    for first in range(0, count, batch_max):
        batch = []
        for n in range(first, min(first + batch_max, count)):
            place = [112.75 + 0.75 * (n % side) / side, 30.4 + 0.5 * (n // side) / side]
            batch.append({"id": f"urn:ngsi-ld:Streetlight:bench-{n}", "type": "Streetlight",
                          "name": {"type": "Property", "value": f"路灯 bench-{n:06}"},
                          "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": place}}})
        request = urllib.request.Request(f"{base}/ngsi-ld/v1/entityOperations/upsert", json.dumps(batch).encode(),
                                         {"content-type": "application/json", "authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            if answer.status not in (201, 204):
                raise RuntimeError(f"{answer.status}: {answer.read()[:300]}")
