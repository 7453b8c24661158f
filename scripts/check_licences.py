"""Refuse dependencies whose licence may not be shipped with Apache-2.0 code.

`cargo deny` would say the same of the crates, but building it takes longer than everything else together.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution, distribution

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}
# What packages without a licence expression say in their classifier or free text.
SYNONYMS = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
}


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met with allowed licences only: one side of OR, both sides of AND."""
    flat = re.sub(r"[()]", " ", expression.replace("/", " OR "))
    alternatives = re.split(r"\s+OR\s+", flat.strip())
    return any(all(part.strip() in ALLOWED for part in re.split(r"\s+AND\s+", choice)) for choice in alternatives)


def crates() -> dict[str, str]:
    """Name and licence expression of every crate that is built in."""
    command = [
        "cargo",
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        "x86_64-unknown-linux-gnu",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {package["name"]: package["license"] or "none" for package in json.loads(output)["packages"]}


def licence_of(package: Distribution) -> str:
    """The licence expression of a Python distribution, as far as it tells one."""
    facts = package.metadata.json
    if "license_expression" in facts:
        return str(facts["license_expression"])
    prefix = "License :: OSI Approved :: "
    for classifier in facts.get("classifier", ()):
        if classifier.startswith(prefix):
            name = classifier.removeprefix(prefix)
            return SYNONYMS.get(name, name)
    return str(facts.get("license", "none"))


def python_packages(root: str) -> dict[str, str]:
    """Name and licence of everything that an installation of `root` without extras brings along."""
    found: dict[str, str] = {}
    waiting = [root]
    while waiting:
        package = distribution(waiting.pop())
        name = package.metadata["Name"]
        if name in found:
            continue
        found[name] = licence_of(package)
        waiting += [
            re.split(r"[\s<>=!~;\[(]", requirement)[0]
            for requirement in package.requires or []
            if not re.search(r";.*(extra|platform_python_implementation|python_version\s*<|sys_platform)", requirement)
        ]
    return found


def main() -> int:
    """Print what is not allowed; 0 if there is nothing."""
    packages = {f"crate {name}": licence for name, licence in crates().items()}
    packages |= {f"package {name}": licence for name, licence in python_packages("pbstore").items()}
    refused = {name: licence for name, licence in packages.items() if not is_allowed(licence)}
    for name, licence in sorted(refused.items()):
        print(f"{name}: licence '{licence}' is not on the list of {__file__}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
