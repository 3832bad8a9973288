"""What digits_site/settings.py reads from the environment."""

import ast
import re

from tests.support.stack import ROOT


def variables_in_settings() -> dict[str, ast.expr]:
    """Return every NAME in an `env.kind("NAME", default)` of settings.py, with the expression of its default."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "digits_site" / "settings.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and re.fullmatch(r"env\.\w+", ast.unparse(node.func)):
            name, *default = [*node.args, *(keyword.value for keyword in node.keywords)]
            found[ast.literal_eval(name)] = default[0] if default else ast.Constant("")
    return found
