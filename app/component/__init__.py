"""The live view: one HTML component that draws on canvases and plays through WebAudio while sliders move."""
