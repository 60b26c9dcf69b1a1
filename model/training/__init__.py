"""Offline training and evaluation; nothing that serves the page imports it."""
