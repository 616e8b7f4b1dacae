-- Without statistics the planner guesses; this keeps the one guess that matters cheap.
PRAGMA optimize;
