"""Letters and characters that no digit resembles: a table of our own, and the Hershey fonts' strokes."""

import re
from functools import cache
from itertools import chain

import numpy as np
from HersheyFonts import HersheyFonts

from training.learner.handwriting.lines import Drawing, Rng, curve, either, straight

# The strokes of letters that no digit resembles, as in SVG's paths: L is a polyline and C a curve through the points.
LETTERS = {
    "A": "L 0,1 0.4,0 0.8,1 L 0.15,0.62 0.65,0.62",
    "C": "C 0.8,0.15 0.4,0 0,0.5 0.4,1 0.8,0.85",
    "E": "L 0.7,0 0,0 0,1 0.7,1 L 0,0.5 0.55,0.5",
    "F": "L 0.7,0 0,0 0,1 L 0,0.48 0.55,0.48",
    "G": "C 0.8,0.15 0.4,0 0,0.5 0.4,1 0.8,0.8 L 0.45,0.55 0.82,0.55 0.82,1",
    "H": "L 0,0 0,1 L 0.7,0 0.7,1 L 0,0.5 0.7,0.5",
    "J": "C 0.6,0 0.6,0.7 0.3,1 0,0.75 L 0.25,0 0.9,0",
    "K": "L 0,0 0,1 L 0.65,0 0,0.55 0.7,1",
    "L": "L 0,0 0,1 0.65,1",
    "M": "L 0,1 0.05,0 0.45,0.7 0.85,0 0.9,1",
    "N": "L 0,1 0,0 0.7,1 0.7,0",
    "P": "L 0,0 0,1 C 0,0.02 0.5,0.02 0.65,0.26 0.5,0.5 0,0.52",
    "R": "L 0,0 0,1 C 0,0.02 0.5,0.02 0.65,0.26 0.5,0.5 0,0.52 L 0.2,0.52 0.7,1",
    "T": "L 0,0 0.8,0 L 0.4,0 0.4,1",
    "U": "C 0,0 0,0.65 0.35,1 0.7,0.65 0.7,0",
    "V": "L 0,0 0.35,1 0.7,0",
    "W": "L 0,0 0.22,1 0.45,0.3 0.68,1 0.9,0",
    "X": "L 0,0 0.7,1 L 0.7,0 0,1",
    "Y": "L 0,0 0.35,0.5 0.7,0 L 0.35,0.5 0.35,1",
    "a": "C 0.6,0.1 0.25,0 0,0.45 0.25,0.9 0.6,0.5 C 0.62,0 0.62,0.7 0.85,0.95",
    "a2": "C 0.05,0.15 0.4,0 0.65,0.25 0.65,1 C 0.65,0.45 0.2,0.5 0,0.75 0.25,1 0.65,0.75",
    "d": "C 0.55,0.5 0.25,0.4 0,0.7 0.25,1 0.55,0.8 L 0.57,0 0.57,1",
    "e": "C 0.02,0.5 0.7,0.45 0.4,0 0,0.5 0.35,1 0.75,0.85",
    "f": "C 0.6,0.05 0.35,0.03 0.25,0.3 0.25,1 L 0,0.4 0.55,0.4",
    "h": "L 0,0 0,1 C 0,0.6 0.3,0.4 0.5,0.55 0.5,1",
    "j": "C 0.3,0.25 0.3,0.85 0.1,1 -0.1,0.9 L 0.3,0 0.31,0.03",
    "k": "L 0,0 0,1 L 0.45,0.35 0,0.65 0.5,1",
    "m": "L 0,0 0,1 C 0,0.35 0.3,0.02 0.5,0.3 0.5,1 C 0.5,0.35 0.8,0.02 1,0.3 1,1",
    "n": "L 0,0 0,1 C 0,0.4 0.4,0.02 0.7,0.3 0.7,1",
    "p": "L 0,0 0,1 C 0,0.1 0.4,0 0.6,0.3 0.4,0.6 0,0.52",
    "r": "L 0,0 0,1 C 0,0.35 0.25,0.05 0.55,0.1",
    "t": "C 0.25,0 0.25,0.8 0.4,1 0.6,0.9 L 0,0.3 0.55,0.3",
    "u": "C 0,0 0,0.75 0.3,1 0.65,0.7 L 0.65,0 0.65,1",
    "w": "C 0,0 0.2,0.9 0.45,0.2 0.7,0.9 0.9,0",
}

# Characters of the Hershey fonts by the font's name: their codes, or the first and the last of several. Left out are
# those that look like a digit.
GLYPHS: dict[str, str | tuple[int, ...]] = {
    "futural": "ACEFHJKMNPRTUVWXYacdefhjkmnprtuvwxy#%*+<=>?@[]^~:;!",
    "scripts": "ABCEFGHKMNPRTUVWXacdhkmnprtuvwx",  # pragma: allowlist secret
    "cursive": "ABCFHKMNPRTUVWXadhkmnprtuvwx",  # pragma: allowlist secret
    "timesi": "ACEFGHKLMNPRTUVWXYadehkmnprtuvwxy",  # pragma: allowlist secret
    "gothgbt": "ACEFGHKLMNPRTUVWXYacdefhkmnprtuvwxy",  # pragma: allowlist secret
    "greeks": "ACDEGHJKLMNPQRSTVWXaceghjklmnpqrstvwx" * 2,  # pragma: allowlist secret
    "greekc": "ACDEGHJKLMNPQRSTVWXaceghjklmnpqrstvwx" * 2,  # pragma: allowlist secret
    "cyrillic": "$%DEGHIKLPQUWX]^",
    "japanese": (36, 49, 51, 55, 57, 58, 65, 66, 69, 71, 73, 75, 77, 78, 80, 80, 84, 88, 90, 92, 94, 100, 102, 102)
    + (104, 104, 114, 114, 120, 121, 123, 125, 127, 128, 134, 137, 148, 151, 153, 156, 160, 160, 165, 166, 170, 171)
    + (173, 174, 178, 180, 186, 187, 200, 201, 203, 206, 213, 216),
    "mathlow": (33, 39, 42, 43, 58, 64, 93, 94, 98, 108, 110, 111, 118, 122),
    "astrology": (33, 33, 35, 39, 47, 47, 58, 64, 91, 91, 93, 96, 123, 126),
    "symbolic": (55, 57, 62, 62, 65, 65, 69, 71, 73, 91, 93, 112),
}
STEP = 0.08  # between two points of a glyph's stroke


@cache
def load_glyphs() -> list[Drawing]:
    """Return the strokes of all GLYPHS."""
    fonts, found = HersheyFonts(), []
    for name, chosen in GLYPHS.items():
        fonts.load_default_font(name)
        codes = (
            map(ord, chosen)
            if isinstance(chosen, str)
            else chain.from_iterable(
                range(first, last + 1) for first, last in zip(chosen[::2], chosen[1::2], strict=True)
            )
        )
        glyphs = [fonts.all_glyphs[chr(code)] for code in codes]
        found += [unit_height([np.array(list(stroke), float) for stroke in glyph.strokes]) for glyph in glyphs]
    return found


def unit_height(drawing: Drawing) -> Drawing:
    """Scale the longer side to 1 and put points at most STEP apart, so that a stroke bends where it is straight."""
    whole = np.concatenate(drawing)
    low, high = whole.min(axis=0), whole.max(axis=0)
    out = []
    for stroke in drawing:
        points = (stroke - low) / (high - low).max()
        way = np.concatenate([[0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
        at = np.union1d(np.linspace(0, way[-1], int(way[-1] / STEP) + 2), way)
        out.append(np.stack([np.interp(at, way, points[:, axis]) for axis in (0, 1)], axis=1))
    return out


def glyph(rng: Rng) -> Drawing:
    """Return a character of a Hershey font, at times much narrower or wider than it is."""
    drawing = load_glyphs()[int(rng.integers(len(load_glyphs())))]
    return [stroke * [rng.uniform(0.6, 1.2), 1] for stroke in drawing]


def letter(rng: Rng) -> Drawing:
    """Return one of LETTERS, at times with a serif."""
    path = LETTERS[str(rng.choice(list(LETTERS)))]
    wide = rng.uniform(0.75, 1.25)
    made = []
    for kind, numbers in re.findall("([LC])([^LC]+)", path):
        knots = np.fromstring(numbers.replace(",", " "), sep=" ").reshape(-1, 2) * [wide, 1]
        made.append((curve if kind == "C" else straight)(knots, rng, 0.025))
    if either(rng, 0.3):  # serifs
        low = max((s[s[:, 1].argmax()] for s in made), key=lambda p: p[1])
        made.append(straight([(low[0] - 0.15, low[1]), (low[0] + 0.15, low[1])], rng, 0.01))
    return made
