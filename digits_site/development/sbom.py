"""`make sbom`: what the product consists of, as CycloneDX JSON, to var/sbom.json or a file that is named; `-` prints.

cyclonedx-py reads the virtual environment: versions, licences, who needs whom. Of these the runtime packages are kept,
and each gets the checksums that its installation was held against.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from digits_site.development.lock import ROOT, RUNTIME, Pin, pins

PRODUCT = "digits"
Document = dict[str, Any]


def environment() -> Document:
    """All that is installed here. Raises CalledProcessError."""
    # Twenty seconds of its own validation are left to a test, which looks at a tenth of the packages.
    options = ["--output-reproducible", "--no-validate", "--of", "JSON"]
    command = [sys.executable, "-m", "cyclonedx_py", "environment", sys.prefix, *options]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


def bill(installed: Document) -> Document:
    """Of all that is installed, what the product runs on. Raises LookupError for a package that is missing."""
    wanted = {one.name: one for one in pins(RUNTIME) if one.holds()}
    components: dict[str, Document] = {canonicalize_name(one["name"]): one for one in installed["components"]}
    here = {name: str(one["version"]) for name, one in components.items()}
    lacking = [name for name, one in wanted.items() if here.get(name) != str(one.version)]
    if lacking:
        raise LookupError(f"Installed otherwise than requirements.lock says: {', '.join(lacking)}. Run: make setup")
    kept = [with_hashes(components[name], one) for name, one in sorted(wanted.items())]
    references = {one["bom-ref"] for one in kept}
    needs = [one for one in installed["dependencies"] if one["ref"] in references]
    needs = [{**one, "dependsOn": sorted(references & {*one.get("dependsOn", ())})} for one in needs]
    needs.append({"ref": PRODUCT, "dependsOn": sorted(components[name]["bom-ref"] for name in chosen() & {*wanted})})
    metadata = {**installed["metadata"], "component": product()}
    return {**installed, "metadata": metadata, "components": kept, "dependencies": needs}


def with_hashes(component: Document, one: Pin) -> Document:
    """The files that may be installed are told apart by their checksums, so they stand with the distribution."""
    files = {
        "type": "distribution",
        "url": f"https://pypi.org/project/{one.name}/{one.version}/",
        "comment": "checksums of all files of this release that may be installed",
        "hashes": [{"alg": "SHA-256", "content": each.removeprefix("sha256:")} for each in one.hashes],
    }
    return {**component, "externalReferences": [*component.get("externalReferences", ()), files]}


def chosen() -> set[str]:
    """The names in requirements.txt."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return {canonicalize_name(Requirement(line).name) for line in lines if line}


def product() -> Document:
    """The version is the newest of the changelog."""
    version = re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    return {
        "type": "application",
        "name": PRODUCT,
        "bom-ref": PRODUCT,
        "version": version[1] if version else "",
        "licenses": [{"license": {"id": "MIT"}}],
    }


def main() -> int:
    target = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "var" / "sbom.json")
    try:
        written = json.dumps(bill(environment()), indent=1) + "\n"
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    if target == "-":
        sys.stdout.write(written)
        return 0
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(written)
    print(f"{target}: {len(json.loads(written)['components'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
