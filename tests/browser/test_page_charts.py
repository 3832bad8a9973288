"""The charts of runs as an engineer uses them: what they show, zoom, hover and save."""

import math
import re
import struct

import pytest
from playwright.sync_api import expect

from tests.support.browser import epoch, settle, snapshot
from tests.support.charts import CONFUSION, MEASURE, at, chart, columns, drag_finger, plot, save
from tests.support.page import button
from tests.support.shifts import record_shifts, shifts

pytestmark = pytest.mark.browser
LOSSES = [600_000.0 / number**2 for number in range(1, 61)]


def long_run(**values):
    """A run of 60 epochs with a loss of up to 600,000."""
    epochs = [
        epoch(number) | {"loss": loss, "objective": loss, "val_loss": loss * 2, "accuracy": 1 - 0.5 / number}
        for number, loss in enumerate(LOSSES, 1)
    ]
    for one in epochs:
        one["val_accuracy"] = min(1, one["accuracy"] + 0.001)
    parameters = {"epochs": 60, "batch_size": 128, "learning_rate": 0.001, "samples": 60000, "seed": 1}
    parameters |= {"validation_samples": 5000, "activate": False}
    return snapshot(seq=61, epochs=epochs, max_epochs=60, parameters=parameters, **values)


def open_charts(visits, shown, **options):
    page, server = visits.open_faked(shown, **options)
    expect(chart(page, "Accuracy").get_by_role("img")).to_have_attribute("aria-label", re.compile("by epoch"))
    settle(page)
    return page, server


def test_labels_are_whole_and_plots_are_aligned_at_every_width(visits):
    page, _ = open_charts(visits, long_run())
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        found = page.evaluate(MEASURE)
        assert found["wrong"] == [], width
        assert len({round(x) for x in found["axes"]}) == 1, "plots begin at the same place"
        assert len(set(found["heights"])) == 1
        assert len(set(found["tops"])) == (1 if width == 1280 else 2), "beside each other, they are level"
        assert any(text.endswith("0K") for text in found["words"][1])
        assert found["words"][0][-1] == "60"
    for name in ("Accuracy", "Loss"):
        label = plot(page, name).get_attribute("aria-label")
        assert len(label) < 200
        assert "training: 60 epochs, last" in label
        assert "in epoch 60" in label
    swatches = chart(page, "Loss").locator(".swatch line")
    dashes = swatches.evaluate_all("lines => lines.map((line) => getComputedStyle(line).strokeDasharray)")
    assert len(set(dashes)) == 2, "told apart without colours"


def test_forced_colours_leave_curves_bars_and_heat_visible(visits):
    page, _ = open_charts(visits, long_run(status="completed", confusion=CONFUSION, test_accuracy=0.9))
    page.emulate_media(forced_colors="active", color_scheme="light")
    probability = "document.querySelector('.bar-fill')"
    heat = "document.querySelector('.confusion .hot, .confusion td:not(.right):has(button)')"
    for element, name in ((probability, "backgroundColor"), (heat, "backgroundColor")):
        colour = page.evaluate(f"getComputedStyle({element}).{name}")
        assert colour not in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}, element
    strokes = "lines => lines.map((line) => getComputedStyle(line).stroke)"
    assert set(chart(page, "Loss").locator(".curve").evaluate_all(strokes)) <= {"rgb(0, 0, 0)", *highlights(page)}
    page.emulate_media(forced_colors="none")


def highlights(page):
    """The colour of a selection, which each system chooses."""
    script = "() => { const e = document.body.appendChild(document.createElement('i')); e.style.color = 'Highlight';"
    return {page.evaluate(script + "const { color } = getComputedStyle(e); e.remove(); return color; }")}


def test_one_hover_in_all_charts(visits):
    page, _ = open_charts(visits, long_run())
    plot(page, "Accuracy").scroll_into_view_if_needed()
    before = page.evaluate(MEASURE)
    record_shifts(page)
    at(page, "Accuracy", 0.5)
    position = chart(page, "Loss").locator(".position").inner_text()
    number = int(re.fullmatch(r"epoch (\d+)", position).group(1))
    assert chart(page, "Accuracy").locator(".position").inner_text() == position
    expect(chart(page, "Accuracy")).to_contain_text(f"training {1 - 0.5 / number:.2%}")
    expect(chart(page, "Loss").locator(".key").first).to_contain_text(f"{LOSSES[number - 1]:.1f}"[:-2])
    for name in ("Accuracy", "Loss"):
        expect(chart(page, name).locator(".pointer")).to_have_count(1)
    page.mouse.move(0, 0)
    expect(chart(page, "Loss").locator(".position")).to_have_text("epoch 60")
    expect(page.locator(".pointer")).to_have_count(0)
    after = page.evaluate(MEASURE)
    assert (after["tops"], after["heights"], shifts(page)) == (before["tops"], before["heights"], [])


def test_batches_have_their_values_under_the_pointer_and_in_the_table(visits):
    page, server = open_charts(visits, snapshot(seq=3, epochs=[epoch(1)], max_epochs=2))
    for step in range(1, 10):
        server.send("batch", 3, epoch=2, step=step, steps=10, loss=0.1, accuracy=0.9 + step / 64, seconds_left=None)
    expect(page.get_by_text("9 of 10", exact=True)).to_be_visible()
    plot(page, "Accuracy").scroll_into_view_if_needed()
    right = at(page, "Accuracy", 0.99)
    for left in range(0, 200, 4):
        page.mouse.move(right[0] - left, right[1])
        settle(page)
        if (found := chart(page, "Loss").locator(".position").inner_text()) == "epoch 1.5":
            break
    assert found == "epoch 1.5"
    expect(chart(page, "Accuracy")).to_contain_text("training 97.81%")
    rows = save(page, "accuracy", "CSV")
    assert rows[0] == ["kind", "epoch", "training"]
    assert ["batch", "1.5", "0.978125"] in rows
    assert ["epoch", "1", "0.9"] in rows


def test_a_chart_is_zoomed_by_dragging_and_by_keyboard_and_all_with_it(visits):
    page, _ = open_charts(visits, long_run())
    reset = button(page, "Reset zoom")
    expect(reset).to_have_attribute("aria-disabled", "true")
    at(page, "Accuracy", 0.5)
    page.mouse.down()
    at(page, "Accuracy", 0.75)
    expect(page.locator(".selection")).to_be_visible()
    page.mouse.up()
    settle(page)
    for name in (0, 1):
        assert 20 < columns(page, name)[0] < columns(page, name)[-1] < 50
    expect(reset).to_have_attribute("aria-disabled", "false")
    plot(page, "Loss").dblclick(position={"x": 100, "y": 60})
    settle(page)
    assert columns(page, 0)[-1] == 60
    drag_finger(page, "Loss", 0.4, 0.8)
    assert 15 < columns(page, 0)[0] < columns(page, 0)[-1] < 55
    button(page, "Reset zoom").click()
    page.mouse.move(0, 0)
    slider = page.get_by_role("slider", name="Loss, epoch")
    slider.focus()
    for key in ("ArrowLeft", "ArrowLeft", "+", "+"):
        page.keyboard.press(key)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^epoch 59: training 172\.36, validation 344\.73"))
    settle(page)
    assert columns(page, 0)[0] > 40
    page.keyboard.press("Home")
    settle(page)
    assert columns(page, 1)[-1] < 30, "the range follows"
    page.keyboard.press("-")
    reset.click()
    settle(page)
    assert columns(page, 1)[-1] == 60


def test_logarithmic_axis_and_smoothing_are_remembered(visits):
    page, _ = open_charts(visits, long_run())
    page.get_by_label("Log scale for loss").check()
    page.get_by_label("Smoothing").fill("0.6")
    settle(page)
    words = page.evaluate(MEASURE)["words"]
    numbers = [float(text.replace("K", "000")) for text in words[1][: words[1].index("epoch")]]
    assert {number / 10 ** int(math.log10(number)) for number in numbers} <= {1, 2, 3, 5}, "steps of the same factor"
    assert len(numbers) > 2
    assert "100%" in words[0]
    for name in ("Accuracy", "Loss"):
        expect(chart(page, name).locator(".raw.curve")).to_have_count(2)
        expect(chart(page, name).locator(".plot .curve:not(.raw)")).to_have_count(2)
    page.reload()
    expect(page.get_by_label("Log scale for loss")).to_be_checked()
    expect(page.get_by_label("Smoothing")).to_have_value("0.6")
    page.evaluate("localStorage.clear()")


def test_a_picture_is_saved_in_the_pages_colours_at_twice_its_size(visits):
    page, _ = open_charts(visits, long_run(), expected=[])
    content = save(page, "loss", "PNG")
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    box = plot(page, "Loss").bounding_box()
    assert width == pytest.approx(2 * (box["width"] + 32), abs=3)
    assert height > 2 * box["height"] + 80, "with a title and a key"
    rows = save(page, "loss", "CSV")
    assert rows[0] == ["kind", "epoch", "training", "validation"]
    assert rows[60] == ["epoch", "60", str(LOSSES[-1]), str(LOSSES[-1] * 2)]


def test_what_the_curves_mean_is_said(visits):
    parameters = snapshot()["run"]["parameters"] | {"validation_samples": 0}
    page, _ = open_charts(
        visits, snapshot(status="completed", epochs=[epoch(1)], parameters=parameters, test_accuracy=0.95)
    )
    expect(page.get_by_role("article")).to_contain_text(
        "The preset original trains on all 60,000 digits, so there is no validation curve. "
        "Hold some back with “Validation samples”."
    )
    said = "Dropout switches off half of the units during training, so training accuracy lies below test accuracy."
    expect(page.get_by_text(said)).to_be_visible()
    page, _ = open_charts(visits, long_run(status="completed", test_accuracy=0.5))
    expect(page.get_by_text("so training accuracy lies below validation accuracy.")).to_be_visible()
    expect(page.get_by_text("no validation curve")).to_have_count(0)
    page, _ = open_charts(visits, snapshot(status="completed", epochs=[epoch(1, 0.99)], test_accuracy=0.9))
    expect(page.get_by_text(said)).to_be_hidden()
