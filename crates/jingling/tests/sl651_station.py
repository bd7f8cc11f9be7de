"""A hydrological station (遥测站) as the text of SL 651-2014 describes one, HEX/BCD encoding, over TCP or UDP.

Written from the text alone; shares no code with the platform. Only Python's standard library.

    station.py tcp|udp HOST PORT STATION PASSWORD

reads one JSON object a line from standard input, does what it says, and answers with one JSON object a line:
    {"do": "report", "function": "32", "serial": 7, "sent": "yyMMddHHmmss", "observed": "yyMMddHHmm",
     "elements": [["39", 4, 3, 29.35], ...], "hours": {"F4": [0.5, null, ...], "F5": [...]}}
    {"do": "picture", "serial": 8, "sent": ..., "observed": ..., "bytes": 2000, "packet": 256, "lose": [3]}
    {"do": "keepalive", "serial": 8, "sent": ...}
    {"do": "raw", "hex": "7E7E..."}
    {"do": "obey"}            waits for a query or setting of the centre, answers it, and waits for its confirmation
    {"do": "ignore"}          waits for a query or setting of the centre, and says nothing
Every answer that a confirmation came with is {"acks": [{"function", "serial", "end", "station", "total", "index"}, ...]}.
"""

import json
import socket
import sys
import time

WAIT_SECONDS = 10.0
SILENCE_SECONDS = 1.5


def check_value(data):
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return register.to_bytes(2, "big")


def bcd(digits):
    return bytes(int(digits[n:n + 2], 16) for n in range(0, len(digits), 2))


def element(code, length, decimals, value):
    """Leader, length and decimals, BCD; negative with FF in front, which counts into the length."""
    if value is None:
        data = b"\xff" * length
    else:
        number = round(abs(value) * 10 ** decimals)
        width = length - (1 if value < 0 else 0)
        data = (b"\xff" if value < 0 else b"") + bcd(str(number).rjust(2 * width, "0"))
    return bytes.fromhex(code) + bytes([length << 3 | decimals]) + data


def hour(code, values):
    """Twelve values of five minutes each: rain in 0.1 mm in one byte, stage in 0.01 m in two."""
    width, scale = (1, 10) if code == "F4" else (2, 100)
    data = b""
    for value in values:
        data += b"\xff" * width if value is None else round(value * scale).to_bytes(width, "big")
    return bytes.fromhex(code) + bytes([len(data) << 3]) + data


def gates(data):
    """Table 77: how many gates, a bit for each, and the opening of each in centimetres, four digits of BCD."""
    count = data[0]
    width = (count + 7) // 8
    states, openings = data[1:1 + width], data[1 + width:]
    assert len(openings) == 2 * count, data.hex()
    bits = [states[n // 8] >> n % 8 & 1 for n in range(count)]
    return [[bool(bit), int(openings[2 * n:2 * n + 2].hex())] for n, bit in enumerate(bits)]


class Station:
    def __init__(self, kind, host, port, station, password):
        self.station, self.password = bytes.fromhex(station), bytes.fromhex(password)
        family = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
        self.line = socket.socket(socket.AF_INET, family)
        self.line.connect((host, int(port)))
        self.buffer = b""

    def frame(self, function, body, start=b"\x02", end=b"\x03"):
        """Up: centre 1, station 5, password 2, function 1, direction and length 2."""
        head = b"\x7e\x7e\x01" + self.station + self.password + bytes.fromhex(function)
        data = head + len(body).to_bytes(2, "big") + start + body + end
        return data + check_value(data)

    def down(self, seconds):
        """The next frame of the centre, its check value seen to fit; None when nothing comes."""
        deadline = time.monotonic() + seconds
        while True:
            if len(self.buffer) >= 14:
                assert self.buffer[:2] == b"\x7e\x7e", self.buffer.hex()
                length = int.from_bytes(self.buffer[11:13], "big")
                assert length >> 12 == 8, "the direction is not down"
                total = 14 + (length & 0xFFF) + 1 + 2
                if len(self.buffer) >= total:
                    frame, self.buffer = self.buffer[:total], self.buffer[total:]
                    assert check_value(frame[:-2]) == frame[-2:], frame.hex()
                    return self.read(frame)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.line.settimeout(left)
            try:
                more = self.line.recv(65536)
            except (TimeoutError, socket.timeout):
                return None
            except ConnectionError:
                return {"gone": True}
            if not more:
                return {"gone": True}
            self.buffer += more

    def read(self, frame):
        """Down: station before centre; the body is serial number and time of sending, and more in a command."""
        assert frame[2:7] == self.station, frame.hex()
        assert frame[8:10] == self.password, frame.hex()
        body, told = frame[14:-3], {"function": frame[10:11].hex().upper()}
        if frame[13] == 0x16:
            numbers = int.from_bytes(body[:3], "big")
            told.update(total=numbers >> 12, index=numbers & 0xFFF)
            body = body[3:]
        told.update(
            serial=int.from_bytes(body[:2], "big"),
            sent=body[2:8].hex(),
            more=body[8:].hex(),
            end=frame[-3:-2].hex().upper(),
            station=frame[2:7].hex(),
        )
        return told

    def head(self, order):
        """Serial number and time of sending; address and class; time of observation."""
        return (
            order["serial"].to_bytes(2, "big")
            + bcd(order["sent"])
            + b"\xf1\xf1" + self.station + b"H"
            + b"\xf0\xf0" + bcd(order["observed"])
        )

    def confirmations(self, seconds=None):
        first = self.down(WAIT_SECONDS if seconds is None else seconds)
        return [] if first is None else [first]

    def report(self, order):
        body = self.head(order)
        for code, values in order.get("hours", {}).items():
            body += hour(code, values)
        for code, length, decimals, value in order.get("elements", []):
            body += element(code, length, decimals, value)
        data = self.frame(order["function"], body)
        for cut in order.get("cuts", []):
            self.line.sendall(data[:cut])
            time.sleep(0.05)
            data = data[cut:]
        self.line.sendall(data)
        wait = SILENCE_SECONDS if order.get("expect") == "silence" else WAIT_SECONDS
        return {"acks": self.confirmations(wait)}

    def picture(self, order):
        jpeg = b"\xff\xd8\xff\xe0" + bytes(n % 251 for n in range(order["bytes"] - 6)) + b"\xff\xd9"
        body = self.head(order) + b"\xf3\xf3" + jpeg
        size = order["packet"]
        chunks = [body[n:n + size] for n in range(0, len(body), size)]
        lost = set(order.get("lose", []))

        def send(index, is_last):
            numbers = (len(chunks) << 12 | index).to_bytes(3, "big")
            end = b"\x03" if is_last else b"\x17"
            self.line.sendall(self.frame("36", numbers + chunks[index - 1], b"\x16", end))

        for index in range(1, len(chunks) + 1):
            if index not in lost:
                send(index, index == len(chunks))
        asked = []
        while True:
            answer = self.down(WAIT_SECONDS)
            if answer is None or answer.get("gone") or answer["end"] != "15":
                return {"packets": len(chunks), "asked": asked, "acks": [answer] if answer else []}
            asked.append(answer["index"])
            send(answer["index"], True)

    def keepalive(self, order):
        self.line.sendall(self.frame("2F", order["serial"].to_bytes(2, "big") + bcd(order["sent"])))
        return {"acks": self.confirmations(SILENCE_SECONDS)}

    def raw(self, order):
        self.line.sendall(bytes.fromhex(order["hex"]))
        return {"acks": self.confirmations(SILENCE_SECONDS)}

    def obey(self, order):
        command = self.down(WAIT_SECONDS)
        if command is None or command.get("gone") or command["end"] != "05":
            return {"command": command}
        body = b"\x00\x63" + bcd(command["sent"]) + b"\xf1\xf1" + self.station
        # Pumps and gates (4CH, 4EH): it does what it is told, and answers how they stand.
        if command["function"] in ("4C", "4E"):
            body += bytes.fromhex(command["more"])
            command["gates"] = gates(bytes.fromhex(command["more"])) if command["function"] == "4E" else None
        # Parameters that are set (42H): it tells those that hold now.
        if command["function"] == "42":
            body += bytes.fromhex(command["more"])
        # Present data (37H): as a report.
        if command["function"] == "37":
            body += b"H" + b"\xf0\xf0" + bcd(order["observed"])
            body += b"".join(element(*one) for one in order["elements"])
        self.line.sendall(self.frame(command["function"], body))
        return {"command": command, "acks": self.confirmations()}

    def ignore(self, _order):
        """Every command that comes while nothing is answered."""
        heard = []
        while True:
            command = self.down(WAIT_SECONDS if not heard else WAIT_SECONDS + 4.0)
            if command is None or command.get("gone"):
                return {"heard": heard}
            heard.append(command)


def main():
    station = Station(*sys.argv[1:6])
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(getattr(station, order["do"])(order)), flush=True)


main()
