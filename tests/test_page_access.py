"""For everybody: names for what is on the page, contrast, phones, both themes, calm motion."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from app import wording
from tests.browser import open_url, painted, part, state, visitor, wait_for_state

NAMED = {"button", "slider", "radio", "checkbox", "combobox", "spinbutton", "textbox", "image", "img", "dialog"}

PHONE = {"viewport": {"width": 375, "height": 800}, "has_touch": True, "is_mobile": True}

# Gradio's own nodes are Gradio's.
OURS = ["#heading", "#live", "#examples"]


def unfold(page) -> None:
    """Open everything that can be unfolded."""
    page.evaluate("for (const more of document.querySelectorAll('#live details')) more.open = true")
    painted(page)


def accessibility_tree(page, selector: str) -> list[dict]:
    """What a screen reader is told of an element and all in it."""
    session = page.context.new_cdp_session(page)
    found = session.send("Runtime.evaluate", {"expression": f"document.querySelector('{selector}')"})
    tree = session.send("Accessibility.queryAXTree", {"objectId": found["result"]["objectId"]})
    return [node for node in tree["nodes"] if not node["ignored"]]


@pytest.mark.parametrize("selector", ["#live", "#examples"])
def test_everything_that_can_be_used_or_seen_has_a_name(page, selector):
    unfold(page)
    page.click(part("traversal-fill"))
    page.locator(f"{part('traversal-tiles')} button").nth(6).wait_for()
    nodes = [node for node in accessibility_tree(page, selector) if node["role"]["value"] in NAMED]
    assert len(nodes) > (60 if selector == "#live" else 7)
    nameless = [node for node in nodes if not node.get("name", {}).get("value", "").strip()]
    assert nameless == []
    assert page.evaluate(
        "(inside) => [...document.querySelectorAll(inside)].every((one) => one.innerText.trim())", "fieldset legend"
    )


def test_sliders_say_their_value_with_its_unit(page):
    slider = page.locator("#live [data-part=bank] li:nth-child(1) input")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "+0.05 σ"
    assert slider.get_attribute("aria-label").startswith(f"Dimension {state(page, 'focus')}, ")


def test_changes_are_announced(page):
    (region,) = [node for node in accessibility_tree(page, "#live header") if node["role"]["value"] == "status"]
    live = {item["name"]: item["value"]["value"] for item in region["properties"]}
    assert live["live"] == "polite"


def violations(page, selectors: list[str]) -> list[tuple[str, str]]:
    """What axe-core finds in the page: rule and the first node that breaks it."""
    found = Axe().run(page, {"include": [[selector] for selector in selectors]})
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found.response["violations"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(page, url, theme):
    open_url(page, f"{url}?__theme={theme}")
    unfold(page)
    page.select_option(part("beside-model"), "gim")
    page.wait_for_selector(part("beside-figure"), state="visible")
    assert violations(page, OURS) == []
    page.keyboard.press("?")
    page.wait_for_selector(part("help"), state="visible")
    assert violations(page, [part("help")]) == []
    page.keyboard.press("Escape")
    page.get_by_role("tab", name=wording.ABOUT_TAB).click()
    page.wait_for_selector("#about", state="visible")
    assert violations(page, ["#about"]) == []


def test_axe_would_find_a_fault(page):
    page.evaluate("document.querySelector('#live h2, #live b').style.color = '#ccc'")
    page.evaluate("document.querySelector('#live [data-part=bank] input').removeAttribute('aria-label')")
    assert {"color-contrast", "label"} <= {rule for rule, _ in violations(page, OURS)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scroll(browser, url, theme):
    with visitor(browser, f"{url}?__theme={theme}", **PHONE) as page:
        unfold(page)
        page.tap(part("traversal-fill"))
        page.locator(f"{part('traversal-tiles')} button").nth(6).wait_for()
        page.select_option(part("beside-model"), "gim")
        page.wait_for_selector(part("beside-figure"), state="visible")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")


def swipe(page, name: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Move a finger over a picture; places are shares of its width and height."""
    page.locator(part(name)).scroll_into_view_if_needed()
    box = page.locator(part(name)).bounding_box()
    session = page.context.new_cdp_session(page)
    for step in range(11):
        x, y = (a + (b - a) * step / 10 for a, b in zip(start, end, strict=True))
        point = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        event = {"type": "touchMove" if step else "touchStart", "touchPoints": [point]}
        session.send("Input.dispatchTouchEvent", event)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.fixture
def phone(browser, url):
    with visitor(browser, url, **PHONE) as page:
        yield page


def test_on_a_phone_everything_is_large_enough_to_press(phone):
    unfold(phone)
    small = phone.evaluate(
        """[...document.querySelectorAll('#live button, #live select, #live [type=range], #live .choice label')]
            .filter((node) => node.checkVisibility())
            .map((node) => [node.getBoundingClientRect(), node.dataset.part || node.textContent || node.type])
            .filter(([box]) => box.width < 24 || box.height < 24)
            .map(([box, name]) => [name, box.width, box.height])"""
    )
    assert small == []  # WCAG 2.2: 24 px at least.


@pytest.mark.parametrize("name", ["waveform", "spectrogram", "latents"])
def test_a_finger_sideways_selects_a_span_and_up_scrolls(phone, name):
    swipe(phone, name, (0.4, 0.5), (0.7, 0.5))
    assert state(phone, "span.end") - state(phone, "span.start") > 0.5
    phone.keyboard.press("Escape")
    before = phone.evaluate("scrollY")
    swipe(phone, name, (0.5, 0.9), (0.5, -2.0))
    phone.wait_for_function("(before) => scrollY > before", arg=before)
    assert state(phone, "span") is None


def test_a_finger_draws_a_curve(phone):
    phone.check(part("draw"))
    swipe(phone, "curve", (0.3, 0.3), (0.7, 0.6))
    (edit,) = state(phone, "recipes.get('small/2').edits")
    drawn_s = edit["curve"][-1][0] - edit["curve"][0][0]
    assert drawn_s > 0.4 * state(phone, "clip.seconds")  # The whole stroke, not only its beginning.


def test_with_reduced_motion_the_playhead_steps_and_nothing_is_animated(browser, url):
    with visitor(browser, url, reduced_motion="reduce") as page:
        page.evaluate(
            f"""() => {{
                window.moves = 0;
                const watched = document.querySelector("{part("playhead")}");
                new MutationObserver(() => {{ window.moves += 1; }}).observe(watched, {{attributeFilter: ['style']}});
                window.startedAt = performance.now();
            }}"""
        )
        page.click(part("play"))
        wait_for_state(page, "sound.positionS() > 1")
        moves, passed_ms = page.evaluate("[window.moves, performance.now() - window.startedAt]")
        assert 1 < moves <= passed_ms / 250 + 2  # Four times a second; a timer never comes early.
        assert page.evaluate("document.querySelector('#live').getAnimations({subtree: true}).length") == 0
