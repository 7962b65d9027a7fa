"""``plan`` of yang/nesrv: what committing the candidate would do, as a person would type it."""

from __future__ import annotations

from nesrv.datastore.build import Plain, build
from nesrv.datastore.tree import to_xml
from nesrv.rpc.operation import Answer, Call, Operations, Output

NESRV = "urn:nesrv:element"


async def plan(call: Call) -> Answer:
    element = call.element
    steps = await element.pipeline.plan(element.candidate.snapshot)
    steps = [step for step in steps if element.guards.shows(call.session, step.fact.path)]
    typed = element.pipeline.explain(steps)
    listed: list[Plain] = [
        {
            "number": number,
            "verb": step.verb,
            "domain": step.fact.domain,
            "path": step.fact.path,
            "command": commands,
        }
        for number, (step, commands) in enumerate(zip(steps, typed, strict=True), 1)
    ]
    output = build(element.schema.rpcs[f"{{{NESRV}}}plan"].by_name["output"], {"step": listed})
    return Output([to_xml(child, element.schema.namespaces) for child in output.children])


OPERATIONS: Operations = {f"{{{NESRV}}}plan": plan}
