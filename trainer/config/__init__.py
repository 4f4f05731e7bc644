"""Settings of a training run: the model, its form, presets, recipes."""
