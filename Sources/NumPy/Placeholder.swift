// Placeholder until the engineer's files appear.
