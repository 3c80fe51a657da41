"""What goes over the wire: the typed messages between the engine and its clients."""
