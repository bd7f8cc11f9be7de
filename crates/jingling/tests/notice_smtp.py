"""A mail server that nobody here wrote (aiosmtpd): says where it listens, then each message that it took as a line of JSON."""

import email
import email.policy
import json
import threading

from aiosmtpd.controller import Controller


class Print:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        said = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": str(message["subject"]),
            "message_id": str(message["message-id"]),
            "text": message.get_content(),
        }
        print(json.dumps(said), flush=True)
        return "250 OK"


class Anywhere(Controller):
    def _trigger_server(self):
        # The port is known once it listens: the base class connects to the one that was asked for.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


controller = Anywhere(Print(), hostname="127.0.0.1", port=0)
controller.start()
print(f"127.0.0.1:{controller.port}", flush=True)
threading.Event().wait()
