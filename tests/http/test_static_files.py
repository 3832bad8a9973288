"""The product's own JavaScript and CSS as browsers get them: minified, and small all together."""

from pathlib import PurePosixPath

from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

LIMIT_BYTES = 190_000  # of all files together, unpacked
OWN = ("recognition/", "training/")


def test_javascript_and_css_are_minified_and_small() -> None:
    files = staticfiles_storage.hashed_files
    names = [name for name in files if name.startswith(OWN) and PurePosixPath(name).suffix in {".js", ".css"}]
    texts = {name: Client().get(f"/static/{files[name]}").getvalue().decode() for name in names}
    assert len(texts) > 50
    assert [name for name, text in texts.items() if "\n// " in text or "/* " in text] == []
    assert sum(len(text.encode()) for text in texts.values()) <= LIMIT_BYTES
