"""The control routes under `/_sandbox/`, by which other processes steer a running sandbox and look into it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from hub.sandbox.faults import Fault, Gate

if TYPE_CHECKING:
    from hub.sandbox.server import Sandbox

PREFIX = "/_sandbox/"


def control_routes(sandbox: Sandbox) -> Blueprint:
    """The blueprint with every control route of `sandbox`. Wrong input is answered 400 with the reason as text."""
    routes = Blueprint("sandbox_control", __name__, url_prefix=PREFIX.rstrip("/"))
    gates: dict[str, Gate] = {}
    gate_ids = itertools.count(1)

    @routes.errorhandler(ValueError)
    @routes.errorhandler(TypeError)
    def wrong_input(error: Exception) -> ResponseReturnValue:
        return Response(f"{error}\n", 400, mimetype="text/plain")

    @routes.get("/state")
    def state() -> ResponseReturnValue:
        return jsonify(sandbox.state())

    @routes.get("/requests")
    def requests() -> ResponseReturnValue:
        records = [_plain(record) for record in sandbox.requests.all()]
        if request.args.get("clear"):
            sandbox.requests.clear()
        return jsonify(requests=records)

    @routes.get("/faults")
    def faults() -> ResponseReturnValue:
        return jsonify(faults=[dataclasses.asdict(fault) for fault in sandbox.faults.pending()])

    @routes.post("/faults")
    def add_fault() -> ResponseReturnValue:
        sandbox.faults.add(Fault.from_json(_body()))
        return jsonify(ok=True), 201

    @routes.delete("/faults")
    def clear_faults() -> ResponseReturnValue:
        sandbox.faults.clear()
        return jsonify(ok=True)

    @routes.post("/gates")
    def add_gate() -> ResponseReturnValue:
        gate = sandbox.faults.gate(**{"method": "", "path": "", **_body()})
        gate_id = str(next(gate_ids))
        gates[gate_id] = gate
        return jsonify(id=gate_id), 201

    @routes.get("/gates/<gate_id>")
    def gate_state(gate_id: str) -> ResponseReturnValue:
        gate = _known(gates, gate_id)
        return jsonify(id=gate_id, reached=gate.reached, released=gate.is_open)

    @routes.post("/gates/<gate_id>/release")
    def release_gate(gate_id: str) -> ResponseReturnValue:
        _known(gates, gate_id).release()
        return jsonify(ok=True)

    @routes.post("/webhooks")
    def webhooks() -> ResponseReturnValue:
        return _steer_webhooks(sandbox, _body())

    @routes.get("/webhooks/sent")
    def webhooks_sent() -> ResponseReturnValue:
        sent = [
            {
                "id": s.delivery.id,
                "target": s.delivery.target.id,
                "url": s.delivery.target.url,
                "topic": s.delivery.topic,
                "attempt": s.attempt,
                "status": s.status,
                "at": s.at.isoformat(),
            }
            for s in sandbox.webhooks.sent
        ]
        return jsonify(sent=sent, idle=sandbox.webhooks.idle())

    @routes.post("/limits")
    def set_limit() -> ResponseReturnValue:
        body = _body()
        sandbox.limits.set(str(body["name"]), int(body["count"]), float(body.get("seconds", 60)))
        return jsonify(limits=sandbox.limits.in_force())

    @routes.delete("/limits")
    def clear_limits() -> ResponseReturnValue:
        sandbox.limits.clear()
        return jsonify(ok=True)

    @routes.post("/settings")
    def change_settings() -> ResponseReturnValue:
        sandbox.change_settings(**_body())
        return jsonify(settings=sandbox.settings)

    return routes


def _steer_webhooks(sandbox: Sandbox, body: dict[str, Any]) -> ResponseReturnValue:
    if "target" in body:
        url = body.pop("target")
        target = sandbox.add_webhook_target(url, **body)
        return jsonify(id=target.id, secret=target.secret), 201
    sender = sandbox.webhooks
    steps: dict[str, Callable[[Any], None]] = {
        "drop": lambda n: sender.drop_next(int(n)),
        "double": lambda n: sender.double_next(int(n)),
        "reorder": lambda n: sender.reorder_next(int(n)),
        "late": lambda n: sender.late_next(int(n), float(body.get("seconds", 1))),
        "pause": lambda _: sender.pause(),
        "resume": lambda _: sender.resume(),
        "remove": lambda id: sender.remove_target(str(id)),
    }
    asked = [name for name in body if name != "seconds"]
    if not asked or set(asked) - set(steps):
        raise ValueError(f'give "target" or some of {sorted(steps)}, not {sorted(body)}')
    for name in asked:
        steps[name](body[name])
    return jsonify(ok=True)


def _body() -> dict[str, Any]:
    body = request.get_json(force=True)
    if not isinstance(body, dict):
        raise ValueError("a JSON object is needed")
    return body


def _known(gates: dict[str, Gate], gate_id: str) -> Gate:
    if gate_id not in gates:
        raise ValueError(f"there is no gate {gate_id}")
    return gates[gate_id]


def _plain(record: Any) -> dict[str, Any]:
    plain = dataclasses.asdict(record)
    plain["at"] = record.at.isoformat()
    return plain
