"""The served models, as far as the proxy knows them: tokenizers, templates, bounds, defaults."""
