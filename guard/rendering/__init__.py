"""The whole request as the model reads it: texts in the order of the prompt, mapped to items."""
