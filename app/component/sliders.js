// The bank of sliders: native range inputs, a page of dimensions at a time, in the chosen order.

const SLIDERS_PER_PAGE = 8;
const SLIDER_STEP = 0.05;

// `on` has moved(dimension, value), paged() and resetAll().
function createBank(part, words, on) {
  let depth = null;
  let deltas = null;
  let page = 0;

  const shown = () => (depth ? depth.ranking.slice(page * SLIDERS_PER_PAGE, (page + 1) * SLIDERS_PER_PAGE) : []);
  const lastPage = () => Math.ceil(depth.ranking.length / SLIDERS_PER_PAGE) - 1;

  function row(dimension) {
    const strength = strengthOf(depth, dimension);
    const name = make("span", {}, make("b", {}, dimension), make("small", {}, strength));
    const range = { min: -depth.limit_sigma, max: depth.limit_sigma, step: SLIDER_STEP };
    const input = make("input", { type: "range", ...range });
    const output = make("output", {});
    const reset = make("button", { type: "button", title: fill(words.reset, { dimension }) }, "↺");
    const item = make("li", {}, name, input, output, reset);
    item.dataset.dimension = dimension;
    item.classList.toggle("inactive", !isActive(depth, dimension));
    input.setAttribute("aria-label", fill(words.slider_label, { dimension, strength }));
    reset.setAttribute("aria-label", reset.title);
    input.value = deltas.get(dimension) || 0;
    input.addEventListener("input", () => move(dimension, item));
    reset.addEventListener("click", () => {
      input.value = 0;
      input.focus();
      move(dimension, item);
    });
    showValue(dimension, item);
    return item;
  }

  function move(dimension, item) {
    on.moved(dimension, Number(item.querySelector("input").value));
    showValue(dimension, item);
  }

  function showValue(dimension, item) {
    const value = deltas.get(dimension) || 0;
    const text = (value ? signed(value) : "0") + " σ";
    item.querySelector("output").textContent = text;
    item.querySelector("input").setAttribute("aria-valuetext", text);
    item.querySelector("button").disabled = value === 0;
    item.classList.toggle("moved", value !== 0);
  }

  function show() {
    part.bank.replaceChildren(...shown().map(row));
    part.previous.disabled = page === 0;
    part.next.disabled = page === lastPage();
    const first = page * SLIDERS_PER_PAGE + 1;
    part.page.textContent = fill(words.page, {
      first,
      last: first + shown().length - 1,
      total: depth.ranking.length,
      order: words["order_" + depth.order],
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
    open(newDepth, newDeltas) {
      depth = newDepth;
      deltas = newDeltas;
      page = 0;
      show();
    },
    // Bring up the slider of a dimension and put the keyboard on it.
    reveal(dimension) {
      turn(Math.floor(depth.ranking.indexOf(dimension) / SLIDERS_PER_PAGE));
      part.bank.querySelector(`[data-dimension="${dimension}"] input`).focus();
    },
  };
}
