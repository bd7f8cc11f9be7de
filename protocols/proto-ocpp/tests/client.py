"""The Python package `ocpp` as a station of OCPP 1.6 and one of 2.0.1, against examples/host.rs; the tests of `gateway` run it against
the door.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install ocpp==2.1.0 websockets==15.0.1
    cargo run -p proto-ocpp --example host -- 127.0.0.1:9000 2 &
    /tmp/v/bin/python protocols/proto-ocpp/tests/client.py 9000

The package checks what the host says against the schemas of the Open Charge Alliance. The last line is `all well`.
"""

import asyncio
import sys
from datetime import datetime, timezone

import ocpp.v16
import ocpp.v201
import websockets
from ocpp.exceptions import OCPPError
from ocpp.routing import on
from ocpp.v16 import call as c16, call_result as r16
from ocpp.v201 import call as c201, call_result as r201

# Longest wait for what the host's script does by itself.
WAIT_SECONDS = 10


def now():
    return datetime.now(timezone.utc).isoformat()


class Station16(ocpp.v16.ChargePoint):
    @on("ReserveNow")
    def reserve(self, connector_id, expiry_date, id_tag, reservation_id, **_):
        print("1.6 reserve", connector_id, id_tag, reservation_id)
        return r16.ReserveNow(status="Accepted")

    @on("RemoteStartTransaction")
    def remote_start(self, id_tag, **more):
        print("1.6 remote start", id_tag, more)
        self.told.set()
        return r16.RemoteStartTransaction(status="Accepted")


class Station201(ocpp.v201.ChargePoint):
    @on("ReserveNow")
    def reserve(self, id, id_token, **more):
        print("2.0.1 reserve", id, id_token, more)
        return r201.ReserveNow(status="Accepted")

    @on("RequestStartTransaction")
    def remote_start(self, id_token, remote_start_id, **more):
        print("2.0.1 remote start", id_token, remote_start_id, more)
        self.told.set()
        return r201.RequestStartTransaction(status="Accepted")


async def refused(call, code):
    try:
        await call
    except OCPPError as error:
        print("refused:", type(error).__name__, error.description)
        assert code in type(error).__name__, error
    else:
        raise AssertionError("a bad message was taken")


async def of_16(port):
    # CP16:secret
    password = {"Authorization": "Basic Q1AxNjpzZWNyZXQ="}
    url = f"ws://127.0.0.1:{port}/ocpp/CP16"
    async with websockets.connect(url, subprotocols=["ocpp1.6"], additional_headers=password) as socket:
        assert socket.subprotocol == "ocpp1.6"
        station = Station16("CP16", socket)
        station.told = asyncio.Event()
        listening = asyncio.create_task(station.start())
        answer = await station.call(c16.BootNotification(charge_point_model="Wallbox", charge_point_vendor="ACME"))
        assert answer.status == "Accepted", answer
        assert (await station.call(c16.Heartbeat())).current_time
        await station.call(c16.StatusNotification(connector_id=1, error_code="NoError", status="Available"))
        await asyncio.wait_for(station.told.wait(), WAIT_SECONDS)
        answer = await station.call(c16.Authorize(id_tag="TAG1"))
        assert answer.id_tag_info["status"] == "Accepted"
        start = c16.StartTransaction(connector_id=1, id_tag="TAG1", meter_start=1000, timestamp=now(), reservation_id=7)
        transaction = (await station.call(start)).transaction_id
        # As if the answer had been lost.
        assert (await station.call(start)).transaction_id == transaction
        samples = [
            {"value": "1.2", "unit": "kWh"},
            {"value": "6900", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        readings = [{"timestamp": now(), "sampledValue": samples}]
        await station.call(c16.MeterValues(connector_id=1, transaction_id=transaction, meter_value=readings))
        answer = await station.call(
            c16.StopTransaction(meter_stop=1500, timestamp=now(), transaction_id=transaction, reason="Local", id_tag="TAG1")
        )
        assert answer.id_tag_info["status"] == "Accepted"
        answer = await station.call(c16.DataTransfer(vendor_id="x", data="y"))
        assert answer.status == "UnknownVendorId"
        await station.call(c16.SecurityEventNotification(type="FirmwareUpdated", timestamp=now(), tech_info="1.0"))
        bad = c16.Authorize(id_tag="TAG1" * 6)
        await refused(station.call(bad, suppress=False, skip_schema_validation=True), "PropertyConstraintViolation")
        listening.cancel()


async def of_201(port):
    # CS201:secret
    password = {"Authorization": "Basic Q1MyMDE6c2VjcmV0"}
    url = f"ws://127.0.0.1:{port}/ocpp/CS201"
    protocols = ["ocpp2.1", "ocpp2.0.1"]
    async with websockets.connect(url, subprotocols=protocols, additional_headers=password) as socket:
        assert socket.subprotocol == "ocpp2.0.1"
        station = Station201("CS201", socket)
        station.told = asyncio.Event()
        listening = asyncio.create_task(station.start())
        who = {"model": "DC120", "vendor_name": "ACME"}
        answer = await station.call(c201.BootNotification(charging_station=who, reason="PowerUp"))
        assert answer.status == "Accepted", answer
        assert (await station.call(c201.Heartbeat())).current_time
        status = {"timestamp": now(), "evse_id": 1, "connector_id": 1}
        await station.call(c201.StatusNotification(connector_status="Available", **status))
        await asyncio.wait_for(station.told.wait(), WAIT_SECONDS)
        token = {"id_token": "045918E24B4D6B", "type": "ISO14443"}
        answer = await station.call(c201.Authorize(id_token=token))
        assert answer.id_token_info["status"] == "Accepted"

        async def event(kind, trigger, number, samples, info=None, **more):
            return await station.call(
                c201.TransactionEvent(
                    event_type=kind,
                    timestamp=now(),
                    trigger_reason=trigger,
                    seq_no=number,
                    transaction_info={"transaction_id": "T-1"} | (info or {}),
                    meter_value=[{"timestamp": now(), "sampled_value": samples}],
                    **more,
                )
            )

        begin = [{"value": 1000.0, "context": "Transaction.Begin"}]
        outlet = {"id": 1, "connector_id": 1}
        answer = await event("Started", "RemoteStart", 0, begin, {"remote_start_id": 42}, evse=outlet, id_token=token)
        assert answer.id_token_info["status"] == "Accepted"
        samples = [
            {"value": 1.2, "unit_of_measure": {"unit": "kWh", "multiplier": 0}},
            {"value": 69, "measurand": "Power.Active.Import", "unit_of_measure": {"unit": "W", "multiplier": 2}},
        ]
        await event("Updated", "MeterValuePeriodic", 1, samples)
        end = [{"value": 1500, "context": "Transaction.End"}]
        answer = await event("Ended", "StopAuthorized", 2, end, {"stopped_reason": "Local"}, id_token=token)
        assert answer.total_cost == 12.34, answer
        readings = [{"timestamp": now(), "sampled_value": [{"value": 1500}]}]
        await station.call(c201.MeterValues(evse_id=1, meter_value=readings))
        variable = {
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "HeartbeatInterval"},
            "variable_attribute": [{"value": "30", "mutability": "ReadWrite"}],
        }
        await station.call(c201.NotifyReport(request_id=7, generated_at=now(), seq_no=0, report_data=[variable]))
        found = {
            "event_id": 1,
            "timestamp": now(),
            "trigger": "Alerting",
            "actual_value": "true",
            "event_notification_type": "HardWiredNotification",
            "component": {"name": "Connector", "evse": {"id": 1}},
            "variable": {"name": "Problem"},
        }
        await station.call(c201.NotifyEvent(generated_at=now(), seq_no=0, event_data=[found]))
        assert (await station.call(c201.SignCertificate(csr="-----BEGIN"))).status == "Accepted"
        bad = c201.StatusNotification(connector_status="Sleeping", **status)
        await refused(station.call(bad, suppress=False, skip_schema_validation=True), "PropertyConstraintViolation")
        listening.cancel()


async def main(port):
    await of_16(port)
    await of_201(port)
    print("all well")


asyncio.run(main(sys.argv[1]))
