"""{% module "training/js/home.js" %}: a page's ES module, and all it imports announced ahead.

Without that the browser learns of a module only when it has read the one that imports it: a round trip for each level.
What is imported by `import(…)` can wait, and is not announced: it would compete with what cannot.
"""

import posixpath
import re
from functools import lru_cache
from pathlib import Path, PurePosixPath

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
IMPORT = re.compile(r"""^import\b[^"'(]*["'](\.\.?/[^"']+)["']""", re.M)


@register.simple_tag
def module(name: str) -> SafeString:
    """The script element, preceded by a modulepreload link for every module below it."""
    links = format_html_join("\n", '<link rel="modulepreload" href="{}">', ((static(n),) for n in imported(name)))
    return format_html('{}\n<script type="module" src="{}"></script>', links, static(name))


@lru_cache
def imported(name: str) -> tuple[str, ...]:
    """Names of the static files that `name` imports, at any depth, each once."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        source = Path(str(finders.find(current))).read_text(encoding="utf-8")
        folder = PurePosixPath(current).parent
        new = [posixpath.normpath(folder / target) for target in IMPORT.findall(source)]
        waiting += [n for n in new if n not in found]
        found |= dict.fromkeys(new)
    return tuple(found)
