"""A cluster of many chips over months: what fails, what jobs lose by it, and what checkpoints and spares save."""
