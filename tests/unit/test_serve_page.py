"""The page of `ligero serve` in a real browser: what it shows is what Predictor finds."""

import contextlib
import json
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

import frontier_folders
import served
from ligero import runs
from ligero.measure import gather
from ligero.report.frontier import as_json, sections
from ligero.report.frontier_page import JSON
from ligero.runtime import Predictor
from ligero.serve import serving
from served import TEXT, workers

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --disable-dev-shm-usage "
    "--accept-lang=es-ES --window-size=1100,900"
).split()
QUESTION = "¿Quién viajó?"
PARTS = ("ADJ", "ADP", "DET", "NOUN", "PROPN", "PUNCT", "VERB")
# What every object of JavaScript has.
ODD_LABELS = ("constructor", "toString", "valueOf:hasOwnProperty")
# Beyond the first plane a character is one in Python and two in a browser.
ODD = "¡🎉🎉! " + TEXT
VIOLATIONS = (
    "window.violations = []; addEventListener('securitypolicyviolation', "
    "(event) => violations.push(event.violatedDirective + ' ' + event.blockedURI));"
)


def scored(folder, place, score):
    """A copy of an exported folder whose card has a score on pos-ancora."""
    shutil.copytree(folder, place)
    card = json.loads((place / "export.json").read_text())
    card["task"] = {"name": "pos-ancora", "metric": "accuracy", "split": "test"}
    card["score"] = {"original": score, "exported": score, "interval": [score - 2, score + 2]}
    runs.write_json(place / "export.json", card)
    runs.write_manifest(place)
    return place


@pytest.fixture(scope="module")
def folders(exports, tmp_path_factory):
    """name -> folder: one of each kind, parts of speech, and two that do the same."""
    place = tmp_path_factory.mktemp("page")
    other = served.export(place / "other", {"tag": served.LABELS["tag"]}, seed=2)["tag"]
    parts = served.export(place / "parts", {"tag": PARTS})["tag"]
    odd = served.export(place / "odd", {"classify": ODD_LABELS})["classify"]
    return {
        **exports,
        "tag": scored(exports["tag"], place / "tag", 88.5),
        "otro": scored(other, place / "otro", 71.0),
        "partes": parts,
        "raro": odd,
    }


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A folder as `ligero report` leaves it, without its pictures."""
    place = tmp_path_factory.mktemp("report")
    small = {"hidden_size": 96, "intermediate_size": 192, "num_hidden_layers": 2}
    model = {"family": "modernbert", "config": small, "parameters": 7}
    frontier_folders.export(place / "runs" / "tag", 88.5)
    frontier_folders.export(place / "runs" / "chico", 80.0, model=model)
    found = gather.gather([place / "runs"])
    runs.write_json(place / JSON, {"date": "2025-03-01", **as_json(sections(found), found)})
    return place


@pytest.fixture(scope="module")
def server(folders, report):
    given = [f"{name}={folder}" for name, folder in folders.items()]
    with serving(given, threads=1, max_characters=2000, queue=4, report=report) as one:
        yield one


@pytest.fixture(scope="module")
def predictors(folders):
    return {name: Predictor(folder, threads=1) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if not all(found.values()):
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = found["chromium"]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=Service(found["chromedriver"])) as one:
        one.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": VIOLATIONS})
        yield one


class Page:
    """The page, as a person uses it."""

    def __init__(self, driver, url):
        self.driver, self.url = driver, url

    def open(self, **chosen):
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/#" + "&".join(f"{k}={v}" for k, v in chosen.items()))
        self.wait(lambda: self.all("#model option, #failed:not([hidden])"))
        return self

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((n) => n.textContent)"
        return self.driver.execute_script(script, selector)

    def wait(self, done):
        return WebDriverWait(self.driver, 15, poll_frequency=0.03).until(lambda _: done())

    def choose(self, selector, value):
        Select(self.one(selector)).select_by_value(value)

    def put(self, selector, text):
        """Text as if it were pasted: the driver cannot type every character."""
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        self.driver.execute_script(script, self.one(selector), text)

    def read(self, first, second=None, results=1):
        """Ask by the button, and wait for as many results."""
        if self.one("#live").is_selected():
            self.one("#live").click()
        self.put("#first", first)
        if second is not None:
            self.put("#second", second)
        # What was shown before goes, so that what comes is what was asked for.
        self.driver.execute_script("document.getElementById('results').replaceChildren()")
        self.one("#send").click()
        self.wait(lambda: len(self.all("#results article")) == results)
        return self

    def pieces(self, selector):
        """(text, label) of marked parts of a text, without what is only for listeners."""
        script = """return [...document.querySelectorAll(arguments[0])].map((one) => {
          const copy = one.cloneNode(true);
          copy.querySelectorAll(".unseen, .sign").forEach((node) => node.remove());
          const label = copy.querySelector(".label");
          label.remove();
          return [copy.textContent, label.textContent];
        })"""
        return [tuple(pair) for pair in self.driver.execute_script(script, selector)]

    def fits(self):
        """Whether nothing has to be scrolled for sideways."""
        script = "const { scrollWidth, clientWidth } = document.documentElement;"
        return self.driver.execute_script(script + "return scrollWidth <= clientWidth")

    def paint(self, theme):
        """As if the person's system were light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": theme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def logged(self):
        """What the console was told since it was last looked at."""
        return [line["message"] for line in self.driver.get_log("browser")]


@pytest.fixture
def page(driver, server):
    """The page anew, and after the test: nothing was complained of, nothing came from elsewhere."""
    one = Page(driver, server.url)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    one.logged()
    yield one
    assert one.driver.execute_script("return window.violations") == []
    assert [line for line in one.logged() if "Failed to load resource" not in line] == []
    asked = driver.execute_script(
        "return performance.getEntriesByType('resource').map((e) => e.name)"
    )
    origin = urlsplit(server.url).netloc
    assert asked and {urlsplit(address).netloc for address in asked} == {origin}


def number(value, digits):
    """As the page writes numbers in Spanish."""
    return f"{value:.{digits}f}".replace(".", ",")


@pytest.mark.parametrize("text", [TEXT, ODD, "Nieves\nCórdoba <b>Zaragoza</b>"])
def test_entities_are_those_of_predictor(page, predictors, text):
    page.open(model="tag").read(text)
    wanted = predictors["tag"](text)
    assert page.pieces("#results .entity") == [(one["text"], one["label"]) for one in wanted]
    shown = page.driver.execute_script(
        "const copy = document.querySelector('.running').cloneNode(true);"
        "copy.querySelectorAll('.label, .unseen').forEach((node) => node.remove());"
        "return copy.textContent"
    )
    assert shown == text  # nothing is lost or doubled, whatever its characters count
    assert "ms en el servidor" in page.one(".took").text
    assert "88,5 [86,5–90,5]" in page.one("#results .facts").text


def test_parts_of_speech_and_their_legend(page, predictors):
    page.open(model="partes").read(TEXT)
    wanted = [(one["text"], one["label"]) for one in predictors["partes"](TEXT)]
    assert page.pieces("#results .word") == wanted
    labels = {label for _, label in wanted}
    assert set(page.texts(".legend .swatch")) == labels
    legend = page.one(".legend").text
    assert all(f"× {[w for _, w in wanted].count(label)}" in legend for label in labels)


def test_classes_are_bars_in_order(page, predictors):
    page.open(model="classify").read(TEXT)
    wanted = predictors["classify"](TEXT)
    assert page.texts(".bars .value") == [f"{number(100 * w['probability'], 1)} %" for w in wanted]
    assert [name.split()[0] for name in page.texts(".bars .name")] == [w["label"] for w in wanted]
    widths = page.driver.execute_script(
        "return [...document.querySelectorAll('.bar span')].map((n) => parseFloat(n.style.width))"
    )
    assert widths == pytest.approx([100 * w["probability"] for w in wanted], abs=0.01)
    page.read("Sí", TEXT)
    pair = predictors["classify"]("Sí", TEXT)
    assert page.texts(".bars .value")[0] == f"{number(100 * pair[0]['probability'], 1)} %"


def test_labels_that_every_object_has_are_labels_like_others(page, predictors):
    page.open(model="raro").read(TEXT)
    wanted = [one["label"] for one in predictors["raro"](TEXT)]
    assert sorted(wanted) == sorted(ODD_LABELS) and page.texts(".bars .name") == wanted
    named = page.driver.execute_async_script(
        "const [names, done] = arguments;"
        "import('/page/language.js').then((said) => done(names.map((name) => said.metric(name))))",
        list(ODD_LABELS),
    )
    assert named == list(ODD_LABELS)


def test_answers_in_their_context(page, predictors):
    page.open(model="answer").read(QUESTION, ODD)
    wanted = predictors["answer"](QUESTION, ODD)
    if wanted[0]["label"] == "answer":
        assert page.pieces("#results .entity")[0][0] == wanted[0]["text"]
        assert wanted[0]["text"] in page.one(".verdict").text
    else:
        assert page.one(".verdict").text == "El contexto no responde a la pregunta."
    others = [w["text"] or "El contexto no responde a la pregunta." for w in wanted[1:]]
    assert page.texts("#results tbody th") == others
    page.read(QUESTION, "\u200b")  # a context without words
    assert page.one(".verdict").text == "El contexto no responde a la pregunta."
    page.put("#second", "")
    page.one("#send").click()
    page.wait(lambda: "Faltan textos" in page.one("#results").text)


def test_a_tree_and_its_table(page, predictors):
    text = " ".join([TEXT] * 3)
    page.open(model="parse").read(text)
    wanted = predictors["parse"](text)
    assert len(wanted) > 30
    assert page.texts(".tree text.word") == [w["text"] for w in wanted]
    arcs = page.driver.execute_script(
        "return [...document.querySelectorAll('.tree .arc')].map((n) => "
        "[Number(n.dataset.to), Number(n.dataset.from), n.querySelector('text').textContent])"
    )
    assert sorted(map(tuple, arcs)) == [
        (n, w["head"] - 1, w["label"]) for n, w in enumerate(wanted)
    ]
    page.one("summary").click()
    heads = [f"{w['head']} {w['head_text']}" if w["head"] else "(raíz)" for w in wanted]
    assert page.texts("#results tbody td:nth-child(2)") == heads
    assert page.fits()  # the tree scrolls, the page does not


def test_two_models_side_by_side(page, predictors):
    page.open(model="tag")
    page.choose("#other", "otro")
    page.read(TEXT, results=2)

    def found(name):
        return [(one["start"], one["end"], one["label"]) for one in predictors[name](TEXT)]

    mine, theirs = found("tag"), found("otro")
    assert mine != theirs
    for name, ours, others in (("tag", mine, theirs), ("otro", theirs, mine)):
        article = f"article[data-model={name}]"
        marked = page.pieces(f"{article} .entity.differs")
        assert marked == [(TEXT[s:e], label) for s, e, label in ours if (s, e, label) not in others]
        assert len(page.all(f"{article} .sign")) == len(marked)
        assert "ms en el servidor" in page.one(f"{article} .took").text
    assert "≠" in page.one("#compared").text and "71,0" in page.one("article[data-model=otro]").text
    assert "with=otro" in page.driver.current_url and "Nieves" not in page.driver.current_url
    page.choose("#other", "partes")
    page.wait(lambda: "etiquetas distintas" in page.one("#compared").text)


def test_while_typing_only_the_last_text_counts(page, predictors):
    page.open(model="classify")
    box = page.one("#first")
    box.send_keys("La ministra viajó")
    page.wait(lambda: page.all("#results article"))
    box.send_keys(" a Córdoba.")
    wanted = predictors["classify"]("La ministra viajó a Córdoba.")[0]["probability"]
    page.wait(lambda: page.texts(".bars .value")[:1] == [f"{number(100 * wanted, 1)} %"])
    asked = page.driver.execute_script(
        "return performance.getEntriesByType('resource').filter((e) => e.name.includes('/predict/')).length"
    )
    assert asked < 10  # of 28 keys
    box.clear()
    page.one("#clear").click()
    page.wait(lambda: "Escribe un texto" in page.one("#results").text)


def test_examples_are_read_at_a_click(page, predictors):
    page.open(model="tag")
    for chip in page.all("#chips button"):
        chip.click()
        text = page.one("#first").get_attribute("value")
        wanted = [(one["text"], one["label"]) for one in predictors["tag"](text)]
        page.wait(lambda wanted=wanted: page.pieces("#results .entity") == wanted)
    assert len(page.all("#chips button")) >= 3


def test_html_in_a_text_stays_text(page, predictors):
    text = '<img src=x onerror="window.owned=1"> <script>window.owned=1</script> <b>Nieves</b>'
    page.open()
    for name in ("tag", "partes", "parse", "classify", "answer"):
        page.choose("#model", name)
        page.read(text, text if name == "answer" else "")
        assert page.all("#results img, #results script, #results b") == []
        assert page.driver.execute_script("return window.owned") is None
    assert "<b>" in page.one("#results").text


def test_languages(page):
    page.open(model="tag").read(TEXT)
    assert page.one("#to-docs").is_displayed()
    assert page.one("html").get_attribute("lang") == "es" and page.one("#send").text == "Analizar"
    page.one("#language").click()
    assert page.one("html").get_attribute("lang") == "en" and page.one("#send").text == "Analyse"
    assert "in the server" in page.one(".took").text and "88.5" in page.one(".facts").text
    page.open(model="tag")
    assert page.one("html").get_attribute("lang") == "en"  # remembered
    page.one("#language").click()
    script = "const done = arguments[0]; fetch('page/words.json').then((r) => r.json()).then(done)"
    words = page.driver.execute_async_script(script)["page"]
    assert words["es"].keys() == words["en"].keys() and all(
        text for language in words.values() for text in language.values()
    )


def test_by_keyboard_alone(page, predictors):
    page.open()
    active = lambda: page.driver.switch_to.active_element  # noqa: E731
    seen = []

    def tab_to(name):
        for _ in range(30):
            ActionChains(page.driver).send_keys(Keys.TAB).perform()
            seen.append(active().get_attribute("id"))
            if seen[-1] == name:
                outline = active().value_of_css_property("outline-style")
                assert outline != "none", name
                return
        raise AssertionError(f"{name} was not reached: {seen}")

    tab_to("model")
    ActionChains(page.driver).send_keys("tag").perform()
    tab_to("first")
    assert Select(page.one("#model")).first_selected_option.get_attribute("value") == "tag"
    ActionChains(page.driver).send_keys("Nieves Córdoba viajó").perform()
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(
        Keys.CONTROL
    ).perform()
    wanted = [(o["text"], o["label"]) for o in predictors["tag"]("Nieves Córdoba viajó")]
    page.wait(lambda: page.all("#results article"))
    assert page.pieces("#results .entity") == wanted
    tab_to("send")
    page.driver.execute_script("document.getElementById('results').replaceChildren()")
    ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    page.wait(lambda: page.all("#results article"))
    assert seen.index("language") < seen.index("model") < seen.index("first")
    told = page.one("#told")
    assert told.get_attribute("aria-live") == "polite"
    assert page.texts("#told")[0].startswith(
        "No hay ninguna" if not wanted else f"{len(wanted)} entidad"
    )


# All visible text, its colour and what lies behind it, as red, green and blue.
COLOURS = """
const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const rgb = (colour) => {
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
};
const found = [];
for (const one of document.querySelectorAll("body *")) {
  const text = [...one.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim());
  if (!text.length || !one.checkVisibility() || one.closest(".unseen, .skip, :disabled, title")) continue;
  const style = getComputedStyle(one);
  const colour = one.closest("svg") ? style.fill : style.color;
  let behind = one;
  const paint = () => rgb(getComputedStyle(behind).backgroundColor);
  while (behind.parentElement && paint()[3] === 0) behind = behind.parentElement;
  found.push([one.tagName + "." + one.getAttribute("class"), rgb(colour), paint()]);
}
return found;
"""


def contrast(one, other):
    """WCAG 2.2's ratio of two colours."""

    def luminance(colour):
        parts = [c / 255 for c in colour[:3]]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_light_and_dark(page):
    page.open()
    for model, other in (("tag", "otro"), ("partes", ""), ("parse", ""), ("classify", "")):
        page.choose("#model", model)
        page.choose("#other", other)
        page.read(TEXT, results=2 if other else 1)
        for theme, paper in (("light", [251, 251, 249]), ("dark", [21, 24, 27])):
            page.paint(theme)
            colours = page.driver.execute_script(COLOURS)
            assert len(colours) > 30 and colours[0][2][:3] == paper
            assert not [(name, a, b) for name, a, b in colours if contrast(a, b) < 4.5]
    page.paint("light")
    page.one("#theme").click()
    page.one("#theme").click()  # from automatic over light to dark
    assert page.one("html").get_attribute("data-theme") == "dark"
    assert page.driver.execute_script(COLOURS)[0][2][:3] == [21, 24, 27]
    page.one("#theme").click()


def test_names_of_controls_and_landmarks(page):
    page.open(model="parse").read(TEXT)
    page.one("summary").click()
    controls = page.all("a, button, input, select, textarea, summary, [tabindex='0']")
    shown = [one for one in controls if one.is_displayed()]
    assert len(shown) > 15
    for one in shown:
        assert one.accessible_name.strip(), one.get_attribute("outerHTML")
    ids = page.driver.execute_script(
        "return [...document.querySelectorAll('[id]')].map((n) => n.id)"
    )
    assert len(ids) == len(set(ids))
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("nav")) == 1
    assert len([one for one in page.all("h1") if one.is_displayed()]) == 1


def test_the_frontier_of_a_report(page, report):
    page.open(view="frontier", model="tag")
    page.wait(lambda: page.all("#plane table"))
    (task,) = json.loads((report / JSON).read_text())["tasks"]
    rows = page.texts("#plane tbody th")
    assert sorted(rows) == sorted(p["name"] for p in [*task["points"], *task["published"]])
    points = page.all("svg.plot .point")
    assert len(points) == len(rows)
    assert page.texts("svg.plot .point.served") == [""] and page.texts("tr.served th") == ["tag"]
    best = {one.get_attribute("data-name") for one in page.all(".point.best")}
    assert best == set(task["front_with_published"])
    page.driver.execute_script("arguments[0].focus()", page.one(".point.served"))
    tip = page.one(".tip").text
    assert tip.startswith("tag: 88,5 [87,5–89,5]") and "servido aquí" in tip
    shown = page.driver.page_source
    assert str(report) not in shown  # no folder of this machine leaves it
    page.choose("#frontier-axis", "bytes")
    page.wait(lambda: len(page.all("svg.plot .point")) == 2)
    assert "axis=bytes" in page.driver.current_url


def test_320_pixels_are_enough(page):
    size = {"width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.open()
        for name in ("tag", "partes", "parse", "classify"):
            page.choose("#model", name)
            page.read(TEXT)
            assert page.fits()
        page.open(view="frontier")
        page.wait(lambda: page.all("#plane table"))
        assert page.fits()
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_token_is_asked_for_and_kept_nowhere(driver, folders):
    with serving([f"tag={folders['tag']}"], {"LIGERO_TOKEN": "secreto"}, threads=1) as one:
        page = Page(driver, one.url).open()
        page.wait(lambda: page.one("#token-form").is_displayed())
        assert "pide una clave" in page.one("#failed").text and not page.one("#read").is_displayed()
        assert not page.one("#to-docs").is_displayed()  # a link brings no token
        page.one("#token").send_keys("falsa", Keys.ENTER)
        page.wait(
            lambda: (
                page.one("#failed").is_displayed()
                and page.one("#token").get_attribute("value") == ""
            )
        )
        page.one("#token").send_keys("secreto", Keys.ENTER)
        page.wait(lambda: page.one("#read").is_displayed())
        assert not page.one("#token-form").is_displayed() and not page.one("#failed").is_displayed()
        page.read(TEXT)
        # Without a report: the models that are served, by their cards.
        page.one("#to-frontier").click()
        page.wait(lambda: page.all("#plane table"))
        assert page.texts("#plane tbody th") == ["tag"] and "ligero report" in page.one(".how").text
        kept = driver.execute_script(
            "return JSON.stringify([{...localStorage}, {...sessionStorage}])"
        )
        assert "secreto" not in kept + driver.current_url + driver.get_cookies().__repr__()


def test_errors_of_the_server_in_one_line(page, server):
    """The last one, since it stops workers and at last the server."""
    page.open(model="tag").read("a " * 1500)
    told = page.one("#results .error").text
    assert "El texto no se puede leer." in told and "at most 2,000" in told and "\n" not in told

    def ask():
        return served.ask(server.url, "/predict/tag", {"text": TEXT})

    def figures():
        return served.ask(server.url, "/metrics").body.decode()

    def stop():
        (worker,) = workers(server.process.pid)
        os.kill(worker, signal.SIGSTOP)
        return worker

    worker = stop()
    with ThreadPoolExecutor(5) as pool, contextlib.ExitStack() as stack:
        stack.callback(os.kill, worker, signal.SIGKILL)
        sent = [pool.submit(ask) for _ in range(5)]
        served.eventually(lambda: 'queue_length{model="tag"} 4' in figures())
        page.read(TEXT)
        assert "demasiadas peticiones" in page.one("#results .error").text
    assert 503 in {one.result().status for one in sent}
    served.eventually(lambda: ask().status == 200, 30)

    held = [line for line in figures().splitlines() if line.startswith("ligero_batch_texts_count")]
    worker = stop()
    page.one("#send").click()
    served.eventually(lambda: not all(line in figures() for line in held))
    os.kill(worker, signal.SIGKILL)
    page.wait(lambda: "no puede leerlo ahora" in page.one("#results").text)
    served.eventually(lambda: ask().status == 200, 30)
    page.read(TEXT)
    assert page.all("#results .error") == []

    server.process.send_signal(signal.SIGTERM)
    server.process.wait(15)
    page.read(TEXT)
    assert "El servidor no responde." in page.one("#results .error").text
    page.logged()
