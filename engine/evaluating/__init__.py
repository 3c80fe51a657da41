"""How well searching finds: questions with known answers, and the metrics of their field."""
