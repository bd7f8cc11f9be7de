"""A charging platform that speaks T/CEC 102-2016 with the city, in either role: it asks the city's door, and answers what the city asks.

    exchange_partner.py PARTNER_ID CITY_ID SECRETS.json

SECRETS.json is the city's file of secrets: with "door" this partner asks, with "ask" the city does. AES is that of the package
`cryptography`, HMAC-MD5 Python's own. Its first line on standard output is {"port": where it answers}; then it reads one JSON object a line:
    {"city": "http://host:port/evcs/v20160701"}        where the city is
    {"ask": interface, "body": {...}, "spoil": what}   asks with a token, spoilt where it says so: signature, token, clock, data, replay,
                                                       secret, operator; {"http": status, "ret": n, "msg": text, "data": {...}, "signed": bool}
    {"raw": text, "interface": interface}              posts a text; {"http": status, "body": text}
    {"big": bytes}                                     posts so many bytes
    {"flood": n, "ask": interface, "body": {...}}      asks so often; {"rets": {ret: how often}}
    {"serve": interface, "reply": {...}}               what it answers from now on to that
    {"refuse": interface, "times": n}                  answers that with an error so often
    {"heard": interface}                               waits until the city asked that; {"body": {...}}
    {"forget": true}                                   forgets its token, and what it gave
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import queue
import sys
import threading
import urllib.parse

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

WAIT_SECONDS = 60
BEIJING = datetime.timezone(datetime.timedelta(hours=8))


class Keys:
    def __init__(self, secrets):
        self.operator = secrets["operator_secret"]
        self.data, self.iv = secrets["data_secret"].encode(), secrets["data_secret_iv"].encode()
        self.signature = secrets["sig_secret"].encode()

    def cipher(self):
        return Cipher(algorithms.AES(self.data), modes.CBC(self.iv))

    def seal(self, body):
        padder = padding.PKCS7(128).padder()
        text = json.dumps(body, ensure_ascii=False).encode()
        encryptor = self.cipher().encryptor()
        return base64.b64encode(encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()).decode()

    def open(self, data):
        decryptor = self.cipher().decryptor()
        padded = decryptor.update(base64.b64decode(data)) + decryptor.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return json.loads(unpadder.update(padded) + unpadder.finalize())

    def sign(self, *parts):
        return hmac.new(self.signature, "".join(parts).encode(), hashlib.md5).hexdigest().upper()


class Partner:
    def __init__(self, own, city, secrets):
        self.own, self.city_id = own, city
        self.door, self.ask_keys = Keys(secrets["door"]), Keys(secrets["ask"])
        self.city, self.token, self.seq = None, None, 0
        self.replies, self.heard, self.given, self.refusals = {}, {}, set(), {}
        self.lock = threading.Lock()

    # Asking

    def envelope(self, body, spoil=None):
        self.seq += 1
        at = datetime.datetime.now(BEIJING)
        if spoil == "clock":
            at -= datetime.timedelta(hours=2)
        operator = "999999999" if spoil == "operator" else self.own
        stamp, seq = at.strftime("%Y%m%d%H%M%S"), f"{self.seq % 10000:04}"
        data = base64.b64encode(b"x" * 32).decode() if spoil == "data" else self.door.seal(body)
        sig = self.door.sign(operator, data, stamp, seq)
        if spoil == "signature":
            sig = "0" * 32
        return {"OperatorID": operator, "Data": data, "TimeStamp": stamp, "Seq": seq, "Sig": sig}

    def post(self, interface, text, token=None):
        city = urllib.parse.urlsplit(self.city)
        line = http.client.HTTPConnection(city.hostname, city.port, timeout=WAIT_SECONDS)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if token:
            headers["Authorization"] = "Bearer " + token
        line.request("POST", f"{city.path}/{interface}", text.encode(), headers)
        answer = line.getresponse()
        told = answer.status, answer.read().decode()
        line.close()
        return told

    def posted(self, interface, envelope, token):
        status, text = self.post(interface, json.dumps(envelope), token)
        if status != 200:
            return {"http": status, "body": text}
        answer = json.loads(text)
        signed = answer["Sig"] == self.door.sign(str(answer["Ret"]), answer["Msg"], answer["Data"])
        data = self.door.open(answer["Data"]) if answer["Data"] else None
        return {"http": status, "ret": answer["Ret"], "msg": answer["Msg"], "data": data, "signed": signed}

    def ask(self, interface, body, spoil=None):
        if interface == "query_token" or self.token is None:
            secret = "wrong" if spoil == "secret" else self.door.operator
            wish = {"OperatorID": self.own, "OperatorSecret": secret}
            told = self.posted("query_token", self.envelope(wish), None)
            if interface == "query_token" or told.get("ret") != 0:
                return told
            self.token = told["data"]["AccessToken"]
        envelope = self.envelope(body, spoil)
        token = "0" * 64 if spoil == "token" else self.token
        told = self.posted(interface, envelope, token)
        if spoil == "replay":
            told = self.posted(interface, envelope, token)
        return told

    # Answering

    def answer(self, interface, posted, bearer):
        keys = self.ask_keys

        def sealed(ret, msg, body):
            data = keys.seal(body) if body is not None else ""
            return {"Ret": ret, "Msg": msg, "Data": data, "Sig": keys.sign(str(ret), msg, data)}

        signed = keys.sign(posted["OperatorID"], posted["Data"], posted["TimeStamp"], posted["Seq"])
        if posted["OperatorID"] != self.city_id or posted["Sig"] != signed:
            return sealed(4001, "签名错误", None)
        body = keys.open(posted["Data"])
        if interface == "query_token":
            if body["OperatorSecret"] != keys.operator:
                return sealed(0, "", {"OperatorID": self.own, "SuccStat": 1, "AccessToken": "", "TokenAvailableTime": 0, "FailReason": 2})
            token = f"token-{len(self.given)}"
            self.given.add(token)
            return sealed(0, "", {"OperatorID": self.own, "SuccStat": 0, "AccessToken": token, "TokenAvailableTime": 7200, "FailReason": 0})
        if bearer not in self.given:
            return sealed(4002, "Token错误", None)
        if self.refusals.get(interface, 0) > 0:
            self.refusals[interface] -= 1
            return sealed(500, "系统错误", None)
        self.queue(interface).put(body)
        reply = self.replies.get(interface)
        if interface == "check_charge_orders":
            reply = {
                "TotalDisputeOrder": 0,
                "TotalDisputeMoney": 0,
                "DisputeOrders": [],
                **(reply or {}),
                **{name: body[name] for name in ("CheckOrderSeq", "StartTime", "EndTime")},
            }
        if reply is None and interface == "notification_charge_order_info":
            reply = {"StartChargeSeq": body["StartChargeSeq"], "ConnectorID": body["ConnectorID"], "ConfirmResult": 0}
        if reply is None and interface.startswith("notification_"):
            reply = {"StartChargeSeq": body["StartChargeSeq"], "SuccStat": 0, "FailReason": 0}
        return sealed(500, "未实现", None) if reply is None else sealed(0, "", reply)

    def queue(self, interface):
        with self.lock:
            return self.heard.setdefault(interface, queue.Queue())

    def serve(self):
        partner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                text = json.dumps(partner.answer(self.path.rsplit("/", 1)[1], body, bearer)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    # Orders from the test

    def obey(self, order):
        if "city" in order:
            self.city = order["city"]
            return {}
        if "flood" in order:
            rets = {}
            for _ in range(order["flood"]):
                told = self.ask(order["ask"], order["body"])
                key = str(told.get("ret", f"http {told['http']}"))
                rets[key] = rets.get(key, 0) + 1
            return {"rets": rets}
        if "ask" in order:
            return self.ask(order["ask"], order.get("body"), order.get("spoil"))
        if "raw" in order:
            status, body = self.post(order["interface"], order["raw"])
            return {"http": status, "body": body}
        if "big" in order:
            status, body = self.post("query_token", "x" * order["big"])
            return {"http": status, "body": body}
        if "serve" in order:
            self.replies[order["serve"]] = order["reply"]
            return {}
        if "refuse" in order:
            self.refusals[order["refuse"]] = order["times"]
            return {}
        if "heard" in order:
            return {"body": self.queue(order["heard"]).get(timeout=WAIT_SECONDS)}
        self.token, self.given = None, set()
        return {}


def main(own, city, secrets):
    with open(secrets, encoding="utf-8") as file:
        partner = Partner(own, city, json.load(file))
    print(json.dumps({"port": partner.serve()}), flush=True)
    for line in sys.stdin:
        try:
            told = partner.obey(json.loads(line))
        except queue.Empty:
            told = {"nothing": True}
        print(json.dumps(told), flush=True)


main(*sys.argv[1:4])
