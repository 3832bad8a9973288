"""Champion against challenger on a run's page and in the admin, and the form of the preset that learns corrections."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, overflow
from tests.support.page import SCRIBBLE, alert, answer, button, draw
from tests.support.shipped import SHIPPED_ACCURACY

pytestmark = pytest.mark.browser
MAKE = """
from recognition import registry
from recognition.models import Activation
from tests.support.comparisons import WORSE
from tests.support.constant_models import publish_constant_model
from tests.support.runs import make_run
from training.models import RunCorrections, Status
base, model = Activation.current().model, publish_constant_model(6)
registry.compare(base, model, WORSE)
run = make_run(Status.COMPLETED, preset="adapt", model=model, base=base, not_activated="It is worse.")
RunCorrections.objects.create(run=run, count=275, held_out=137, sha256="ab" * 32, entries=[], pictures=b"")
print(run.pk)
"""


NUMBER = "**/api/number/**"


@pytest.fixture(name="number", scope="module")
def add_compared_run(shared_stack):
    return int(shared_stack.manage("shell", "--verbosity", "0", "-c", MAKE))


def check_section(section):
    expect(section).to_contain_text("The comparison advises against replacing model")
    expect(section.get_by_role("listitem").filter(has_text="It is significantly worse on MNIST's")).to_be_visible()
    cells = section.get_by_role("table").first.get_by_role("cell")
    expect(cells).to_have_text(["", "9,900", "60", "2", "40"])
    expect(section).to_contain_text("Significantly worse (p < 0.001)")
    expect(section).to_contain_text("42 of 10,002 misread before, 100 after.")
    expect(section).to_contain_text("Significantly better (p < 0.001)")
    expect(section).to_contain_text("No significant difference (p = 1.000)")
    broken = section.get_by_role("list", name="Broken").first
    picture = broken.get_by_role("img", name=re.compile(r"A 7: model \d+ predicted 1, model \d+ 7"))
    picture.scroll_into_view_if_needed()  # else it is not loaded
    expect(picture).to_have_js_property("naturalWidth", 28)


def test_a_runs_page_compares_its_model_with_the_one_it_began_with(visits, number):
    page = visits.open(f"/runs/{number}/")
    check_section(page.get_by_role("region", name="Champion against challenger"))
    expect(page.get_by_role("article").first).to_contain_text("The model was not put into service. It is worse.")
    facts = page.get_by_role("region", name="Details")
    expect(facts).to_contain_text("275")
    expect(facts).to_contain_text("ab" * 32)
    expect(facts.get_by_role("link", name=re.compile("model 1"))).to_have_attribute("href", "/runs/1/")
    check_accessibility(page)
    page.set_viewport_size({"width": 375, "height": 800})
    assert overflow(page) <= 0
    facts.get_by_role("link", name="Train again on the same corrections").click()
    form = page.get_by_role("form", name="Training settings")
    expect(form.get_by_label("Preset")).to_have_value("adapt")
    expect(form.get_by_label(f"Learn the corrections of run {number} again")).to_be_checked()
    expect(form).to_contain_text(re.compile(r"\d+ accepted corrections, \d+ since the model in service was trained"))
    expect(form.get_by_label("Learning rate")).to_be_hidden()


def test_a_run_without_corrections_shows_no_comparison(visits, number):
    page = visits.open("/runs/1/")
    expect(page.get_by_role("region", name="Details")).to_contain_text("handwriting")
    expect(page.get_by_role("heading", name="Champion against challenger")).to_be_hidden()


def test_the_form_says_what_is_missing_for_a_run_that_learns_corrections(visits, number):
    page = visits.open("/", expected=["status of 409"])
    form = page.get_by_role("form", name="Training settings")
    form.get_by_label("Preset").select_option("adapt")
    expect(form).to_contain_text("At least 10 are needed.")
    form.get_by_role("button", name="Start training").click()
    expect(form.get_by_role("alert")).to_contain_text("needs at least 10 accepted corrections")
    form.get_by_label("Preset").select_option("original")
    expect(form.get_by_label("Learning rate")).to_be_visible()


def test_the_admin_shows_the_same_and_asks_for_a_reason(operator, number):
    page = operator(f"training/trainingrun/{number}/change/")
    check_section(page.get_by_role("region", name="Champion against challenger"))
    page.get_by_role("link", name="Put into service").click()
    expect(page.get_by_label("Reason")).to_be_visible()
    expect(page.get_by_text("It is significantly worse on MNIST's test digits")).to_be_visible()


# --- The model of a run reads what is drawn ---


def test_a_runs_model_reads_beside_the_one_in_service_without_being_activated(visits, number):
    page = visits.open(f"/runs/{number}/", width=1280)
    page.get_by_role("link", name="Try this model").click()
    expect(page.get_by_role("heading", name="Draw a number")).to_be_in_viewport()
    model = re.search(r"\?model=(\d+)#draw-title$", page.url)[1]
    choice = page.get_by_role("combobox", name="Read by")
    expect(choice).to_have_value(model)
    expect(page.get_by_role("status", name="Comparison of the models")).to_have_text(
        "Draw something to compare the models."
    )
    asked = []
    page.on("request", lambda request: "/api/number/" in request.url and asked.append(f"model={model}" in request.url))
    draw(page)
    expect(answer(page)).to_contain_text(re.compile(rf"Read as 6, 100% sure\..*Read by model {model}\.", re.S))
    verdict = page.get_by_role("status", name="Comparison of the models")
    expect(verdict).to_have_text("The models differ.")
    chosen, serving = page.locator(".side").all()
    expect(chosen).to_have_accessible_name(re.compile(rf"^Model {model}: .*, run {number}$"))
    expect(chosen).to_contain_text("Read as 6, 100% sure.")
    expect(serving).to_have_accessible_name(f"Model in service (1): {SHIPPED_ACCURACY}, run 1")
    expect(serving).to_contain_text("Read as 7")
    assert asked.count(False) == 1, "the model in service is asked for finished drawings only"
    check_accessibility(page, 1280, 320, context=".draw")

    with page.expect_response("**/api/corrections/**") as sent:
        page.get_by_role("group", name="It was").get_by_role("button", name="7").click()
    assert (sent.value.json()["predicted"], sent.value.json()["model"]) == (6, int(model))
    button(page, "Undo correction").click()  # other modules count the corrections of this stack
    expect(page.get_by_role("status", name="Correction")).to_have_text("Undone. The label was deleted.")
    page.get_by_role("checkbox", name="Compare with the model in service").uncheck()
    expect(serving).to_be_hidden()
    draw(page, SCRIBBLE)
    expect(answer(page)).to_contain_text("Read as 6")
    assert asked.count(False) == 1
    page.get_by_role("button", name="Undo", exact=True).click()
    choice.select_option(label=f"Model in service (1): {SHIPPED_ACCURACY}, run 1")
    expect(answer(page)).to_contain_text("Read as 7")
    assert "model=" not in page.url


def test_models_to_choose_are_listed_with_the_first_answer_and_a_missing_one_is_said(visits, number):
    page = visits.open("/", expected=["status of 404", "ERR_FAILED"])
    listed = []
    page.on("request", lambda request: request.url.endswith("/api/models/") and listed.append(request.url))
    choice = page.get_by_role("combobox", name="Read by")
    expect(choice.get_by_role("option")).to_have_text(["Model in service"])
    assert not listed
    draw(page)
    expect(choice.get_by_role("option").nth(1)).to_have_text(re.compile(rf"^Model \d+: .*, run {number}$"))
    draw(page, SCRIBBLE)
    expect(answer(page)).not_to_contain_text("Read as 7")
    assert len(listed) == 1

    choice.select_option(index=1)
    expect(answer(page)).to_contain_text("Read as 6")
    expect(page.locator(".side")).to_have_count(2)
    page.route(NUMBER, lambda route: route.continue_() if "model=" in route.request.url else route.abort())
    button(page, "Undo").click()
    expect(page.get_by_role("status", name="Comparison of the models")).to_contain_text("did not answer.")
    page.unroute_all()
    expect(page.get_by_role("status", name="Comparison of the models")).to_have_text("The models differ.")

    page.goto(f"{visits.url}/?model=4711")
    expect(alert(page, "There is no model 4711. The model in service reads.")).to_be_visible()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    assert "model=" not in page.url
