"""OpenRouter's analytics: any counts, by whom or what, over any time."""
