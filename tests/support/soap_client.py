#!/usr/bin/python3
"""A foreign SOAP client of SSBTEK, for tests: zeep reads the WSDL, writes calls and reads replies.

    soap_client.py --wsdl URL-OR-PATH --address URL [--ca FILE] [--cert FILE --key FILE]

Needs Debian's python3-zeep. Each line on stdin is a call as JSON; for each, one line of JSON comes
on stdout, in order. Nothing but the address, what lies under it, and files is ever fetched.

A call, everything but `operation` optional (see DEFAULTS):

    {"operation": "hamta", "personidentitet": "…", "organisationsnummer": "…", "from": "…",
     "tom": "…", "inkludera": ["AF", "FK"], "perioder": {"AF": ["…", "…"]}, "lefi": {…} or "text",
     "skv": {"ar": [2025], …}, "echo": true, "korrelationsid": "…", "frageTidpunkt": "…",
     "bitraden": [{"ordningsnummer": 1, "organisationsnummer": "…", "namn": "…"}], …}
    {"operation": "testa"}

A reply holds `http`, the status (null when there was no reply), and one of

    svar    what was read: bytes as base64, dates (zeep drops their zones) and decimals as text,
            what was absent, nil or empty left out, open content under `_value_1`
    fault   code, string, felkod, felmeddelande; the last two are null if the detail has none
    error   what zeep could not do, send or read, in its own words: the test should fail
"""
import argparse
import base64
import datetime
import decimal
import json
import sys

import lxml.etree
import requests
import zeep
from zeep.helpers import serialize_object

PARTS = ["AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV"]
PERIOD = ["fromDatum", "tomDatum"]
DEFAULTS = {
    "organisationsnummer": "162120009994", "namn": "Exempelköpings kommun", "handlaggare": "prov01",
    "personidentitet": "199503142383", "arendeidentitet": "PROV-1", "from": "2026-09-01",
    "tom": "2026-11-30", "syfte": "Prov", "lagtext": "Provlagen 1 §", "inkludera": [],
    "perioder": {}, "echo": False, "bitraden": [], "aktorsid": "PROV-01", "version": "v9",
}


def given(call, *names):
    """Those of the names that the call has; zeep leaves out elements that are not given."""
    return {name: call[name] for name in names if name in call}


def part(call, name):
    """The element of one party among the specific parameters."""
    element = {"inkludera": name in call["inkludera"]}
    if name in call["perioder"]:
        element["tidsperiod"] = dict(zip(PERIOD, call["perioder"][name]))
    if name == "FK" and "lefi" in call:
        lefi = call["lefi"] if isinstance(call["lefi"], str) else json.dumps(call["lefi"])
        element["fraga"] = {**given(call, "version", "aktorsid"), "lefiJsonFraga": lefi.encode()}
    if name == "SKV" and "skv" in call:
        element["fraga"] = call["skv"]
    return element


def question(call):
    """The two parts of hamtaBastjanstInformation."""
    call = {**DEFAULTS, **call}
    return {
        "generellaFrageparametrar": {
            **given(call, "frageTidpunkt", "korrelationsid"),
            "fraganSkallInkluderasISvaret": call["echo"],
            "ingivare": given(call, "organisationsnummer", "namn", "handlaggare"),
            **given(call, "personidentitet", "arendeidentitet"),
            "tidsperiod": dict(zip(PERIOD, [call["from"], call["tom"]])),
            "personuppgiftsbitrade": call["bitraden"],
            **given(call, "syfte", "lagtext"),
        },
        "specifikaFrageparametrar": {name: part(call, name) for name in PARTS},
    }


def as_json(value):
    """Values that JSON does not know."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, lxml.etree._Element):
        return lxml.etree.tostring(value, encoding="unicode", with_tail=False)
    raise TypeError(f"zeep read a {type(value).__name__}")


def present(value):
    """The same without what was absent, which zeep shows as None."""
    if isinstance(value, dict):
        return {name: present(inner) for name, inner in value.items() if inner is not None}
    return [present(inner) for inner in value] if isinstance(value, list) else value


class Door:
    """One WSDL, one address, and the status of the last reply."""

    def __init__(self, args):
        self.status = None
        session = requests.Session()
        session.trust_env = False
        session.adapters.clear()
        session.mount(args.address, requests.adapters.HTTPAdapter())
        session.verify = args.ca or True
        session.cert = (args.cert, args.key) if args.cert else None
        session.hooks["response"].append(self.saw)
        self.client = zeep.Client(
            args.wsdl, settings=zeep.Settings(strict=True, forbid_dtd=True),
            transport=zeep.Transport(session=session, timeout=30, operation_timeout=180))
        [binding] = self.client.wsdl.bindings  # the address in the original WSDL is no address
        self.service = self.client.create_service(binding, args.address)

    def saw(self, response, **_):
        self.status = response.status_code

    def ask(self, call):
        """What became of one call; the client lives on whatever it was."""
        self.status = None
        try:
            if call["operation"] == "testa":
                svar = self.service.testaBastjanstInformation()
            else:
                svar = self.service.hamtaBastjanstInformation(**question(call))
            outcome = {"svar": present(serialize_object(svar, dict))}
        except zeep.exceptions.Fault as fault:
            outcome = {"fault": self.fault(fault)}
        except Exception as error:
            outcome = {"error": f"{type(error).__name__}: {error}"}
        return {"http": self.status, **outcome}

    def fault(self, fault):
        detail = [] if fault.detail is None else fault.detail
        typed = self.client.wsdl.types.deserialize(detail[0]) if len(detail) else None
        return {"code": fault.code, "string": fault.message,
                "felkod": typed and typed.felkod, "felmeddelande": typed and typed.felmeddelande}


options = argparse.ArgumentParser()
for name in ("--wsdl", "--address", "--ca", "--cert", "--key"):
    options.add_argument(name, required=name in ("--wsdl", "--address"))
door = Door(options.parse_args())
for line in sys.stdin:
    print(json.dumps(door.ask(json.loads(line)), default=as_json, ensure_ascii=False), flush=True)
