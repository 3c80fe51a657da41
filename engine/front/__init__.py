"""What people meet without the screen: the commands, and the client that reaches the engine."""
