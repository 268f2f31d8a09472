"""fhir.resources' word on what we send: every resource is parsed as FHIR R4B, a Bundle with all that is in it.

Reads one JSON list from standard input. Says "parsed N" or ends with what it does not take.
"""

import json
import sys

from fhir.resources.R4B import get_fhir_model_class

resources = json.load(sys.stdin)
for resource in resources:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    for entry in resource.get("entry", []) if resource["resourceType"] == "Bundle" else []:
        inner = entry["resource"]
        get_fhir_model_class(inner["resourceType"]).model_validate(inner)
print(f"parsed {len(resources)}")
