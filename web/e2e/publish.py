"""Publishes each line of standard input with QoS 1 through Eclipse Paho and prints how many were acknowledged.

Arguments: host port client_id username password topic."""
import json
import sys

import paho.mqtt.client as mqtt

host, port, client_id, username, password, topic = sys.argv[1:7]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
client.username_pw_set(username, password)
client.connect(host, int(port))
client.loop_start()
acknowledged = 0
for line in sys.stdin.read().splitlines():
    message = client.publish(topic, line, qos=1)
    message.wait_for_publish(timeout=15)
    acknowledged += message.is_published()
client.disconnect()
client.loop_stop()
print(json.dumps({"acknowledged": acknowledged}))
