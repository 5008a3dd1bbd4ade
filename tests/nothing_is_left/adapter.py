#!/usr/bin/python3
"""Authorities that answer in markers, in the way that the question's korrelationsid asks for.

Arguments: the file of templates, and the codes to answer for. A template is a list of texts, of slots
(["text", LETTERS], ["person"]) and of base64 (["base64", TEMPLATE]). What stands behind a colon in the
korrelationsid is a way to misbehave and whose it is: ":tyst.TNS".
"""
import base64
import json
import os
import re
import sys
import pika

CORE = "Zq7KxWv3Jb"
NUMBER = re.compile(rb"korrelationsid>[^<]*?Zq7KxWv3Jb[a-z]{3}(\d{5})[^<:]*:?([a-z.A-Z]*)<")
PERSON = re.compile(rb"personidentitet>(\d{12})<")
TEMPLATES = json.load(open(sys.argv[1], encoding="utf-8"))
LATE_S = 2.6
SLOW_S = 1.2


def fill(template, number, person):
    out = []
    for part in template:
        if isinstance(part, str):
            out.append(part)
        elif part[0] == "text":
            out.append("å%s%s%sö" % (CORE, part[1], number))
        elif part[0] == "person":
            out.append(person)
        else:
            out.append(base64.b64encode(fill(part[1], number, person).encode()).decode())
    return "".join(out)


def answer(code, body, number, person):
    version = "10" if b"ssbt/10" in body else "11"
    return fill(TEMPLATES[code + "/" + version], number, person).encode()


def reply(channel, code, question, body):
    def say(text=b"", kind="svar.v1", headers=None):
        channel.basic_publish("", question.reply_to, text, pika.BasicProperties(
            type=kind, correlation_id=question.correlation_id, content_type="application/xml", headers=headers))

    def later(seconds, *what):
        channel.connection.call_later(seconds, lambda: say(*what))

    if question.type != "fraga.v1":
        return say()
    number, way = NUMBER.search(body).groups()
    person = PERSON.search(body).group(1).decode()
    number, (way, _, whose) = number.decode(), way.decode().partition(".")
    svar = answer(code, body, number, person)
    if way == "langsam":  # everybody takes their time
        return later(SLOW_S, svar)
    if whose != code:
        return say(svar)
    mark = lambda field: "å%s%s%sö" % (CORE, TEMPLATES["codes"][field], number)
    if way == "tyst":
        return None
    if way == "sen":
        return later(LATE_S, svar)
    if way == "dubbel":
        say(svar)
        return say(svar)
    if way == "skrap":
        return say(mark("skräp").encode() * 3 + b"<" + svar[:40])
    if way == "trasig":
        return say(svar[:-9])
    if way == "fel":
        return say(b"", "fel.v1", {"felkod": "TEKNISKT-FEL", "felmeddelande": [mark("fel.v1 felmeddelande")]})
    if way == "felkod":
        return say(b"", "fel.v1", {"felkod": mark("fel.v1 felkod"), "felmeddelande": ["Tekniskt fel"]})
    if way == "felsvar":
        name = re.match(rb"<(\w+):(\w+)", svar)
        ns = re.search(rb'xmlns:ssbt="([^"]*)"', svar).group(1).decode()
        return say(('<ssbt:%s xmlns:ssbt="%s"><ssbt:error><ssbt:kalla>BT</ssbt:kalla><ssbt:felkod>%s</ssbt:felkod>'
                    '<ssbt:felmeddelande>%s</ssbt:felmeddelande></ssbt:error></ssbt:%s>' % (
                        name.group(2).decode(), ns, mark("error felkod"), mark("error felmeddelande"),
                        name.group(2).decode())).encode())
    if way == "otillatet":
        extra = ('<x:%s xmlns:x="http://exempel.se/x">%s</x:%s>' % ("hemligt", mark("otillåtet fält"), "hemligt")).encode()
        at = svar.rindex(b"</ssbt:data>")
        return say(svar[:at] + extra + svar[at:])
    if way == "stor":
        return say(svar + b"<!--" + mark("för stort").encode() * 60000 + b"-->")
    if way == "annan":  # under an id that nobody waits for
        question.correlation_id = "00000000-0000-4000-8000-0000000" + number
        return say(svar)
    if way == "okand":
        return say(svar, "svar.v9")
    return say(svar)


if __name__ == "__main__":
    channel = pika.BlockingConnection(pika.URLParameters(os.environ["SAMSVAR_AMQP__URL"])).channel()
    for code in sys.argv[2:]:
        channel.basic_consume("samsvar.fraga." + code, lambda channel, _, question, body, code=code: reply(
            channel, code, question, body), auto_ack=True)
    print("consuming", flush=True)
    channel.start_consuming()
