const buttons = [...element.querySelectorAll("button")];

function markOpen() {
  buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === props.value)));
}

function choose(index) {
  props.value = index;
  markOpen();
  trigger("select", { index, order: performance.now() });
}

buttons.forEach((button, index) => button.addEventListener("click", () => choose(index)));
watch("value", markOpen);
markOpen();
