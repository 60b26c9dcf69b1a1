"""The page: everything a visitor sees and hears. Imports `model`; nothing imports `app`."""
