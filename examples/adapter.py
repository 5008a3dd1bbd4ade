#!/usr/bin/python3
"""A whole adapter: answers for Transportstyrelsen (TNS) from its queue.

Needs Debian's python3-pika. Copy it, replace VEHICLES with your own register, and run it under a
service manager, which starts it again when RabbitMQ has been away:

    SAMSVAR_AMQP__URL=amqp://tns:secret@localhost:5672/ examples/adapter.py
"""
import os
import xml.etree.ElementTree as ET
import pika

SVAR = "{http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1}"
FORDON = "{http://schema.transportstyrelsen.se/ssbtek/fordon/1}"
VEHICLES = {"199503142383": [{"regnr": "QVI042", "fabrikat": "VOLVO", "fordonsar": "2014",
                              "fordonsslag": "Personbil", "handelsbeteckning": "V60"}]}


def answer(question):
    root = ET.fromstring(question)  # a valid hamtaBastjanstInformation, version 10 or 11
    ssbt = root.tag.partition("}")[0] + "}"  # the answer is in the namespace of its question
    person = root.findtext(f"{ssbt}generellaFrageparametrar/{ssbt}personidentitet").strip()
    element = ET.Element(ssbt + "TNS")
    data = ET.SubElement(element, ssbt + "data")
    ET.SubElement(data, SVAR + "resultat").text = "OK"
    owned = ET.SubElement(data, SVAR + "fordonsinnehav")
    for vehicle in VEHICLES.get(person, []):
        fordon = ET.SubElement(owned, FORDON + "fordon")
        for name, value in vehicle.items():
            ET.SubElement(fordon, FORDON + name).text = value
    return ET.tostring(element, encoding="utf-8")


def reply(channel, method, question, body):
    kind, text, headers = "svar.v1", b"", None  # a ping is answered empty
    if question.type == "fraga.v1":
        try:
            text = answer(body)
        except Exception:  # say that it failed, and nothing about the person
            kind, headers = "fel.v1", {"felkod": "TEKNISKT-FEL", "felmeddelande": ["Tekniskt fel"]}
    channel.basic_publish("", question.reply_to, text, pika.BasicProperties(
        type=kind, correlation_id=question.correlation_id, content_type="application/xml", headers=headers))


if __name__ == "__main__":
    channel = pika.BlockingConnection(pika.URLParameters(os.environ["SAMSVAR_AMQP__URL"])).channel()
    channel.basic_consume("samsvar.fraga.TNS", reply, auto_ack=True)
    channel.start_consuming()
