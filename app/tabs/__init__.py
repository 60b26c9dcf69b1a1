"""One file a tab: layout first, then handlers, then wiring."""
