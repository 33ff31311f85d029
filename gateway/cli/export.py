"""`cp247 cases export`: what a case names, for the programs of an investigation: JSON, CSV, CASE/UCO. Changes nothing.

Identifiers of encrypted mail are not stored: they are read again with the key at hand, and go nowhere but to standard output.
"""

import csv
import io
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import click

from gateway.cli.context import Context
from gateway.cli.journal_view import opened_journal, written
from gateway.cli.verdict_json import verdict_json
from gateway.model.message import Arrival
from gateway.model.outcome import Outcome, Verdict
from gateway.model.verdict import Identifier
from gateway.service.single import SingleFiles

COLUMNS = ("case", "kind", "value", "port", "at", "place", "written", "context")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute; an apostrophe in front makes it text (CWE-1236)."""
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMESPACE = uuid.UUID("5f0c2f2e-6d5d-5c58-9a35-24796c0247c9")
_CONTEXT = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_FACETS: Mapping[str, tuple[str, str]] = {
    "ip": ("IPAddressFacet", "addressValue"),
    "email": ("EmailAddressFacet", "addressValue"),
    "url": ("URLFacet", "fullValue"),
    "domain": ("DomainNameFacet", "value"),
    "phone": ("PhoneAccountFacet", "phoneNumber"),
    "account": ("AccountFacet", "accountIdentifier"),
    "crypto": ("DigitalAddressFacet", "addressValue"),
    "imei": ("MobileDeviceFacet", "IMEI"),
    "asn": ("AutonomousSystemFacet", "number"),
}
"""Kind -> facet of UCO 1.4 and the property that holds the value; a hash and a moment are written otherwise."""
_HASH_METHODS = {32: "MD5", 40: "SHA1", 56: "SHA224", 64: "SHA256", 96: "SHA384", 128: "SHA512"}


@click.command(short_help="What a case names, as JSON, CSV or CASE/UCO.")
@click.argument("reference")
@click.option(
    "--format",
    "form",
    default="json",
    show_default=True,
    type=click.Choice(["json", "csv", "case-uco"]),
    help="Of the output.",
)
@click.pass_obj
def export(context: Context, reference: str, form: str) -> None:
    """Print what the request of the case REFERENCE names; of encrypted mail it is read again with the key at hand."""
    with opened_journal(context) as journal:
        judged = journal.verdict_of(reference)
    if judged is None:
        raise click.BadParameter(f"no case {reference!r}; see `cp247 cases list`", param_hint="REFERENCE")
    arrival, outcome = judged
    click.echo(FORMS[form](outcome.case.reference, arrival, _revealed(context, arrival, outcome)), nl=False)


def _revealed(context: Context, arrival: Arrival, outcome: Outcome) -> Verdict:
    """The stored verdict; of encrypted mail with identifiers and reference, which no journal holds."""
    if not outcome.case.floor.enc:
        return outcome.verdict
    single = SingleFiles(context.settings())
    try:
        again = single.verdict(arrival).classification
    finally:
        single.close()
    stored = outcome.verdict.classification
    shown = replace(stored, identifiers=again.identifiers, reference=again.reference)
    return replace(outcome.verdict, classification=shown)


def as_json(reference: str, arrival: Arrival, verdict: Verdict) -> str:
    """One JSON object with the keys of `explain --json`, the case and the moment of arrival."""
    said = verdict_json(verdict, file=reference, sha256=arrival.sha256)
    return json.dumps({"case": reference, "received_at": written(arrival.received_at), **said}) + "\n"


def as_csv(reference: str, _arrival: Arrival, verdict: Verdict) -> str:
    """One row for each identifier (RFC 4180), safe to open in a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for one in verdict.classification.identifiers:
        cells = (reference, one.kind, one.value, one.port, one.at, one.place.value, one.written, one.context)
        rows.writerow(["" if cell is None else cell_of(str(cell)) for cell in cells])
    return out.getvalue()


def cell_of(text: str) -> str:
    """The text as a cell that shows what it says: controls as escapes, formulas as text."""
    plain = _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    return f"'{plain}" if text.startswith(_FORMULA) else plain


def as_case_uco(reference: str, arrival: Arrival, verdict: Verdict) -> str:
    """A CASE/UCO bundle in JSON-LD; the same case gives the same identifiers of its objects."""
    objects = [_observable(reference, one) for one in verdict.classification.identifiers]
    action = {
        "@id": _id(reference, "request"),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": f"request {reference}",
        "uco-core:description": f"{verdict.classification.category.value}, {verdict.classification.kind.value}",
        "uco-core:objectCreatedTime": {"@type": "xsd:dateTime", "@value": written(arrival.received_at)},
        "uco-core:object": [{"@id": one["@id"]} for one in objects],
    }
    bundle = {"@context": _CONTEXT, "@id": _id(reference, "bundle"), "@type": "uco-core:Bundle"}
    return json.dumps({**bundle, "uco-core:object": [action, *objects]}, indent=1) + "\n"


def _observable(reference: str, one: Identifier) -> dict[str, Any]:
    found = {
        "@id": _id(reference, f"{one.kind} {one.value}"),
        "@type": "uco-observable:ObservableObject",
        "uco-core:hasFacet": [{"@id": _id(reference, f"{one.kind} {one.value} facet"), **_facet(one)}],
    }
    return found | ({"uco-core:description": f"used at {one.at}"} if one.at else {})


def _facet(one: Identifier) -> dict[str, Any]:
    if one.kind == "hash":
        digest = {
            "@type": "uco-types:Hash",
            "uco-types:hashMethod": _HASH_METHODS.get(len(one.value.removeprefix("0x")), "unknown"),
            "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": one.value.removeprefix("0x")},
        }
        return {"@type": "uco-observable:ContentDataFacet", "uco-observable:hash": [digest]}
    if one.kind == "timestamp":
        moment = {"@type": "xsd:dateTime", "@value": one.value}
        return {"@type": "uco-observable:EventRecordFacet", "uco-observable:startTime": moment}
    name, field = _FACETS[one.kind]
    value: Any = int(one.value.removeprefix("AS")) if one.kind == "asn" else one.value
    return {"@type": f"uco-observable:{name}", f"uco-observable:{field}": value}


def _id(reference: str, name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{reference} {name}')}"


FORMS: Mapping[str, Callable[[str, Arrival, Verdict], str]] = {"json": as_json, "csv": as_csv, "case-uco": as_case_uco}
"""Name of a format -> what writes it."""
