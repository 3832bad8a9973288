"""python -m tests.campaigns.fuzz --seed 1 --bodies 100000: a flood, its counts, and status 1 for a violation."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.support.common import processor
from tests.campaigns.fuzz import decoders
from tests.campaigns.fuzz.campaign import Flood, Sent, Tally, wrong_with
from tests.campaigns.fuzz.target import target
from tests.support.wire import Request

BODIES, FRAMES, PICTURES = 100_000, 10_000, 200_000
PUBLIC_SHARE = 0.1  # of it all goes to a target in public mode


def counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in sorted(counter.items()))


def report(name: str, tally: Tally) -> None:
    """What happened, in numbers."""
    seconds = sorted(tally.seconds) or [0.0]
    middle, late, worst = (1000 * seconds[int(share * (len(seconds) - 1))] for share in (0.5, 0.99, 1.0))
    warm, after = tally.before / 2**20, tally.after / 2**20
    print(f"\n{name} mode, {tally.lasted:.0f} s")
    print(f"  bodies     {tally.bodies:,} of {sum(tally.sources.values()):,} requests: {counts(tally.sources)}")
    print(f"  answers    {counts(tally.statuses)}")
    print(f"  frames     {tally.frames:,}; sockets closed: {counts(tally.closes)}")
    print(f"  latency    median {middle:.1f} ms, p99 {late:.1f} ms, worst {worst:.0f} ms")
    print(f"  memory     {warm:.1f} MB when warm, {after:.1f} MB after: {after - warm:+.1f} MB")
    print(f"  at each tenth {', '.join(f'{level / 2**20:.0f}' for level in tally.levels)} MB")
    print(f"  violations {len(tally.violations)}", flush=True)


def save(folder: Path, violations: list[tuple[str, Sent]]) -> None:
    """Each offending request beside its sentence; `--replay` sends one again."""
    for number, (sentence, sent) in enumerate(violations[:20], 1):
        file = folder / f"offence-{number}.{'json' if isinstance(sent, Request) else 'bin'}"
        file.write_bytes(sent.saved().encode() if isinstance(sent, Request) else sent)
        print(f"  {sentence}\n    {file}")


def replay(folder: Path, file: Path) -> None:
    with target(folder) as stack:
        request, flood = Request.loaded(file.read_text()), Flood(stack, 0, 0, 0)
        answer = flood.ask(request)
        print(answer.status, answer.body[:2000].decode(errors="replace"))
        print(wrong_with(flood.document, request, answer) or "nothing is wrong with it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bodies", type=int, default=BODIES)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--pictures", type=int, default=PICTURES, help="PNGs that are decoded with and without Pillow")
    parser.add_argument("--folder", type=Path, help="where logs and offending requests go; kept")
    parser.add_argument("--replay", type=Path, help="send one saved request again, and nothing else")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="digits-fuzz-"))
    if given.replay:
        replay(folder, given.replay)
        return
    print(f"{processor()}; seed {given.seed}", flush=True)
    found, differing = decoders.compare(given.seed, given.pictures)
    print(f"\n{given.pictures:,} mutated PNGs: {counts(found)}; {len(differing)} differ from Pillow's", flush=True)
    violations: list[tuple[str, Sent]] = [*differing]
    for public, share in ((False, 1 - PUBLIC_SHARE), (True, PUBLIC_SHARE)):
        place = folder / ("public" if public else "local")
        place.mkdir(parents=True, exist_ok=True)
        with target(place, public=public) as stack:
            tally = Flood(stack, given.seed, round(given.bodies * share), round(given.frames * share)).run()
        report(stack.name, tally)
        violations += tally.violations
    save(folder, violations)
    if not violations and not given.folder:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(bool(violations))


if __name__ == "__main__":
    main()
