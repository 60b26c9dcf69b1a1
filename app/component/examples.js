const buttons = [...element.querySelectorAll("button")];

function markOpen() {
  buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === props.value)));
}

buttons.forEach((button, index) => button.addEventListener("click", () => trigger("select", { index })));
watch("value", markOpen);
markOpen();
