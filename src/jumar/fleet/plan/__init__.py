"""Which chips to order when, what to move where: a two-stage stochastic programme, and what its answer is worth."""
