"""The engine process: folders held open, their watch, their searches and answers over HTTP."""
