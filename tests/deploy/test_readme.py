"""The README's first example does what the README says."""

import json
import re

from django.test import Client

from tests.support.stack import ROOT


def test_the_example_is_answered_as_it_stands_there(shipped: None) -> None:
    found = re.search(r"api/drawing/ .*-d '(.*)'\n# (\{.*\})\n", (ROOT / "README.md").read_text())
    assert found
    answer = Client(HTTP_HOST="localhost").post("/api/drawing/", found[1], content_type="application/json").json()
    said = json.loads(found[2].replace("[…]", '["…"]'))
    numbers = {"probabilities": ["…"], "model": 1}  # the model's counts those before it in this database
    assert answer | numbers == said
