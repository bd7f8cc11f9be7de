# Eclipse Paho talks to the door on the port given: versions 3.1.1 and 5, QoS 0 to 2, retained messages,
# a will, session take-over. Prints "all as expected", or fails with what was not.
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PORT = int(sys.argv[1])
PATIENCE = 10


def client(version, client_id, user="city", password="secret"):
    c = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version)
    c.username_pw_set(user, password)
    c.connected, c.ended, c.messages, c.subscribed = (queue.Queue() for _ in range(4))
    c.on_connect = lambda _c, _u, _f, reason, _p: c.connected.put(reason)
    c.on_disconnect = lambda _c, _u, _f, reason, _p: c.ended.put(reason)
    c.on_message = lambda _c, _u, m: c.messages.put((m.topic, m.payload.decode(), m.qos, m.retain))
    c.on_subscribe = lambda _c, _u, _m, reasons, _p: c.subscribed.put([r.value for r in reasons])
    return c


def open_client(*args, **kwargs):
    c = client(*args, **kwargs)
    c.connect("127.0.0.1", PORT)
    c.loop_start()
    assert c.connected.get(timeout=PATIENCE) == "Success"
    return c


def expect(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


for version in (mqtt.MQTTv311, mqtt.MQTTv5):
    five = version == mqtt.MQTTv5
    listener = open_client(version, "listener")
    listener.subscribe([("devices/#", 2), ("gone", 1)])
    expect(listener.subscribed.get(timeout=PATIENCE), [1, 1])

    device = open_client(version, "device")
    for qos in (0, 1, 2):
        device.publish("devices/1/up", f"q{qos}", qos).wait_for_publish(PATIENCE)
    device.publish("devices/1/state", "kept", 1, retain=True).wait_for_publish(PATIENCE)
    for expected in [("up", "q0", 0), ("up", "q1", 1), ("up", "q2", 1), ("state", "kept", 1)]:
        topic, payload, qos = expected
        expect(listener.messages.get(timeout=PATIENCE), (f"devices/1/{topic}", payload, qos, False))
    late = open_client(version, "late")
    late.subscribe("devices/+/state", 1)
    expect(late.messages.get(timeout=PATIENCE), ("devices/1/state", "kept", 1, True))
    device.publish("devices/1/state", b"", 1, retain=True).wait_for_publish(PATIENCE)
    expect(listener.messages.get(timeout=PATIENCE)[:2], ("devices/1/state", ""))

    # A will, sent because the socket breaks.
    mortal = client(version, "mortal")
    mortal.will_set("gone", "lost", 1)
    mortal.connect("127.0.0.1", PORT)
    mortal.loop_start()
    mortal.connected.get(timeout=PATIENCE)
    mortal.loop_stop()
    mortal.socket().close()
    expect(listener.messages.get(timeout=PATIENCE)[:2], ("gone", "lost"))

    # The same client identifier again: the older connection ends.
    again = open_client(version, "device")
    reason = device.ended.get(timeout=PATIENCE)
    if five:
        expect(str(reason), "Session taken over")
    device.loop_stop()

    wrong = client(version, "wrong", password="wrong")
    wrong.connect("127.0.0.1", PORT)
    wrong.loop_start()
    expect(wrong.connected.get(timeout=PATIENCE).is_failure, True)
    wrong.loop_stop()

    if five:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = "application/json"
        properties.UserProperty = ("k", "v")
        got = queue.Queue()
        listener.on_message = lambda _c, _u, m: got.put(m.properties)
        again.publish("devices/1/up", "{}", 1, properties=properties).wait_for_publish(PATIENCE)
        handed_on = got.get(timeout=PATIENCE)
        expect((handed_on.ContentType, handed_on.UserProperty), ("application/json", [("k", "v")]))

    for c in (listener, late, again):
        c.disconnect()
        c.loop_stop()

print("all as expected")
