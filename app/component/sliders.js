// The bank of sliders: native range inputs, a page of dimensions at a time, in the chosen order.

const SLIDERS_PER_PAGE = 8;
const SLIDER_STEP = 0.05;

// `on` has moved(dimension, value), settled(), focused(dimension), reset(dimension), resetAll() and paged().
function createBank(on) {
  let view = null;
  let page = 0;

  const shown = () => (view ? view.ranking.slice(page * SLIDERS_PER_PAGE, (page + 1) * SLIDERS_PER_PAGE) : []);
  const lastPage = () => Math.ceil(view.ranking.length / SLIDERS_PER_PAGE) - 1;

  function row(dimension) {
    const strength = strengthOf(view, dimension);
    const name = make("span", { title: view.cards[dimension] || "" }, make("b", {}, dimension), make("small", {}, strength));
    const range = { min: -view.limit_sigma, max: view.limit_sigma, step: SLIDER_STEP };
    const input = make("input", { type: "range", ...range });
    const output = make("output", {});
    const reset = make("button", { type: "button", title: fill(words.reset, { dimension }) }, "↺");
    const item = make("li", {}, name, input, output, reset);
    item.dataset.dimension = dimension;
    item.classList.toggle("inactive", !isActive(view, dimension));
    input.setAttribute("aria-label", fill(words.slider_label, { dimension, strength }));
    reset.setAttribute("aria-label", reset.title);
    input.value = shiftOf(dimension);
    input.addEventListener("input", () => {
      on.moved(dimension, Number(input.value));
      showValue(dimension, item);
    });
    input.addEventListener("change", on.settled);
    input.addEventListener("focus", () => on.focused(dimension));
    reset.addEventListener("click", () => {
      input.value = 0;
      input.focus();
      on.reset(dimension);
      showValue(dimension, item);
    });
    showValue(dimension, item);
    return item;
  }

  function showValue(dimension, item) {
    const value = shiftOf(dimension);
    const edited = editsOf(dimension).length > 0;
    const text = (value ? signed(value) : "0") + " σ";
    item.querySelector("output").textContent = text;
    item.querySelector("input").setAttribute("aria-valuetext", text);
    item.querySelector("button").disabled = !edited;
    item.classList.toggle("moved", edited);
  }

  // The rows are made anew, and the keyboard stays in the row where it was.
  function show() {
    if (!view) return;
    const held = part.bank.querySelector(":focus")?.closest("li").dataset.dimension;
    part.bank.replaceChildren(...shown().map(row));
    part.bank.querySelector(`[data-dimension="${held}"] input`)?.focus({ preventScroll: true });
    part.previous.disabled = page === 0;
    part.next.disabled = page === lastPage();
    const first = page * SLIDERS_PER_PAGE + 1;
    part.page.textContent = fill(words.page, {
      first,
      last: first + shown().length - 1,
      total: view.ranking.length,
      order: words["order_" + view.order],
    });
  }

  function turn(toPage) {
    page = Math.min(Math.max(toPage, 0), lastPage());
    show();
    on.paged();
  }

  part.previous.addEventListener("click", () => turn(page - 1));
  part.next.addEventListener("click", () => turn(page + 1));
  part["reset-all"].addEventListener("click", on.resetAll);

  return {
    shown,
    show,
    // A view of the same dimensions in the same order keeps its page.
    open(newView) {
      if (String(newView.ranking) !== String(view?.ranking)) page = 0;
      view = newView;
      show();
    },
    // Bring up the slider of a dimension and put the keyboard on it.
    reveal(dimension) {
      turn(Math.floor(view.ranking.indexOf(dimension) / SLIDERS_PER_PAGE));
      part.bank.querySelector(`[data-dimension="${dimension}"] input`).focus();
    },
  };
}
