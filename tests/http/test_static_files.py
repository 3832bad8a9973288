"""The product's own JavaScript and CSS as browsers get them: minified, and small.

The limit is for what visitors' pages load, at once or on demand: all files but the admin's and those of the API
documentation. The hashes in the names of imported modules do not count.
"""

import re
from pathlib import PurePosixPath

from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

LIMIT_BYTES = 206_000  # of all files together, unpacked
OWN = ("recognition/", "training/")
NOT_VISITORS = {"admin", "apidocs"}  # folders, or names of files without the ending
HASH = re.compile(r"(?<=\.)[0-9a-f]{12}\.(?=js\")")


def test_javascript_and_css_are_minified_and_small() -> None:
    files = staticfiles_storage.hashed_files
    names = [name for name in files if name.startswith(OWN) and PurePosixPath(name).suffix in {".js", ".css"}]
    texts = {name: Client().get(f"/static/{files[name]}").getvalue().decode() for name in names}
    assert len(texts) > 50
    assert [name for name, text in texts.items() if "\n// " in text or "/* " in text] == []
    parts = {name: PurePosixPath(name).with_suffix("").parts for name in texts}
    visitors = [text for name, text in texts.items() if NOT_VISITORS.isdisjoint(parts[name])]
    assert sum(len(HASH.sub("", text).encode()) for text in visitors) <= LIMIT_BYTES
