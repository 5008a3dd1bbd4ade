#!/usr/bin/python3
"""examples/adapter.py with sealed bodies: opens each question and seals its answer, so that RabbitMQ
holds noise. Needs Debian's python3-pika and python3-cryptography; keys are made by
`samsvar seal-keys`. Files, several with a colon between:

    SEAL_KEYS   this party's own keys (.key); two while the one replaces the other
    NODE_KEYS   the node's keys (.pub), which answers are sealed to

    SEAL_KEYS=tns-1.key NODE_KEYS=nod-1.pub SAMSVAR_AMQP__URL=… examples/adapter_sealed.py
"""
import base64
import os
import pika
from adapter import answer
from hpke import open_sealed, seal

SEALED = "application/vnd.samsvar.sealed"
EXCHANGE, ROUTING_KEY = "samsvar.fraga", "TNS"


def keys(variable):
    lines = (open(file).read().split() for file in os.environ[variable].split(":"))
    return {name: base64.b64decode(key) for name, key in lines}


def opened(question, body):
    """The question in clear. What the message says of itself is bound to it: nothing was changed."""
    if question.content_type != SEALED:
        raise ValueError("not sealed")
    to, headers = question.headers["x-seal-key"], question.headers
    facts = [EXCHANGE, ROUTING_KEY, question.correlation_id, question.type, headers["x-deadline"],
             to, headers["x-seal-answer-key"]]
    return open_sealed(OWN[to], b"samsvar/amqp/1/fraga", "\n".join(facts).encode(), body)


def failed(text):
    """An error in the place of an answer, in the version that the question is in."""
    version = b"11" if b"/integration/ssbt/11" in text else b"10"
    return (b'<ssbt:TNS xmlns:ssbt="http://schema.forsakringskassan.se/integration/ssbt/' + version
            + b'"><ssbt:error><ssbt:kalla>BT</ssbt:kalla><ssbt:felkod>TEKNISKT-FEL</ssbt:felkod>'
            b"<ssbt:felmeddelande>Tekniskt fel</ssbt:felmeddelande></ssbt:error></ssbt:TNS>")


def reply(channel, method, question, body):
    def send(kind, body, content_type, headers):
        channel.basic_publish("", question.reply_to, body, pika.BasicProperties(
            type=kind, correlation_id=question.correlation_id, content_type=content_type,
            headers=headers))

    try:
        text = opened(question, body)
        to = question.headers["x-seal-answer-key"]
        node = NODE[to]
    except Exception:  # another key, or changed: the node fails the slot at once
        return send("fel.v1", b"", "application/xml", {"felkod": "EJ-OPPNAD"})
    element = b""  # a ping is answered empty
    if question.type == "fraga.v1":
        try:
            element = answer(text)
        except Exception:  # say that it failed, and nothing about the person
            element = failed(text)
    facts = "\n".join([question.correlation_id, "svar.v1", to]).encode()
    send("svar.v1", seal(node, b"samsvar/amqp/1/svar", facts, element), SEALED, {"x-seal-key": to})


if __name__ == "__main__":
    OWN, NODE = keys("SEAL_KEYS"), keys("NODE_KEYS")
    channel = pika.BlockingConnection(pika.URLParameters(os.environ["SAMSVAR_AMQP__URL"])).channel()
    channel.basic_consume("samsvar.fraga." + ROUTING_KEY, reply, auto_ack=True)
    channel.start_consuming()
