"""A charge point of the Python package `ocpp`, of version 1.6 or 2.0.1.

    charging_station.py 1.6|2.0.1 HOST PORT IDENTITY PASSWORD

reads one JSON object a line from standard input, does what it says, and answers with one JSON object a line:
    {"call": "StartTransaction", "with": {...}}   says it, in the words of the package; {"answer": {...}} or {"error": code}
    {"raw": "..."}                                sends a text as it is; {"answer": what came back within a moment, or null}
    {"takes": ["A"]}                              takes limits of power in these units alone; {"answer": null}
    {"wait": "RemoteStartTransaction"}            waits until the centre has ordered that; {"answer": what it ordered}
The first line that it writes is {"answer": "open"}, or {"refused": status}.
"""

import asyncio
import base64
import dataclasses
import json
import sys

import ocpp.v16
import ocpp.v201
import websockets
from ocpp.exceptions import OCPPError
from ocpp.routing import after, on
from ocpp.v16 import call as c16, call_result as r16
from ocpp.v201 import call as c201, call_result as r201

WAIT_SECONDS = 20


class Ordered:
    """What the centre ordered, by action."""

    def hear(self, action, what):
        self.orders.setdefault(action, asyncio.Queue()).put_nowait(what)

    async def ordered(self, action):
        queue = self.orders.setdefault(action, asyncio.Queue())
        return await asyncio.wait_for(queue.get(), WAIT_SECONDS)


class Station16(Ordered, ocpp.v16.ChargePoint):
    @on("RemoteStartTransaction")
    def remote_start(self, **what):
        self.hear("RemoteStartTransaction", what)
        return r16.RemoteStartTransaction(status="Accepted")

    @on("RemoteStopTransaction")
    def remote_stop(self, **what):
        self.hear("RemoteStopTransaction", what)
        return r16.RemoteStopTransaction(status="Accepted")

    @on("UnlockConnector")
    def unlock(self, **what):
        self.hear("UnlockConnector", what)
        return r16.UnlockConnector(status="UnlockFailed")

    @on("Reset")
    def reset(self, **what):
        self.hear("Reset", what)
        return r16.Reset(status="Accepted")

    @on("ChangeAvailability")
    def availability(self, **what):
        self.hear("ChangeAvailability", what)
        return r16.ChangeAvailability(status="Scheduled")

    @on("SetChargingProfile")
    def profile(self, **what):
        self.hear("SetChargingProfile", what)
        unit = what["cs_charging_profiles"]["charging_schedule"]["charging_rate_unit"]
        taken = self.units is None or unit in self.units
        return r16.SetChargingProfile(status="Accepted" if taken else "NotSupported")

    @on("ClearChargingProfile")
    def clear_profile(self, **what):
        self.hear("ClearChargingProfile", what)
        return r16.ClearChargingProfile(status="Accepted")

    @on("ReserveNow")
    def reserve(self, **what):
        self.hear("ReserveNow", what)
        return r16.ReserveNow(status="Accepted")

    @on("CancelReservation")
    def cancel_reservation(self, **what):
        self.hear("CancelReservation", what)
        return r16.CancelReservation(status="Accepted")

    @on("GetDiagnostics")
    def diagnostics(self, **what):
        self.hear("GetDiagnostics", what)
        return r16.GetDiagnostics(file_name="diagnostics.tar.gz")

    @on("UpdateFirmware")
    def firmware(self, **what):
        self.hear("UpdateFirmware", what)
        return r16.UpdateFirmware()

    @on("TriggerMessage")
    def trigger(self, **what):
        self.hear("TriggerMessage", what)
        return r16.TriggerMessage(status="Accepted")

    @on("GetConfiguration")
    def configuration(self, **what):
        self.hear("GetConfiguration", what)
        keys = [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]
        return r16.GetConfiguration(configuration_key=keys, unknown_key=[])

    @on("ChangeConfiguration")
    def change_configuration(self, **what):
        self.hear("ChangeConfiguration", what)
        return r16.ChangeConfiguration(status="RebootRequired")

    @on("ClearCache")
    def clear_cache(self, **what):
        self.hear("ClearCache", what)
        return r16.ClearCache(status="Accepted")

    @on("DataTransfer")
    def data(self, **what):
        self.hear("DataTransfer", what)
        return r16.DataTransfer(status="Accepted", data="as you like")


class Station201(Ordered, ocpp.v201.ChargePoint):
    @on("RequestStartTransaction")
    def remote_start(self, **what):
        self.hear("RequestStartTransaction", what)
        return r201.RequestStartTransaction(status="Accepted")

    @on("SetChargingProfile")
    def profile(self, **what):
        self.hear("SetChargingProfile", what)
        return r201.SetChargingProfile(status="Accepted")

    @on("GetLog")
    def log(self, **what):
        self.hear("GetLog", what)
        return r201.GetLog(status="Accepted", filename="diagnostics.zip")

    @on("UpdateFirmware")
    def firmware(self, **what):
        self.hear("UpdateFirmware", what)
        return r201.UpdateFirmware(status="Accepted")

    @on("SetVariables")
    def set_variables(self, set_variable_data, **what):
        self.hear("SetVariables", set_variable_data)
        return r201.SetVariables(set_variable_result=[
            {"attribute_status": "Accepted", "component": one["component"], "variable": one["variable"]}
            for one in set_variable_data
        ])

    @on("GetBaseReport")
    def report(self, request_id, **what):
        self.hear("GetBaseReport", what)
        self.request = request_id
        return r201.GetBaseReport(status="Accepted")

    @after("GetBaseReport")
    async def report_in_parts(self, **what):
        for sequence, (name, more) in enumerate([("Interval", True), ("Enabled", False)]):
            data = [{
                "component": {"name": "HeartbeatCtrlr"}, "variable": {"name": name},
                "variable_attribute": [{"value": "300" if more else "true", "mutability": "ReadWrite"}],
            }]
            await self.call(c201.NotifyReport(
                request_id=self.request, generated_at="2026-01-01T00:00:00Z", seq_no=sequence, tbc=more, report_data=data,
            ))


async def obey(order, station, socket, calls, heard):
    if "raw" in order:
        await socket.send(order["raw"])
        try:
            return {"answer": await asyncio.wait_for(heard.get(), WAIT_SECONDS)}
        except asyncio.TimeoutError:
            return {"answer": None}
    if "takes" in order:
        station.units = order["takes"]
        return {"answer": None}
    if "wait" in order:
        return {"answer": await station.ordered(order["wait"])}
    try:
        answer = await station.call(getattr(calls, order["call"])(**order["with"]), suppress=False)
        return {"answer": dataclasses.asdict(answer)}
    except OCPPError as error:
        return {"error": error.code}


class Overheard:
    """A socket whose answers to nothing that the package asked are told apart."""

    def __init__(self, socket, heard):
        self.socket, self.heard = socket, heard

    async def send(self, text):
        await self.socket.send(text)

    async def recv(self):
        while True:
            text = await self.socket.recv()
            message = json.loads(text)
            if message[0] != 2 and str(message[1]).startswith("raw"):
                self.heard.put_nowait(message)
            else:
                return text


async def main(version, host, port, identity, password):
    kind, calls = {"1.6": (Station16, c16), "2.0.1": (Station201, c201)}[version]
    basic = base64.b64encode(f"{identity}:{password}".encode()).decode()
    try:
        socket = await websockets.connect(
            f"ws://{host}:{port}/ocpp/{identity}",
            subprotocols=["ocpp" + version],
            additional_headers={"Authorization": "Basic " + basic},
        )
    except websockets.InvalidStatus as refused:
        print(json.dumps({"refused": refused.response.status_code}), flush=True)
        return
    heard = asyncio.Queue()
    station = kind(identity, Overheard(socket, heard), response_timeout=WAIT_SECONDS)
    station.orders, station.units = {}, None
    listening = asyncio.create_task(station.start())
    print(json.dumps({"answer": "open"}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            told = await obey(json.loads(line), station, socket, calls, heard)
        except (websockets.ConnectionClosed, asyncio.TimeoutError) as error:
            told = {"gone": type(error).__name__}
        print(json.dumps(told, default=float), flush=True)
    listening.cancel()
    await socket.close()


asyncio.run(main(*sys.argv[1:6]))
