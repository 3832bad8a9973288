"""One way of training, once: ``python -m benchmarks._ways original --digits 60000 --epochs 3``.

Progress goes to standard error; the one line on standard output is a measurement as JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json

# Imported only when asked for: what one way sets in the environment must not reach another.
WAYS = ("original", "product", "pytorch", "floor")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--digits", type=int, help="to train on; the preset's by default")
    parser.add_argument("--epochs", type=int, help="the preset's by default")
    parser.add_argument("--preset", default="original", help="of the product")
    parser.add_argument("--seed", type=int, default=0)
    task = parser.parse_args()
    way = importlib.import_module(f"benchmarks._ways.{task.way}")
    print(json.dumps(way.measure(task)), flush=True)


if __name__ == "__main__":
    main()
