"""The terminal screen: panes, keys and themes. All work is done by the engine."""
