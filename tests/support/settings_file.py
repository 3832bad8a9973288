"""What digits_site/settings.py reads from the environment."""

from __future__ import annotations

import ast

from tests.support.stack import ROOT


def variables_in_settings() -> set[str]:
    """Every NAME in an `env.kind("NAME")` of settings.py."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / "digits_site" / "settings.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env."):
            names |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return names
