"""OpenRouter's generations and activity; its analytics have a package of their own."""
