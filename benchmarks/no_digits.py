"""How much of what is not a digit the shipped model calls uncertain: ``python -m benchmarks.no_digits``.

Pictures that share no code and no font with those that the preset `handwriting` is trained on, and of the scripts only
Greek. Fonts and photos: benchmarks/data.
"""

import string
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.accuracy import shipped_classifier
from benchmarks.support.common import machine, table
from recognition.errors import BlankDrawing
from recognition.imaging import find_candidates
from recognition.prediction.digits import predict_candidates
from training.learner import dataset

DATA = Path(__file__).parent / "data"
SIDE = 280
LIKE_DIGITS = "BDIOQSZbgiloqsz"  # read as the digits that they look like, by people too
LETTERS = "".join(letter for letter in string.ascii_letters if letter not in LIKE_DIGITS)
HANDS = ("caveat-latin", "kalam-latin", "indie-flower-latin", "architects-daughter-latin", "patrick-hand-latin")
GREEK = "ΑΓΔΕΗΘΚΛΜΝΞΠΡΣΤΥΧΨΩαγεηθκλμνξπρστυχψως"
# Digits and letters of other scripts by the name of the font, without those that look like our digits.
DIGITS = {
    "kalam-devanagari": "४६७८९",
    "farsan-gujarati": "૪૬૭૮૯",
    "noto-sans-bengali-bengali": "৩৫৬৮৯",
    "noto-sans-tamil-tamil": "௧௩௪௫௬௮௯",
    "noto-sans-arabic-arabic": "٢٣٤٧٨",
    "noto-sans-thai-thai": "๑๒๓๔๕๖๗๘๙",
}
SCRIPTS = {
    "kalam-devanagari": "अआकखगघचछजझडतथधनपफबभमयलवशषसह",
    "hind-vadodara-gujarati": "અકખઘચછજઝણતથધનફબભમયલવશષસહ",
    "farsan-gujarati": "અકખઘચછજઝણતથધનફબભમયલવશષસહ",
    "noto-sans-bengali-bengali": "কখগঘচছজঝণতথদধনপফবভমযরলশষসহঅআইউ",
    "noto-sans-tamil-tamil": "அஆஇஈஊஎஏஐகஙசஞணதநபமயலவழளறன",
    "noto-sans-arabic-arabic": "بتثجحخسشصضطظعغفقكلمني",
    "noto-sans-thai-thai": "กคฆฉชซญณดตถทธนบปผฝพฟภมยลศษสหฬฮ",
    "noto-sans-hebrew-hebrew": "אהחטלמפצקשתע",
    "noto-sans-georgian-georgian": "დთლმნჟრსფქღყშჩცძწჭხჯჰ",
    "noto-sans-armenian-armenian": "ԱԲԳԴԹԺԼԽԿՀՂՃՄՈՊՌՓՔաբգդթժխծկհղճմնոպռտփք",
}
ICONS = range(0xE000, 0x110000)
PHOTO, PHOTOS_A_ROW = 96, 5
Rng = np.random.Generator


@cache
def load_face(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(DATA / f"{name}.ttf", size, layout_engine=ImageFont.Layout.BASIC)


def character(rng: Rng, face: ImageFont.FreeTypeFont, text: str, bold: int = 7) -> Image.Image:
    """Draw a character in the middle, its strokes up to `bold` pixels wider at each side, bent and slanted."""
    image = Image.new("L", (SIDE, SIDE), 255)
    width = int(rng.integers(0, bold))
    place = SIDE / 2, SIDE / 2
    ImageDraw.Draw(image).text(place, text, fill=0, font=face, anchor="mm", stroke_width=width)
    angle, slant = np.deg2rad(rng.normal(0, 7)), rng.uniform(-0.25, 0.25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ [[1, slant], [0, 1]]
    shift = SIDE / 2 - turn @ [SIDE / 2, SIDE / 2]
    (a, b), (c, d) = turn
    matrix = (a, b, shift[0], c, d, shift[1])
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=255)


def letter(rng: Rng, letters: str = LETTERS) -> Image.Image:
    face = ImageFont.load_default(float(rng.uniform(110, 210)))
    assert isinstance(face, ImageFont.FreeTypeFont)
    return character(rng, face, str(rng.choice(list(letters))))


def from_fonts(rng: Rng, fonts: dict[str, str]) -> Image.Image:
    """Draw a character of one of the fonts, by name with its characters."""
    name = str(rng.choice(list(fonts)))
    return character(rng, load_face(name, int(rng.integers(100, 180))), str(rng.choice(list(fonts[name]))))


def icon(rng: Rng) -> Image.Image:
    return character(rng, load_face("icons", int(rng.integers(100, 200))), chr(int(rng.choice(icon_codes()))), bold=2)


@cache
def icon_codes() -> list[int]:
    """Return the code points for which the font has an icon."""
    face = load_face("icons", 20)
    return [code for code in ICONS if face.getmask(chr(code)).getbbox()]


def photo(rng: Rng) -> Image.Image:
    """Cut a square from one of the photos."""
    sheet = Image.open(DATA / "photos.png")
    number = int(rng.integers(sheet.width * sheet.height // PHOTO**2))
    down, across = divmod(number, PHOTOS_A_ROW)
    side = int(rng.integers(PHOTO // 3, PHOTO + 1))
    x, y = rng.integers(0, PHOTO - side + 1, 2) + [across * PHOTO, down * PHOTO]
    return sheet.crop((int(x), int(y), int(x) + side, int(y) + side)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def half(rng: Rng) -> Image.Image:
    """Cut one of MNIST's test digits in two, where the half is no digit: both of 0, the lower one of 3 and 5."""
    labels = dataset.load(settings.MNIST_DIR, "t10k").labels
    row = int(rng.choice(np.flatnonzero(np.isin(labels, (0, 3, 5)))))
    digit, middle = test_digits()[row], int(rng.integers(13, 16))
    kept = digit[:middle] if labels[row] == 0 and rng.random() < 0.5 else digit[middle:]
    image = Image.fromarray(255 - np.pad(kept, 6))
    return image.resize((image.width * 8, image.height * 8), Image.Resampling.BICUBIC)


def piece_of_print(rng: Rng) -> Image.Image:
    """Draw lines that meet or cross, as by ruler: frames and tables in parts. None of them resembles a 1, 4 or 7."""
    image = Image.new("L", (SIDE, SIDE), 255)
    pen, width = ImageDraw.Draw(image), int(rng.integers(3, 24))
    left, top, right, bottom = rng.uniform([40, 40, 160, 160], [120, 120, 240, 240])
    x, y = (left + right) / 2, (top + bottom) / 2
    shapes: list[list[tuple[float, ...]]] = [
        [(left, top, left, bottom, right, bottom)],
        [(right, top, left, top, left, bottom)],
        [(left, bottom, right, bottom, right, top)],
        [(left, y, right, y), (left, top, left, bottom)],
        [(left, y, right, y), (right, top, right, bottom)],
        [(left, top, right, top), (x, top, x, bottom)],
        [(left, y, right, y), (x, top, x, bottom)],
        [(left, top, left, bottom, right, bottom, right, top)],
        [(left, bottom, left, top, right, top, right, bottom), (x, top, x, bottom)],
        [(left, top, right, top, right, bottom, left, bottom, left, top), (x, top, x, bottom)],
        [(left, y, right, y)],
    ]
    for line in shapes[int(rng.integers(len(shapes)))]:
        pen.line(line, fill=0, width=width)
    return image


def look_alike(rng: Rng) -> Image.Image:
    return letter(rng, LIKE_DIGITS)


def scribble(rng: Rng) -> Image.Image:
    """A pen that wanders: its direction is a random walk."""
    steps = int(rng.integers(60, 240))
    heading = np.cumsum(rng.normal(0, rng.uniform(0.25, 0.9), steps)) + rng.uniform(0, 2 * np.pi)
    path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
    path -= path.min(axis=0)
    path = path / path.max() * rng.uniform(110, 220)
    path += (SIDE - path.max(axis=0)) / 2
    image = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(image).line([tuple(p) for p in path], fill=0, width=int(rng.integers(6, 22)), joint="curve")
    return image


def pair(rng: Rng) -> Image.Image:
    """Two of MNIST's test digits, touching or not."""
    left, right = test_digits()[rng.integers(0, 10_000, 2)]
    wide = np.concatenate([left[:, : 28 - int(rng.integers(2, 8))], right[:, int(rng.integers(2, 8)) :]], axis=1)
    return Image.fromarray(255 - wide).resize((wide.shape[1] * 5, 140), Image.Resampling.BICUBIC)


def blot(rng: Rng) -> Image.Image:
    """A blurred noise field cut at a level: patches with soft borders."""
    noise = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8))
    field = np.asarray(noise.filter(ImageFilter.GaussianBlur(float(rng.uniform(18, 32)))), float)
    down, across = np.indices((SIDE, SIDE)) - SIDE / 2
    field -= np.hypot(down, across) / 280 * np.ptp(field) * 1.2
    return Image.fromarray(np.where(field > np.quantile(field, rng.uniform(0.75, 0.93)), 0, 255).astype(np.uint8))


@cache
def test_digits() -> NDArray[np.uint8]:
    """[10000, 28, 28]"""
    return np.rint(dataset.load(settings.MNIST_DIR, "t10k").images[..., 0] * 255).astype(np.uint8)


# How each kind is drawn, and how many pictures.
KINDS: dict[str, tuple[Callable[[Rng], Image.Image], int]] = {
    "letters, printed": (letter, 300),
    "letters, five handwritings": (partial(from_fonts, fonts=dict.fromkeys(HANDS, LETTERS)), 300),
    "Greek letters": (partial(from_fonts, fonts={"gfs-didot-greek": GREEK, "mansalva-greek": GREEK}), 200),
    "digits of six other scripts": (partial(from_fonts, fonts=DIGITS), 200),
    "letters of nine other scripts": (partial(from_fonts, fonts=SCRIPTS), 200),
    "scribbles": (scribble, 250),
    "two digits": (pair, 200),
    "halves of digits": (half, 100),
    "pieces of print": (piece_of_print, 150),
    "icons": (icon, 150),
    "photos": (photo, 100),
    "blots": (blot, 100),
}
APART = {"letters that look like digits": (look_alike, 50)}  # not in the sum


def uncertain(make: Callable[[Rng], Image.Image], count: int) -> int:
    """Return how many of `count` pictures the product calls uncertain, or refuses."""
    drawings = []
    for row in range(count):
        with suppress(BlankDrawing):
            drawings.append(find_candidates(make(np.random.default_rng((11, row)))))
    predictions = predict_candidates(shipped_classifier(), drawings)
    return count - sum(not prediction.uncertain_reason for prediction in predictions)


def main() -> None:
    found = {kind: (count, uncertain(make, count)) for kind, (make, count) in (KINDS | APART).items()}
    found["all but the last"] = tuple(sum(column) for column in zip(*(found[kind] for kind in KINDS), strict=True))
    rows = [[kind, str(count), f"{share / count:.1%}"] for kind, (count, share) in found.items()]
    print(machine())
    print(table(["not a digit", "pictures", "uncertain or refused"], rows))


if __name__ == "__main__":
    main()
