"""Where an answer may go: thread to case, and the decision table. Pure."""
