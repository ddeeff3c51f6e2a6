"""Writes into template.yaml, for each function, the parameters whose change must publish a new version of it.

SAM publishes a version when the code or a property changes, and it looks at a property as the template has it: `!Ref
JwtJwks` stays the same when the parameter changes, and the alias would go on with the old value. In `Tracing` alone it
puts the values in before it looks. So each function's `Tracing` names the parameters that its other properties use;
`!Select` takes the first, which is what tracing shall be. A parameter too many would be as bad as one too few: Lambda
publishes no version of a function that has not changed, and the deployment would fail. The suite holds the lists.

    .tools/sam/bin/python scripts/version-lists.py
"""

import importlib.util
import pathlib
import re
import textwrap

root = pathlib.Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("translator", root / "scripts/translate-template.py")
translator = importlib.util.module_from_spec(spec)
spec.loader.exec_module(translator)


def references(value, template, found):
    """Every parameter that a value rests on, also by way of conditions."""
    if isinstance(value, list):
        for one in value:
            references(one, template, found)
    elif isinstance(value, dict):
        for name, argument in value.items():
            if name == "Ref" and argument in template["Parameters"]:
                found.add(argument)
            elif name == "Fn::Sub":
                text = argument if isinstance(argument, str) else argument[0]
                found.update(set(re.findall(r"\$\{(\w+)\}", text)) & set(template["Parameters"]))
            elif name == "Condition" and isinstance(argument, str):
                references(template["Conditions"][argument], template, found)
            elif name == "Fn::If":
                references(template["Conditions"][argument[0]], template, found)
            references(argument, template, found)
    return found


path = root / "template.yaml"
text = path.read_text()
template = translator.translated({})
order = list(template["Parameters"])
for logical_id, resource in template["Resources"].items():
    # One whose code stands in the template has no alias, and so no versions.
    if resource["Type"] != "AWS::Lambda::Function" or "ZipFile" in resource["Properties"]["Code"]:
        continue
    properties = dict(resource["Properties"])
    # Neither is a part of a version.
    for name in ("TracingConfig", "ReservedConcurrentExecutions"):
        properties.pop(name, None)
    names = sorted(references(properties, template, set()), key=order.index)
    # A secret must not get into the translated template: another `Release` goes with a change of one.
    names = [name for name in names if not template["Parameters"][name].get("NoEcho")]
    # No line ends between !Ref and its name.
    listed = ", ".join(f"!Ref\0{name}" for name in ["Tracing", *names])
    lines = textwrap.wrap(f"Tracing: !Select [0, [{listed}]]", 112, break_long_words=False, break_on_hyphens=False)
    block = "\n        ".join(lines).replace("\0", " ")
    block = f"      AutoPublishAliasAllProperties: true\n      {block}\n"
    start = text.index(f"\n  {logical_id}:\n")
    properties_start = text.index("\n    Properties:\n", start) + len("\n    Properties:\n")
    end = re.compile(r"\n  \w").search(text, properties_start).start()
    body = text[properties_start:end]
    body = re.sub(r"      AutoPublishAliasAllProperties: true\n      Tracing: !Select [^\]]*\]\]\n", "", body)
    text = text[:properties_start] + block + body + text[end:]
path.write_text(text)
