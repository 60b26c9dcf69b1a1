// Everything by keyboard; the sheet behind "?" says how.

const TYPING = "textarea, select, input:not([type=range], [type=radio], [type=checkbox])";

const SHORTCUTS = {
  " ": togglePlay,
  1: () => selectVersion("original"),
  2: () => selectVersion("reconstruction"),
  3: () => selectVersion("edited"),
  d: () => choosePicture(state.picture === "level" ? "difference" : "level"),
  "[": () => spanEdge("start"),
  "]": () => spanEdge("end"),
  Escape: clearSpan,
  r: resetAll,
  "?": () => part.help.showModal(),
};

function onKey(event) {
  if (!state.view || part.help.open || event.target.closest(TYPING)) return;
  if (event.ctrlKey || event.metaKey) return onControlKey(event);
  if (event.altKey || !Object.hasOwn(SHORTCUTS, event.key)) return;
  // Space has a meaning of its own on buttons and the like, and characters in Gradio's parts.
  if (event.key === " " && event.target.closest("button, a, audio, summary, [type=checkbox]")) return;
  event.preventDefault();
  SHORTCUTS[event.key]();
}

function onControlKey(event) {
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) redo();
  else undo();
}
