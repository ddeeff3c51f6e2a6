"""Prints template.yaml as the plain CloudFormation that SAM makes of it, as JSON.

Run with the Python of the SAM environment (scripts/setup test): .tools/sam/bin/python scripts/translate-template.py
Arguments NAME=VALUE give parameters, as a deployment would; the others have their defaults.
"""

import json
import os
import pathlib
import sys

# SAM looks up its region's partition, and calls nobody.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

root = pathlib.Path(__file__).resolve().parent.parent


class NoManagedPolicies:
    """SAM asks for the ARNs of AWS's own policies by their names. We name none."""

    def load(self):
        return {}


def translated(given):
    template = yaml_parse((root / "template.yaml").read_text())
    # `sam deploy` uploads the code first and puts its address here.
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://code/" + resource["Properties"]["CodeUri"]
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()}
    return transform(template, defaults | given, NoManagedPolicies())


if __name__ == "__main__":
    json.dump(translated(dict(argument.split("=", 1) for argument in sys.argv[1:])), sys.stdout)
